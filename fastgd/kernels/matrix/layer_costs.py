"""The notes' layer costs of a network."""

import numpy as np

from fastgd.kernels.matrix.costs import block_cost, output_delta
from fastgd.kernels.matrix.kernel import evaluation_of
from fastgd.kernels.matrix.layers import backward_units, forward, times_derivative
from fastgd.kernels.rows import gather
from fastgd.machine.jit import inline, kernel
from fastgd.machine.span import lanes_of


@inline
def layer_costs(address, zero):
    """Fill costs with C(1) ... C(m)."""
    evaluation = evaluation_of(address, zero)
    problem, costs = evaluation.problem, evaluation.costs
    net, data, params, work = problem.net, problem.data, problem.params, problem.work
    lanes, first = lanes_of(work.a), np.int64(0)
    for start in range(0, data.n, work.block):
        rows = min(work.block, data.n - start)
        stride = (rows + lanes - 1) // lanes * lanes
        gather(net, data, work, start, rows, stride, first, stride, float(data.n))
        forward(net, params, work, stride, first)
        _add_layer_costs(net, data, params, work, stride, costs)


@kernel
def _add_layer_costs(net, data, params, work, stride, costs):
    """costs[l - 1] += the block's share of C(l) = mean over samples of the squared dC(l+1)/da(l),
    notes 002 (49), for l = 1 ... m.
    """
    costs[net.layers - 1] += block_cost(net, work, stride)
    output_delta(net, work, stride)
    for l in range(net.layers - 1, 0, -1):
        before = net.units_before[l] * stride
        backward_units(net, params, work, stride, l, np.int64(0), net.widths[l])
        for i in range(before, before + net.widths[l] * stride):
            # delta is the derivative times the sample's weight, 1 / n or 0
            costs[l - 1] += data.n * np.float64(work.delta[i]) ** 2
        times_derivative(net, work, stride, l - 1, np.int64(0), net.widths[l], 2.0)
