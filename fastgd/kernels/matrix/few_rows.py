"""What threads share of a step of few rows: parts of the units of a layer, forward, or backward
with their update.

How a layer is cut depends on the plan alone. Where an update needs no more than a parameter's own
gradient, it is made as soon as that is there; the gradient is not kept.
"""

import math

import numpy as np

from fastgd.kernels.codes import AHEAD, CHUNK, NEXT_AT, ROW_GROUP, ROWS_AT
from fastgd.kernels.matrix.row_layers import (
    activate_units,
    bias_gradient,
    clear_back,
    multiply_units,
    sweep_rows,
)
from fastgd.kernels.update import PLAIN, clip_and_decay, update
from fastgd.machine.jit import kernel, merged
from fastgd.machine.span import from_place, lanes_of

_NO, _YES = np.bool_(False), np.bool_(True)


@merged
def _units_of(units, part, parts):
    """The first unit of a part and that after the last: whole groups, but for the last one."""
    groups = (units + ROW_GROUP - 1) // ROW_GROUP
    first, last = groups * part // parts * ROW_GROUP, groups * (part + 1) // parts * ROW_GROUP
    return first, min(last, units)


@merged
def inputs_of(few, l):
    """Where the inputs of layer l start."""
    return few.now[ROWS_AT] if l == 0 else few.starts[l]


@merged
def forward_part(problem, rows, l, part, parts):
    net, few = problem.net, problem.few
    first, last = _units_of(net.widths[l + 1], part, parts)
    multiply_units(net, few, rows, inputs_of(few, l), l, first, last)
    activate_units(net, few, rows, l, first, last)


@kernel
def backward_part(problem, rows, l, part, parts, rate):
    """Update the weights of a part of the units of layer l, and the biases where there are no other
    parts; if the gradient is to be clipped, it is only put down. What it passes back is dC/da of
    the layer before, if there are no other parts.

    Chunk by chunk, so that what is done to a few rows of W finds them in cache: the update, and in
    the first layer, W a of the rows of the next batch, if they wait.
    """
    net, few = problem.net, problem.few
    plain, ahead = problem.rule.update_kind == PLAIN, few.now[AHEAD] if l == 0 else np.int64(0)
    first, last = _units_of(net.widths[l + 1], part, parts)
    x, width, has_bias = inputs_of(few, l), few.widths[l], parts == 1 and net.biases[l] >= 0
    back = few.delta if parts == 1 else few.back
    before = few.starts[l] if parts == 1 else part * rows * width
    if l > 0:
        clear_back(back, before, before + rows * width)
    chunk = last - first
    if not plain or ahead > 0:
        chunk = max(ROW_GROUP, CHUNK // width // ROW_GROUP * ROW_GROUP)
    for j in range(first, last, chunk):
        end = min(j + chunk, last)
        with_bias = has_bias and j == first
        _update_chunk(problem, rows, x, l, j, end, back, before, with_bias, rate)
        if ahead > 0:
            multiply_units(net, few, ahead, few.now[NEXT_AT], l, j, end)


@merged
def _update_chunk(problem, rows, x, l, first, last, back, before, with_bias, rate):
    """Update rows first ... last of the W of layer l, unless their gradient is to be clipped."""
    net, few = problem.net, problem.few
    if problem.rule.update_kind == PLAIN:
        if with_bias:
            bias_gradient(net, few, rows, l, few.params, _YES, -rate)
        sweep_rows(net, few, rows, x, l, first, last, back, before, few.params, _YES, -rate)
        return
    rule, width, weights = problem.few_rule, few.widths[l], few.weights[l]
    clips = rule.clip_norm < math.inf
    start = weights - few.widths[l + 1] if with_bias else weights + first * width
    stop = weights + last * width
    gradient = from_place(few.gradient, np.int64(0) if clips else start)
    if with_bias:
        bias_gradient(net, few, rows, l, gradient, _NO, 1.0)
    sweep_rows(net, few, rows, x, l, first, last, back, before, gradient, _NO, 1.0)
    if not clips:
        clip_and_decay(rule, few.params, gradient, 1.0, start, stop)
        update(rule, few.params, gradient, rate, start, stop)


@kernel
def backward_biases(problem, rows, l, rate):
    """Update the biases of layer l, if it has any, before parts of its units are updated, which may
    need them for the next batch.
    """
    if problem.net.biases[l] >= 0:
        no_row, few = np.int64(0), problem.few
        _update_chunk(problem, rows, no_row, l, no_row, no_row, few.delta, no_row, _YES, rate)


@kernel
def update_part(problem, part, parts, rate, factor):
    """Update a part of all parameters from their gradient, which is multiplied by a factor."""
    few, rule = problem.few, problem.few_rule
    vectors = rule.size // lanes_of(few.params)
    start = vectors * part // parts * lanes_of(few.params)
    stop = vectors * (part + 1) // parts * lanes_of(few.params)
    clip_and_decay(rule, few.params, few.gradient, factor, start, stop)
    update(rule, few.params, few.gradient, rate, start, stop)
