"""The epoch: order the rows, gradient and update, observe. The same for every kernel.

A kernel brings `steps(problem, batch_index, count, observe, pending)`: it makes `count` updates from batch `batch_index` of the epoch
on and returns `pending` plus, one by one, the batches' mean costs if `observe`, so that the sum does not depend on where it is cut. The
driver calls it for stretches in which nothing has to be seen from outside.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from fastgd.checks import Array
from fastgd.jit import inline, kernel
from fastgd.simd import stay_scalar

EPOCH, BATCH, RECORDED = range(3)  # places in a cursor


@dataclass
class State:
    """Where a run stands: all that has to be kept to go on from here to the same bits."""

    params: Array  # (n_params,) and zeros up to whole vectors
    seed: int
    epochs: int  # to be reached
    cursor: Array  # (3,) int64: epoch, batch in it, costs recorded
    pending: Array  # (1,) float64: sum of the batch costs of an epoch that is being recorded
    record: Array  # (records,) int64: epochs to record the cost of, rising
    costs: Array  # (records,) float64

    @property
    def epoch(self) -> int:
        """Epochs finished."""
        return int(self.cursor[EPOCH])

    def updates(self, batches: int) -> int:
        """Updates made since epoch 0, at `batches` an epoch."""
        return int(self.cursor[EPOCH]) * batches + int(self.cursor[BATCH])

    @property
    def recorded(self) -> int:
        """Costs recorded."""
        return int(self.cursor[RECORDED])

    def copy(self) -> "State":
        """A state that shares no array that training changes."""
        return replace(self, params=self.params.copy(), cursor=self.cursor.copy(), pending=self.pending.copy(), costs=self.costs.copy())


def start(params: Array, seed: int, first: int, epochs: int, record: Array) -> State:
    """The state before the first update of epoch `first`."""
    return State(params, seed, epochs, np.array([first, 0, 0]), np.zeros(1), record, np.full(len(record), np.nan))


class Course(NamedTuple):
    """How far to go, and what to write down on the way."""

    epochs: int
    batch: int  # rows of a batch
    batches: int  # of an epoch
    shuffle: bool
    seed: int
    cursor: Any  # from here on as in State
    pending: Any
    records: int
    record: Any
    costs: Any


@inline
def _mix(x):
    """A well-mixed uint64 of another one (the finalizer of splitmix64)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@kernel
def shuffle(order, n, seed, epoch):
    """The order of the rows in an epoch, a function of (seed, epoch) alone: Fisher-Yates with a counter for a generator."""
    key = _mix(seed + np.uint64(0x9E3779B97F4A7C15) * (np.uint64(epoch) + np.uint64(1)))
    for i in range(n):
        order[i] = i
        stay_scalar()
    for i in range(n - 1, 0, -1):
        draw = _mix(key + np.uint64(0x9E3779B97F4A7C15) * np.uint64(i))
        j = np.int64(((draw >> np.uint64(32)) * np.uint64(i + 1)) >> np.uint64(32))
        order[i], order[j] = order[j], order[i]


@kernel
def next_stretch(course, order, n, left):
    """Order the rows if an epoch begins. How many updates to make before something has to be seen, and whether to sum their costs."""
    cursor = course.cursor
    epoch, batch, recorded = cursor[EPOCH], cursor[BATCH], cursor[RECORDED]
    if course.shuffle != 0 and order[n] != epoch:
        shuffle(order, n, np.uint64(course.seed), epoch)
        order[n] = epoch
    next_record = course.record[recorded] if recorded < course.records else course.epochs
    observe = recorded < course.records and next_record == epoch
    if course.batches == 1 and course.shuffle == 0:
        count = 1 if observe else next_record - epoch
    else:
        count = course.batches - batch
    return min(count, left), observe


@kernel
def advance_cursor(course, count, observe, cost):
    """Move the cursor `count` updates on, and record the mean cost of a finished epoch. `cost` is the sum over its batches so far."""
    cursor = course.cursor
    batch = cursor[BATCH] + count
    if observe:
        course.pending[0] = cost
    cursor[EPOCH] += batch // course.batches
    cursor[BATCH] = batch % course.batches
    if observe and cursor[BATCH] == 0:
        course.costs[cursor[RECORDED]] = course.pending[0] / course.batches
        course.pending[0] = 0.0
        cursor[RECORDED] += 1


@inline
def advance(steps, problem, course, order, n, limit):
    """Make `limit` updates, or as many as are left of the course."""
    made = 0
    while made < limit and course.cursor[EPOCH] < course.epochs:
        count, observe = next_stretch(course, order, n, limit - made)
        cost = steps(problem, course.cursor[BATCH], count, observe, course.pending[0])
        advance_cursor(course, count, observe, cost)
        made += count
