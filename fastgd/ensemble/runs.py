"""Runs: what training many members leaves behind, and their file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.checks import Array
from fastgd.ensemble.settings import MemberSettings
from fastgd.ensemble.state import EnsembleState, arrays_of, part_of
from fastgd.mlp import MLP
from fastgd.options import Options
from fastgd.state import (
    BATCH,
    BEST_EPOCH,
    EPOCH,
    EPOCH_COST_SUM,
    NEXT_RECORD,
    PATIENCE_COST,
    PATIENCE_EPOCH,
    RECORDED,
    STRIDE,
    UPDATES,
    start,
)
from fastgd.system.float_errors import quiet
from fastgd.training import archive
from fastgd.training.run import Run, history_of

_TABLES = {"settings": MemberSettings, "states": EnsembleState}  # of runs, in their file


@dataclass(frozen=True, eq=False)
class Runs:
    """Finished runs of many members. They compare by everything but `seconds`, pickle, and hold no
    compiled code.

    Attributes
    ----------
    net : MLP
    kernel : str, which kernel ran: lanes, matrix or unrolled
    seconds : float, time that the busiest thread spent in compiled loops; of shards that were
        trained elsewhere, the sum
    options : Options, how all were trained; where members differ, the value of one that asks most
        of the loop: a momentum, a schedule,
        the largest l2; of a slice, those of all that it is a part of
    settings : MemberSettings, what members have of their own: seeds, initial params, epochs to
        train to,
        learning rates, numbers of optimizers, l2, clip_norm, stop rules
    states : EnsembleState, where they are: all of which the following are part, and what going on
        needs
    params : (members, n_params) array of the network's dtype
    cost : (members,) float64, of all of a member's rows, for these parameters
    epochs : (members,) int64, finished by each
    stopped_by : (members,) array of str: epochs, target_cost, patience, diverged, max_seconds,
        callback or interrupt. A member that
        diverged has the parameters of the last epoch after which they, and its cost, were finite.
    """

    net: MLP
    kernel: str
    seconds: float
    options: Options
    settings: MemberSettings = field(repr=False)
    states: EnsembleState = field(repr=False)

    @property
    def params(self) -> Array:
        return self.states.params

    @property
    def cost(self) -> Array:
        return self.states.costs

    @property
    def epochs(self) -> Array:
        return self.states.epochs

    @property
    def stopped_by(self) -> Array:
        return self.states.stopped_by

    def __len__(self) -> int:
        return len(self.params)

    def __iter__(self) -> Iterator[Run]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, member: int) -> Run: ...
    @overload
    def __getitem__(self, member: slice) -> Runs: ...

    def __getitem__(self, member: int | slice) -> Run | Runs:
        """The run of one member; without `record`, its history is its last cost alone.
        `fastgd.train(..., params=runs[i])` goes on.

        Of a slice, the Runs of at least one member, with their share of the seconds.
        """
        if isinstance(member, slice):
            count = len(range(len(self))[member])
            if count == 0:
                raise IndexError(
                    f"runs[{member.start}:{member.stop}:{member.step}] of {len(self)} members "
                    "holds none"
                )
            settings, states = part_of(self.settings, member), part_of(self.states, member)
            return replace(
                self, settings=settings, states=states, seconds=self.seconds * count / len(self)
            )
        i = range(len(self))[member]
        epochs, cost = int(self.epochs[i]), float(self.cost[i])
        states = self.states
        options = self.options.to_dict() | self.settings.own_options(i, self.options)
        state = start(
            self.params[i],
            states.slots[i, : options["optimizer"].slots].copy(),
            max(1, self.options.record),
        )
        state.powers[:] = states.powers[i]
        state.cursor[[EPOCH, BEST_EPOCH]] = epochs
        if states.has_histories:
            state.cursor[[RECORDED, NEXT_RECORD, STRIDE]] = states.recorded[i]
            state.points[:], state.costs[:] = states.points[i], states.history[i]
        else:
            state.cursor[NEXT_RECORD] = epochs + int(states.batch[i] > 0)
        state.cursor[[BATCH, UPDATES, PATIENCE_EPOCH]] = (
            states.batch[i],
            states.updates[i],
            states.patience_epochs[i],
        )
        state.sums[[EPOCH_COST_SUM, PATIENCE_COST]] = (
            states.epoch_cost_sum[i],
            states.patience_cost[i],
        )
        return Run(
            self.net, self.params[i].copy(), cost, epochs, self.seconds / len(self), self.kernel,
            int(self.settings.seeds[i]), str(self.stopped_by[i]), history_of(state, cost), options,
            state=state,
        )  # fmt: skip

    @property
    def seeds(self) -> Array:
        """(members,) int64, of initial parameters and of the order of rows."""
        return self.settings.seeds

    @property
    def learning_rate(self) -> Array:
        """(members,) float64, or the first values of the schedule."""
        return self.settings.rates

    @property
    def best_member(self) -> int:
        """Which member has the least cost."""
        return int(np.nanargmin(np.where(np.isnan(self.cost), np.inf, self.cost)))

    @property
    def best(self) -> Run:
        """The run of least cost."""
        return self[self.best_member]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(
            array.nbytes
            for table in (self.settings, self.states)
            for array in arrays_of(table).values()
        )

    @quiet
    def predict(self, X: ArrayLike) -> Array:
        """The outputs of every member for every row of X: (members, n, outputs)."""
        from fastgd.predictor import predict_many

        return np.stack(list(predict_many(self.net, self.params, X)))

    @quiet
    def mean_predict(self, X: ArrayLike) -> Array:
        """The mean over the members of their outputs, (n, outputs); those that diverged are left
        out, unless all did.
        """
        from fastgd.predictor import predict_many

        kept = self.stopped_by != "diverged"
        params = self.params[kept] if kept.any() else self.params
        total = sum(outputs.astype(np.float64) for outputs in predict_many(self.net, params, X))
        return np.asarray(total / len(params)).astype(self.net.dtype)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Runs):
            return NotImplemented
        plain = all(
            getattr(self, name) == getattr(other, name) for name in ("net", "kernel", "options")
        )
        return plain and all(
            _same(ours, theirs)
            for ours, theirs in [(self.settings, other.settings), (self.states, other.states)]
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        least = self.cost[self.best_member]
        time = f"{self.seconds:.3g} s, kernel={self.kernel!r}"
        return f"Runs({len(self)} of {self.net}, least cost={least:.6g}, {time})"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the runs to one file, as `Run.save` does one of them.
        `fastgd.load_runs` reads it.
        """
        save_runs(self, path)


def _same(ours: Any, theirs: Any) -> bool:
    """Whether two dataclasses hold the same arrays."""
    first, second = arrays_of(ours), arrays_of(theirs)
    return first.keys() == second.keys() and all(
        np.array_equal(array, second[name], equal_nan=array.dtype.kind == "f")
        for name, array in first.items()
    )


def save_runs(runs: Runs, path: str | os.PathLike[str], keep: bool = True, **more: Any) -> None:
    """Write `runs`, and more facts, to one file, whole or not at all; beside it, if `keep`, where
    the old one can't be replaced.
    """
    arrays = {
        f"{table}_{name}": array
        for table in _TABLES
        for name, array in arrays_of(getattr(runs, table)).items()
    }
    facts = {"kernel": runs.kernel, "seconds": runs.seconds, **more}
    archive.write(path, "runs", runs.net, runs.options.to_dict(), facts, arrays, keep)


def load_runs_with_facts(path: str | os.PathLike[str]) -> tuple[Runs, dict[str, Any]]:
    """The runs of a file, and all facts that stand in it."""
    return archive.read(path, "runs", _runs)


def _runs(
    net: MLP, options: dict[str, Any], facts: dict[str, Any], arrays: dict[str, Array]
) -> tuple[Runs, dict[str, Any]]:
    settings, states = (
        kind(
            **{
                name.removeprefix(f"{table}_"): array
                for name, array in arrays.items()
                if name.startswith(f"{table}_")
            }
        )
        for table, kind in _TABLES.items()
    )
    counts = {name: len(array) for name, array in arrays.items()}
    if (
        len(set(counts.values())) != 1
        or states.params.shape[1:] != (net.n_params,)
        or settings.params.shape != states.params.shape
    ):
        raise ValueError(f"its arrays are not of as many members of {net}: {counts}")
    return Runs(net, facts["kernel"], facts["seconds"], Options(**options), settings, states), facts
