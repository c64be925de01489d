"""The epoch of every kernel: order the rows, gradient and update, observe.

A kernel brings `steps(problem, batch_index, count, observe)`: it takes the rows in their order and
makes `count` updates from batch `batch_index` of the epoch on, none if the problem's method is
NO_UPDATE, and returns how many it made. Where an epoch is one batch it shows every observed cost to
`observe_epoch` before the update, and ends when told to; otherwise it adds observed batch costs to
sums[EPOCH_COST_SUM], one by one, so that the sum does not depend on where it is cut. It is called
for stretches in which nothing has to be seen from outside.
"""

import numpy as np

from fastgd.kernels.codes import CHECK_RULES, HELD_OUT_COST, PASS, TRAINING_COST
from fastgd.kernels.history import FAR, is_due, record
from fastgd.kernels.plateau import look_for_plateau
from fastgd.kernels.structs import Problem
from fastgd.machine.jit import inline, kernel, merged
from fastgd.machine.span import copy
from fastgd.machine.struct_view import viewer
from fastgd.state import (
    BATCH,
    BEST,
    BEST_EPOCH,
    EPOCH,
    EPOCH_COST_SUM,
    HELD_OUT,
    NEXT_RECORD,
    NON_FINITE,
    PATIENCE,
    PATIENCE_COST,
    PATIENCE_EPOCH,
    RECORDED,
    STOPPED,
    STRIDE,
    TARGET_COST,
    UPDATES,
)

problem_of = viewer(Problem)


# -- looking at costs ------------------------------------------------------------------------------


@merged
def check_stop_rules(course, kind, epoch, cost):
    """Look at a cost, HELD_OUT_COST or TRAINING_COST, of the parameters after `epoch` epochs: apply
    the stop rules if it is watched.

    Whether these parameters are to be kept as the best.
    """
    cursor, sums = course.cursor, course.sums
    if kind != course.monitored:
        return False
    better = cost < sums[BEST]
    if better:
        sums[BEST] = cost
        cursor[BEST_EPOCH] = epoch
    if cost < sums[PATIENCE_COST] - course.min_delta:
        sums[PATIENCE_COST] = cost
        cursor[PATIENCE_EPOCH] = epoch
    if cost <= course.target_cost:
        cursor[STOPPED] = TARGET_COST
    elif cost - cost != 0.0:  # inf or NaN
        cursor[NON_FINITE] = 1
    elif epoch - cursor[PATIENCE_EPOCH] >= course.patience:
        cursor[STOPPED] = PATIENCE
    if len(course.plateau) != 0 and cursor[NON_FINITE] == 0:
        look_for_plateau(course.plateau, np.int64(0), course.times, np.int64(1), epoch, cost)
    return better and len(course.best) != 0


@merged
def observe_epoch(course, epoch, cost):
    """Look at the training cost of an epoch that is one batch, before its update, and record it if
    it is due. Whether its parameters are to be kept as the best.
    """
    cost, held_out = np.float64(cost), course.sums[HELD_OUT]
    if epoch == course.cursor[NEXT_RECORD]:
        record(course, 0, 0, len(course.points), epoch, cost, held_out, course.growth)
    return check_stop_rules(course, np.int64(TRAINING_COST), epoch, cost)


# -- the course ------------------------------------------------------------------------------------


@kernel
def next_stretch(course, data, left, looked):
    """What comes next: how many updates before something has to be seen, whether to observe their
    costs, and whether to look at the validation rows first, unless they were `looked` at.
    """
    cursor = course.cursor
    epoch, batch = cursor[EPOCH], cursor[BATCH]
    due = is_due(course, 0, 0, len(course.points), epoch)
    looks = (
        len(course.held_out) != 0
        and batch == 0
        and not looked
        and (course.monitored == HELD_OUT_COST or due)
    )
    if data.batches > 1 or data.shuffled != 0 or course.monitored == HELD_OUT_COST:
        count = data.batches - batch
    elif course.monitored == TRAINING_COST:
        room = len(course.points) - cursor[RECORDED]  # for what `observe_epoch` records on the way
        count = min(course.epochs, cursor[NEXT_RECORD] + room * min(cursor[STRIDE], FAR)) - epoch
    else:
        count = 1 if due else min(course.epochs, cursor[NEXT_RECORD]) - epoch
    return min(count, left), due or course.monitored == TRAINING_COST, looks


@kernel
def finish_epoch(course, data, params, looked, count, observe):
    """Look at the cost of the validation rows, if it is there; or move the cursor `count` updates
    on, and look at the mean cost of a finished epoch of several batches.
    """
    cursor, sums = course.cursor, course.sums
    epoch, kind, cost = cursor[EPOCH], np.int64(HELD_OUT_COST), sums[EPOCH_COST_SUM]
    if looked:
        sums[HELD_OUT] = cost
    else:
        batch = cursor[BATCH] + count
        cursor[UPDATES] += count
        cursor[EPOCH] += batch // data.batches
        cursor[BATCH] = batch % data.batches
        if not (observe and data.batches > 1 and cursor[BATCH] == 0):
            return
        kind, cost = np.int64(TRAINING_COST), cost / data.batches
        if epoch == cursor[NEXT_RECORD]:
            record(course, 0, 0, len(course.points), epoch, cost, sums[HELD_OUT], course.growth)
        epoch += 1
    sums[EPOCH_COST_SUM] = 0.0
    if check_stop_rules(course, kind, epoch, cost):
        copy(course.best, 0, params, 0, len(course.best))


@inline
def train(steps, address, zero, limit):
    """What the Problem at an address, whose Reals are of the type of `zero`, is to have done: make
    `limit` updates, or as many as are left of the course. Or, by other commands, one pass over all
    rows, without updates; or the stop rules applied to the cost in sums[EPOCH_COST_SUM].

    `steps` is called in one place: it is most of what there is to compile.
    """
    problem = problem_of(address, zero)
    course, cursor, passes = problem.course, problem.course.cursor, problem.command == PASS
    if problem.command == CHECK_RULES and check_stop_rules(
        course, course.monitored, cursor[EPOCH], course.sums[EPOCH_COST_SUM]
    ):
        copy(course.best, 0, problem.params, 0, len(course.best))
    made, looks = np.int64(0), np.bool_(False)
    while passes or (made < limit and cursor[EPOCH] < course.epochs and cursor[STOPPED] == 0):
        count, observe = problem.data.batches, True
        if not passes:
            count, observe, looks = next_stretch(course, problem.data, limit - made, looks)
        now = problem.held_out if looks else problem
        count = steps(now, cursor[BATCH], now.data.batches if looks else count, observe or looks)
        if passes:
            break
        finish_epoch(course, problem.data, problem.params, looks, count, observe)
        if not looks:
            made += count
