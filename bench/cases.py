"""The works that are compared: one table for the correctness check and for the timing, so that nothing is timed that is not checked."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from datasets import Array, Data, classes, digits, matrix_exponentials, ramp, surface

import fastgd


@dataclass(frozen=True, eq=False)
class Case:
    """One training run, the same for every competitor."""

    name: str
    net: fastgd.MLP  # with the activations, the loss and the dtype of all competitors
    make_data: Callable[[], Data]
    learning_rate: float
    checked_epochs: int  # after these, parameters are compared
    method: str = "backprop"
    eps: float = 0.1
    batch_size: int | None = None
    optimizer: str = "sgd"  # or adam, at its defaults
    threads: int = 1  # most that a competitor may use
    scheme: str = "auto"  # of the initial parameters
    curve: tuple[int, ...] = ()  # after so many epochs, rows shuffled, costs are compared; after `checked_epochs` if not given
    kernels: tuple[str, ...] = ("unrolled", "matrix")  # of fastgd; straight-line code of a wide network would compile for minutes
    in_order: bool = False  # whether the rows of mini-batches keep their order while timed, too

    def __str__(self) -> str:
        return self.name

    @cached_property
    def data(self) -> Data:
        """X (n, inputs) and Y (n, outputs), of the network's dtype; Unavailable if they can't be had."""
        X, Y = self.make_data()
        return X.astype(self.net.dtype), Y.astype(self.net.dtype)

    @cached_property
    def initial(self) -> Array:
        """The parameters that all competitors start from, (n_params,)."""
        return self.net.init(0, self.scheme)

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
    def operations(self) -> int:
        """Products and sums of an update by backprop, those of the layers' matrices alone."""
        first, *others = (inputs * units for inputs, units in pairwise(self.net.widths))
        return 2 * self.batch * (2 * first + 3 * sum(others))

    @property
    def shuffled(self) -> bool:
        """Whether rows are put in a new order every epoch while timed. They are taken in order while parameters are compared."""
        return self.batch_size is not None and not self.in_order

    @property
    def tolerance(self) -> float:
        """Largest distance of the parameters from the reference's, as a share of how far those have moved.

        In float32 Adam makes whole steps of what is a rounding error of a gradient near 0.
        """
        return 1e-9 if self.net.dtype == "float64" else 1e-3 if self.optimizer == "sgd" else 2e-2

    @property
    def cost_tolerance(self) -> float:
        """Largest |cost / reference - 1| where rows are shuffled: the lower a cost, the more the order of rows shows in it."""
        return 0.1 if self.curve else 0.05


NEURON = fastgd.MLP(2, 1)
_XOR = fastgd.MLP(2, 2, 1)
_CHAIN = fastgd.MLP(1, 1, 1, 1, 1, 1, 1)
_WIDER_XOR = fastgd.MLP(2, 8, 1)
_SURFACE = fastgd.MLP(2, 16, 1, dtype="float32")
_CLASSES = fastgd.MLP(64, 32, 10, dtype="float32")
_WIDE = fastgd.MLP(784, 128, 10, dtype="float32")
_WIDER = fastgd.MLP(784, 512, 512, 10, dtype="float32")
_EXPONENTIAL = fastgd.MLP(4, 32, 16, 4, activation="tanh", output="identity", dtype="float32")
_GELU_HUBER = fastgd.MLP(4, 32, 16, 4, activation="gelu", output="identity", loss="huber", dtype="float32")
_DIGITS = fastgd.MLP(64, 100, 10, activation="relu", output="softmax", loss="cross_entropy", dtype="float32")


def _nand() -> Data:
    return fastgd.data.gate("nand")


def _xor() -> Data:
    return fastgd.data.gate("xor")


# fmt: off
CASES = [
    Case("NAND, gradient descent", NEURON, _nand, learning_rate=0.1, checked_epochs=1000, scheme="uniform"),
    Case("NAND, finite differences", NEURON, _nand, learning_rate=0.1, checked_epochs=1000, scheme="uniform", method="finite_difference"),
    Case("XOR 2-2-1, gradient descent", _XOR, _xor, learning_rate=1.0, checked_epochs=1000, scheme="uniform"),
    Case("XOR 2-2-1, Adam", _XOR, _xor, learning_rate=0.01, checked_epochs=1000, scheme="uniform", optimizer="adam"),
    Case("XOR 2-2-1, finite differences", _XOR, _xor, learning_rate=1.0, checked_epochs=1000, scheme="uniform", method="finite_difference"),
    Case("chain of six neurons, 4 samples", _CHAIN, ramp, learning_rate=0.1, checked_epochs=1000),
    Case("2-8-1, 4 samples", _WIDER_XOR, _xor, learning_rate=0.5, checked_epochs=1000),
    Case("2-16-1, batch 32 of 1024, float32", _SURFACE, lambda: surface(1024), learning_rate=0.5, checked_epochs=30, batch_size=32),
    Case(
        "64-32-10, batch 32 of 1024, float32", _CLASSES, lambda: classes(1024, 64, 10), learning_rate=0.5, checked_epochs=30,
        batch_size=32, threads=2, kernels=("matrix",),
    ),
    Case(
        "784-128-10, batch 64 of 4096, float32", _WIDE, lambda: classes(4096, 784, 10), learning_rate=0.1, checked_epochs=2,
        batch_size=64, threads=2, kernels=("matrix",),
    ),
    Case(
        "784-512-512-10, batch 128 of 4096, float32", _WIDER, lambda: classes(4096, 784, 10), learning_rate=0.1, checked_epochs=1,
        batch_size=128, threads=2, kernels=("matrix",),
    ),
    Case(
        "4-32-16-4 tanh, 10,000 rows, Adam, float32", _EXPONENTIAL, lambda: matrix_exponentials(10_000), learning_rate=1e-3,
        checked_epochs=30, optimizer="adam", threads=2, kernels=("matrix",),
    ),
    Case(
        "4-32-16-4 gelu, huber, 10,000 rows, Adam, float32", _GELU_HUBER, lambda: matrix_exponentials(10_000), learning_rate=1e-3,
        checked_epochs=30, optimizer="adam", threads=2, kernels=("matrix",),
    ),
    Case(
        "digits 64-100-10 relu, batch 32, Adam, float32", _DIGITS, lambda: digits(1792), learning_rate=1e-3,  # 56 whole batches
        checked_epochs=5, batch_size=32, optimizer="adam", threads=2, kernels=("matrix",), curve=(1, 2, 5, 10, 20),
    ),
]
