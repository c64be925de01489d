"""The comparison, measured: `python bench/compare.py [--quick] [--case NAME] [--busy] [--save]`.

Competitors take turns, round by round, so that whatever else the machine does meets all of them; a ratio is the median of the rounds'.
`--busy` has another process spin on the last processor all the while: threads that wait for each other are told apart.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from statistics import median
from typing import Any

import machine
import reference
import results
from cases import CASES, Case
from competitors import KINDS, OUR_KERNELS, OURS, Competitor, competitor
from tables import curve_lines, fact_lines, work_lines
from unavailable import Unavailable

ROUNDS, SECONDS = 9, 0.1  # of a competitor in a round
QUICK_ROUNDS, QUICK_SECONDS = 5, 0.03
PAUSE = 0.05  # in which threads of the one before, that wait for work in a loop, fall asleep


@contextmanager
def busy_processor() -> Iterator[None]:
    """Another process spins on the last processor."""
    last = max(os.sched_getaffinity(0))
    other = subprocess.Popen([sys.executable, "-c", f"import os\nos.sched_setaffinity(0, {{{last}}})\nwhile True: pass"])
    try:
        yield
    finally:
        other.kill()
        other.wait()


def epochs_in(seconds: float, one: Competitor, case: Case) -> int:
    """How many epochs take so long, at least 1."""
    epochs = 1
    while True:
        taken = one.train(epochs, case.shuffled).seconds
        wanted = max(1, round(epochs * seconds / max(taken, 1e-9)))
        if taken > seconds / 4:
            return wanted
        epochs = min(wanted, 32 * epochs)  # a short run says little


def compare(case: Case, kinds: Sequence[str], rounds: int, seconds: float) -> dict[str, Any]:
    """Nanoseconds of one update of all who serve the case, and how fastgd's kernels stand to the others."""
    times: dict[str, list[float]] = {}
    missing = {}
    with ExitStack() as stack:
        serving = {}
        for kind in kinds:
            try:
                one = stack.enter_context(competitor(kind, case))
                serving[kind] = one, epochs_in(seconds, one, case)
            except Unavailable as reason:
                missing[kind] = str(reason)
        for _ in range(rounds):
            for kind, (one, epochs) in serving.items():
                if case.threads > 1:
                    time.sleep(PAUSE)
                taken = one.train(epochs, case.shuffled).seconds
                times.setdefault(kind, []).append(1e9 * taken / (epochs * case.updates))
        peak = machine.peak(case.net.dtype.name, case.threads) if case.method == "backprop" else None
        costs = {kind: [reference.cost(case, one.train(n, True).params) for n in case.curve] for kind, (one, _) in serving.items()}
    ratios = {
        f"{ours} / {peer}": median(a / b for a, b in zip(times[ours], times[peer], strict=True))
        for ours in times
        for peer in times
        if ours in OURS and peer not in OURS
    }
    return {
        "work": case.name,
        "threads": case.threads,
        "nanoseconds": {kind: median(values) for kind, values in times.items()},
        "ratios": ratios,
        "rounds": times,
        "of_peak": {kind: case.operations / (1e-9 * min(values)) / peak for kind, values in times.items()} if peak else {},
        "curve": {"epochs": case.curve, "costs": costs} if case.curve else None,
        "missing": missing,
    }


def measure(quick: bool, name: str) -> dict[str, Any]:
    """All works with this in their name, printed while they come."""
    rounds, seconds = (QUICK_ROUNDS, QUICK_SECONDS) if quick else (ROUNDS, SECONDS)
    facts = machine.facts()
    print(*fact_lines(facts), "", sep="\n")
    works = []
    for case in CASES:
        if name in case.name:
            works.append(compare(case, KINDS, rounds, seconds))
            print(*work_lines(works[-1:], OUR_KERNELS, header=len(works) == 1), *curve_lines(works[-1]), sep="\n", flush=True)
    print(*sorted({f"skipped: {reason}" for work in works for reason in work["missing"].values()}), sep="\n")
    return {"facts": facts, "rounds": rounds, "works": works}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} short rounds")
    parser.add_argument("--case", default="", metavar="NAME", help="only works with this in their name")
    parser.add_argument("--busy", action="store_true", help="beside a process that spins on the last processor")
    parser.add_argument("--save", action="store_true", help="keep the numbers, for report.py")
    options = parser.parse_args()
    if options.save and (options.case or options.busy):
        parser.error("--save is for all works of one run, without --case and --busy")
    with busy_processor() if options.busy else nullcontext():
        measured = measure(options.quick, options.case)
    if options.save:
        results.save("comparison", measured)


if __name__ == "__main__":
    main()
