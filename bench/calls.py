"""What short calls take, over NumPy's forward pass: `python bench/calls.py [--quick] [--work NAME]`.

Processor time of a call, the least of some rounds in which all take turns, each in a process of its own, on one thread. Peers compute the
same outputs before anything is timed. They live in the Python that CALLS_PYTHON names; `pip install '.[bench]'` brings all but JAX. JAX has
its rows on its device, and leaves its outputs there.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from machine import facts
from programs import PEERS
from tables import duration, short_fact_lines
from timed_process import TimedProcess

import fastgd

PYTHON = os.environ.get("CALLS_PYTHON", sys.executable)
PEER_KINDS = ("NumPy", "JAX", "onnxruntime", "mlpfile")
PREDICTING, TRAINING = ("predict", "predictor"), ("objective", "cost_and_gradient", "train", "train_many")


@dataclass(frozen=True)
class Work:
    widths: tuple[int, ...]
    n: int
    dtype: str = "float64"
    hidden: str = "sigmoid"
    output: str = "sigmoid"
    kinds: tuple[str, ...] = (*PEER_KINDS[:3], *PREDICTING)

    @property
    def name(self) -> str:
        rows = "one row" if self.n == 1 else f"{self.n:,} rows"
        return f"{'-'.join(map(str, self.widths))}, {rows}, {self.hidden}, {self.dtype}"

    @property
    def net(self) -> fastgd.MLP:
        return fastgd.MLP(*self.widths, activation=self.hidden, output=self.output, dtype=self.dtype)


SHAPES = ((2, 2, 1), (4, 32, 16, 4), (64, 100, 10))
WORKS = [
    *(Work(widths, n) for n in (1, 10, 100, 1000) for widths in SHAPES),
    *(Work(widths, 1000, "float32") for widths in SHAPES),
    *(Work(widths, 1, "float32", "relu", "identity", (*PEER_KINDS, *PREDICTING)) for widths in SHAPES),
    Work((2, 2, 1), 4, kinds=("NumPy", *TRAINING)),
]


class Caller(TimedProcess):
    """One kind of call for a work."""

    def __init__(self, kind: str, work: Work, params: Any, X: Any):
        python = PYTHON if kind in PEER_KINDS else sys.executable
        given = [kind, work.dtype, ",".join(map(str, work.widths)), work.hidden, work.output, str(work.n)]
        super().__init__([python, str(PEERS / "calls_peer.py"), *given], params.tobytes() + X.tobytes())
        self.outputs = self.read(work.n * work.widths[-1])


def measure(work: Work, rounds: int, budget: float) -> dict[str, float]:
    """Seconds by kind, those that can't do the work left out."""
    rng = np.random.default_rng(0)
    params, X = work.net.init(rng=1).astype(float), rng.normal(size=(work.n, work.widths[0]))
    callers = {kind: Caller(kind, work, params, X) for kind in work.kinds}
    callers = {kind: caller for kind, caller in callers.items() if len(caller.outputs) or caller.end()}
    try:
        for kind in [*PEER_KINDS, *PREDICTING]:
            if kind in callers:
                bound = {"float64": 1e-12, "float32": 1e-4}[work.dtype]
                np.testing.assert_allclose(callers[kind].outputs, callers["NumPy"].outputs, bound, bound, err_msg=f"{kind}: {work.name}")
        times = [{kind: caller.seconds(budget) for kind, caller in callers.items()} for _ in range(rounds)]
    finally:
        for caller in callers.values():
            caller.end()
    return {kind: min(each[kind] for each in times) for kind in callers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--work", default="", metavar="NAME", help="only works with this in their name")
    options = parser.parse_args()
    print(*short_fact_lines(facts()), sep="\n")
    print(f"\n{'work':42}{'call':20}{'time':>10}{'over NumPy':>12}")
    for work in WORKS:
        if options.work not in work.name:
            continue
        times = measure(work, *((1, 0.1) if options.quick else (5, 0.2)))
        for kind, seconds in times.items():
            print(f"{work.name:42}{kind:20}{duration(seconds * 1e9):>10}{seconds / times['NumPy']:12.2f}")


if __name__ == "__main__":
    main()
