"""A pass over rows in blocks: forward, and backward to their gradient."""

import numpy as np

from fastgd.kernels.codes import (
    FIRST_FORWARD,
    FIRST_GRADIENT,
    MOST_ROWS,
    NO_UPDATE,
    NOW_ADDS,
    NOW_FRESH,
    NOW_IS_DIRECT,
    NOW_PART,
    NOW_ROWS,
    NOW_START,
    TOTAL,
)
from fastgd.kernels.matrix.layers import backward, forward
from fastgd.kernels.matrix.out_of_line import block_cost
from fastgd.kernels.rows import gather
from fastgd.machine.call import call
from fastgd.machine.jit import kernel, merged
from fastgd.machine.span import lanes_of
from fastgd.names import METHODS

_, LAYERWISE, FINITE_DIFFERENCE, CENTRAL_DIFFERENCE = range(len(METHODS))


@kernel
def pass_over(problem, start, stop, total, observe, fresh, scale, target, part):
    """Forward over the rows at places start ... stop of the order, and backward: `scale` times
    their gradient goes to the target, that of a part of the batch behind those of others, or is
    added to the target if that is not the gradient but the parameters.

    Their share of the cost, if it is to be observed. `total` is what the weights of their batch sum
    to. Unless `fresh`, the block holds them already.
    """
    net, data, params, work, method = (
        problem.net,
        problem.data,
        problem.params,
        problem.work,
        problem.method,
    )
    lanes, at = lanes_of(work.a), part * problem.rule.size
    factor = 2.0 if method == LAYERWISE else 1.0
    perturbed = len(work.keys) != 0 and method != NO_UPDATE
    few_units = problem.apart.few_units != 0 and method < FINITE_DIFFERENCE and not perturbed
    first_layer = np.int64(few_units)  # of what is left to do here
    if few_units:
        problem.queue.numbers[TOTAL] = total
    cost = 0.0
    for here in range(start, stop, work.block):
        rows = min(work.block, stop - here)
        stride = (rows + lanes - 1) // lanes * lanes
        add = here > start or scale != 1.0
        if few_units:
            _write_down(work, here, rows, fresh, part, add, scale != 1.0)
            call(problem.apart.few_units, problem, FIRST_FORWARD)
        elif fresh:
            gather(net, data, work, here, rows, stride, np.int64(0), stride, total)
        if perturbed:
            call(problem.noise.address, problem, here * MOST_ROWS + rows)
        forward(net, params, work, stride, first_layer)
        difference = method >= FINITE_DIFFERENCE
        share = block_cost(net, work, stride) if observe or difference else 0.0
        cost += share
        if difference:
            problem.queue.costs[0] = share
            call(problem.apart.differences, problem, 2 * stride + int(add))
        elif method != NO_UPDATE:
            backward(net, params, work, stride, factor, scale, target, at, add, first_layer)
            if few_units:
                call(problem.apart.few_units, problem, FIRST_GRADIENT)
    return cost


@merged
def _write_down(work, start, rows, fresh, part, adds, is_direct):
    """What the kernel for few units has to know of a block."""
    now = work.now
    now[NOW_START], now[NOW_ROWS], now[NOW_FRESH], now[NOW_PART] = start, rows, int(fresh), part
    now[NOW_ADDS], now[NOW_IS_DIRECT] = int(adds), int(is_direct)


@kernel
def pass_over_part(problem, start, rows, part, total, observe):
    """`pass_over` a part of a batch of so many rows, to a gradient of its own."""
    parts, size = problem.data.row_parts, problem.rule.size
    first, last, at = start + rows * part // parts, start + rows * (part + 1) // parts, part * size
    gradient = problem.work.gradient
    if first == last and problem.method != NO_UPDATE:
        for p in range(at, at + size):
            gradient[p] = 0.0
    return pass_over(problem, first, last, total, observe, np.bool_(True), 1.0, gradient, part)
