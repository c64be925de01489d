"""Run: what training leaves behind."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastgd.checks import Array
from fastgd.network import MLP


@dataclass(frozen=True, eq=False)
class History:
    """The cost on the way. In full batch, `cost[i]` belongs to the parameters after `epoch[i]` epochs.

    In mini-batches it is the mean over the batches of the epoch that followed; the last one is a full pass in both.
    """

    epoch: Array  # (points,) int64, rising
    cost: Array  # (points,) float64

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, History):
            return NotImplemented
        return np.array_equal(self.epoch, other.epoch) and np.array_equal(self.cost, other.cost)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class Run:
    """A finished training run. Runs compare by everything but `seconds`, pickle, and hold no compiled code.

    Attributes
    ----------
    net : MLP
    params : (n_params,) array of the network's dtype
    cost : float, of all rows, after the last epoch
    epochs : int, epochs finished since the initial parameters
    seconds : float, time spent in compiled loops; compiling, Python and file writing excluded
    kernel : str, which kernel ran
    seed : int, of initial parameters and of the order of rows
    stopped_by : str, why it ended
    history : History
    options : dict, how it was trained: method, learning_rate, eps, batch_size, shuffle, optimizer
    table : dict or None, how columns of a table became X and Y; see `fastgd.data.Table`
    """

    net: MLP
    params: Array
    cost: float
    epochs: int
    seconds: float
    kernel: str
    seed: int
    stopped_by: str
    history: History
    options: dict[str, Any]
    table: dict[str, Any] | None = field(default=None)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Run):
            return NotImplemented
        names = ("net", "cost", "epochs", "kernel", "seed", "stopped_by", "history", "options", "table")
        same = all(getattr(self, name) == getattr(other, name) for name in names)
        return same and np.array_equal(self.params, other.params)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Run({self.net}, epochs={self.epochs}, cost={self.cost:.6g}, {self.seconds:.3g} s, kernel={self.kernel!r})"

    def predict(self, X: ArrayLike) -> Array:
        """The outputs for every row of X: (n, outputs)."""
        return self.net.predict(self.params, X)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the run to one file, whole or not at all. `fastgd.load_run` reads it."""
        from fastgd.runfile import save_run

        save_run(self, path)


class DivergedError(ArithmeticError):
    """A cost or a parameter stopped being finite. `run` holds the state after the last update at which all of them were."""

    def __init__(self, message: str, run: Run):
        super().__init__(message)
        self.run = run

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.run)
