"""Batches of fewer rows than a vector has lanes: their updates, of a stretch, as a kernel that the
matrix kernel calls.

A step takes little more than reading and writing W. For a stretch of updates, parameters and slots
are copied to where rows of weights fill whole vectors, see `few_memory`.
"""

import math

import numpy as np

from fastgd.formulas.compiled import SOFTMAX
from fastgd.kernels.codes import AHEAD, FACTOR, LEAD, NEXT_AT, NO_UPDATE, RATE, ROWS_AT
from fastgd.kernels.matrix.few_rows import (
    backward_biases,
    backward_part,
    forward_part,
    update_part,
)
from fastgd.kernels.matrix.layers import times_slopes
from fastgd.kernels.matrix.passes import LAYERWISE
from fastgd.kernels.matrix.row_costs import cost_of_rows, delta_of_rows, softmax_of_rows
from fastgd.kernels.matrix.row_layers import activate_units, add_back, clear_tails
from fastgd.kernels.matrix.tasks import (
    FEW_BACKWARD,
    FEW_FORWARD,
    FEW_UPDATE,
    HELD_OUT,
    KIND,
    LAYER,
    OBSERVE,
    PARTS,
    ROWS,
    START,
    share,
)
from fastgd.kernels.rows import batch_weight
from fastgd.kernels.update import begin, clip_factor, rate_of
from fastgd.machine.jit import kernel, merged
from fastgd.machine.span import copy
from fastgd.state import EPOCH_COST_SUM, UPDATES

_NO, _YES, _ZERO, _ONE = np.bool_(False), np.bool_(True), np.int64(0), np.int64(1)


@merged
def run(problem, part):
    """A part of the task that is up, or the updates that have been written down."""
    task = problem.queue.task
    if part == LEAD:
        _few_steps(problem, task[START], task[ROWS], task[OBSERVE] != 0)
    else:
        _do_part(problem, part)


@kernel
def _do_part(problem, part):
    task, numbers = problem.queue.task, problem.queue.numbers
    kind, parts, rows, layer = task[KIND], task[PARTS], task[ROWS], task[LAYER]
    if kind == FEW_FORWARD:
        forward_part(problem, rows, layer, part, parts)
    elif kind == FEW_BACKWARD:
        backward_part(problem, rows, layer, part, parts, numbers[RATE])
    else:
        update_part(problem, part, parts, numbers[RATE], numbers[FACTOR])


@kernel
def _share_few(problem, kind, parts, rows, l, rate, factor):
    """A part of a step: FEW_FORWARD or FEW_BACKWARD of layer l, or FEW_UPDATE."""
    task, numbers = problem.queue.task, problem.queue.numbers
    task[ROWS], task[LAYER], task[HELD_OUT] = rows, l, 0
    numbers[RATE], numbers[FACTOR] = rate, factor
    share(_do_part, problem, kind, parts)


@kernel
def _few_steps(problem, batch_index, count, observe):
    """`count` updates from batch `batch_index` of the epoch on, or as many passes without; see
    `epoch`.

    The rows of a batch are taken when the one before is done with the cost, so that the first layer
    can be computed of them as it is updated.
    """
    net, data, few, course = problem.net, problem.data, problem.few, problem.course
    made, updates, now = course.cursor[UPDATES], problem.method != NO_UPDATE, few.now
    _copy_in(problem, updates)
    now[AHEAD] = 0
    for i in range(count):
        rows, is_begun = _rows_of(data, batch_index + i), now[AHEAD] > 0
        if is_begun:
            now[ROWS_AT], now[NEXT_AT] = now[NEXT_AT], now[ROWS_AT]
        else:
            _gather(problem, batch_index + i, now[ROWS_AT])
        _forward(problem, rows, is_begun)
        if observe:
            course.sums[EPOCH_COST_SUM] += cost_of_rows(net, few, rows)
        if not updates:
            continue
        delta_of_rows(net, few, rows)
        looks_ahead = i + 1 < count and problem.rule.clip_norm == math.inf
        now[AHEAD] = _rows_of(data, batch_index + i + 1) if looks_ahead else 0
        if looks_ahead:
            _gather(problem, batch_index + i + 1, now[NEXT_AT])
        _update(problem, rows, made + i)
    if updates:
        _copy(problem, _YES, _NO)


@merged
def _rows_of(data, batch):
    return min(data.batch, data.n - batch * data.batch)


@kernel
def _gather(problem, batch, to):
    """Copy the rows of a batch of this epoch's order, the inputs to a[to]."""
    net, data, few, start = problem.net, problem.data, problem.few, batch * problem.data.batch
    rows, inputs, outputs = _rows_of(data, batch), net.widths[0], net.widths[net.layers]
    total = batch_weight(data, start, rows) if problem.method != NO_UPDATE else data.mean_weight
    for r in range(rows):
        row = data.order[start + r] if data.shuffled != 0 else start + r
        few.weight[r] = data.weights[row] / total if len(data.weights) != 0 else 1.0 / total
        copy(few.a, to + r * few.widths[0], data.X, row * inputs, inputs)
        copy(few.y, r * few.widths[net.layers], data.Y, row * outputs, outputs)


@merged
def _forward(problem, rows, is_begun):
    """Forward; z of the first layer is there if it `is_begun`."""
    net, few = problem.net, problem.few
    for l in range(net.layers):
        if l == 0 and is_begun:
            activate_units(net, few, rows, l, _ZERO, net.widths[l + 1])
        elif few.parts[l] == 1:
            forward_part(problem, rows, l, _ZERO, _ONE)
        else:
            _share_few(problem, FEW_FORWARD, few.parts[l], rows, l, 0.0, 1.0)
    if net.activations[net.layers - 1] == SOFTMAX:
        softmax_of_rows(net, few, rows)


@merged
def _update(problem, rows, t):
    """The update that follows t others, of which delta of the last layer is there, from that layer
    to the first, notes 002 (50)-(52), 004.
    """
    net, few, rule = problem.net, problem.few, problem.rule
    factor, rate = 2.0 if problem.method == LAYERWISE else 1.0, rate_of(rule, t)
    begin(rule, rate)
    for l in range(net.layers - 1, -1, -1):
        if few.parts[l] == 1:
            backward_part(problem, rows, l, _ZERO, _ONE, rate)
        else:
            backward_biases(problem, rows, l, rate)
            _share_few(problem, FEW_BACKWARD, few.parts[l], rows, l, rate, 1.0)
        if l > 0:
            start, size = few.starts[l], rows * few.widths[l]
            if few.parts[l] > 1:
                add_back(few, rows, l, few.parts[l])
            activation = net.activations[l - 1]
            times_slopes(activation, few.z, few.a, few.delta, start, start + size, factor)
            clear_tails(few.delta, start, rows, few.widths[l], net.widths[l])
    if rule.clip_norm < math.inf:
        clipped = clip_factor(problem.few_rule, few.gradient)
        _share_few(problem, FEW_UPDATE, rule.update_slices, rows, _ZERO, rate, clipped)


# -- a stretch of updates --------------------------------------------------------------------------


@merged
def _clear(span):
    for p in range(len(span)):
        span[p] = 0.0


@kernel
def _copy_in(problem, updates):
    """Copy the parameters, and if there will be updates the slots, into zeros."""
    _clear(problem.few.params)
    if updates:
        _clear(problem.few_rule.slots)
    _copy(problem, updates, _YES)


@kernel
def _copy(problem, updates, arrives):
    """Copy the parameters, and if there are updates the slots, to where rows of weights fill whole
    vectors, or back.
    """
    net, few, rule, few_rule = problem.net, problem.few, problem.rule, problem.few_rule
    _move(net, few, problem.params, _ZERO, few.params, _ZERO, arrives)
    for slot in range(len(rule.slots) // rule.size if updates else 0):
        there, here = slot * rule.size, slot * few_rule.size
        _move(net, few, rule.slots, there, few_rule.slots, here, arrives)


@kernel
def _move(net, few, flat, there, lined, here, arrives):
    """Copy numbers of parameters from flat[there:] to lined[here:], where rows of weights fill
    whole vectors, or back.
    """
    for l in range(net.layers):
        inputs, units, width = net.widths[l], net.widths[l + 1], few.widths[l]
        from_flat, from_lined = there + net.weights[l], here + few.weights[l]
        for _ in range(units):
            if arrives:
                copy(lined, from_lined, flat, from_flat, inputs)
            else:
                copy(flat, from_flat, lined, from_lined, inputs)
            from_flat += inputs
            from_lined += width
        if net.biases[l] >= 0:
            biases, own = there + net.biases[l], here + few.weights[l] - few.widths[l + 1]
            if arrives:
                copy(lined, own, flat, biases, units)
            else:
                copy(flat, biases, lined, own, units)
