"""The memory of one lane group, and its struct: kept for further calls by its plan and options."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cached_property

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.kernels.generated.lanes import source
from fastgd.kernels.members import FLUSH, NOBODY, TRAIN, LaneGroup, Members
from fastgd.kernels.plan import Plan
from fastgd.kernels.to_structs import data_of, growth_of, network_of, rule_of
from fastgd.machine.cache import entry
from fastgd.machine.struct import empty_of, place_of, rows_of, struct_of
from fastgd.options import Options
from fastgd.samples import Samples
from fastgd.state import WIDE_VECTOR_BYTES, aligned

_X, _MEMBERS = place_of(LaneGroup, "data", "X"), place_of(LaneGroup, "members")
_OF_ROWS = slice(_X, _X + 2 * len(Samples._fields))  # X, Y and weights
_OF_MEMBERS = slice(_MEMBERS, _MEMBERS + 2 * rows_of(Members))
_COMMAND, _MONITORED = (place_of(LaneGroup, name) for name in ("command", "monitored"))


class LaneMemory:
    """A lane group for members by a plan, and options of one that asks most of the loop."""

    def __init__(self, plan: Plan, options: Options, samples: Samples):
        dtype = plan.net.dtype
        self._plan, self.lanes = plan, WIDE_VECTOR_BYTES // dtype.itemsize
        self._shares_weights = plan.weighted and plan.rows_stay
        self.group = self._group(plan, options, samples)
        self._struct = struct_of(self.group, dtype)
        self._limit = ctypes.c_int64()
        arrays = (*self.group, *self.group.rule, *self.group.data, self._struct)
        self.nbytes = sum(each.nbytes for each in arrays if isinstance(each, np.ndarray))

    def _group(self, plan: Plan, options: Options, samples: Samples) -> LaneGroup:
        net, dtype, lanes = plan.net, plan.net.dtype, self.lanes
        size, slots = net.n_params * lanes, options.optimizer.slots * net.n_params * lanes
        nothing = np.zeros(0, dtype)
        data = data_of(samples, plan.n, plan.batch, plan.shuffle)
        powers = aligned((options.optimizer.powers * lanes,), np.dtype(np.float64))
        rule = rule_of(net, options, aligned((slots,), dtype), powers, size, lanes=lanes)
        rows = 0 if plan.rows_stay and not plan.own_rows else plan.batch
        weights = rows * lanes or plan.n

        def row(count: int = 1) -> Array:
            return aligned((count * lanes,), dtype)

        return LaneGroup(
            net=network_of(net),
            data=data._replace(X=nothing, Y=nothing, weights=nothing),
            members=empty_of(Members, dtype),
            command=TRAIN,
            rule=rule,
            member_of_lane=np.full(lanes, NOBODY, np.int64),
            max_epochs=np.zeros(lanes, np.int64),
            params=row(net.n_params),
            gradient=row(net.n_params),
            before=row(net.n_params * (1 + options.optimizer.slots) + 1),
            powers_before=np.zeros(len(powers)),
            rates=np.zeros(lanes),
            numbers=np.repeat(rule.numbers, lanes),
            l2=np.zeros(lanes),
            l1=np.zeros(lanes),
            clip_norm=np.full(lanes, np.inf),
            targets=row(),
            min_delta=row(),
            patience_cost=row(),
            patience_epoch=row(),
            costs=row(),
            known=np.zeros(lanes),
            growth=growth_of(options),
            x=row(rows * net.widths[0]),
            y=row(rows * net.widths[-1]),
            weight=aligned((weights if plan.weighted else 0,), dtype),
            order=np.zeros(plan.n * lanes if plan.shuffle else 0, np.int64),
            monitored=False,
            eps=options.eps,
        )

    @property
    def is_free(self) -> bool:
        """Whether nobody is on a lane."""
        return bool(self.group.member_of_lane.tolist().count(NOBODY) == self.lanes)

    def hold(
        self, members: list[int], rows: list[int], samples: Samples, *, monitored: bool
    ) -> None:
        """Point to members and to their rows, by the words of both. All lanes are free."""
        self.group.member_of_lane[:] = NOBODY
        self.point_to(members)
        self._struct[_OF_ROWS], self._struct[_MONITORED] = rows, monitored
        if self._shares_weights and samples.weights.ndim == 1:
            shares = samples.weights / samples.weights.sum(dtype=np.float64)
            self.group.weight.reshape(len(shares), -1)[...] = shares[:, None]

    def point_to(self, members: list[int]) -> None:
        """Point to other members, by their words."""
        self._struct[_OF_MEMBERS] = members

    def train(self, limit: int) -> None:
        """Train for about `limit` epochs of a vector of members; 0 compiles what has not been
        compiled yet.
        """
        call, self._limit.value = self._call, limit
        call()

    def flush(self) -> None:
        """Write back where the members on lanes stand, which are free then."""
        if not self.is_free:
            self._struct[_COMMAND] = FLUSH
            self.train(0)
            self._struct[_COMMAND] = TRAIN

    @cached_property
    def _call(self) -> Callable[[], None]:
        """The call of the compiled function, with the limit that is set."""
        plan = self._plan
        function = entry("lanes", source(plan), "train", plan.net.dtype)
        return function.calls_of(self._struct, self._limit)
