"""The kernel for any widths: a pass over every batch, then the update, over flat arrays."""

import numpy as np

from fastgd.formulas.updates import sgd
from fastgd.kernels.codes import BOUND, NO_UPDATE, SCALE
from fastgd.kernels.epoch import observe_epoch, problem_of
from fastgd.kernels.matrix.elementwise import all_finite
from fastgd.kernels.matrix.layers import forward
from fastgd.kernels.matrix.one_row import forward_row
from fastgd.kernels.matrix.passes import FINITE_DIFFERENCE, pass_over
from fastgd.kernels.matrix.row_parts import help_with_parts, share_rows, share_update
from fastgd.kernels.matrix.tasks import lead_apart, write_down
from fastgd.kernels.matrix.transposing import transpose
from fastgd.kernels.rows import batch_weight, put_in_order
from fastgd.kernels.structs import Evaluation
from fastgd.kernels.threads.work_queue import wait_for_task
from fastgd.kernels.update import PLAIN
from fastgd.machine.call import call
from fastgd.machine.jit import inline
from fastgd.machine.span import copy, lanes_of, load, store
from fastgd.machine.struct_view import viewer
from fastgd.state import EPOCH, EPOCH_COST_SUM, STOPPED, UPDATES


@inline
def steps(problem, batch_index, count, observe):
    """At most `count` updates from batch `batch_index` of the epoch on, and how many they were; see
    `epoch`.

    The gradient of a batch is averaged over its own rows, notes 004 Algorithm 1. A batch that is
    all the data in one block is gathered once and stays. In mini-batches of one block, plain sgd
    adds the gradient to the parameters as it arises, by `hidden_halves` if there are; in full batch
    the cost is looked at first.
    """
    data, params, work, rule, course = (
        problem.data,
        problem.params,
        problem.work,
        problem.rule,
        problem.course,
    )
    method, lanes = problem.method, lanes_of(work.a)
    whole = data.batches == 1
    rows_stay = whole and data.n <= work.block and data.shuffled == 0
    plain = rule.update_kind == PLAIN and data.row_parts == 1
    direct = (
        plain
        and not whole
        and data.batch <= work.block
        and method < FINITE_DIFFERENCE
        and rule.rate != 0.0
    )
    scale = -rule.rate if direct else 1.0
    target = params if direct else work.gradient
    perturbed = len(work.keys) != 0 and method != NO_UPDATE
    epoch, made = course.cursor[EPOCH], course.cursor[UPDATES]
    put_in_order(data, course.seed, epoch)
    if data.few_rows != 0 or (data.hidden_halves != 0 and method != NO_UPDATE):
        write_down(problem, batch_index, count, 0.0, observe)
        lead_apart(problem)
        return count
    for i in range(count):
        start = 0 if whole else (batch_index + i) * data.batch
        stop = min(start + data.batch, data.n)
        total = (
            data.mean_weight
            if whole or method == NO_UPDATE
            else batch_weight(data, start, stop - start)
        )
        costs_apart = perturbed and whole and observe
        if perturbed:
            problem.noise.epoch[0] = epoch + i if whole else epoch
        if costs_apart:
            known = share_rows(problem.untouched, start, stop, total, True)
        if data.unit_slices != 0:
            write_down(problem, start, stop - start, total, observe)
            problem.queue.numbers[SCALE] = scale
            lead_apart(problem)
            cost = problem.queue.costs[0]
        elif data.row_parts == 1:
            cost = pass_over(
                problem,
                start,
                stop,
                total,
                observe,
                i == 0 or not rows_stay or perturbed,
                scale,
                target,
                np.int64(0),
            )
        else:
            cost = share_rows(problem, start, stop, total, observe)
        if costs_apart:
            cost = known
        if observe:
            if not whole or method == NO_UPDATE:
                course.sums[EPOCH_COST_SUM] += cost
            elif observe_epoch(course, epoch + i, cost):
                copy(course.best, 0, params, 0, rule.size)
            if course.cursor[STOPPED] != 0:
                count = i
                break
        if method == NO_UPDATE or direct:
            continue
        if plain and rule.update_slices == 1:
            for p in range(0, rule.size, lanes):
                store(params, p, sgd(load(params, p), load(work.gradient, p), rule.rate))
        else:
            share_update(problem, data.row_parts, made + i)
            if problem.noise.max_norm < np.inf:
                call(problem.noise.address, problem, np.int64(BOUND))
    return count


@inline
def help_out(address, zero):
    """Take parts of the work of the thread that leads, until it has none left."""
    problem = problem_of(address, zero)
    task = wait_for_task(problem.queue, np.int64(0))
    while task != 0:
        help_with_parts(problem)
        task = wait_for_task(problem.queue, task)


evaluation_of = viewer(Evaluation)


@inline
def evaluate(address, zero):
    """Fill outputs, (n, units of the last layer).

    Padding is whatever its memory holds: no sample looks at another. So is what comes of rows that
    are not finite.
    """
    evaluation = evaluation_of(address, zero)
    problem, outputs = evaluation.problem, evaluation.outputs
    net, data, params, work = problem.net, problem.data, problem.params, problem.work
    lanes, first = lanes_of(work.a), np.int64(0)
    inputs, units = net.widths[0], net.widths[net.layers]
    if data.n == 1 and len(evaluation.by_input) != 0:
        evaluation.finite[0] = 1 if all_finite(data.X, first, inputs) else 0
        forward_row(net, params, evaluation.by_input, work, data.X, outputs)
        return
    finite = np.int64(1)
    for start in range(0, data.n, work.block):
        rows = min(work.block, data.n - start)
        stride = (rows + lanes - 1) // lanes * lanes
        if not all_finite(data.X, start * inputs, rows * inputs):
            finite = np.int64(0)
        transpose(data.X, start * inputs, inputs, work.a, first, stride, rows, inputs)
        forward(net, params, work, stride, first)
        here = net.units_before[net.layers] * stride
        transpose(work.a, here, stride, outputs, start * units, units, units, rows)
    evaluation.finite[0] = finite
