"""The protocol of protocol.h, for peers in Python."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Problem:
    dtype: str
    widths: tuple[int, ...]
    activations: tuple[str, ...]  # one a layer
    loss: str
    method: str
    eps: float
    optimizer: str
    rate: float
    n: int
    batch: int
    threads: int
    initial: Array  # (n_params,)
    X: Array  # (n, inputs)
    Y: Array  # (n, outputs)

    def unpack(self, params: Array) -> list[tuple[Array, Array]]:
        """[(W, b), ...] of all layers, as views: W is (units, inputs)."""
        layers, start = [], 0
        for inputs, units in pairwise(self.widths):
            stop = start + units * inputs
            layers.append((params[start:stop].reshape(units, inputs), params[stop : stop + units]))
            start = stop + units
        return layers


def pack(layers: list[tuple[Array, Array]]) -> Array:
    """The opposite of `Problem.unpack`."""
    return np.concatenate([part.ravel() for layer in layers for part in layer])


def read_problem() -> Problem:
    given = dict(argument.split("=") for argument in sys.argv[1:])
    dtype, n, widths = given["dtype"], int(given["n"]), tuple(map(int, given["widths"].split(",")))
    n_params = sum((inputs + 1) * units for inputs, units in pairwise(widths))

    def read(*shape: int) -> Array:
        return np.frombuffer(sys.stdin.buffer.read(8 * int(np.prod(shape)))).reshape(shape).astype(dtype)

    return Problem(
        dtype, widths, tuple(given["activations"].split(",")), given["loss"], given["method"], float(given["eps"]), given["optimizer"],
        float(given["rate"]), n, int(given["batch"]), int(given["threads"]),
        initial=read(n_params), X=read(n, widths[0]), Y=read(n, widths[-1]),
    )  # fmt: skip


def choose_threads(most: int, limit: Callable[[int], object], train: Callable[[int, bool], tuple[float, Array]]) -> None:
    """Limit the threads to `most`, or to one where an epoch is faster so: in small works threads wait for each other most of the time."""

    def seconds(count: int) -> float:
        limit(count)
        return min(train(1, True)[0] for _ in range(3))

    limit(min({1, most}, key=seconds))


def serve(train: Callable[[int, bool], tuple[float, Array]]) -> None:
    """Answer requests with what `train(epochs, shuffle)` returns, seconds and parameters, until there are no more."""
    for request in sys.stdin.buffer:
        epochs, shuffle = map(int, request.split())
        seconds, params = train(epochs, bool(shuffle))
        sys.stdout.buffer.write(np.array([seconds, *params]).tobytes())
        sys.stdout.buffer.flush()
