"""The kernel for any widths: passes over blocks of rows, then the update, over flat arrays."""

import numpy as np

from fastgd.checks import Array
from fastgd.jit import inline, kernel
from fastgd.kernels import driver
from fastgd.kernels.layers import (
    backward,
    backward_layer,
    block_cost,
    differences,
    forward,
    output_delta,
    seldom_block_cost,
    times_derivative,
)
from fastgd.kernels.plan import Plan
from fastgd.kernels.problem import NO_UPDATE, Bound, gather, pad, unpack
from fastgd.kernels.store import entry
from fastgd.names import METHODS
from fastgd.optimizers import sgd
from fastgd.simd import lanes_of, load, span_of, stay_scalar, store

_, LAYERWISE, FINITE_DIFFERENCE, CENTRAL_DIFFERENCE = range(len(METHODS))

BLOCK = 256  # most rows of a block


@inline
def steps(problem, batch_index, count, observe, pending):
    """`count` updates from batch `batch_index` of the epoch on; `pending` plus the batches' mean costs if `observe`.

    The gradient of a batch is averaged over its own rows, notes 004 Algorithm 1. A batch that is all the data in one block is gathered
    once and stays.
    """
    net, data, params, work, method, eps, batch, learning_rate = problem
    lanes = lanes_of(work.a)
    whole = batch == data.n
    stays = whole and batch <= work.block and data.shuffled == 0
    for i in range(count):
        cost = 0.0
        batch_start = 0 if whole else (batch_index + i) * batch
        batch_stop = min(batch_start + batch, data.n)
        for start in range(batch_start, batch_stop, work.block):
            rows = min(work.block, batch_stop - start)
            stride = (rows + lanes - 1) // lanes * lanes
            add = start > batch_start
            if i == 0 or not stays:
                gather(net, data, work, start, rows, stride, batch_stop - batch_start)
            forward(net, params, work, stride, np.int64(0))
            difference = method >= FINITE_DIFFERENCE
            share = seldom_block_cost(net, work, stride) if observe or difference else 0.0
            cost += share
            if method == NO_UPDATE:
                continue
            if difference:
                differences(net, params, work, stride, share, method == CENTRAL_DIFFERENCE, eps, add)
            else:
                backward(net, params, work, stride, 2.0 if method == LAYERWISE else 1.0, add)
        for p in range(0, net.n_params if method != NO_UPDATE else 0, lanes):
            store(params, p, sgd(load(params, p), load(work.gradient, p), learning_rate))
        if observe:
            pending += cost
    return pending


@kernel
def _add_layer_costs(net, data, params, work, stride, costs):
    """costs[l] += the block's share of C(l) = mean over samples of the squared dC(l+1)/da(l), notes 002 (49), for l = 1 ... m."""
    costs[net.layers] += block_cost(net, work, stride)
    output_delta(net, work, stride)
    for l in range(net.layers - 1, 0, -1):
        before = net.units_before[l] * stride
        backward_layer(net, params, work, stride, l)
        for i in range(before, before + net.widths[l] * stride):
            costs[l] += data.n * np.float64(work.delta[i]) ** 2  # delta is the derivative times the sample's weight, 1 / n or 0
        times_derivative(net, work, stride, l - 1, 2.0)


# -- what Python calls, by way of a generated module that is compiled once a dtype -----------------------------------------------------

MODULE = '''"""The matrix kernel, compiled here."""

import numba

from fastgd.jit import FLAGS
from fastgd.kernels import matrix, problem


@numba.njit(cache=True, **FLAGS)
def train(table, zero, method, eps, learning_rate, limit):
    problem.train(matrix.steps, table, zero, method, eps, learning_rate, limit)


@numba.njit(cache=True, **FLAGS)
def evaluate(table, zero, outputs, costs):
    matrix.evaluate(table, zero, outputs, costs)
'''


@inline
def evaluate(table, zero, outputs_array, costs_array):
    """Fill outputs, (n, units of the last layer), costs[0] with the cost, and the rest, if any, with the notes' C(1) ... C(m)."""
    net, data, work, _, params = unpack(table, zero)
    outputs, costs = span_of(outputs_array), span_of(costs_array)
    lanes, units = lanes_of(work.a), net.widths[net.layers]
    for start in range(0, data.n, work.block):
        rows = min(work.block, data.n - start)
        stride = (rows + lanes - 1) // lanes * lanes
        here = net.units_before[net.layers] * stride
        gather(net, data, work, start, rows, stride, data.n)
        forward(net, params, work, stride, np.int64(0))
        costs[0] += block_cost(net, work, stride)
        for s in range(rows):
            for k in range(units):
                outputs[(start + s) * units + k] = work.a[here + k * stride + s]
                stay_scalar()
        if len(costs_array) > 1:
            _add_layer_costs(net, data, params, work, stride, costs)


class Matrix(Bound):
    """The matrix kernel of a plan and its data."""

    def __init__(self, plan: Plan, X: Array, Y: Array):
        super().__init__(plan, X, Y, entry("matrix", MODULE, "train"), min(BLOCK, plan.batch), plan.wide)

    def evaluate(self, params: Array, *, layer_costs: bool = False) -> tuple[Array, Array]:
        """The outputs, (n, outputs), and the cost, (1,), followed by the notes' layer costs if asked for, (1 + m,)."""
        outputs = np.empty((self.plan.n, self.plan.net.widths[-1]), self.plan.net.dtype)
        costs = np.zeros(1 + (self.net.layers if layer_costs else 0))
        state = driver.start(pad(params), seed=0, first=0, epochs=0, record=np.zeros(0, np.int64))
        entry("matrix", MODULE, "evaluate")(self.table(state, self.data, self.plan.batch), self.zero, outputs, costs)
        return outputs, costs

    @property
    def gradient(self) -> Array:
        """The gradient of the last update, (n_params,)."""
        return self.work.gradient[: self.net.n_params]
