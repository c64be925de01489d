"""What a run pays for its aids: `python bench/overhead.py [--quick] [--aid NAME]`.

Whole calls of `train`, XOR 2-2-1 in the unrolled kernel, in pairs: one with an aid, one without, either first. A ratio is the median of the
pairs', of wall time and of processor time. The one holds the waiting for the disk, and for whatever else the machine does; the other does
not. Quartiles far apart say that the machine was busy.
"""

import argparse
import io
import random
import tempfile
import time
from contextlib import redirect_stderr
from pathlib import Path
from statistics import median, quantiles

from cases import CASES
from machine import facts
from tables import short_fact_lines

import fastgd

XOR = next(case for case in CASES if case.name == "XOR 2-2-1, gradient descent")


def aids(file: Path) -> dict[str, dict[str, object]]:
    """Options of `train`; without them the history is as short as it can be."""
    checkpoint = {"checkpoint": file, "checkpoint_every": 1.0}
    return {
        "checkpoint, history, progress()": checkpoint | {"record": 1000, "progress": lambda progress: None},
        "checkpoint, history, progress=True": checkpoint | {"record": 1000, "progress": True},  # stderr is no terminal
        "checkpoint": checkpoint,
        "checkpoint every 0.1 s": checkpoint | {"checkpoint_every": 0.1},
        "history": {"record": 1000},
        "progress()": {"progress": lambda progress: None},
        "progress=True": {"progress": True},
        "target_cost": {"target_cost": 0.0},
        "patience": {"patience": 10**9},
        "patience, restore_best": {"patience": 10**9, "restore_best": True},
    }


def seconds_of(epochs: int, options: dict[str, object]) -> tuple[float, float]:
    """Wall and processor time of a call."""
    options = {"record": 2} | options
    start = time.perf_counter(), time.process_time()
    fastgd.train(XOR.net, *XOR.data, epochs, XOR.learning_rate, params=XOR.initial, rng=0, kernel="unrolled", **options)
    return time.perf_counter() - start[0], time.process_time() - start[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="five pairs of each")
    parser.add_argument("--epochs", type=int, default=8_000_000)
    parser.add_argument("--aid", default="", metavar="NAME", help="only aids with this in their name")
    options = parser.parse_args()
    print(*short_fact_lines(facts()), sep="\n")

    with tempfile.TemporaryDirectory() as folder, redirect_stderr(io.StringIO()):
        works = {name: work for name, work in aids(Path(folder) / "run.npz").items() if options.aid in name}
        for work in ({}, *works.values()):
            seconds_of(1000, work)  # compiles
        times: dict[str, list[dict[bool, tuple[float, float]]]] = {name: [] for name in works}  # with the aid, and without
        order = random.Random(0)
        for _ in range(5 if options.quick else 25):
            for name in order.sample(list(works), len(works)):
                pair = order.sample((True, False), 2)
                times[name].append({aided: seconds_of(options.epochs, works[name] if aided else {}) for aided in pair})

    print(f"\n{f'{options.epochs:,} epochs':36}{'without':>10}{'with':>10}{'ratio':>10}{'quartiles':>18}{'of CPU':>10}{'quartiles':>18}")
    for name, pairs in times.items():
        line = f"{name:36}" + "".join(f"{median(pair[aided][0] for pair in pairs):10.4f}" for aided in (False, True))
        for clock in (0, 1):
            low, middle, high = quantiles((pair[True][clock] / pair[False][clock] for pair in pairs), n=4)
            line += f"{middle:10.4f}{low:10.4f}{high:8.4f}"
        print(line)


if __name__ == "__main__":
    main()
