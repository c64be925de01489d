"""What threads share of a step of few rows: parts of the units of a layer, forward, or backward
with their update.

How a layer is cut depends on the plan alone. Where an update needs no more than a parameter's own
gradient, it is made as soon as that is there; the gradient is not kept.
"""

import math

import numpy as np

from fastgd.kernels.matrix.row_layers import (
    SWEPT,
    bias_gradient,
    clear_back,
    forward_units,
    sweep_rows,
)
from fastgd.kernels.structs import CHUNK, ROW_GROUP, Rule
from fastgd.kernels.update import PLAIN, clip_and_decay, update
from fastgd.machine.jit import kernel, merged
from fastgd.machine.span import from_place, lanes_of

_NO, _YES = np.bool_(False), np.bool_(True)


@merged
def rule_of(rule, few):
    """The rule for the parameters as they lie here."""
    return Rule(
        rule.rate, rule.schedule, rule.times, rule.update_kind, rule.numbers, few.slots,
        rule.powers, rule.clip_norm, rule.l2, few.is_weight, few.size, rule.update_slices,
    )  # fmt: skip


@merged
def _units_of(units, part, parts):
    """The first unit of a part and that after the last: whole groups, but for the last one."""
    groups = (units + ROW_GROUP - 1) // ROW_GROUP
    first, last = groups * part // parts * ROW_GROUP, groups * (part + 1) // parts * ROW_GROUP
    return first, min(last, units)


@kernel
def forward_part(problem, rows, l, part, parts):
    net, few = problem.net, problem.few
    first, last = _units_of(net.widths[l + 1], part, parts)
    forward_units(net, few, rows, l, first, last)


@kernel
def backward_part(problem, rows, l, part, parts, rate):
    """Update the weights of a part of the units of layer l, the first part all biases too; if the
    gradient is to be clipped, it is only put down. What it passes back is dC/da of the layer before
    where there are no other parts.
    """
    net, few, rule = problem.net, problem.few, problem.rule
    first, last = _units_of(net.widths[l + 1], part, parts)
    size = rows * few.widths[l]
    back = few.delta if parts == 1 else few.back
    before = few.starts[l] if parts == 1 else part * size
    has_bias = part == 0 and net.biases[l] >= 0
    if l > 0:
        clear_back(back, before, before + size)
    if rule.update_kind != PLAIN:
        _update_in_chunks(problem, rows, l, first, last, back, before, has_bias, rate)
        return
    sweep_rows(net, few, rows, l, first, last, back, before, few.params, _YES, -rate)
    if has_bias:
        bias_gradient(net, few, rows, l, few.params, _YES, -rate)


@kernel
def _update_in_chunks(problem, rows, l, first, last, back, before, has_bias, rate):
    """Chunk by chunk, whose gradient stays in cache, unless it is to be clipped."""
    net, few, rule = problem.net, problem.few, rule_of(problem.rule, problem.few)
    width, weights, clips = few.widths[l], few.weights[l], rule.clip_norm < math.inf
    chunk = max(SWEPT, CHUNK // width // SWEPT * SWEPT)
    for j in range(first, last, chunk):
        next_one = min(j + chunk, last)
        with_bias = has_bias and j == first
        start = weights - few.widths[l + 1] if with_bias else weights + j * width
        stop = weights + next_one * width
        gradient = from_place(few.gradient, np.int64(0) if clips else start)
        if with_bias:
            bias_gradient(net, few, rows, l, gradient, _NO, 1.0)
        sweep_rows(net, few, rows, l, j, next_one, back, before, gradient, _NO, 1.0)
        if not clips:
            clip_and_decay(rule, few.params, gradient, 1.0, start, stop)
            update(rule, few.params, gradient, rate, start, stop)


@kernel
def update_part(problem, part, parts, rate, factor):
    """Update a part of all parameters from their gradient, which is multiplied by a factor."""
    few, rule = problem.few, rule_of(problem.rule, problem.few)
    vectors = few.size // lanes_of(few.params)
    start = vectors * part // parts * lanes_of(few.params)
    stop = vectors * (part + 1) // parts * lanes_of(few.params)
    clip_and_decay(rule, few.params, few.gradient, factor, start, stop)
    update(rule, few.params, few.gradient, rate, start, stop)
