"""A pass over rows in blocks: forward, and backward to their gradient."""

import numpy as np

from fastgd.kernels.matrix.differences import differences
from fastgd.kernels.matrix.few_units import has_few_units, pass_over_few_units
from fastgd.kernels.matrix.layers import backward, forward
from fastgd.kernels.matrix.out_of_line import block_cost
from fastgd.kernels.rows import gather
from fastgd.kernels.structs import MOST_ROWS, NO_UPDATE
from fastgd.machine.call import call
from fastgd.machine.jit import kernel
from fastgd.machine.span import lanes_of
from fastgd.names import METHODS

_, LAYERWISE, FINITE_DIFFERENCE, CENTRAL_DIFFERENCE = range(len(METHODS))


@kernel
def pass_over(problem, start, stop, total, observe, fresh, scale, target, at):
    """Forward over the rows at places start ... stop of the order, and backward: `scale` times
    their gradient goes to target[at:], or is added to the target if that is not the gradient but
    the parameters.

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
    lanes = lanes_of(work.a)
    factor = 2.0 if method == LAYERWISE else 1.0
    perturbed = len(work.keys) != 0 and method != NO_UPDATE
    if has_few_units(net, lanes) and method < FINITE_DIFFERENCE and not perturbed:
        return pass_over_few_units(
            problem, start, stop, total, observe, fresh, factor, scale, target, at
        )
    cost = 0.0
    for here in range(start, stop, work.block):
        rows = min(work.block, stop - here)
        stride = (rows + lanes - 1) // lanes * lanes
        if fresh:
            gather(net, data, work, here, rows, stride, np.int64(0), stride, total)
        if perturbed:
            call(problem.noise.address, problem, here * MOST_ROWS + rows)
        forward(net, params, work, stride, np.int64(0))
        difference = method >= FINITE_DIFFERENCE
        share = block_cost(net, work, stride) if observe or difference else 0.0
        cost += share
        add = here > start or scale != 1.0
        if difference:
            differences(
                net, params, work, stride, share, method == CENTRAL_DIFFERENCE, problem.eps, add
            )
        elif method != NO_UPDATE:
            backward(
                net,
                params,
                work,
                stride,
                factor,
                scale,
                target,
                at,
                add,
            )
    return cost


@kernel
def pass_over_part(problem, start, rows, part, total, observe):
    """`pass_over` a part of a batch of so many rows, to a gradient of its own."""
    parts, size = problem.data.row_parts, problem.rule.size
    first, last, at = start + rows * part // parts, start + rows * (part + 1) // parts, part * size
    gradient = problem.work.gradient
    if first == last and problem.method != NO_UPDATE:
        for p in range(at, at + size):
            gradient[p] = 0.0
    return pass_over(problem, first, last, total, observe, np.bool_(True), 1.0, gradient, at)
