"""Whole programs, from the start of Python to the last result: `python bench/start.py [--quick] [--work NAME] [--save]`.

Each work is done by fastgd, scikit-learn, JAX and PyTorch, each by a program of its own in peers/start_*.py, to a result that all must
reach. Programs take turns; a time is the median of the rounds, and a ratio the median of the rounds'. "fresh" is with empty caches, of
fastgd's code beside what came with the package and of JAX's compiled programs; "warm" is with what the round before has left in them.
Data lie in a file that all read.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import programs
import results
from competitors import OUR_KERNELS
from machine import facts
from processes import first_calls
from programs import LIBRARIES
from tables import duration, fact_lines, first_call_lines, fraction

from fastgd.machine import ready_made

PEERS = Path(__file__).parent / "peers"
FASTGD, NOT_ITS_WORK = "fastgd", 3  # as peers/start_protocol.py has it
KINDS = {FASTGD: "fastgd", **{kind: library.name for kind, library in LIBRARIES.items()}}
STATES = ["fresh", "warm"]
ROUNDS, QUICK_ROUNDS = 5, 2
MOST_SECONDS = 300


@dataclass(frozen=True)
class Work:
    name: str
    what: str
    least: float  # what must come out
    most: float = np.inf


WORKS = [
    Work("predict", "4-32-16-4: one row predicted", 1.0),
    Work("xor", "XOR 2-2-1: 10,000 epochs, predicted", 0.0, 0.1),
    Work("many", "64 networks of XOR: 10,000 epochs", 0.5),
    Work("digits", "digits 64-100-10: 30 epochs, 97 % of unseen rows", 0.97),
    Work("iris", "iris 4-10-3: 300 epochs, 95 % of unseen rows", 0.95),
    Work("own", "2-8-1 with an activation of one's own, kernel='matrix'", 0.0, 0.1),  # by fastgd alone
    Work("lbfgs", "sine 2-8-1: SciPy's L-BFGS, 200 iterations", 0.0, 1e-3),
]


def write_data(folder: Path) -> None:
    """One file for each work, so that nobody waits for a library to load its data."""
    from sklearn.datasets import load_digits, load_iris
    from sklearn.model_selection import train_test_split

    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (200, 4))
    np.savez(folder / "predict.npz", X=X, params=rng.normal(size=4 * 32 + 32 + 32 * 16 + 16 + 16 * 4 + 4) * 0.3)
    np.savez(folder / "xor.npz")
    np.savez(folder / "many.npz")
    np.savez(folder / "own.npz")
    np.savez(folder / "lbfgs.npz", X=X[:, :2], Y=np.sin(3 * X[:, :1]) * X[:, 1:2])
    for name, load in (("digits", load_digits), ("iris", load_iris)):
        X, labels = load(return_X_y=True)
        X = (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-9) if name == "iris" else X / 16
        X, X_test, labels, labels_test = train_test_split(X, labels, test_size=0.2, stratify=labels, random_state=0)
        np.savez(folder / f"{name}.npz", X=X, labels=labels, X_test=X_test, labels_test=labels_test)


def run(kind: str, work: Work, data: Path, caches: Path) -> float | None:
    """Seconds of the process; None if this is no work for it. What comes out must be good enough."""
    python = sys.executable if kind == FASTGD else LIBRARIES[kind].python
    places = {"FASTGD_CACHE_DIR": str(caches / "fastgd"), "JAX_COMPILATION_CACHE_DIR": str(caches / "jax")}
    always = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1", "JAX_PLATFORMS": "cpu"}
    command = [python, str(PEERS / f"start_{KINDS[kind]}.py"), work.name, str(data / f"{work.name}.npz")]
    begin = time.perf_counter()
    done = subprocess.run(command, env=os.environ | places | always, capture_output=True, text=True, check=False, timeout=MOST_SECONDS)
    seconds = time.perf_counter() - begin
    if done.returncode == NOT_ITS_WORK:
        return None
    assert done.returncode == 0, done.stderr
    result = float(done.stdout)
    assert work.least <= result <= work.most, f"{work.name} by {kind} came to {result}"
    return seconds


def import_seconds(package: str, rounds: int) -> float:
    """Of a process that does nothing else; what it has to read is in memory after the first."""
    times = []
    for _ in range(1 + rounds):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {package}"], check=True)
        times.append(time.perf_counter() - begin)
    return median(times[1:])


def measure_work(work: Work, kinds: list[str], rounds: int, data: Path) -> dict[str, Any]:
    """Seconds of every round, by state and competitor."""
    times: dict[str, dict[str, list[float]]] = {state: {} for state in STATES}
    for _ in range(rounds):
        for kind in kinds:
            with tempfile.TemporaryDirectory() as caches:
                for state in STATES:
                    seconds = run(kind, work, data, Path(caches))
                    if seconds is not None:
                        times[state].setdefault(kind, []).append(seconds)
    return {"work": work.what, "seconds": times}


def measure(quick: bool, name: str) -> dict[str, Any]:
    """All works with this in their name, printed as they are measured; the first calls too, if all are asked for."""
    known = facts()
    levels = ready_made.entries()
    known["ready-made"] = ", ".join(f"{len(kernels)} kernels for {level}" for level, kernels in levels.items()) or "none: all is compiled"
    known["import numba"] = duration(1e9 * import_seconds("numba", QUICK_ROUNDS if quick else ROUNDS))
    print(*fact_lines(known), sep="\n")
    kinds = [FASTGD, *(kind for kind in LIBRARIES if programs.version(kind))]
    works = []
    with tempfile.TemporaryDirectory() as folder:
        write_data(Path(folder))
        for work in WORKS:
            if name in work.name:
                works.append(measure_work(work, kinds, QUICK_ROUNDS if quick else ROUNDS, Path(folder)))
                print("", *lines(works[-1]), sep="\n")
    first = {} if name else dict(first_calls(OUR_KERNELS))
    print("", *first_call_lines(first), sep="\n")
    return {"facts": known, "rounds": QUICK_ROUNDS if quick else ROUNDS, "works": works, "first_calls": first}


def ratio(times: dict[str, list[float]], kind: str) -> float:
    """fastgd's time as a fraction of another's."""
    return median(ours / theirs for ours, theirs in zip(times[FASTGD], times[kind], strict=True))


def lines(work: dict[str, Any]) -> list[str]:
    """A table of one work."""
    text = [work["work"]]
    for state, times in work["seconds"].items():
        for kind, seconds in times.items():
            beside = "" if kind == FASTGD else f"{fraction(ratio(times, kind)):>8} of it"
            text.append(f"  {state:8}{kind:14}{duration(1e9 * median(seconds)):>10}{beside}")
    return text


def markdown(measured: dict[str, Any]) -> list[str]:
    """The table of the docs: a line for each work and state; in brackets fastgd's time as a fraction."""
    kinds = [kind for kind in KINDS if any(kind in work["seconds"]["warm"] for work in measured["works"])]
    text = [f"| whole program | caches | {' | '.join(kinds)} |", f"|---|---|{'--:|' * len(kinds)}"]
    for work in measured["works"]:
        for state, times in work["seconds"].items():
            cells = []
            for kind in kinds:
                if kind not in times:
                    cells.append("")
                elif kind == FASTGD:
                    cells.append(f"**{duration(1e9 * median(times[kind]))}**")
                else:
                    cells.append(f"{duration(1e9 * median(times[kind]))} ({fraction(ratio(times, kind))})")
            text.append(f"| {work['work']} | {state} | {' | '.join(cells)} |")
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds")
    parser.add_argument("--work", default="", metavar="NAME", help="only works with this in their name")
    parser.add_argument("--save", action="store_true", help="keep what was measured, for report.py")
    options = parser.parse_args()
    if options.save and options.work:
        parser.error("--save is for all works of one run, without --work")
    measured = measure(options.quick, options.work)
    if options.save:
        results.save("start", measured)


if __name__ == "__main__":
    main()
