"""Batches of fewer rows than a vector has lanes: their updates, by one thread.

A step is as short as reading W twice and writing it once: nothing is shared out, and where an
update needs no more than a parameter's own gradient, it is made as soon as that is there. For a
stretch of updates, parameters and slots are copied to where rows of weights fill whole vectors, see
`few_memory`.
"""

import math

import numpy as np

from fastgd.kernels.matrix.layers import times_all
from fastgd.kernels.matrix.passes import LAYERWISE
from fastgd.kernels.matrix.row_costs import cost_of_rows, delta_of_rows
from fastgd.kernels.matrix.row_layers import (
    SWEPT,
    bias_gradient,
    clear_delta,
    forward_rows,
    sweep_rows,
)
from fastgd.kernels.rows import batch_weight, put_in_order
from fastgd.kernels.structs import CHUNK, NO_UPDATE, Rule
from fastgd.kernels.update import (
    ADAM,
    ADAMW,
    PLAIN,
    clip_and_decay,
    count_power,
    prepare,
    rate_of,
    update,
)
from fastgd.machine.jit import kernel, merged
from fastgd.machine.span import copy, from_place
from fastgd.state import EPOCH_COST_SUM, UPDATES

_NO, _YES = np.bool_(False), np.bool_(True)


@kernel
def few_steps(problem, batch_index, count, observe):
    """`count` updates from batch `batch_index` of the epoch on, or as many passes without; see
    `epoch`.
    """
    net, data, few, course, rule = (
        problem.net, problem.data, problem.few, problem.course, problem.rule
    )  # fmt: skip
    made, updates = course.cursor[UPDATES], problem.method != NO_UPDATE
    put_in_order(data, course.seed, course.cursor[0])
    _copy_in(problem, updates)
    for i in range(count):
        start = (batch_index + i) * data.batch
        rows = min(data.batch, data.n - start)
        total = batch_weight(data, start, rows) if updates else data.mean_weight
        _gather(net, data, few, start, rows, total)
        forward_rows(net, few, rows)
        if observe:
            course.sums[EPOCH_COST_SUM] += cost_of_rows(net, few, rows)
        if not updates:
            continue
        delta_of_rows(net, few, rows)
        factor = 2.0 if problem.method == LAYERWISE else 1.0
        if rule.update_kind == PLAIN:
            _update_plainly(net, few, rows, -rule.rate, factor)
        else:
            _update(net, few, _rule_of(rule, few), rows, made + i, factor)
    if updates:
        _copy_out(problem)


@merged
def _rule_of(rule, few):
    """The rule for the parameters as they lie here."""
    return Rule(
        rule.rate, rule.schedule, rule.times, rule.update_kind, rule.numbers, few.slots,
        rule.powers, rule.clip_norm, rule.l2, few.is_weight, few.size, rule.update_slices,
    )  # fmt: skip


# -- one batch -------------------------------------------------------------------------------------


@kernel
def _gather(net, data, few, start, rows, total):
    """Copy the rows of a batch that begins at place `start` of this epoch's order."""
    inputs, outputs = net.widths[0], net.widths[net.layers]
    for r in range(rows):
        row = data.order[start + r] if data.shuffled != 0 else start + r
        few.weight[r] = data.weights[row] / total if len(data.weights) != 0 else 1.0 / total
        copy(few.a, r * few.widths[0], data.X, row * inputs, inputs)
        copy(few.y, r * few.widths[net.layers], data.Y, row * outputs, outputs)


@merged
def _pass_back(net, few, rows, l, factor):
    """delta of the layer before l, of whose dC/da it is made."""
    if l > 0:
        start = few.starts[l]
        stop = start + rows * few.widths[l]
        times_all(net.activations[l - 1], few.z, few.a, few.delta, start, stop, factor)


@kernel
def _update_plainly(net, few, rows, scale, factor):
    """Add `scale` times the gradient to the parameters as it arises, from the last layer to the
    first.
    """
    for l in range(net.layers - 1, -1, -1):
        if l > 0:
            clear_delta(few, rows, l)
        sweep_rows(net, few, rows, l, np.int64(0), net.widths[l + 1], few.params, _YES, scale)
        if net.biases[l] >= 0:
            bias_gradient(net, few, rows, l, few.params, _YES, scale)
        _pass_back(net, few, rows, l, factor)


@kernel
def _update(net, few, rule, rows, t, factor):
    """The update that follows t others, from the last layer to the first: chunk by chunk, whose
    gradient stays in cache; or of all parameters at the end, if it depends on the whole gradient.
    """
    clips, rate, size = rule.clip_norm < math.inf, rate_of(rule, t), few.size
    if rule.update_kind == ADAM or rule.update_kind == ADAMW:
        count_power(rule)
    for l in range(net.layers - 1, -1, -1):
        units, width, weights = net.widths[l + 1], few.widths[l], few.weights[l]
        chunk = max(SWEPT, CHUNK // width // SWEPT * SWEPT)
        if l > 0:
            clear_delta(few, rows, l)
        for j in range(0, units, chunk):
            last = min(j + chunk, units)
            has_bias = j == 0 and net.biases[l] >= 0
            begin = weights - few.widths[l + 1] if has_bias else weights + j * width
            end = weights + last * width
            gradient = from_place(few.gradient, np.int64(0) if clips else begin)
            if has_bias:
                bias_gradient(net, few, rows, l, gradient, _NO, 1.0)
            sweep_rows(net, few, rows, l, j, last, gradient, _NO, 1.0)
            if not clips:
                clip_and_decay(rule, few.params, gradient, 1.0, begin, end)
                update(rule, few.params, gradient, rate, begin, end)
        _pass_back(net, few, rows, l, factor)
    if clips:
        rate = prepare(rule, few.params, few.gradient, t)
        update(rule, few.params, few.gradient, rate, np.int64(0), size)


# -- a stretch of updates --------------------------------------------------------------------------


@merged
def _clear(span):
    for p in range(len(span)):
        span[p] = 0.0


@kernel
def _copy_in(problem, updates):
    """Copy the parameters, and if there will be updates the slots, into zeros."""
    few, rule = problem.few, problem.rule
    _clear(few.params)
    _move(problem.net, few, problem.params, np.int64(0), few.params, np.int64(0), _YES)
    if updates:
        _clear(few.slots)
        for slot in range(len(rule.slots) // rule.size):
            there, here = slot * rule.size, slot * few.size
            _move(problem.net, few, rule.slots, there, few.slots, here, _YES)


@kernel
def _copy_out(problem):
    """Copy parameters and slots back."""
    few, rule = problem.few, problem.rule
    _move(problem.net, few, problem.params, np.int64(0), few.params, np.int64(0), _NO)
    for slot in range(len(rule.slots) // rule.size):
        there, here = slot * rule.size, slot * few.size
        _move(problem.net, few, rule.slots, there, few.slots, here, _NO)


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
