"""A pass over a batch layer by layer in slices of units, which threads share, as a kernel that the
matrix kernel calls.
"""

import numpy as np

from fastgd.kernels.codes import LEAD, NO_UPDATE, SCALE, TOTAL
from fastgd.kernels.matrix.out_of_line import block_cost, output_delta, softmax_layer
from fastgd.kernels.matrix.tasks import (
    ADD,
    BACKWARD,
    FORWARD,
    GATHER,
    GRADIENT,
    KIND,
    LAYER,
    OBSERVE,
    PACK_BACKWARD,
    PACK_FORWARD,
    PACK_GRADIENT,
    PARTS,
    ROWS,
    START,
    share,
    write_down,
)
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
from fastgd.machine.jit import kernel, merged
from fastgd.machine.span import lanes_of


@merged
def run(problem, part):
    """A part of the task that is up, or the pass that has been written down, whose cost is put
    down as that of a part.
    """
    queue, task, numbers = problem.queue, problem.queue.task, problem.queue.numbers
    if part == LEAD:
        start, total, observe = task[START], numbers[TOTAL], task[OBSERVE] != 0
        stop = start + task[ROWS]
        queue.costs[0] = _share_layers(problem, start, stop, total, observe, numbers[SCALE])
    else:
        do_part(problem, part)


@kernel
def do_part(problem, part):
    task, numbers = problem.queue.task, problem.queue.numbers
    kind, parts, start, rows, layer = task[KIND], task[PARTS], task[START], task[ROWS], task[LAYER]
    lanes = lanes_of(problem.params)
    stride = (rows + lanes - 1) // lanes * lanes
    if kind == GATHER:
        gather_slice(problem, start, rows, part, parts, numbers[TOTAL])
    elif kind == FORWARD:
        forward_slice(problem, stride, layer, part, parts)
    elif kind == PACK_FORWARD:
        pack_inputs(problem, stride, layer, part, parts)
    elif kind == PACK_BACKWARD:
        pack_delta(problem, stride, layer, part, parts)
    elif kind == PACK_GRADIENT:
        pack_inputs_by_sample(problem, stride, layer, part, parts)
    elif kind == BACKWARD:
        backward_slice(problem, stride, layer, part, parts)
    else:
        gradient_slice(problem, stride, layer, part, parts, numbers[SCALE], task[ADD] != 0)


@kernel
def _share_layers(problem, start, stop, total, observe, scale):
    """A pass over a batch block by block, and layer by layer, in slices of units; the cost if it is
    to be observed.

    The gradient is left, or if `scale` is not 1 the parameters are updated by `scale` times it,
    where the batch is one block.
    """
    cost = 0.0
    for here in range(start, stop, problem.work.block):
        rows = min(problem.work.block, stop - here)
        problem.queue.task[ADD] = int(here > start)
        cost += _share_block(problem, here, rows, total, observe, scale)
    return cost


@kernel
def _share_block(problem, start, rows, total, observe, scale):
    net, work, task = problem.net, problem.work, problem.queue.task
    lanes = lanes_of(work.a)
    stride = (rows + lanes - 1) // lanes * lanes
    write_down(problem, start, rows, total, observe)
    problem.queue.numbers[SCALE] = scale
    share(do_part, problem, GATHER, np.int64(2))
    for l in range(net.layers):
        inputs, units, task[LAYER] = net.widths[l], net.widths[l + 1], l
        share(do_part, problem, PACK_FORWARD, packing_parts(work, stride, units, inputs))
        share(do_part, problem, FORWARD, slices_of(net, l, units, stride))
        softmax_layer(net, work, stride, l)
    cost = block_cost(net, work, stride) if observe else 0.0
    if problem.method != NO_UPDATE:
        output_delta(net, work, stride)
        for l in range(net.layers - 1, -1, -1):
            inputs, units, task[LAYER] = net.widths[l], net.widths[l + 1], l
            if l > 0:
                share(do_part, problem, PACK_BACKWARD, packing_parts(work, stride, inputs, units))
                share(do_part, problem, BACKWARD, slices_of(net, l, inputs, stride))
            share(do_part, problem, PACK_GRADIENT, packing_parts(work, stride, units, inputs))
            share(do_part, problem, GRADIENT, slices_of(net, l, units, stride))
    return cost
