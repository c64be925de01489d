"""The epoch: order the rows, gradient and update, observe. The same for every kernel.

A kernel brings `steps(problem, batch_index, count, observe)`: it makes `count` updates from batch `batch_index` of the epoch on, none if
the problem's method is NO_UPDATE, and returns how many it made. Where an epoch is one batch it shows every observed cost to `note`
before the update, and ends when told to; otherwise it adds observed batch costs to sums[PENDING], one by one, so that the sum does not
depend on where it is cut. The driver calls it for stretches in which nothing has to be seen from outside.
"""

import math
from typing import NamedTuple

import numpy as np

from fastgd.jit import inline, kernel, merged
from fastgd.kernels.table import Doubles, Integers, Reals
from fastgd.options import MOST, Options
from fastgd.simd import stay_scalar
from fastgd.state import BATCH, BEST, BEST_EPOCH, EPOCH, HELD_OUT, NEXT_RECORD, PENDING, RECORDED, SPOILED, STOPPED, STOPS, STRIDE, State

_, TARGET_COST, PATIENCE = range(len(STOPS))
NOTHING, TRAINING_COST, HELD_OUT_COST = range(3)  # what is watched
ALL_ROWS = -1  # in the place of a limit


class Course(NamedTuple):
    """How far to go, what to write down on the way, and when to end it early."""

    epochs: int
    seed: int
    cursor: Integers  # from here on as in State
    sums: Doubles
    points: Integers
    costs: Doubles
    held_out: Doubles
    best: Reals
    growth: float  # of the distance between points of the history, as a share of the epoch; 0 for even spacing
    watched: int
    target_cost: float
    patience: int
    min_delta: float


def course(state: State, options: Options, seed: int, epochs: int, *, watched: bool, held_out: bool) -> Course:
    """The course of a state; without stop rules unless `watched`."""
    watched = watched and options.watches
    return Course(
        epochs=epochs,
        seed=seed,
        cursor=state.cursor,
        sums=state.sums,
        points=state.points,
        costs=state.costs,
        held_out=state.held_out,
        best=state.best,
        growth=0.0 if options.spacing == "even" else math.expm1(2 * math.log(MOST) / options.record),
        watched=NOTHING if not watched else HELD_OUT_COST if held_out else TRAINING_COST,
        target_cost=-math.inf if options.target_cost is None else options.target_cost,
        patience=MOST if options.patience is None else options.patience,
        min_delta=options.min_delta,
    )


# -- the order of rows -------------------------------------------------------------------------------------------------------------


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


# -- looking at costs ----------------------------------------------------------------------------------------------------------------


@kernel
def record(course, epoch, cost):
    """A point of the history; there is room for it."""
    cursor = course.cursor
    i = cursor[RECORDED]
    course.points[i], course.costs[i] = epoch, cost
    if len(course.held_out) != 0:
        course.held_out[i] = course.sums[HELD_OUT]
    cursor[RECORDED] = i + 1
    if cost - cost != 0.0:  # inf or NaN
        cursor[SPOILED] = 1
    distance = cursor[STRIDE] if course.growth == 0.0 else int(min(epoch * course.growth, 1e18)) + 1
    only = 1 if course.growth == 0.0 else len(course.points)  # points that can't be thinned out
    cursor[NEXT_RECORD] = MOST if i + 1 == only and i + 1 == len(course.points) else epoch + distance


@merged
def watch(course, epoch, cost):
    """Apply the stop rules to the cost after `epoch` epochs. Whether it is the least so far."""
    cursor, sums = course.cursor, course.sums
    reached = cost <= course.target_cost
    better = cost < sums[BEST] - (0.0 if reached else course.min_delta)
    if better:
        sums[BEST] = cost
        cursor[BEST_EPOCH] = epoch
    if reached:
        cursor[STOPPED] = TARGET_COST
    elif cost - cost != 0.0:  # inf or NaN
        cursor[SPOILED] = 1
    elif epoch - cursor[BEST_EPOCH] >= course.patience:
        cursor[STOPPED] = PATIENCE
    return better


@merged
def note(course, epoch, cost):
    """Look at the training cost of an epoch that is one batch, before its update. Whether its parameters are to be kept as the best."""
    cost = np.float64(cost)
    if epoch == course.cursor[NEXT_RECORD]:
        record(course, epoch, cost)
    return watch(course, epoch, cost) and len(course.best) != 0 if course.watched == TRAINING_COST else False


@kernel
def keep(course, params):
    """These are the best parameters so far."""
    for i in range(len(course.best)):
        course.best[i] = params[i]


# -- the course ----------------------------------------------------------------------------------------------------------------------


@kernel
def next_stretch(course, data, left, looked):
    """What comes next: how many updates before something has to be seen, whether to observe their costs, and whether to look at the
    validation rows first, unless they were `looked` at. 0 updates where the history has no room for the cost that is due.
    """
    cursor = course.cursor
    epoch, batch = cursor[EPOCH], cursor[BATCH]
    due, full = cursor[NEXT_RECORD] == epoch, cursor[RECORDED] == len(course.points)
    looks = len(course.held_out) != 0 and batch == 0 and not looked and (course.watched == HELD_OUT_COST or due)
    if data.shuffled != 0 and data.order[data.n] != epoch:
        shuffle(data.order, data.n, np.uint64(course.seed), epoch)
        data.order[data.n] = epoch
    if due and full:
        count = 0
    elif data.batches > 1 or data.shuffled != 0 or course.watched == HELD_OUT_COST:
        count = data.batches - batch
    elif course.watched == TRAINING_COST and not full:
        count = course.epochs - epoch
    else:
        count = 1 if due else min(course.epochs, cursor[NEXT_RECORD]) - epoch
    return min(count, left), due or course.watched == TRAINING_COST, looks


@kernel
def look_back(course, data, params, looked, count, observe):
    """Look at the cost of the validation rows, if it is there; or move the cursor `count` updates on, and look at the mean cost of a
    finished epoch of several batches.
    """
    cursor, sums = course.cursor, course.sums
    epoch, at, cost = cursor[EPOCH], cursor[EPOCH], sums[PENDING]
    if looked:
        sums[HELD_OUT] = cost
        wanted = course.watched == HELD_OUT_COST
    else:
        batch = cursor[BATCH] + count
        cursor[EPOCH] += batch // data.batches
        cursor[BATCH] = batch % data.batches
        if not (observe and data.batches > 1 and cursor[BATCH] == 0):
            return
        cost /= data.batches
        if epoch == cursor[NEXT_RECORD]:
            record(course, epoch, cost)
        wanted = course.watched == TRAINING_COST
        at = epoch + 1
    sums[PENDING] = 0.0
    if wanted and watch(course, at, cost):
        keep(course, params)


@inline
def advance(steps, problem, limit):
    """Make `limit` updates, or as many as are left of the course, or as the history has room for. A limit of ALL_ROWS is one pass over all
    rows, without updates.

    `steps` is called in one place: it is most of what there is to compile.
    """
    course, cursor = problem.course, problem.course.cursor
    made, looks = np.int64(0), np.bool_(False)
    while limit == ALL_ROWS or (made < limit and cursor[EPOCH] < course.epochs and cursor[STOPPED] == 0):
        count, observe = problem.data.batches, True
        if limit != ALL_ROWS:
            count, observe, looks = next_stretch(course, problem.data, limit - made, looks)
            if count == 0:
                break
        now = problem.held_out if looks else problem
        count = steps(now, cursor[BATCH], now.data.batches if looks else count, observe or looks)
        if limit == ALL_ROWS:
            break
        look_back(course, problem.data, problem.params, looks, count, observe)
        if not looks:
            made += count
