"""Run: what training leaves behind, and its file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.checks import Array, shown
from fastgd.functions.activation import Activation
from fastgd.functions.loss import Loss
from fastgd.mlp import MLP
from fastgd.state import BEST, BEST_EPOCH, State
from fastgd.training import archive
from fastgd.training.exports import Exports
from fastgd.training.history import History
from fastgd.training.own_functions import check_own

# of a run, in its file
_NUMBERS = ("cost", "epochs", "seconds", "kernel", "seed", "stopped_by", "stalled", "table")


@dataclass(frozen=True, eq=False)
class Run(Exports):
    """A finished training run. Runs compare by everything but `seconds`, pickle, and hold no
    compiled code.

    Attributes
    ----------
    net : MLP
    params : (n_params,) array of the network's dtype; with restore_best those of the least cost,
        otherwise the latest
    cost : float, of all rows, for these parameters
    epochs : int, epochs finished since the initial parameters
    seconds : float, time spent in compiled loops; compiling, Python and file writing excluded
    kernel : str, which kernel ran
    seed : int, of initial parameters and of the order of rows
    stopped_by : str, why it ended: epochs, target_cost, patience, max_seconds, callback, interrupt,
        or diverged in a DivergedError
    history : History
    options : dict, how it was trained: method, learning_rate, eps, batch_size, shuffle, optimizer,
        l2, l1, dropout, max_norm, input_noise, clip_norm, target_cost, patience,
        min_delta, restore_best, record, spacing
    stalled : bool, whether a further update would have changed no parameter, each step being under
        half a unit in its last place
    table : dict or None, how columns of a table became X and Y; see `fastgd.data.Table`
    state : State, what going on needs: latest parameters, what the optimizer keeps, the batch in
        the epoch

    Examples
    --------
    >>> run = fastgd.train(fastgd.MLP(2, 1), *fastgd.data.gate("nand"), 1000, rng=0)
    >>> round(run.cost, 3), run.epochs, run.stopped_by
    (0.058, 1000, 'epochs')
    >>> run.predict([[0, 0], [1, 1]]).round(2)
    array([[0.95],
           [0.32]])
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
    stalled: bool = False
    table: dict[str, Any] | None = None
    state: State | None = field(default=None, repr=False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Run):
            return NotImplemented
        names = (
            "net",
            "cost",
            "epochs",
            "kernel",
            "seed",
            "stopped_by",
            "history",
            "options",
            "stalled",
            "table",
            "state",
        )
        same = all(getattr(self, name) == getattr(other, name) for name in names)
        return same and np.array_equal(self.params, other.params)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        time = f"{self.seconds:.3g} s, kernel={self.kernel!r}"
        return f"Run({self.net}, epochs={self.epochs}, cost={self.cost:.6g}, {time})"

    def report(
        self,
        path: str | os.PathLike[str],
        X: ArrayLike | None = None,
        Y: ArrayLike | None = None,
        *,
        beside: Run | None = None,
    ) -> None:
        """Write one file of HTML that tells all of the run, and loads nothing: what came of it, its
        costs, network, options, and how to have it again.

        Parameters
        ----------
        path : where to write it, whole or not at all
        X, Y : array_like, (n, inputs) and (n, outputs), optional
            Rows as it was trained on, which a run does not keep: they say which two inputs matter,
            and lie on the picture of what it computes over these.
        beside : Run, optional
            Another run: the file tells what differs, with both costs over one another.

        Raises
        ------
        ValueError, TypeError
            If rows are not those of its network, or `beside` is no run.
        OSError
            If the file can't be written.
        """
        from fastgd.report.written import report_run

        if beside is not None and not isinstance(beside, Run):
            raise TypeError(f"beside must be a Run or None; got {shown(beside)}")
        report_run(path, self, X, Y, beside)

    def _repr_html_(self) -> str:
        from fastgd.report.notebook import run_html

        return run_html(self)

    def with_values(self, **values: Any) -> Run:
        """The run with other values of these attributes."""
        run = object.__new__(Run)
        vars(run).update(vars(self) | values)
        return run

    @property
    def best_epoch(self) -> int:
        """After how many epochs the watched cost was least; all of them where none was watched."""
        if self.state is None or not self.state.is_watched:
            return self.epochs
        return int(self.state.cursor[BEST_EPOCH])

    @property
    def best_cost(self) -> float:
        """The least watched cost, that of the validation rows where there are any; the final one
        where none was watched.
        """
        if self.state is None or not self.state.is_watched:
            return self.cost
        return float(self.state.sums[BEST])

    def predict(self, X: ArrayLike) -> Array:
        """The outputs for every row of X: (n, outputs). Of a run from a table, X is what its
        `fastgd.data.Table` encodes, and the outputs what it decodes.
        """
        return self.net.predict(self.params, X)

    kind = "run"

    def parts(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Array]]:
        history = {"epoch": self.history.epoch, "cost": self.history.cost}
        if self.history.validation is not None:
            history["validation"] = self.history.validation
        state = {} if self.state is None else self.state.arrays()
        arrays = {
            "params": self.params,
            **{f"history_{name}": array for name, array in history.items()},
            **{f"state_{name}": array for name, array in state.items()},
        }
        return self.options, {name: getattr(self, name) for name in _NUMBERS}, arrays

    @classmethod
    def of_parts(
        cls, net: MLP, options: dict[str, Any], facts: dict[str, Any], arrays: dict[str, Array]
    ) -> Run:
        state = archive.under("state", arrays)
        if state:  # which files had not before there were such schedules
            state.setdefault("plateau", np.zeros(0))
        return cls(
            net=net,
            params=net.check_params(arrays["params"]),
            history=History(
                arrays["history_epoch"], arrays["history_cost"], arrays.get("history_validation")
            ),
            options=options,
            state=State(**state) if state else None,
            **{name: facts[name] for name in _NUMBERS},
        )


class DivergedError(ArithmeticError):
    """A cost or a parameter stopped being finite, be it a validation cost that stop rules watch.

    `run` holds the state after the last update at which all of them were finite.

    Examples
    --------
    >>> net = fastgd.MLP(1, 1, activation="identity", bias=False)
    >>> try:
    ...     fastgd.train(net, *fastgd.data.twice(), 1000, 1.0, rng=0)
    ... except fastgd.DivergedError as error:
    ...     print(error.run.stopped_by, np.isfinite(error.run.params).all())
    diverged True
    """

    def __init__(self, message: str, run: Run):
        super().__init__(message)
        self.run = run

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.run)


def load_run(
    path: str | os.PathLike[str],
    activations: Sequence[Activation] = (),
    losses: Sequence[Loss] = (),
) -> Run:
    """Read a run that `Run.save` wrote, or a checkpoint.

    Activations and losses of one's own, which a file knows by name and text alone, are given.

    Raises
    ------
    OSError
        If the file can't be read.
    ValueError
        If it is damaged, or no run of fastgd, or of a format that this version does not know, or
        needs a function that is not given, or is another one.

    Examples
    --------
    >>> run = fastgd.train(fastgd.MLP(2, 1), *fastgd.data.gate("nand"), 1000, rng=0)
    >>> run.save("nand.npz")
    >>> fastgd.load_run("nand.npz") == run
    True
    """
    return archive.read(path, Run, check_own(activations, losses))[0]
