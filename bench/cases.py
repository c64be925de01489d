"""The works that are compared: one table for the correctness check and for the timing, so that nothing is timed that is not checked."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

import fastgd

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Case:
    """One training run, the same for every competitor: sigmoid neurons, squared error, plain gradient descent."""

    name: str
    net: fastgd.MLP
    data: tuple[Array, Array] = field(repr=False)  # X (n, inputs), Y (n, outputs)
    initial: Array = field(repr=False)  # (n_params,)
    learning_rate: float
    checked_epochs: int  # after these, parameters are compared
    timed_epochs: int  # of one round: tens of milliseconds for the fastest competitor
    method: str = "backprop"
    eps: float = 0.1
    batch_size: int | None = None
    optimizer: str = "sgd"  # or adam, at its defaults
    kernels: tuple[str, ...] = ("unrolled", "matrix")  # of fastgd; straight-line code of a wide network would compile for minutes

    def __str__(self) -> str:
        return self.name

    @property
    def n(self) -> int:
        return len(self.data[0])

    @property
    def batch(self) -> int:
        """Rows of a batch; n for full batch."""
        return self.batch_size or self.n

    @property
    def updates(self) -> int:
        """Updates of an epoch. Times are given for one update: an epoch in full batch, a step in mini-batches."""
        return -(-self.n // self.batch)

    @property
    def shuffled(self) -> bool:
        """Whether rows are put in a new order every epoch while timed. They are taken in order while parameters are compared."""
        return self.batch_size is not None

    @property
    def tolerance(self) -> float:
        """Largest |p - reference| / (1 + |reference|)."""
        return 1e-9 if self.net.dtype == np.float64 else 1e-3


def _surface(n: int) -> tuple[Array, Array]:
    """A smooth function of two inputs, with values in [0, 1]."""
    X = np.random.default_rng(1).uniform(-1, 1, (n, 2))
    return X, (1 + np.sin(3 * X[:, :1]) * X[:, 1:]) / 2


def _classes(n: int, inputs: int, outputs: int) -> tuple[Array, Array]:
    """Random rows in classes that a linear map tells apart, one-hot."""
    rng = np.random.default_rng(2)
    X = rng.uniform(0, 1, (n, inputs))
    scores = (X - 0.5) @ rng.normal(size=(inputs, outputs))
    return X, np.eye(outputs)[scores.argmax(axis=1)]


NEURON = fastgd.MLP(2, 1)
XOR = fastgd.MLP(2, 2, 1)
CHAIN = fastgd.MLP(1, 1, 1, 1, 1, 1, 1)
WIDER_XOR = fastgd.MLP(2, 8, 1)
SURFACE = fastgd.MLP(2, 16, 1, dtype="float32")
CLASSES = fastgd.MLP(64, 32, 10, dtype="float32")

_NAND = (NEURON, fastgd.data.gate("nand"), np.array([0.3, 0.6, 0.1]))
_XOR = (XOR, fastgd.data.gate("xor"), XOR.init(0, "uniform"))
_CHAIN = (CHAIN, (np.array([[0.0], [0.25], [0.75], [1.0]]), np.array([[1.0], [0.75], [0.25], [0.0]])), CHAIN.init(0))
_WIDER_XOR = (WIDER_XOR, fastgd.data.gate("xor"), WIDER_XOR.init(0))
_SURFACE = (SURFACE, _surface(1024), SURFACE.init(0))
_CLASSES = (CLASSES, _classes(1024, 64, 10), CLASSES.init(0))

# fmt: off
CASES = [
    Case("NAND, gradient descent", *_NAND, learning_rate=0.1, checked_epochs=1000, timed_epochs=1_000_000),
    Case("NAND, finite differences", *_NAND, learning_rate=0.1, checked_epochs=1000, timed_epochs=500_000, method="finite_difference"),
    Case("XOR 2-2-1, gradient descent", *_XOR, learning_rate=1.0, checked_epochs=1000, timed_epochs=400_000),
    Case("XOR 2-2-1, Adam", *_XOR, learning_rate=0.01, checked_epochs=1000, timed_epochs=300_000, optimizer="adam"),
    Case("XOR 2-2-1, finite differences", *_XOR, learning_rate=1.0, checked_epochs=1000, timed_epochs=50_000, method="finite_difference"),
    Case("chain of six neurons, 4 samples", *_CHAIN, learning_rate=0.1, checked_epochs=1000, timed_epochs=200_000),
    Case("2-8-1, 4 samples", *_WIDER_XOR, learning_rate=0.5, checked_epochs=1000, timed_epochs=200_000),
    Case("2-16-1, batch 32 of 1024, float32", *_SURFACE, learning_rate=0.5, checked_epochs=30, timed_epochs=600, batch_size=32),
    Case(
        "64-32-10, batch 32 of 1024, float32", *_CLASSES, learning_rate=0.5, checked_epochs=30, timed_epochs=150, batch_size=32,
        kernels=("matrix",),
    ),
]
