"""How time grows with the network and with the rows: `python bench/scaling.py [--quick] [--save]`.

Time of one epoch, full batch, float32, of fastgd's matrix kernel beside JAX: three layers of growing width on 32 rows, and one small
network on ever more rows. An exponent is the slope of log time by log size over the last thousandfold; below, it costs more to begin an
epoch than to compute it.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from typing import Any

import machine
import numpy as np
import results
from cases import Case
from compare import compare
from datasets import surface
from tables import duration, fact_lines

import fastgd

WIDTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)
ROWS = tuple(4**k for k in range(1, 11))
KINDS = ("fastgd matrix", "JAX")
THREADS = 2


def _case(name: str, net: fastgd.MLP, rows: int) -> Case:
    return Case(name, net, partial(surface, rows), learning_rate=0.1, checked_epochs=3, threads=THREADS, kernels=("matrix",))


def families() -> dict[str, list[tuple[int, Case]]]:
    """By what grows: its sizes, and the case of each."""
    nets = [fastgd.MLP(2, width, width, 1, dtype="float32") for width in WIDTHS]
    small = fastgd.MLP(2, 16, 1, dtype="float32")
    return {
        "parameters": [(net.n_params, _case(f"2-{net.widths[1]}-{net.widths[1]}-1, 32 rows", net, 32)) for net in nets],
        "rows": [(rows, _case(f"2-16-1, {rows} rows", small, rows)) for rows in ROWS],
    }


def exponent(sizes: Sequence[float], times: Sequence[float]) -> tuple[float, float]:
    """The line through log time by log size, over the last thousandfold: its slope, and the time at size 1."""
    far = [(size, time) for size, time in zip(sizes, times, strict=True) if 1000 * size >= max(sizes)]
    slope, intercept = np.polyfit(*np.log(far).T, 1)
    return float(slope), float(np.exp(intercept))


def measure(quick: bool) -> dict[str, Any]:
    """Sizes, nanoseconds and exponents of each family, printed while they come."""
    rounds, seconds = (3, 0.01) if quick else (5, 0.05)
    facts = machine.facts()
    print(*fact_lines(facts), sep="\n")
    measured = {}
    for what, cases in families().items():
        print(f"\n{what:>10}" + "".join(f"{kind:>16}" for kind in KINDS))
        sizes, times = [size for size, _ in cases], {kind: [] for kind in KINDS}
        for size, case in cases:
            work = compare(case, KINDS, rounds, seconds)
            cells = []
            for kind, nanoseconds in work["nanoseconds"].items():
                times[kind].append(nanoseconds)
                cells.append(f"{duration(nanoseconds):>16}")
            print(f"{size:10,}" + "".join(cells), flush=True)
        lines = {kind: exponent(sizes, values) for kind, values in times.items() if values}
        print(f"{'exponent':10}" + "".join(f"{slope:16.2f}" for slope, _ in lines.values()))
        measured[what] = {"sizes": sizes, "nanoseconds": {kind: times[kind] for kind in lines}, "lines": lines}
    return {"facts": facts, "threads": THREADS, "families": measured}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three short rounds")
    parser.add_argument("--save", action="store_true", help="keep the numbers, for report.py")
    options = parser.parse_args()
    measured = measure(options.quick)
    if options.save:
        results.save("scaling", measured)


if __name__ == "__main__":
    main()
