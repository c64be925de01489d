"""The lanes kernel of a plan, bound to its members: arrays, one lane group a thread, and calls."""

from functools import cached_property
from typing import Any

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.kernels.generated.lanes import source
from fastgd.kernels.members import FLUSH, NOBODY, TRAIN, LaneGroup, Members
from fastgd.kernels.plan import Plan
from fastgd.kernels.to_structs import data_of, growth_of, is_weight_of, network_of, rule_of
from fastgd.machine.cache import Entry, entry
from fastgd.machine.struct import place_of, struct_of
from fastgd.options import MemberSettings, Options
from fastgd.samples import Samples
from fastgd.state import (
    EPOCH,
    EPOCHS,
    PATIENCE_COST,
    PATIENCE_EPOCH,
    RUNNING,
    STOPPED,
    WIDE_VECTOR_BYTES,
    State,
    aligned,
)

_COMMAND = place_of(LaneGroup, "command")
_MANY = 10_000  # epochs of a call that only computes costs


class Lanes:
    """Members that are trained in the lanes of vectors: those without a cost. Each of `threads`
    threads calls `advance` with its rank until `is_done`, or for as long as it likes; then one of
    them calls `flush`, and `add_costs` if the others are to have one.

    Arrays of `samples` have a first axis of members where each has its own. `states` are changed in
    place, and so is the (members,) `cost`, which is NaN until a member has ended. `options` are of
    a member that asks most of the loop.
    """

    def __init__(
        self,
        plan: Plan,
        options: Options,
        samples: Samples,
        threads: int,
        settings: MemberSettings,
        states: State,
        cost: Array,
    ):
        dtype = plan.net.dtype
        self.plan, self.options, self.samples = plan, options, samples
        self.lanes = WIDE_VECTOR_BYTES // dtype.itemsize
        epochs, waiting = states.cursor[:, EPOCH], np.flatnonzero(np.isnan(cost)).astype(np.int64)
        self.has_rule = settings.monitored
        self.patience = (
            states.sums[:, PATIENCE_COST].copy(),
            states.cursor[:, PATIENCE_EPOCH].copy(),
        )
        given: dict[str, Any] = settings.arrays() | states.arrays() | {
            "last": np.where(states.cursor[:, STOPPED] == RUNNING, settings.epochs, epochs),
            "targets": _rounded_down(settings.target_cost, dtype),
            "min_delta": settings.min_delta.astype(dtype),
            "cost": cost,
            # the longest first, so that lanes are full to the end
            "waiting": waiting[np.argsort((epochs - settings.epochs)[waiting], kind="stable")],
            "taken": np.zeros(1, np.int64),
            "X_stride": samples.X[0].size if samples.X.ndim == 3 else 0,
            "Y_stride": samples.Y[0].size if samples.Y.ndim == 3 else 0,
            "weights_stride": plan.n if samples.weights.ndim == 2 else 0,
        }  # fmt: skip
        self.members = Members(*(given[name] for name in Members._fields))
        self.groups = [self._group() for _ in range(threads)]
        self.structs = [struct_of(group, dtype) for group in self.groups]

    def _group(self) -> LaneGroup:
        plan, options, members = self.plan, self.options, self.members
        net, dtype, lanes, samples = plan.net, plan.net.dtype, self.lanes, self.samples
        size, slots = net.n_params * lanes, options.optimizer.slots * net.n_params * lanes
        powers = aligned((2 * lanes,), np.dtype(np.float64))
        rule = rule_of(
            options, aligned((slots,), dtype), powers, is_weight_of(net, options, size, lanes), size
        )
        rows = 0 if plan.rows_stay and not plan.own_rows else plan.batch
        weight = aligned((rows * lanes if plan.weighted else 0,), dtype)
        if plan.weighted and plan.rows_stay and not members.weights_stride:
            shares = (samples.weights / samples.weights.sum(dtype=np.float64)).astype(dtype)
            weight = np.repeat(shares, lanes) if plan.own_rows else shares

        def row(count: int = 1) -> Array:
            return aligned((count * lanes,), dtype)

        return LaneGroup(
            net=network_of(net),
            data=data_of(samples, plan.n, plan.batch, plan.shuffle),
            members=members,
            command=TRAIN,
            rule=rule,
            member_of_lane=np.full(lanes, NOBODY, np.int64),
            max_epochs=np.zeros(lanes, np.int64),
            params=row(net.n_params),
            gradient=row(net.n_params),
            before=row(net.n_params * (1 + options.optimizer.slots) + 1),
            powers_before=np.zeros(2 * lanes),
            rates=np.zeros(lanes),
            numbers=np.repeat(rule.numbers, lanes),
            l2=np.zeros(lanes),
            clip_norm=np.full(lanes, np.inf),
            corrected=aligned((2 * lanes,), np.dtype(np.float64)),
            targets=row(),
            min_delta=row(),
            patience_cost=row(),
            patience_epoch=row(),
            costs=row(),
            known=np.zeros(lanes),
            growth=growth_of(options),
            x=row(rows * net.widths[0]),
            y=row(rows * net.widths[-1]),
            weight=weight,
            order=np.zeros(plan.n * lanes if plan.shuffle else 0, np.int64),
            monitored=bool(self.has_rule.any()),
            eps=options.eps,
        )

    @cached_property
    def entry(self) -> Entry:
        """The compiled function."""
        return entry("lanes", source(self.plan), "train", self.plan.net.dtype)

    def advance(self, rank: int, limit: int) -> None:
        """Train for about `limit` epochs of a vector of members; 0 compiles what has not been
        compiled yet.
        """
        self.entry(self.structs[rank], limit)

    def is_done(self, rank: int) -> bool:
        """Whether a thread has nobody left to train."""
        return bool(
            self.members.taken[0] >= len(self.members.waiting)
            and (self.groups[rank].member_of_lane == NOBODY).all()
        )

    def flush(self) -> None:
        """Write back where all members stand."""
        for struct in self.structs:
            flushing = struct.copy()
            flushing[_COMMAND] = FLUSH
            self.entry(flushing, 0)
        # members without a rule are looked at beside those that have one
        self.members.sums[~self.has_rule, PATIENCE_COST] = self.patience[0][~self.has_rule]
        self.members.cursor[~self.has_rule, PATIENCE_EPOCH] = self.patience[1][~self.has_rule]

    def add_costs(self) -> None:
        """Compute the costs of members that are without, be it that they have not ended, once they
        are written back.
        """
        members = self.members
        cursor, was_running = members.cursor.copy(), members.cursor[:, STOPPED] == RUNNING
        cursor[was_running, STOPPED] = EPOCHS
        alone = members._replace(
            last=cursor[:, EPOCH].copy(),
            cursor=cursor,
            sums=members.sums.copy(),
            waiting=np.flatnonzero(np.isnan(members.cost)).astype(np.int64),
            taken=np.zeros(1, np.int64),
        )
        group = self.groups[0]._replace(members=alone)
        struct = struct_of(group, self.plan.net.dtype)
        while alone.taken[0] < len(alone.waiting) or (group.member_of_lane != NOBODY).any():
            self.entry(struct, _MANY)
        np.copyto(members.cursor[:, STOPPED], cursor[:, STOPPED], where=~was_running)


def _rounded_down(numbers: Array, dtype: np.dtype[Any]) -> Array:
    """The largest of the dtype that are at most these: a cost is under the one where it is under
    the other.
    """
    rounded = numbers.astype(dtype)
    return np.where(rounded > numbers, np.nextafter(rounded, dtype.type(-np.inf)), rounded)
