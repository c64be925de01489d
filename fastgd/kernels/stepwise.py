"""Members that are trained update by update by the loop of one: whoever trains them looks at their
parameters and costs in between, and changes their numbers.
"""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.kernels.binding import Bound
from fastgd.kernels.in_turn import PLACE, point, share_rule
from fastgd.kernels.structs import TRAINING_COST, Problem
from fastgd.machine.struct import place_of
from fastgd.state import BEST, EPOCH, EPOCH_COST_SUM, MOST, UPDATES, State
from fastgd.system.address import address_of

_ARRAYS = "params", "slots", "powers", "cursor", "sums", "points", "costs"
# where a schedule on a plateau is read, and where it is looked after
_PLATEAUS = [place_of(Problem, part, "plateau") for part in ("rule", "few_rule", "course")]


class Stepwise:
    """Members that share the rows and the options of `kernel`; a single one has its threads, if it
    has any, while this is entered as a context.

    `states` have a first axis of members, and are not changed, nor is there a history in them;
    `numbers` of the optimizer, (members, numbers), are read at every update.
    """

    def __init__(self, kernel: Bound, states: State, numbers: Array):
        self._kernel, self.states = kernel, states.widened(kernel.size)
        self._numbers, members = numbers, len(numbers)
        self._entry = kernel.entry("train")
        self._rows = np.arange(members)  # who is trained
        arrays = {name: getattr(self.states, name) for name in _ARRAYS} | {"numbers": numbers}
        if members == 1:  # as each of its threads sees it
            self._structs = np.array(kernel.patterns)
            for struct in self._structs:
                point(struct[None], arrays)
        if kernel.plan.perturbed:  # each has a struct for rows as they are, too
            made = [kernel.structs_of(self.states[member]) for member in range(members)]
            self._alive = [each for _, all_of_one in made for each in all_of_one]
            self._structs = np.array([struct for own, _ in made for struct in own])
            numbers_of = address_of(numbers) + numbers.strides[0] * np.arange(members)
            self._structs[:, PLACE["numbers"]] = np.repeat(numbers_of, len(made[0][0]))
        elif members > 1:
            self._structs = np.repeat(kernel.patterns[:1], members, axis=0)
            point(self._structs, arrays)
        plateau = self.states.plateau
        if plateau.size and not kernel.plan.perturbed:
            there = address_of(plateau) + plateau.strides[0] * np.arange(members)
            self._structs[:, _PLATEAUS] = there[:, None]
        share_rule(self._structs)
        self._structs[:, PLACE["epochs"]] = MOST
        self._structs[:, PLACE["monitored"]] = TRAINING_COST  # costs are wanted of every epoch
        kernel.helpers.have_nothing()
        self._help: ExitStack | None = None  # while other threads work
        self._bind()

    def _bind(self) -> None:
        """The calls that make an update: of a single member, as each of its threads sees it; or one
        of all members, each of whose structs leads to the next.
        """
        structs = self._structs
        if len(self._numbers) > 1:
            here, step = address_of(structs), structs.strides[0]
            structs[:, PLACE["following"]] = here + step * np.arange(1, len(structs) + 1)
            structs[-1:, PLACE["following"]] = 0
            structs = structs[:1]
        self._calls = [self._entry.call_of(struct, 1) for struct in structs]

    def __enter__(self) -> Stepwise:
        if len(self._calls) > 1:
            self._kernel.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._have_no_help()
        self._kernel.__exit__()

    def _have_help(self) -> None:
        """Have the other threads take parts of updates from now on."""
        if self._help is None:
            self._help = ExitStack()
            self._help.enter_context(self._kernel.helpers.at_work(self._calls[1:]))

    def _have_no_help(self) -> None:
        """Let them go; they would not see what is changed in a struct."""
        if self._help is not None:
            self._help.close()
            self._help = None

    # -- numbers between updates

    def put(self, name: str, values: Array) -> None:
        """Give each member a number of its own, float64 or int64, of those that a struct holds."""
        self._have_no_help()
        words = values.view(np.int64)
        self._structs[:, PLACE[name]] = words if len(self._numbers) == 1 else words[self._rows]
        if self._kernel.plan.few_rows:
            share_rule(self._structs)

    def put_orders(self, orders: Array, which: Array) -> None:
        """Have each member take its rows in the order of orders[which[member]]; of (some, n + 1)
        the last is the epoch of which it is one, and the array stays alive meanwhile.
        """
        places = address_of(orders) + orders.strides[0] * which
        self.put("order", places.astype(np.int64))

    def keep(self, rows: Array) -> None:
        """Train only these members from now on."""
        if len(self._numbers) > 1:
            self._structs = self._structs[np.searchsorted(self._rows, rows)]
            self._bind()
        self._rows = rows

    # -- updates

    def advance(self) -> None:
        """An update of every member that is trained."""
        if len(self._calls) > 1:
            self._have_help()
        self._calls[0]()

    @property
    def epoch(self) -> int:
        """Epochs finished by those who are trained."""
        return int(self.states.cursor[self._rows[0], EPOCH])

    @property
    def updates(self) -> int:
        """Updates made, by each of those who are trained."""
        return int(self.states.cursor[self._rows[0], UPDATES])

    @property
    def costs_so_far(self) -> Array:
        """(members,) sums of the costs of batches in an epoch that has begun."""
        return self.states.sums[:, EPOCH_COST_SUM]

    @property
    def mean_costs(self) -> Array:
        """(members,) the least mean over the batches of an epoch, to be put up to inf before one
        begins; it stays there where the mean is not finite.
        """
        return self.states.sums[:, BEST]
