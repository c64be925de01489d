"""Members that are trained one after the other by the loop of one, which is bound once: what
compiled code is told of each is a row of a table of structs.
"""

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.kernels.binding import Bound
from fastgd.kernels.codes import CHECK_RULES, NO_UPDATE, NOTHING, PASS
from fastgd.kernels.structs import Problem
from fastgd.kernels.to_structs import watched_of
from fastgd.machine.struct import place_of
from fastgd.member_settings import MemberSettings
from fastgd.state import (
    EPOCH_COST_SUM,
    EPOCHS,
    MOST,
    NEXT_RECORD,
    NON_FINITE,
    RUNNING,
    STOPPED,
    State,
)
from fastgd.system.address import address_of

PLACE = {
    name: place_of(Problem, *parts, name)
    for parts, names in {
        (): ("params", "command", "method"),
        ("data",): ("order", "shuffled"),
        ("rule",): ("rate", "schedule", "times", "numbers", "slots", "powers", "clip_norm", "l2",
                    "l1"),
        ("course",): ("epochs", "seed", "cursor", "sums", "points", "costs", "monitored",
                      "target_cost", "patience", "min_delta"),
    }.items()
    for name in names
}  # fmt: skip
# of what is in the rule, what the rule for few rows has in common with it, and how far behind; what
# a struct holds takes two places
_COMMON = np.array([
    PLACE[name] + i
    for name in ("rate", "schedule", "times", "numbers", "powers", "clip_norm", "l2", "l1")
    for i in range(2)
])  # fmt: skip
_BEHIND = place_of(Problem, "few_rule") - place_of(Problem, "rule")
_OF_A_PASS = {"command": PASS, "method": NO_UPDATE, "shuffled": 0, "monitored": NOTHING}


class InTurn:
    """Members of one kind: what is done to a gradient, and whether stop rules watch, is the same
    for all of them, as the options of `kernel` have it. They share its rows.

    `states` have a first axis of members, and are not changed.
    """

    def __init__(self, kernel: Bound, settings: MemberSettings, states: State):
        self._kernel, self._n_params = kernel, states.params.shape[-1]
        self._states = states = states.widened(kernel.size)
        self._structs = np.repeat(kernel.patterns[:1], len(settings), axis=0)
        own = {
            "rate": settings.rates, "schedule": np.maximum(settings.schedules, 0),
            "clip_norm": settings.clip_norm, "l2": settings.l2, "l1": settings.l1,
            "epochs": settings.epochs, "seed": settings.seeds,
            "target_cost": settings.target_cost, "patience": settings.patience,
            "min_delta": settings.min_delta,
        }  # fmt: skip
        for name, values in own.items():
            self._structs[:, PLACE[name]] = values.view(np.int64)
        self._structs[:, PLACE["times"] + 1] = settings.times.shape[1]
        self._structs[:, PLACE["monitored"]] = watched_of(kernel.options, held_out=False)
        names = "params", "slots", "powers", "cursor", "sums", "points", "costs"
        arrays = {name: getattr(states, name) for name in names}
        # of no epoch: another member's, of another seed, may be of the epoch in which one begins
        orders = np.full((len(settings), len(kernel.data.order)), -1, np.int64)
        arrays |= {"times": settings.times, "numbers": settings.numbers, "order": orders}
        point(self._structs, arrays)
        share_rule(self._structs)
        self._alive = arrays  # as long as the structs are

    def train(self) -> tuple[State, Array]:
        """Where they stand when each has ended, and their costs, (members,): NaN where a number
        stopped being finite on the way.
        """
        states = self._states
        self._call(self._structs, MOST)
        costs = self._costs()
        are_finite = np.isfinite(costs) & np.isfinite(states.params).all(axis=1)
        costs[~are_finite | (states.cursor[:, NON_FINITE] != 0)] = np.nan
        if self._kernel.options.monitors and self._kernel.plan.batches == 1:
            self._watch_end(costs)
        stopped = states.cursor[:, STOPPED]
        stopped[stopped == RUNNING] = EPOCHS
        own = slice(self._n_params)
        params, slots = states.params[..., own], states.slots[..., own]
        return states.with_arrays(params=params, slots=slots), costs

    def _call(self, structs: Array, limit: int = 0) -> None:
        self._kernel.entry("train").for_each(structs, limit)

    def _costs(self) -> Array:
        """Of all rows, by a pass without updates."""
        structs, states = self._structs.copy(), self._states
        cursor, sums = np.zeros_like(states.cursor), np.zeros_like(states.sums)
        cursor[:, NEXT_RECORD] = MOST
        for name, value in _OF_A_PASS.items():
            structs[:, PLACE[name]] = value
        point(structs, {"cursor": cursor, "sums": sums})
        self._call(structs)
        costs: Array = sums[:, EPOCH_COST_SUM] / self._kernel.data.batches
        return costs

    def _watch_end(self, costs: Array) -> None:
        """Apply the stop rules to parameters after the last epoch, which no further pass looks
        at.
        """
        states = self._states
        at_end = (states.cursor[:, STOPPED] == RUNNING) & np.isfinite(costs)
        structs, before = self._structs[at_end], states.sums[:, EPOCH_COST_SUM].copy()
        for name, value in {"command": CHECK_RULES, "method": NO_UPDATE, "epochs": 0}.items():
            structs[:, PLACE[name]] = value
        states.sums[at_end, EPOCH_COST_SUM] = costs[at_end]
        self._call(structs)
        states.sums[:, EPOCH_COST_SUM] = before


def point(structs: Array, arrays: dict[str, Array]) -> None:
    """Have the structs point to each member's part of these arrays."""
    there = {PLACE[name]: array for name, array in arrays.items() if array.size}
    steps = [array.strides[0] for array in there.values()]
    first = [address_of(array) for array in there.values()]
    rows = np.arange(len(structs))[:, None]
    structs[:, list(there)] = rows * np.array(steps) + np.array(first)


def share_rule(structs: Array) -> None:
    """Have the rules for few rows what the rules of the structs have in common with them."""
    structs[:, _COMMON + _BEHIND] = structs[:, _COMMON]
