"""Where the members of an ensemble stand: at the start, after runs that they go on from, or in the
middle of a training.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.ensemble.settings import MemberSettings
from fastgd.optimizers import SGD, Rprop
from fastgd.options import Options
from fastgd.state import MOST
from fastgd.training.resume import what_stays

# by what a member is stopped that has not ended
FROM_OUTSIDE = ("", "max_seconds", "callback", "interrupt")
_COUNTS = ("epochs", "updates", "batch", "patience_epochs", "recorded", "points")


@dataclass
class EnsembleState:
    """Where every member stands, in arrays that threads change in place."""

    params: Array  # (members, n_params)
    slots: Array  # (members, slots, n_params)
    powers: Array  # (members, 2)
    epochs: Array  # (members,) int64: finished
    updates: Array  # (members,) int64: made, however many an epoch had
    costs: Array  # (members,) NaN until a member has ended
    stopped_by: Array  # (members,) of str, "" until then
    batch: Array  # (members,) int64: batches done of a begun epoch
    # (members,) sums of their costs, where stop rules will look at the epoch's
    epoch_cost_sum: Array
    patience_cost: Array  # (members,) costs that patience counts from
    patience_epochs: Array  # (members,) int64: epochs of these
    # (members, 3) int64: points of the history, the epoch of the next, epochs between them
    recorded: Array
    points: Array  # (members, record - 1) int64: epochs of the history; (members, 0) without one
    history: Array  # (members, record - 1) costs of it

    def __len__(self) -> int:
        return len(self.params)

    @classmethod
    def at_start(cls, settings: MemberSettings, options: Options) -> EnsembleState:
        members, n = settings.params.shape
        slots = np.zeros((members, options.optimizer.slots, n), settings.params.dtype)
        if isinstance(options.optimizer, Rprop):
            slots[:, 1] = settings.rates[:, None]
        points = np.zeros((members, max(0, options.record - 1)), np.int64)
        return cls(
            params=settings.params.copy(),
            slots=slots,
            powers=np.ones((members, 2)),
            epochs=np.zeros(members, np.int64),
            updates=np.zeros(members, np.int64),
            costs=np.full(members, np.nan),
            stopped_by=np.zeros(members, "<U11"),
            batch=np.zeros(members, np.int64),
            epoch_cost_sum=np.zeros(members),
            patience_cost=np.full(members, np.inf),
            patience_epochs=np.zeros(members, np.int64),
            recorded=np.tile(
                np.array([0, 0 if options.record else MOST, 1], np.int64), (members, 1)
            ),
            points=points,
            history=np.full(points.shape, np.nan),
        )

    def resumed_from(
        self,
        was: Options,
        were: MemberSettings,
        settings: MemberSettings,
        options: Options,
        batches: int,
    ) -> EnsembleState:
        """Where members go on for further epochs, trained by other options before.

        `batches` are those of an epoch, 1 where members can't go on in the middle of one. Histories
        that are to be recorded in another way begin anew.
        """
        fresh, slots = EnsembleState.at_start(settings, options), self.slots.copy()
        if isinstance(was.optimizer, SGD) and slots.shape[1]:
            # without momentum, it is no velocity that a member kept beside others
            slots[were.numbers[:, 0] == 0] = 0
        count = slots.shape[1]
        stays = what_stays(was, options, count, self.batch, batches, self.stopped_by)
        slots_stay, place_stays, rules_stay, history_stays = stays
        if not history_stays and options.record:
            fresh.recorded[:, 1] = self.epochs + (self.batch > 0)
        return replace(
            fresh,
            params=self.params.copy(),
            slots=slots if slots_stay else fresh.slots,
            powers=self.powers.copy() if slots_stay else fresh.powers,
            epochs=self.epochs.copy(),
            updates=self.updates.copy(),
            batch=np.where(place_stays, self.batch, 0),
            epoch_cost_sum=np.where(place_stays, self.epoch_cost_sum, 0.0),
            patience_cost=np.where(rules_stay, self.patience_cost, np.inf),
            patience_epochs=np.where(rules_stay, self.patience_epochs, self.epochs),
            recorded=self.recorded.copy() if history_stays else fresh.recorded,
            points=self.points.copy() if history_stays else fresh.points,
            history=self.history.copy() if history_stays else fresh.history,
        )

    def resumed(self, last: Array) -> EnsembleState:
        """Where the same training goes on to `last` epochs: members that were stopped from outside,
        or by fewer epochs, have not ended.
        """
        open_ = np.isin(self.stopped_by, FROM_OUTSIDE) | (
            (self.stopped_by == "epochs") & (self.epochs < last)
        )
        copies = {name: array.copy() for name, array in arrays_of(self).items()}
        copies |= {
            "costs": np.where(open_, np.nan, self.costs),
            "stopped_by": np.where(open_, "", self.stopped_by),
        }
        return EnsembleState(**copies)

    def fits(self, fresh: EnsembleState, batches: int) -> bool:
        """Whether compiled code may go on from here where `fresh` is the start, at `batches` an
        epoch: arrays of the same kind, and counts that are some.
        """
        ours, other = arrays_of(self), arrays_of(fresh)
        same = ours.keys() == other.keys() and all(
            array.dtype == other[name].dtype and array.shape == other[name].shape
            for name, array in ours.items()
        )
        places = bool((self.batch < max(batches, 1)).all()) and bool(
            (self.recorded[:, 0] <= self.points.shape[1]).all()
        )
        return (
            same
            and places
            and bool((self.recorded[:, 2] > 0).all())
            and all((ours[name] >= 0).all() for name in _COUNTS)
        )

    def ended_by(self, reason: str) -> EnsembleState:
        """The same, those that have not ended being stopped by this."""
        return replace(self, stopped_by=np.where(self.stopped_by == "", reason, self.stopped_by))

    @property
    def has_histories(self) -> bool:
        """Whether costs are recorded on the way."""
        return bool(self.points.shape[1])

    @property
    def running(self) -> Array:
        """(members,) bool: who has not ended, or is without a cost."""
        return np.isnan(self.costs)


def arrays_of(table: Any) -> dict[str, Array]:
    """The arrays of a dataclass by name; fields that are None are left out."""
    values = {each.name: getattr(table, each.name) for each in fields(table)}
    return {name: value for name, value in values.items() if value is not None}


def part_of(table: Any, members: slice) -> Any:
    """A dataclass of arrays, of these members alone."""
    return replace(
        table, **{name: array[members].copy() for name, array in arrays_of(table).items()}
    )
