"""The lanes kernel of a plan, bound to its members: their arrays, and the calls of each thread."""

from typing import Any

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.kernels.lane_memory import LaneMemory
from fastgd.kernels.members import Members
from fastgd.kernels.plan import Plan
from fastgd.kernels.shelf import shelf
from fastgd.machine.struct import words_of
from fastgd.member_settings import MemberSettings
from fastgd.options import Options
from fastgd.samples import Samples, on_disk
from fastgd.state import (
    EPOCH,
    EPOCHS,
    PATIENCE_COST,
    PATIENCE_EPOCH,
    RUNNING,
    STOPPED,
    State,
)

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
        self.plan, self.samples = plan, samples
        epochs, waiting = states.cursor[:, EPOCH], _places(np.isnan(cost))
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
            "waiting": waiting[(epochs - settings.epochs)[waiting].argsort(kind="stable")],
            "taken": np.zeros(1, np.int64),
            "X_stride": samples.X[0].size if samples.X.ndim == 3 else 0,
            "Y_stride": samples.Y[0].size if samples.Y.ndim == 3 else 0,
            "weights_stride": plan.n if samples.weights.ndim == 2 else 0,
        }  # fmt: skip
        self.members = Members(*map(given.__getitem__, Members._fields))
        self._key = plan, options, on_disk(samples.X)
        self._memories = [
            shelf.take(self._key, lambda: LaneMemory(plan, options, samples))
            for _ in range(threads)
        ]
        of_members, of_rows = words_of(self.members, dtype, {}), words_of(samples, dtype, {})
        monitored = bool(self.has_rule.any())
        for memory in self._memories:
            memory.hold(of_members, of_rows, samples, monitored=monitored)

    def let_go(self) -> None:
        """Keep the memory of lanes for further calls; nothing is to be trained any more."""
        for memory in self._memories:
            shelf.put_back(self._key, memory)
        self._memories = []

    def advance(self, rank: int, limit: int) -> None:
        """Train for about `limit` epochs of a vector of members; 0 compiles what has not been
        compiled yet.
        """
        self._memories[rank].train(limit)

    def is_done(self, rank: int) -> bool:
        """Whether a thread has nobody left to train."""
        are_taken = self.members.taken[0] >= len(self.members.waiting)
        return bool(are_taken) and self._memories[rank].is_free

    def flush(self) -> None:
        """Write back where all members stand."""
        for memory in self._memories:
            memory.flush()
        # members without a rule are looked at beside those that have one
        (costs, epochs), is_without = self.patience, ~self.has_rule
        np.copyto(self.members.sums[:, PATIENCE_COST], costs, where=is_without)
        np.copyto(self.members.cursor[:, PATIENCE_EPOCH], epochs, where=is_without)

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
            waiting=_places(np.isnan(members.cost)),
            taken=np.zeros(1, np.int64),
        )
        memory = self._memories[0]
        memory.point_to(words_of(alone, self.plan.net.dtype, {}))
        while alone.taken[0] < len(alone.waiting) or not memory.is_free:
            memory.train(_MANY)
        np.copyto(members.cursor[:, STOPPED], cursor[:, STOPPED], where=~was_running)


def _places(mask: Array) -> Array:
    """Where a mask is True."""
    return mask.nonzero()[0].astype(np.int64, copy=False)


def _rounded_down(numbers: Array, dtype: np.dtype[Any]) -> Array:
    """The largest of the dtype that are at most these: a cost is under the one where it is under
    the other.
    """
    if numbers.dtype == dtype:
        return numbers
    rounded = numbers.astype(dtype)
    return np.where(rounded > numbers, np.nextafter(rounded, dtype.type(-np.inf)), rounded)
