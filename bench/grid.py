"""No cliffs: networks by batches by optimizers by dtypes: `python bench/grid.py [--quick] [--work PATTERN] [--peer NAME] [--save]`.

Where `compare.py` has works that were chosen, this has all of a grid, from batches of one row to all rows at once. Rows keep their order,
so that all of a time is updates: in small works, JAX takes most of an epoch to shuffle. A ratio is fastgd's time of an update over the
peer's, by whichever of fastgd's kernels is faster. What is behind is listed in the end, as it is.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from functools import partial
from statistics import median
from typing import Any

import machine
import results
from cases import Case
from compare import compare
from competitors import OURS
from datasets import Data, classes
from tables import duration, fact_lines, fraction

import fastgd

NETWORKS = (
    (20, 1), (2, 8, 1), (16, 64, 64, 1), (1, 64, 64, 64, 1), (32, 128, 4), (500, 20, 1), (10,) * 11, (64, 100, 10), (784, 128, 10),
    (784, 1024, 10), (256, 512, 512, 10),
)  # fmt: skip
WRITTEN_OUT = ((20, 1), (2, 8, 1))  # by kernel="auto", if training is long
ALL = 0  # in the place of a batch's rows
RATES = {  # by the rows of a batch
    "sgd": {1: 0.002, 16: 0.02, 64: 0.1, 512: 0.1, ALL: 0.1},
    "adam": {1: 0.0001, 16: 0.001, 64: 0.001, 512: 0.001, ALL: 0.001},
}
DTYPES, PEERS = ("float32", "float64"), ("JAX", "PyTorch")
WIDE = 50_000  # parameters from which on an epoch has a quarter of the rows, so that the check is short
THREADS = 2
ROUNDS, SECONDS = 5, 0.05  # of a competitor in a round
QUICK_ROUNDS, QUICK_SECONDS = 3, 0.02


def network(widths: Sequence[int], dtype: str) -> fastgd.MLP:
    """Of ten classes by relu and softmax; otherwise tanh, and sigmoid with squared error."""
    if widths[-1] == 10:
        return fastgd.MLP(*widths, activation="relu", output="softmax", loss="cross_entropy", dtype=dtype)
    return fastgd.MLP(*widths, activation="tanh", output="sigmoid", dtype=dtype)


def rows_of(net: fastgd.MLP, batch: int) -> int:
    """Rows of an epoch: whole batches, several unless it is `ALL`."""
    if batch == ALL:
        return 2048 if len(net.widths) > 2 else 10_000
    return max(16 * batch, 1024) // (4 if net.n_params >= WIDE else 1)


def _data(n: int, inputs: int, outputs: int) -> Data:
    X, Y = classes(n, inputs, max(2, outputs))
    return X, Y[:, :outputs]


def _case(widths: tuple[int, ...], batch: int, optimizer: str, dtype: str) -> Case:
    net = network(widths, dtype)
    n = rows_of(net, batch)
    shown = "ten layers of ten" if len(widths) > 9 else "-".join(map(str, widths))
    rows = f"all {n} rows" if batch == ALL else f"batch {batch} of {n}"
    return Case(
        f"{shown}, {rows}, {optimizer}, {dtype}", net, partial(_data, n, widths[0], widths[-1]),
        learning_rate=RATES[optimizer][batch], checked_epochs=5 if batch == ALL else 1,
        batch_size=batch or None, optimizer=optimizer, threads=THREADS, in_order=True,
        kernels=("unrolled", "matrix") if widths in WRITTEN_OUT else ("matrix",),
    )  # fmt: skip


def cases() -> list[Case]:
    return [
        _case(widths, batch, optimizer, dtype) for dtype in DTYPES for widths in NETWORKS for batch in RATES["sgd"] for optimizer in RATES
    ]


def _work(case: Case, peers: Sequence[str], rounds: int, seconds: float) -> dict[str, Any]:
    """What was measured of a work: times of an update, and of each peer how fastgd's faster kernel stands to it."""
    compared = compare(case, [*OURS, *peers], rounds, seconds)
    times = compared["nanoseconds"]
    ours = min((kind for kind in times if kind in OURS), key=times.__getitem__)
    return {
        "work": case.name,
        "parameters": case.net.n_params,
        "batch": case.batch_size,  # None where it is all rows
        "optimizer": case.optimizer,
        "dtype": case.net.dtype.name,
        "nanoseconds": times,
        "ratios": {peer: compared["ratios"][f"{ours} / {peer}"] for peer in peers if peer in times},
        "missing": compared["missing"],
    }


def work_line(work: dict[str, Any], peers: Sequence[str]) -> str:
    times, ratios = work["nanoseconds"], work["ratios"]
    line = f"{work['work']:50}{work['parameters']:>10,}"
    for kind in OURS:
        line += f"{duration(times[kind]) if kind in times else '':>17}"
    for peer in peers:
        line += f"{duration(times[peer]) + f' ({fraction(ratios[peer])})' if peer in times else '':>20}"
    return line.rstrip()


def summary(works: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Medians of the ratios, for all works and by batch, and what is behind."""
    for peer in dict.fromkeys(peer for work in works for peer in work["ratios"]):
        ratios = {work["work"]: work["ratios"][peer] for work in works if peer in work["ratios"]}
        by_batch: dict[str, list[float]] = {}
        for work in works:
            if peer in work["ratios"]:
                by_batch.setdefault(f"batch {work['batch']}" if work["batch"] else "all rows", []).append(work["ratios"][peer])
        medians = ", ".join(f"{name} {fraction(median(some))}" for name, some in by_batch.items())
        overall = f"{fraction(median(ratios.values()))} in the median of {len(ratios)} works ({medians})"
        behind = sorted(((ratio, name) for name, ratio in ratios.items() if ratio >= 1), reverse=True)
        yield f"of {peer}'s time: {overall}; behind in {len(behind)}"
        for ratio, name in behind:
            yield f"    {ratio:.2f}  {name}"


def markdown(measured: dict[str, Any]) -> Iterator[str]:
    """The plot, and the summary below it."""
    facts = measured["facts"]
    yield ""
    yield "Networks from 21 to 814,000 parameters, batches from one row to all, sgd and Adam, one mark a work; below 1 fastgd is ahead."
    yield from (f"On {facts['machine']}, {facts['date']}:", "")
    yield from ("![fastgd's time over the peer's, by parameters and batch](../../bench/grid.svg)", "", "```none")
    yield from summary(measured["works"])
    yield "```"


def measure(quick: bool, pattern: str, peers: Sequence[str]) -> dict[str, Any]:
    """All works in whose name the regular expression is found, printed while they come."""
    rounds, seconds = (QUICK_ROUNDS, QUICK_SECONDS) if quick else (ROUNDS, SECONDS)
    facts = machine.facts()
    print(*fact_lines(facts), f"{'threads':13}{THREADS}", "", sep="\n")
    header = f"{'work':50}{'parameters':>10}" + "".join(f"{kind:>17}" for kind in OURS)
    print(header + "".join(f"{peer + ' (ours / it)':>20}" for peer in peers))
    works = []
    for case in cases():
        if re.search(pattern, case.name):
            works.append(_work(case, peers, rounds, seconds))
            print(work_line(works[-1], peers), flush=True)
    print("", *summary(works), sep="\n")
    print(*sorted({f"skipped: {why}" for work in works for kind, why in work["missing"].items() if kind in peers}), sep="\n")
    return {"facts": facts, "threads": THREADS, "rounds": rounds, "works": works}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} short rounds")
    parser.add_argument("--work", default="", metavar="PATTERN", help="only works in whose name this regular expression is found")
    parser.add_argument("--peer", choices=PEERS, help="only beside this one")
    parser.add_argument("--save", action="store_true", help="keep the numbers, for report.py")
    options = parser.parse_args()
    if options.save and (options.work or options.peer):
        parser.error("--save is for all works of one run, without --work and --peer")
    measured = measure(options.quick, options.work, [options.peer] if options.peer else PEERS)
    if options.save:
        results.save("grid", measured)


if __name__ == "__main__":
    main()
