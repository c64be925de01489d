"""What activations cost: `python bench/functions.py [--quick]`.

The time of an update by every activation that is built in, and by a tanh of one's own, over tanh's. All take turns in every round, on one
thread; the least of the rounds counts.
"""

import argparse
from collections.abc import Iterator

import numpy as np
from machine import facts
from tables import short_fact_lines

import fastgd
from fastgd.activations import ACTIVATIONS

OWN = fastgd.Activation(fastgd.numeric.tanh, name="own_tanh")
WORKS = [  # widths, rows, kernel, epochs of a round
    ((2, 2, 1), 4, "unrolled", 10_000), ((2, 8, 1), 4, "unrolled", 5_000), ((2, 8, 1), 256, "unrolled", 200),
    ((2, 8, 1), 4, "matrix", 2_000), ((4, 32, 16, 4), 1_000, "matrix", 20),
]  # fmt: skip
DTYPES = ("float64", "float32")
ROUNDS, QUICK_ROUNDS = 15, 3
Widths = tuple[int, ...]


def measure(widths: Widths, n: int, kernel: str, epochs: int, dtype: str, rounds: int) -> dict[str, float]:
    """Nanoseconds of an update, by the activation of the hidden layers, at parameters that hardly move."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(n, widths[0])), rng.normal(size=(n, widths[-1]))
    activations = ["tanh", OWN, *sorted({*ACTIVATIONS} - {"tanh", "softmax"})]
    nets = {str(getattr(each, "name", each)): fastgd.MLP(*widths, activation=each, output="identity", dtype=dtype) for each in activations}
    params = {name: 0.1 * net.init(0) for name, net in nets.items()}
    least = dict.fromkeys(nets, float("inf"))
    for _ in range(rounds):
        for name, net in nets.items():
            run = fastgd.train(net, X, Y, epochs, 1e-6, params=params[name], kernel=kernel, threads=1, record=2)
            least[name] = min(least[name], 1e9 * run.seconds / epochs)
    return least


def lines(rounds: int) -> Iterator[str]:
    works = [(*work, dtype) for work in WORKS for dtype in DTYPES]
    found = []
    for i, (widths, n, kernel, epochs, dtype) in enumerate(works, 1):
        found.append(measure(widths, n, kernel, epochs, dtype, rounds))
        yield f"{i:4}  {'-'.join(map(str, widths))}, {n} rows, {kernel}, {dtype}: {found[-1]['tanh']:,.0f} ns by tanh"
    yield ""
    yield f"{'':14}" + "".join(f"{i:6}" for i in range(1, len(works) + 1))
    for name in sorted(found[0], key=lambda name: found[1][name]):
        yield f"{name:14}" + "".join(f"{each[name] / each['tanh']:6.2f}" for each in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds")
    options = parser.parse_args()
    print(*short_fact_lines(facts()), "", sep="\n")
    for line in lines(QUICK_ROUNDS if options.quick else ROUNDS):
        print(line, flush=True)


if __name__ == "__main__":
    main()
