"""What derivatives take beside JAX's: `python bench/derivatives.py [--quick] [--work NAME]`.

Processor time of a call, the least of some rounds in which both take turns, each in a process of its own, on one thread, float64. They
compute the same numbers before anything is timed. JAX, in the Python that JAX_PYTHON names, has its rows on its device, compiled functions
(vmap of jacrev; jvp of grad), and leaves its results there.
"""

import argparse
import sys
from itertools import pairwise

import numpy as np
from machine import facts
from programs import LIBRARIES, PEERS
from tables import duration, short_fact_lines
from timed_process import TimedProcess

WHATS = ("jacobian", "input_gradient", "hessian_vector")
WORKS = [((1, 16, 1), 100), ((4, 32, 16, 4), 100), ((4, 32, 16, 4), 1000), ((64, 100, 10), 100)]


class Peer(TimedProcess):
    """One derivative by one library."""

    def __init__(self, kind: str, what: str, widths: tuple[int, ...], n: int, numbers: bytes):
        python = LIBRARIES["JAX"].python if kind == "JAX" else sys.executable
        super().__init__([python, str(PEERS / "derivatives_peer.py"), kind, what, ",".join(map(str, widths)), str(n)], numbers)
        size = self.read(1)
        self.result = self.read(int(size[0])) if len(size) else None


def measure(what: str, widths: tuple[int, ...], n: int, rounds: int, budget: float) -> dict[str, float]:
    """Seconds by kind; JAX is left out where it is not installed."""
    rng = np.random.default_rng(0)
    n_params = sum((inputs + 1) * units for inputs, units in pairwise(widths))
    shapes = (n_params,), (n, widths[0]), (n, widths[-1]), (n_params,)
    numbers = b"".join((0.5 * rng.normal(size=shape)).tobytes() for shape in shapes)
    peers = {kind: Peer(kind, what, widths, n, numbers) for kind in ("fastgd", "JAX")}
    try:
        there = {kind: peer for kind, peer in peers.items() if peer.result is not None}
        for peer in there.values():
            np.testing.assert_allclose(peer.result, there["fastgd"].result, 1e-9, 1e-11, err_msg=f"{what} of {widths}")
        times = [{kind: peer.seconds(budget) for kind, peer in there.items()} for _ in range(rounds)]
    finally:
        for peer in peers.values():
            peer.end()
    return {kind: min(each[kind] for each in times) for kind in there}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--work", default="", metavar="NAME", help="only works with this in their name")
    options = parser.parse_args()
    print(*short_fact_lines(facts(), "JAX"), sep="\n")
    print(f"\n{'work':44}{'fastgd':>10}{'JAX':>10}{'fastgd / JAX':>14}")
    for widths, n in WORKS:
        for what in WHATS:
            name = f"{what}, {'-'.join(map(str, widths))}, {n:,} rows"
            if options.work in name:
                times = measure(what, widths, n, *((1, 0.1) if options.quick else (5, 0.3)))
                columns = "".join(f"{duration(seconds * 1e9):>10}" for seconds in times.values())
                ratio = f"{times['fastgd'] / times['JAX']:14.2f}" if "JAX" in times else ""
                print(f"{name:44}{columns}{ratio}", flush=True)


if __name__ == "__main__":
    main()
