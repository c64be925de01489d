"""Members that are trained in stretches of updates by the loop of one: whoever trains them looks at
their parameters and costs in between, and changes their numbers.
"""

from __future__ import annotations

import ctypes
from contextlib import ExitStack

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.kernels.binding import Bound
from fastgd.kernels.codes import TRAINING_COST
from fastgd.kernels.in_turn import PLACE, point, share_rule
from fastgd.kernels.structs import Problem, Stretch
from fastgd.machine.cache import Entry, entry
from fastgd.machine.struct import place_of, struct_of
from fastgd.state import BEST, EPOCH, EPOCH_COST_SUM, MOST, State
from fastgd.system.address import address_of

STRETCH = '''"""Stretches of updates of several members, which the matrix kernel makes."""

from fastgd.machine.jit import kernel
from fastgd.kernels.stretch import train_members


@kernel
def train(address, zero, limit):
    train_members(address, zero, limit)
'''
_ARRAYS = "params", "slots", "powers", "cursor", "sums", "points", "costs"
# where a schedule on a plateau is read, and where it is looked after
_PLATEAUS = [place_of(Problem, part, "plateau") for part in ("rule", "few_rule", "course")]
# rows times parameters of a call, some 50 ms: Ctrl-C is looked for between two
_MOST_PRODUCTS = 2**29


def stretch_entry(dtype: np.dtype[np.floating]) -> Entry:
    """The code that makes stretches of updates."""
    return entry("stretch", STRETCH, "train", dtype)


class Stepwise:
    """Members that share the rows and the options of `kernel`; a single one has its threads, if it
    has any, while this is entered as a context.

    `states` have a first axis of members, and are not changed, nor is there a history in them;
    `numbers` of the optimizer, (members, numbers), are read at every update. `eps`, (members,), is
    that of Adam where it is added after the correction of its moments, or (0,); squares of
    weights are summed where these are `penalized`.
    """

    # (members,) sums of squared weights before each update of the latest stretch, or (0,)
    squares: Array

    def __init__(
        self, kernel: Bound, states: State, numbers: Array, eps: Array, *, penalized: bool
    ):
        self._kernel, self.states = kernel, states.widened(kernel.size)
        members = len(numbers)
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
        self._share_rule()
        self._structs[:, PLACE["epochs"]] = MOST
        self._structs[:, PLACE["monitored"]] = TRAINING_COST  # costs are wanted of every epoch
        # sums of the costs of batches in an epoch that has begun; the least mean over the batches
        # of an epoch, to be put up to inf before one begins: it stays there where the mean is not
        # finite
        sums = self.states.sums
        self.costs_so_far, self.mean_costs = sums[:, EPOCH_COST_SUM], sums[:, BEST]
        self.squares, self._numbers, self._eps = np.zeros(members * penalized), numbers, eps
        kernel.helpers.have_nothing()
        self._help: ExitStack | None = None  # while other threads work
        self._helping = [kernel.entry("train").call_of(struct, 1) for struct in self._structs[1:]]
        self._helping = self._helping if members == 1 else []
        self._limit = ctypes.c_int64()
        self._bind()

    def _bind(self) -> None:
        """The call that makes a stretch of updates of those that are trained."""
        kernel, structs = self._kernel, self._structs
        here, step = address_of(structs), structs.strides[0]
        problems = here + step * np.arange(len(self._rows))
        train, dtype = kernel.entry("train").c_address(), kernel.plan.net.dtype
        stretch = Stretch(train, problems, self._rows, self._eps, self.squares)
        call = stretch_entry(dtype).calls_of(struct_of(stretch, dtype), self._limit)
        self._call, self._arrays = call, stretch  # which are alive as long
        products = len(self._rows) * kernel.plan.batch * kernel.plan.net.n_params
        self._most = max(1, _MOST_PRODUCTS // max(1, products))

    def _share_rule(self) -> None:
        if self._kernel.plan.few_rows:  # otherwise the rule for these is not looked at
            share_rule(self._structs)

    def __enter__(self) -> Stepwise:
        if self._helping:
            self._kernel.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._have_no_help()
        self._kernel.__exit__()

    def _have_help(self) -> None:
        """Have the other threads take parts of updates from now on."""
        if self._help is None:
            self._help = ExitStack()
            self._help.enter_context(self._kernel.helpers.at_work(self._helping))

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
        self._share_rule()

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
        self._rows = rows
        if len(rows):
            self._bind()

    # -- updates

    def advance(self, updates: int) -> None:
        """So many updates of every member that is trained."""
        if self._helping:
            self._have_help()
        self.squares.fill(0.0)
        while updates > 0:
            self._limit.value = min(updates, self._most)
            self._call()
            updates -= self._most

    @property
    def epoch(self) -> int:
        """Epochs finished by those who are trained."""
        return int(self.states.cursor[self._rows[0], EPOCH])
