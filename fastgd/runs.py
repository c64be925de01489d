"""Runs: what training many members leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import ArrayLike

from fastgd.checks import Array
from fastgd.each import Each
from fastgd.network import MLP
from fastgd.options import Options
from fastgd.run import Run, history_of
from fastgd.state import BEST_EPOCH, EPOCH, MARK_EPOCH, NEXT_RECORD, RECORDED, STRIDE, start


@dataclass(frozen=True, eq=False)
class Runs:
    """Finished runs of many members. They compare by everything but `seconds`, pickle, and hold no compiled code.

    Attributes
    ----------
    net : MLP
    params : (members, n_params) array of the network's dtype
    cost : (members,) float64, of all of a member's rows, for these parameters
    epochs : (members,) int64, finished by each
    stopped_by : (members,) array of str: epochs, target_cost, patience, diverged, max_seconds, callback or interrupt. A member that
        diverged has the parameters of the last epoch after which they, and its cost, were finite.
    seconds : float, time that the busiest thread spent in compiled loops
    kernel : str, which kernel ran: lanes, matrix or unrolled
    options : Options, how all were trained, and each : Each, what members have of their own: seeds, initial params, epochs to train to,
        learning rates, numbers of optimizers, l2, clip_norm, stop rules. Where members differ, `options` has the value of one that asks
        most of the loop: a momentum, a schedule, the largest l2.
    slots : (members, slots, n_params) what optimizers keep, and powers : (members, 2) of Adam
    recorded : (members, 3) int64, points of a member's history, the epoch of the next, epochs between them; points : (members, record - 1)
        int64 and history : (members, record - 1) float64, epochs and costs of them
    """

    net: MLP
    params: Array
    cost: Array
    epochs: Array
    stopped_by: Array
    seconds: float
    kernel: str
    options: Options
    each: Each = field(repr=False)
    slots: Array = field(repr=False)
    powers: Array = field(repr=False)
    recorded: Array = field(repr=False)
    points: Array = field(repr=False)
    history: Array = field(repr=False)

    def __len__(self) -> int:
        return len(self.params)

    def __iter__(self) -> Iterator[Run]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, member: int) -> Run:
        """The run of one member; without `record`, its history is its last cost alone. `fastgd.train(..., params=runs[i])` goes on."""
        i = range(len(self))[member]
        epochs, cost = int(self.epochs[i]), float(self.cost[i])
        options = self.options.to_dict() | self.each.own_options(i, self.options)
        state = start(self.params[i], self.slots[i, : options["optimizer"].slots].copy(), max(1, self.options.record))
        state.powers[:] = self.powers[i]
        state.cursor[[EPOCH, BEST_EPOCH, MARK_EPOCH]] = epochs
        state.cursor[[RECORDED, NEXT_RECORD, STRIDE]] = self.recorded[i]
        state.points[:], state.costs[:] = self.points[i], self.history[i]
        return Run(
            self.net, self.params[i].copy(), cost, epochs, self.seconds / len(self), self.kernel, int(self.each.seeds[i]),
            str(self.stopped_by[i]), history_of(state, cost), options, state=state,
        )  # fmt: skip

    @property
    def seeds(self) -> Array:
        """(members,) int64, of initial parameters and of the order of rows."""
        return self.each.seeds

    @property
    def learning_rate(self) -> Array:
        """(members,) float64, or the first values of the schedule."""
        return self.each.rates

    @property
    def best_member(self) -> int:
        """Which member has the least cost."""
        return int(np.nanargmin(np.where(np.isnan(self.cost), np.inf, self.cost)))

    @property
    def best(self) -> Run:
        """The run of least cost."""
        return self[self.best_member]

    def predict(self, X: ArrayLike) -> Array:
        """The outputs of every member for every row of X: (members, n, outputs)."""
        from fastgd.gradients import predict_many

        return np.stack(list(predict_many(self.net, self.params, X)))

    def mean_predict(self, X: ArrayLike) -> Array:
        """The mean over the members of their outputs, (n, outputs); those that diverged are left out, unless all did."""
        from fastgd.gradients import predict_many

        kept = self.stopped_by != "diverged"
        params = self.params[kept] if kept.any() else self.params
        total = sum(outputs.astype(np.float64) for outputs in predict_many(self.net, params, X))
        return np.asarray(total / len(params)).astype(self.net.dtype)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Runs):
            return NotImplemented
        plain = all(getattr(self, name) == getattr(other, name) for name in ("net", "kernel", "options"))
        arrays = ("params", "cost", "epochs", "stopped_by", "slots", "powers", "recorded", "points", "history")
        pairs = [(getattr(self, name), getattr(other, name)) for name in arrays]
        pairs += [(getattr(self.each, one.name), getattr(other.each, one.name)) for one in fields(self.each)]
        return plain and all(np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f") for ours, theirs in pairs)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Runs({len(self)} of {self.net}, least cost={np.nanmin(self.cost):.6g}, {self.seconds:.3g} s, kernel={self.kernel!r})"
