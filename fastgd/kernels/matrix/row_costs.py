"""The cost of a few rows, and its derivative by the last layer's z, for any loss: the outputs of a
row are the lanes, where in `costs` its samples are.
"""

import math

import numpy as np

from fastgd.formulas.compiled import (
    CROSS_ENTROPY,
    OF_ONE_OUTPUT,
    SOFTMAX,
    cross_entropy,
    cross_entropy_derivative,
    loss_derivative,
)
from fastgd.kernels.matrix.costs import smoothed
from fastgd.kernels.matrix.layers import times_slopes
from fastgd.kernels.matrix.row_layers import clear_tails
from fastgd.machine.dispatch import by_number
from fastgd.machine.elementary import exp, log
from fastgd.machine.jit import kernel, merged
from fastgd.machine.lane_sums import lane_largest, lane_sum, lane_total
from fastgd.machine.span import broadcast, in_wide_vectors, lanes_of, load, store
from fastgd.machine.vector import first_lanes, where_positive


def _summed(loss_of):
    """The sum of a loss over the outputs of one row; those of z and a lie behind `here`."""

    @merged
    def total(z, a, y, here, there, units):
        loss = broadcast(a, 0.0)
        for k in range(0, units, lanes_of(a)):
            each = loss_of(load(z, here + k), load(a, here + k), load(y, there + k))
            loss += first_lanes(each, units - k, 0.0)
        return lane_sum(loss)

    return total


_total_loss = by_number(
    {i: _summed(value) for i, (value, _) in OF_ONE_OUTPUT.items()}, "z, a, y, here, there, units"
)


@merged
def _largest(z, here, units):
    """The largest of a row's z, on every lane."""
    largest = broadcast(z, -math.inf)
    for k in range(0, units, lanes_of(z)):
        v = first_lanes(load(z, here + k), units - k, -math.inf)
        largest = where_positive(v - largest, v, largest)
    return lane_largest(largest)


@merged
def _cross_entropy(net, z, y, here, there, units):
    """The loss of one row for a = softmax(z)."""
    largest, exponentials, loss = _largest(z, here, units), broadcast(z, 0.0), broadcast(z, 0.0)
    for k in range(0, units, lanes_of(z)):
        exponentials += first_lanes(exp(load(z, here + k) - largest), units - k, 0.0)
    log_sum_exp = log(lane_total(exponentials))
    for k in range(0, units, lanes_of(z)):
        target = smoothed(net, load(y, there + k))
        each = cross_entropy(load(z, here + k) - largest, log_sum_exp, target)
        loss += first_lanes(each, units - k, 0.0)
    return lane_sum(loss)


@kernel
def cost_of_rows(net, few, rows):
    """The rows' share of the cost: the sum of weight times loss."""
    a, z, y = in_wide_vectors(few.a), in_wide_vectors(few.z), in_wide_vectors(few.y)
    units, width, first = net.widths[net.layers], few.widths[net.layers], few.starts[net.layers]
    cost = 0.0
    for r in range(rows):
        here, there = first + r * width, r * width
        if net.loss == CROSS_ENTROPY:
            loss = _cross_entropy(net, z, y, here, there, units)
        else:
            loss = _total_loss(net.loss, z, a, y, here, there, units)
        cost += np.float64(few.weight[r]) * np.float64(loss)
    return cost


@kernel
def softmax_of_rows(net, few, rows):
    """a_k = exp z_k / sum exp z of the last layer, shifted by the largest z so that nothing
    overflows.
    """
    a, z = in_wide_vectors(few.a), in_wide_vectors(few.z)
    units, width, first = net.widths[net.layers], few.widths[net.layers], few.starts[net.layers]
    for here in range(first, first + rows * width, width):
        largest, total = _largest(z, here, units), broadcast(a, 0.0)
        for k in range(0, units, lanes_of(a)):
            e = first_lanes(exp(load(z, here + k) - largest), units - k, 0.0)
            store(a, here + k, e)
            total += e
        whole = lane_total(total)
        for k in range(0, units, lanes_of(a)):
            store(a, here + k, load(a, here + k) / whole)


@kernel
def delta_of_rows(net, few, rows):
    """delta of the last layer, dC/dz times the row's weight, notes 004 (Biases); 0 beyond its
    units.
    """
    a, y, delta = in_wide_vectors(few.a), in_wide_vectors(few.y), in_wide_vectors(few.delta)
    units, width, first = net.widths[net.layers], few.widths[net.layers], few.starts[net.layers]
    for r in range(rows):
        here, there, weight = first + r * width, r * width, broadcast(a, few.weight[r])
        total = broadcast(a, 0.0)
        if net.loss == CROSS_ENTROPY:
            for k in range(0, units, lanes_of(a)):
                total += first_lanes(smoothed(net, load(y, there + k)), units - k, 0.0)
            total = lane_total(total)
        for k in range(0, units, lanes_of(a)):
            if net.loss == CROSS_ENTROPY:
                target = smoothed(net, load(y, there + k))
                d = cross_entropy_derivative(load(a, here + k), target, total)
            else:
                d = loss_derivative(net.loss, load(a, here + k), load(y, there + k))
            store(delta, here + k, weight * d)
        if net.loss_is_by_z == 0 and net.activations[net.layers - 1] == SOFTMAX:
            _softmax_derivative(a, delta, here, units)
    if net.loss_is_by_z == 0 and net.activations[net.layers - 1] != SOFTMAX:
        stop, activation = first + rows * width, net.activations[net.layers - 1]
        times_slopes(activation, few.z, few.a, few.delta, first, stop, 1.0)
    clear_tails(few.delta, first, rows, width, units)


@merged
def _softmax_derivative(a, delta, here, units):
    """delta_k = a_k (delta_k - sum_j a_j delta_j)."""
    inner = broadcast(a, 0.0)
    for k in range(here, here + units, lanes_of(a)):
        inner += load(a, k) * load(delta, k)
    inner = lane_total(inner)
    for k in range(here, here + units, lanes_of(a)):
        store(delta, k, load(a, k) * (load(delta, k) - inner))
