"""The work of one update as tasks of several parts, which threads share; see `work_queue`.

How it is cut depends on the plan alone. A batch is cut into parts of its rows, each with a gradient
of its own, and these are added in the order of the parts; or, where it is small and layers are
wide, every layer is cut into slices of its units; or, where there is one hidden layer, that is cut
into halves for many updates at a stretch. Parameters are updated in slices, where the gradient has
not gone to them already.
"""

import math

import numpy as np

from fastgd.kernels.matrix.few_rows import backward_part, forward_part, update_part
from fastgd.kernels.matrix.hidden_halves import begin_halves, update_half
from fastgd.kernels.matrix.out_of_line import block_cost, output_delta, softmax_layer
from fastgd.kernels.matrix.passes import pass_over_part
from fastgd.kernels.matrix.unit_slices import (
    backward_slice,
    forward_slice,
    gather_slice,
    gradient_slice,
    pack_delta,
    pack_inputs,
    pack_inputs_by_sample,
    packing_parts,
    slices_of,
)
from fastgd.kernels.structs import NO_UPDATE, RATE
from fastgd.kernels.threads.work_queue import finish, publish, take, wait_for_all
from fastgd.kernels.update import (
    begin_any,
    clip_and_decay,
    clip_factor,
    rate_of,
    update_any,
)
from fastgd.machine.jit import inline, kernel
from fastgd.machine.span import lanes_of, load, store

# parameters whose gradients are summed before they are updated: they stay in the first cache
# rows times parameters of a batch that take as long as one look at a counter, if done alone instead
# of by two
_WORTH = 1024
# stretches of halves that are done alone after some in which the other thread was late
_MOST_SOLO = 255
_SPAN = 4096
# kinds of tasks; Numba compiles once for an int64
_PASS, _GATHER, _FORWARD, _BACKWARD, _GRADIENT, _SUM, _UPDATE, _HALF = np.arange(8, dtype=np.int64)
FEW_FORWARD, FEW_BACKWARD, FEW_UPDATE = np.arange(8, 11, dtype=np.int64)
_PACK_FORWARD, _PACK_BACKWARD, _PACK_GRADIENT = np.arange(11, 14, dtype=np.int64)
# places in a queue's task and its numbers
(
    _KIND,
    _PARTS,
    _START,
    _ROWS,
    _LAYER,
    _OBSERVE,
    _HELD_OUT,
    _GRADIENTS,
    _SLOW_PARTNER,
    _SOLO_LEFT,
    _SOLO_NEXT,
    _ADD,
) = range(12)
_TOTAL, _SCALE, _FACTOR = 0, 1, 3


# -- whoever takes a part --------------------------------------------------------------------------


@kernel
def take_parts(problem):
    """Do what nobody else does of the task that is up."""
    queue = problem.queue
    part = take(queue)
    while part >= 0:
        now, which = problem, queue.task[_HELD_OUT]
        if which != problem.is_held_out:  # which is 0 of those who help
            now = problem.held_out if which == 1 else problem.untouched
        _do(now, part)
        finish(queue)
        part = take(queue)


@kernel
def _do(problem, part):
    queue, task, numbers = problem.queue, problem.queue.task, problem.queue.numbers
    kind, parts, start, rows, layer = (
        task[_KIND],
        task[_PARTS],
        task[_START],
        task[_ROWS],
        task[_LAYER],
    )
    lanes = lanes_of(problem.params)
    stride = (rows + lanes - 1) // lanes * lanes
    if kind == _PASS:
        queue.costs[part] = pass_over_part(
            problem, start, rows, part, numbers[_TOTAL], task[_OBSERVE] != 0
        )
    elif kind == _HALF:
        spins = update_half(problem, part, start, rows, task[_OBSERVE] != 0, parts == 1)
        if spins * _WORTH > rows * problem.data.batch * problem.net.n_params:
            task[_SLOW_PARTNER] = 1
    elif kind == FEW_FORWARD:
        forward_part(problem, rows, layer, part, parts)
    elif kind == FEW_BACKWARD:
        backward_part(problem, rows, layer, part, parts, numbers[RATE])
    elif kind == FEW_UPDATE:
        update_part(problem, part, parts, numbers[RATE], numbers[_FACTOR])
    elif kind == _GATHER:
        gather_slice(problem, start, rows, part, parts, numbers[_TOTAL])
    elif kind == _FORWARD:
        forward_slice(problem, stride, layer, part, parts)
    elif kind == _PACK_FORWARD:
        pack_inputs(problem, stride, layer, part, parts)
    elif kind == _PACK_BACKWARD:
        pack_delta(problem, stride, layer, part, parts)
    elif kind == _PACK_GRADIENT:
        pack_inputs_by_sample(problem, stride, layer, part, parts)
    elif kind == _BACKWARD:
        backward_slice(problem, stride, layer, part, parts)
    elif kind == _GRADIENT:
        gradient_slice(problem, stride, layer, part, parts, numbers[_SCALE], task[_ADD] != 0)
    else:
        _update_slice(problem, part, parts)


@kernel
def _update_slice(problem, part, parts):
    """Add up the gradients of a slice of the parameters, and update them."""
    rule, queue, gradient = problem.rule, problem.queue, problem.work.gradient
    lanes = lanes_of(gradient)
    vectors = rule.size // lanes
    first, last = vectors * part // parts * lanes, vectors * (part + 1) // parts * lanes
    for start in range(first, last, _SPAN):
        stop = min(start + _SPAN, last)
        for other in range(rule.size, queue.task[_GRADIENTS] * rule.size, rule.size):
            for p in range(start, stop, lanes):
                store(gradient, p, load(gradient, p) + load(gradient, other + p))
        if queue.task[_KIND] == _UPDATE:
            clip_and_decay(rule, problem.params, gradient, queue.numbers[_FACTOR], start, stop)
            update_any(problem, queue.numbers[RATE], start, stop)


# -- who leads -------------------------------------------------------------------------------------


@kernel
def _share(problem, kind, parts):
    """Have all parts of a task done; there may be none."""
    queue = problem.queue
    queue.task[_KIND], queue.task[_PARTS] = kind, parts
    if parts == 0:
        return
    if parts == 1:
        _do(problem, np.int64(0))
        return
    publish(queue, parts)
    take_parts(problem)
    wait_for_all(queue, parts)


@inline
def _write_down(problem, start, rows, total, observe):
    task = problem.queue.task
    task[_START], task[_ROWS], task[_OBSERVE], task[_HELD_OUT] = (
        start,
        rows,
        int(observe),
        problem.is_held_out,
    )
    problem.queue.numbers[_TOTAL] = total


@kernel
def share_rows(problem, start, stop, total, observe):
    """A pass over a batch in parts of its rows; the cost if it is to be observed. Every part leaves
    a gradient.
    """
    parts = problem.data.row_parts
    _write_down(problem, start, stop - start, total, observe)
    _share(problem, _PASS, parts)
    cost = 0.0
    for part in range(parts):
        cost += problem.queue.costs[part]
    return cost


@kernel
def share_layers(problem, start, stop, total, observe, scale):
    """A pass over a batch block by block, and layer by layer, in slices of units; the cost if it is
    to be observed.

    The gradient is left, or if `scale` is not 1 the parameters are updated by `scale` times it,
    where the batch is one block.
    """
    cost = 0.0
    for here in range(start, stop, problem.work.block):
        rows = min(problem.work.block, stop - here)
        problem.queue.task[_ADD] = int(here > start)
        cost += _share_block(problem, here, rows, total, observe, scale)
    return cost


@kernel
def _share_block(problem, start, rows, total, observe, scale):
    net, work, task = problem.net, problem.work, problem.queue.task
    lanes = lanes_of(work.a)
    stride = (rows + lanes - 1) // lanes * lanes
    _write_down(problem, start, rows, total, observe)
    problem.queue.numbers[_SCALE] = scale
    _share(problem, _GATHER, np.int64(2))
    for l in range(net.layers):
        inputs, units, task[_LAYER] = net.widths[l], net.widths[l + 1], l
        _share(problem, _PACK_FORWARD, packing_parts(work, stride, units, inputs))
        _share(problem, _FORWARD, slices_of(net, l, units, stride))
        softmax_layer(net, work, stride, l)
    cost = block_cost(net, work, stride) if observe else 0.0
    if problem.method != NO_UPDATE:
        output_delta(net, work, stride)
        for l in range(net.layers - 1, -1, -1):
            inputs, units, task[_LAYER] = net.widths[l], net.widths[l + 1], l
            if l > 0:
                _share(problem, _PACK_BACKWARD, packing_parts(work, stride, inputs, units))
                _share(problem, _BACKWARD, slices_of(net, l, inputs, stride))
            _share(problem, _PACK_GRADIENT, packing_parts(work, stride, units, inputs))
            _share(problem, _GRADIENT, slices_of(net, l, units, stride))
    return cost


@kernel
def share_halves(problem, batch_index, count, observe):
    """`count` updates from batch `batch_index` on, by two threads, each with half of the hidden
    units.

    Where they wait for each other for longer than one would take alone, since processors are busy,
    one does the next stretches alone: twice as many each time, and half as many after a stretch
    that went well.
    """
    task, alone = problem.queue.task, problem.queue.task[_SOLO_LEFT] > 0
    _write_down(problem, batch_index, count, 0.0, observe)
    begin_halves(problem.queue)
    task[_SLOW_PARTNER] = 0
    _share(problem, _HALF, np.int64(1 if alone else 2))
    if alone:
        task[_SOLO_LEFT] -= 1
    else:
        before = task[_SOLO_NEXT]
        task[_SOLO_NEXT] = (
            min(2 * before + 1, _MOST_SOLO) if task[_SLOW_PARTNER] != 0 else before // 2
        )
        task[_SOLO_LEFT] = task[_SOLO_NEXT] if task[_SLOW_PARTNER] != 0 else 0


@kernel
def share_update(problem, gradients, t):
    """Add up the gradients that a pass has left, and update all parameters; `t` updates were made
    before.
    """
    rule, numbers, task = problem.rule, problem.queue.numbers, problem.queue.task
    task[_GRADIENTS], task[_HELD_OUT] = gradients, problem.is_held_out
    numbers[RATE], numbers[_FACTOR] = rate_of(rule, t), 1.0
    begin_any(problem, numbers[RATE])
    if rule.clip_norm < math.inf:  # the norm is of the whole sum
        _share(problem, _SUM, rule.update_slices)
        task[_GRADIENTS] = 1
        numbers[_FACTOR] = clip_factor(rule, problem.work.gradient)
    _share(problem, _UPDATE, rule.update_slices)


@kernel
def share_few(problem, kind, parts, rows, l, rate, factor):
    """A part of a step of few rows: FEW_FORWARD or FEW_BACKWARD of layer l, or FEW_UPDATE."""
    task, numbers = problem.queue.task, problem.queue.numbers
    task[_ROWS], task[_LAYER], task[_HELD_OUT] = rows, l, 0
    numbers[RATE], numbers[_FACTOR] = rate, factor
    _share(problem, kind, parts)
