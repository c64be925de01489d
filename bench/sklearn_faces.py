"""fastgd.sklearn beside scikit-learn's own MLPs: `python bench/sklearn_faces.py [--rounds N] [--save FILE] [--data NAME] [--quick]`.

On each data set both fit the same parameters, those of scikit-learn by default unless said otherwise. Scores are cross-validated, five
folds by each of ten seeds, and paired: the same folds and random states. Times of `fit` are the fastest of several that take turns; those
of whole processes, from the start of Python to a printed score, are medians: cold with an empty cache of fastgd's compiled code, warm with
what the round before has left there. scikit-learn has one BLAS thread or all, whichever is faster. Then a search over 200 candidates and
five folds, beside GridSearchCV on two processes. `--save` writes a page of Markdown. On a quiet machine of two threads it takes some
ten minutes, with `--rounds 1` six.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from machine import facts
from scipy.stats import t as student
from sklearn import datasets, neural_network
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_score
from sklearn.preprocessing import scale
from tables import duration, fact_lines, fraction
from threadpoolctl import threadpool_limits

import fastgd.sklearn
from fastgd.machine import ready_made

PROGRAM = Path(__file__).parent / "peers" / "sklearn_face.py"
SEEDS, QUICK_SEEDS, FOLDS = 10, 2, 5
FACTS = ("date", "machine", "load", "python", "fastgd", "numba", "numpy", "scikit-learn")
MODULES = {"scikit-learn": "sklearn.neural_network", "fastgd": "fastgd.sklearn"}


@dataclass(frozen=True)
class Faces:
    """A data set, and how both are fitted to it."""

    name: str
    load: Callable[[], tuple[Any, Any]]
    kind: str = "MLPClassifier"
    parameters: dict[str, Any] = field(default_factory=dict)

    def data(self) -> tuple[Any, Any]:
        """Columns of mean 0 and variance 1, targets of regression too."""
        X, y = self.load()
        return scale(X), y if self.kind == "MLPClassifier" else scale(y)

    def model(self, module: Any, seed: int) -> Any:
        return getattr(module, self.kind)(**self.parameters, random_state=seed)


def _made(function: Callable[..., Any], *arguments: Any, **named: Any) -> Callable[[], tuple[Any, Any]]:
    return partial(function, *arguments, random_state=0, **named)


SETS = [
    Faces("digits", partial(datasets.load_digits, return_X_y=True)),
    Faces("iris", partial(datasets.load_iris, return_X_y=True)),
    Faces("wine", partial(datasets.load_wine, return_X_y=True)),
    Faces("breast cancer", partial(datasets.load_breast_cancer, return_X_y=True)),
    Faces("diabetes", partial(datasets.load_diabetes, return_X_y=True), "MLPRegressor"),
    Faces("linnerud", partial(datasets.load_linnerud, return_X_y=True), "MLPRegressor"),
    Faces("moons", _made(datasets.make_moons, 1000, noise=0.2), parameters={"hidden_layer_sizes": [16, 16]}),
    Faces("friedman", _made(datasets.make_friedman1, 1000), "MLPRegressor", {"hidden_layer_sizes": [32]}),
    Faces("labels", _made(datasets.make_multilabel_classification, 600, n_classes=4), parameters={"hidden_layer_sizes": [20]}),
    Faces(
        "100,000 rows",
        _made(datasets.make_classification, 100_000, 20),
        parameters={"hidden_layer_sizes": [32], "max_iter": 5},
    ),
]


def scores(each: Faces, X: Any, y: Any, seeds: int) -> dict[str, list[float]]:
    """The mean score over the folds by each seed."""
    result: dict[str, list[float]] = {kind: [] for kind in MODULES}
    for seed in range(seeds):
        stratified = each.kind == "MLPClassifier" and np.ndim(y) == 1
        folds = (StratifiedKFold if stratified else KFold)(FOLDS, shuffle=True, random_state=seed)
        for kind, module in (("scikit-learn", neural_network), ("fastgd", fastgd.sklearn)):
            result[kind].append(float(cross_val_score(each.model(module, seed), X, y, cv=folds).mean()))
    return result


def interval(differences: Any) -> tuple[float, float]:
    """The mean of paired differences, and half of its 95 % interval."""
    n = len(differences)
    return float(np.mean(differences)), float(student.ppf(0.975, n - 1) * np.std(differences, ddof=1) / np.sqrt(n))


def blas_threads(each: Faces, X: Any, y: Any) -> int:
    """As many as scikit-learn's fit is faster with, one or all."""
    times = {}
    for threads in (1, os.cpu_count() or 1):
        with threadpool_limits(threads, user_api="blas"):
            times[threads] = _seconds(each.model(neural_network, 0), X, y)
    return min(times, key=times.__getitem__)


def fit_seconds(each: Faces, X: Any, y: Any, rounds: int) -> dict[str, float]:
    """The fastest fits, which take turns."""
    times: dict[str, list[float]] = {kind: [] for kind in MODULES}
    for _ in range(rounds):
        for kind, module in (("scikit-learn", neural_network), ("fastgd", fastgd.sklearn)):
            times[kind].append(_seconds(each.model(module, 0), X, y))
    return {kind: min(seconds) for kind, seconds in times.items()}


def _seconds(model: Any, X: Any, y: Any) -> float:
    begun = time.perf_counter()
    model.fit(X, y)
    return time.perf_counter() - begun


def process_seconds(each: Faces, X: Any, y: Any, rounds: int, threads: int) -> dict[str, float]:
    """Of whole processes, by state and competitor."""
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.npz"
        np.savez(data, X=X, y=y)
        for i in range(rounds):
            for state in ("cold", "warm"):
                for kind, module in MODULES.items():
                    command = [
                        sys.executable,
                        str(PROGRAM),
                        module,
                        each.kind,
                        json.dumps(each.parameters | {"random_state": 0}),
                        str(data),
                    ]
                    places = {"FASTGD_CACHE_DIR": str(Path(folder) / f"cache {i}"), "OPENBLAS_NUM_THREADS": str(threads)}
                    begun = time.perf_counter()
                    subprocess.run(command, env=os.environ | places, check=True, stdout=subprocess.DEVNULL)
                    times.setdefault(f"{kind} {state}", []).append(time.perf_counter() - begun)
    return {name: median(seconds) for name, seconds in times.items()}


@dataclass(frozen=True)
class Measured:
    """What both did on a data set."""

    name: str
    scores: dict[str, list[float]]  # by competitor, of each seed
    fits: dict[str, float]  # seconds
    processes: dict[str, float]  # by competitor and state

    @property
    def ratio(self) -> float:
        """Our time of `fit` as a fraction of scikit-learn's."""
        return self.fits["fastgd"] / self.fits["scikit-learn"]

    def cells(self) -> list[str]:
        """A line of the table."""
        mean, half = interval(np.subtract(self.scores["fastgd"], self.scores["scikit-learn"]))
        cells = [self.name, *(f"{np.mean(self.scores[kind]):.4f}" for kind in MODULES), f"{mean:+.1e} ± {half:.1e}"]
        cells += [*(duration(1e9 * self.fits[kind]) for kind in MODULES), fraction(self.ratio)]
        return cells + [duration(1e9 * self.processes[f"{kind} {state}"]) for state in ("cold", "warm") for kind in MODULES]


HEADER = [
    "data", "score, theirs", "ours", "difference, 95 %", "fit, theirs", "ours", "of it", "process, theirs", "ours, cold", "theirs again",
    "ours, warm",
]  # fmt: skip
WIDTHS = (14, 13, 7, 19, 11, 9, 6, 15, 10, 12, 10)


def measured(each: Faces, seeds: int, rounds: int) -> Measured:
    """Scores and times on a data set."""
    X, y = each.data()
    each.model(fastgd.sklearn, 0).fit(X, y)
    threads = blas_threads(each, X, y)
    with threadpool_limits(threads, user_api="blas"):
        fits, by = fit_seconds(each, X, y, 2 * rounds + 1), scores(each, X, y, seeds)
    return Measured(each.name, by, fits, process_seconds(each, X, y, rounds, threads))


def line(cells: list[str]) -> str:
    """Cells of the table side by side."""
    first, *others = (cell.rjust(width) for cell, width in zip(cells, WIDTHS, strict=True))
    return "  ".join([first.strip().ljust(WIDTHS[0]), *others])


def page(told: dict[str, str], works: list[Measured], sentences: list[str]) -> str:
    """All of it as Markdown."""
    rows = [HEADER, ["---", *["--:"] * (len(HEADER) - 1)], *(work.cells() for work in works)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows) if works else ""
    about = ", ".join(f"{name} {value}" for name, value in told.items())
    return "\n\n".join(["# fastgd.sklearn beside scikit-learn", f"By `python bench/sklearn_faces.py`: {about}.", table, *sentences]) + "\n"


def searched(candidates: int) -> str:
    """A search over so many candidates, five folds of 500 rows, a network 10-16-1."""
    X, y = datasets.make_classification(500, 10, random_state=0)
    grid = {"learning_rate_init": np.geomspace(1e-3, 1e-1, candidates // 10), "alpha": np.geomspace(1e-5, 1e-1, 10)}
    options: dict[str, Any] = {"hidden_layer_sizes": (16,), "random_state": 0}
    fastgd.sklearn.search(fastgd.sklearn.MLPClassifier(**options, max_iter=2), grid, X, y, cv=FOLDS, refit=False)
    begun = time.perf_counter()
    ours = fastgd.sklearn.search(fastgd.sklearn.MLPClassifier(**options), grid, X, y, cv=FOLDS, refit=False)
    seconds = time.perf_counter() - begun
    with threadpool_limits(1, user_api="blas"):
        begun = time.perf_counter()
        theirs = GridSearchCV(neural_network.MLPClassifier(**options), grid, cv=FOLDS, n_jobs=2, refit=False).fit(X, y)
        other = time.perf_counter() - begun
    apart = float(np.abs(ours["mean_test_score"] - theirs.cv_results_["mean_test_score"]).max())
    return (
        f"search, {candidates} candidates on {FOLDS} folds, 10-16-1: GridSearchCV with scikit-learn's MLP, two processes, {other:.3g} s; "
        f"fastgd.sklearn.search {seconds:.3g} s, {fraction(seconds / other)} of it; mean scores at most {apart:.1e} apart"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SEEDS} seeds, one round, a search over 20 candidates")
    parser.add_argument("--rounds", type=int, metavar="N", help="of times; 3 if not given")
    parser.add_argument("--data", default="", metavar="NAME", help="only data sets with this in their name, and no search")
    parser.add_argument("--search", action="store_true", help="only the search")
    parser.add_argument("--save", metavar="FILE", type=Path, help="write what was measured as Markdown, too")
    options = parser.parse_args()
    seeds, rounds = (QUICK_SEEDS if options.quick else SEEDS), options.rounds or (1 if options.quick else 3)
    warnings.simplefilter("ignore")  # both would like more epochs
    os.environ["PYTHONWARNINGS"] = "ignore"  # those of GridSearchCV's processes
    levels = ", ".join(f"{len(kernels)} kernels for {level}" for level, kernels in ready_made.entries().items())
    known = {name: value for name, value in facts().items() if name in FACTS}
    told = known | {"ready-made": levels or "none, all is compiled when the cache is cold"}
    print(*fact_lines(told), "", sep="\n")
    works: list[Measured] = []
    sentences: list[str] = []
    if not options.search:
        print(line(HEADER))
        for each in SETS:
            if options.data in each.name:
                works.append(measured(each, seeds, rounds))
                print(line(works[-1].cells()), flush=True)
        ratios = [work.ratio for work in works]
        sentences += [f"fit, in the median: {fraction(median(ratios))} of scikit-learn's time; at most {fraction(max(ratios))}"]
        print(sentences[-1])
    if not options.data:
        sentences += [searched(20 if options.quick else 200)]
        print(sentences[-1])
    if options.save is not None:
        options.save.write_text(page(told, works, sentences), encoding="utf-8")


if __name__ == "__main__":
    main()
