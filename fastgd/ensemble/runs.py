"""Runs: what training many members leaves behind, and their file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.arrays import filled
from fastgd.arguments.checks import Array
from fastgd.ensemble.columns import columns_of, from_columns
from fastgd.member_settings import MemberSettings, not_asked
from fastgd.mlp import MLP
from fastgd.options import Options
from fastgd.schedules import Plateau
from fastgd.state import (
    BEST,
    BEST_EPOCH,
    DIVERGED,
    EPOCH,
    EPOCHS,
    HELD_OUT,
    NON_FINITE,
    PATIENCE,
    RUNNING,
    STOPPED,
    STOPS,
    TARGET_COST,
    State,
    start,
)
from fastgd.system.float_errors import quiet
from fastgd.training.archive import Saved, under
from fastgd.training.history import history_of
from fastgd.training.run import Run


@dataclass(frozen=True, eq=False)
class Runs(Saved):
    """Finished runs of many members. They compare by everything but `seconds`, pickle, and hold no
    compiled code.

    Attributes
    ----------
    net : MLP
    kernel : str, which kernel ran: lanes, matrix or unrolled
    seconds : float, time that the busiest thread spent in compiled loops; of shards that were
        trained elsewhere, the sum
    options : Options, how all were trained; where members differ, the value of one that asks most
        of the loop, as the largest l2; of a slice, those of all that it is a part of
    settings : MemberSettings, what members have of their own: seeds, initial params, epochs to
        train to, learning rates, numbers of optimizers, l2, clip_norm, stop rules
    states : State, where they are, and what going on needs, with a first axis of members
    cost : (members,) float64, of all of a member's rows, for these parameters
    stopped_by : (members,) array of str: epochs, target_cost, patience, diverged, max_seconds,
        callback or interrupt. A member that diverged has the parameters of the last epoch after
        which they, and its cost, were finite.
    params : (members, n_params) array of the network's dtype
    epochs : (members,) int64, finished by each

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 2, 1), fastgd.data.gate("xor")
    >>> runs = fastgd.train_many(net, X, Y, 5000, 2.0, members=8, rng=0)
    >>> len(runs), runs.params.shape
    (8, (8, 9))
    >>> runs.cost.round(2)
    array([0.13, 0.  , 0.  , 0.  , 0.13, 0.  , 0.  , 0.  ])
    >>> runs.best == runs[runs.best_member]
    True
    """

    net: MLP
    kernel: str
    seconds: float
    options: Options
    settings: MemberSettings = field(repr=False)
    states: State = field(repr=False)
    cost: Array = field(repr=False)  # NaN until a member has ended

    @classmethod
    def at_start(cls, net: MLP, kernel: str, options: Options, settings: MemberSettings) -> Runs:
        """The members before the first update."""
        slots = options.optimizer.first_slots(settings.params, settings.rates)
        states = start(
            settings.params, slots, options.record, powers=options.optimizer.powers,
            plateau=settings.first_plateaus(),
        )  # fmt: skip
        return cls(net, kernel, 0.0, options, settings, states, filled(len(slots), np.nan))

    @property
    def params(self) -> Array:
        return self.states.params

    @property
    def epochs(self) -> Array:
        return self.states.cursor[:, EPOCH]

    @property
    def stopped_by(self) -> Array:
        return np.array(STOPS)[self.states.cursor[:, STOPPED]]

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
            return replace(
                self,
                settings=self.settings[member].copy(),
                states=self.states[member].copy(),
                cost=self.cost[member].copy(),
                seconds=self.seconds * count / len(self),
            )
        i = range(len(self))[member]
        cost = float(self.cost[i])
        options = self._own_options(i)
        state = self.states_of(i, options["optimizer"].slots)
        if not isinstance(options["learning_rate"], Plateau):
            state = replace(state, plateau=state.plateau[:0])
        return Run(
            self.net, state.params.copy(), cost, state.epoch, self.seconds / len(self), self.kernel,
            int(self.settings.seeds[i]), str(self.stopped_by[i]), history_of(state, cost), options,
            state=state,
        )  # fmt: skip

    def _own_options(self, i: int) -> dict[str, Any]:
        return self.options.to_dict() | self.settings.own_options(i, self.options)

    def options_of(self, i: int) -> Options:
        """How a member is trained."""
        return Options(**self._own_options(i))

    def states_of(self, some: int | slice | Array, slots: int) -> State:
        """Where a member stands, or several do, as `train` has it, whose optimizer keeps so many
        slots; nobody keeps parameters that are the best.
        """
        state = self.states[some]
        state = state.with_arrays(slots=state.slots[..., :slots, :])
        if not isinstance(some, np.ndarray):  # a view
            state = state.copy()
        cursor, sums = state.cursor, state.sums
        cursor[..., STOPPED] = cursor[..., NON_FINITE] = 0
        cursor[..., BEST_EPOCH] = cursor[..., EPOCH]
        sums[..., BEST], sums[..., HELD_OUT] = np.inf, np.nan
        return state

    @property
    def running(self) -> Array:
        """(members,) bool: who has not ended, or is without a cost."""
        return np.isnan(self.cost)

    def ended_by(self, reason: str) -> Runs:
        """Those that have not ended being stopped by this."""
        cursor = self.states.cursor.copy()
        cursor[cursor[:, STOPPED] == RUNNING, STOPPED] = STOPS.index(reason)
        return replace(self, states=replace(self.states, cursor=cursor))

    def reopened(self, settings: MemberSettings) -> Runs:
        """Copies that the same training goes on in, to the epochs of these settings: members that
        were stopped from outside, or by fewer epochs, have not ended.
        """
        states, stopped = self.states.copy(), self.states.cursor[:, STOPPED]
        open_ = ~np.isin(stopped, (TARGET_COST, PATIENCE, DIVERGED))
        open_ &= (stopped != EPOCHS) | (self.epochs < settings.epochs)
        states.cursor[open_, STOPPED] = RUNNING
        cost = np.where(open_, np.nan, self.cost)
        return replace(self, settings=settings, states=states, cost=cost)

    def put(self, members: slice, part: Runs) -> None:
        """Put back where the members of a part stand."""
        self.states[members], self.cost[members] = part.states, part.cost

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

    def arrays(self) -> dict[str, Array]:
        """What members have of their own and where they stand, by the names in a file."""
        settings, states = self.settings.arrays(), columns_of(self.states, self.cost)
        named = {f"settings_{name}": array for name, array in settings.items()}
        return named | {f"states_{name}": array for name, array in states.items()}

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.arrays().values())

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
        theirs, names = other.arrays(), ("net", "kernel", "options")
        return all(getattr(self, name) == getattr(other, name) for name in names) and all(
            np.array_equal(array, theirs[name], equal_nan=array.dtype.kind == "f")
            for name, array in self.arrays().items()
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        least = self.cost[self.best_member]
        time = f"{self.seconds:.3g} s, kernel={self.kernel!r}"
        return f"Runs({len(self)} of {self.net}, least cost={least:.6g}, {time})"

    def report(
        self,
        path: str | os.PathLike[str],
        X: ArrayLike | None = None,
        Y: ArrayLike | None = None,
    ) -> None:
        """Write one file of HTML that tells of all members, and what `Run.report` tells of the best
        of them.
        """
        from fastgd.report.written import report_members

        report_members(path, self, X, Y)

    def _repr_html_(self) -> str:
        from fastgd.report.notebook import members_html

        return members_html(self)

    kind = "runs"

    def parts(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Array]]:
        facts = {"kernel": self.kernel, "seconds": self.seconds}
        return self.options.to_dict(), facts, self.arrays()

    @classmethod
    def of_parts(
        cls, net: MLP, options: dict[str, Any], facts: dict[str, Any], arrays: dict[str, Array]
    ) -> Runs:
        counts = {name: len(array) for name, array in arrays.items()}
        settings, states = under("settings", arrays), under("states", arrays)
        settings = not_asked(len(settings["seeds"])) | settings
        sizes = {table["params"].shape[1:] for table in (settings, states)}
        if len(set(counts.values())) != 1 or sizes != {(net.n_params,)}:
            raise ValueError(f"its arrays are not of as many members of {net}: {counts}")
        return cls(
            net, facts["kernel"], facts["seconds"], Options(**options), MemberSettings(**settings),
            *from_columns(states),
        )  # fmt: skip
