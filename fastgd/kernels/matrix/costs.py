"""The cost of a block of rows, and its derivative by the last layer's z, for any loss."""

import numpy as np

from fastgd.formulas.compiled import (
    CROSS_ENTROPY,
    OF_ACTIVATIONS,
    OF_LOSSES,
    OF_ONE_OUTPUT,
    SOFTMAX,
    cross_entropy,
    cross_entropy_derivative,
    derivative,
    loss_derivative,
)
from fastgd.kernels.matrix.by_address import DERIVATIVE, VALUE, call_function
from fastgd.kernels.matrix.elementwise import summed, weighed
from fastgd.machine.dispatch import by_number
from fastgd.machine.elementary import exp, log
from fastgd.machine.jit import merged
from fastgd.machine.lane_sums import lane_sum
from fastgd.machine.span import broadcast, lanes_of, load, store
from fastgd.machine.vector import where_positive

_HELD_ACTIVATIONS, _HELD_LOSSES = len(OF_ACTIVATIONS), len(OF_LOSSES)
_cost_of = by_number(
    {i: weighed(summed(value)) for i, (value, _) in OF_ONE_OUTPUT.items()},
    "z, a, y, weight, here, size, stride",
)


@merged
def smoothed(net, y):
    """A target, with a share of it spread over all classes."""
    return y * net.target_share + net.target_rest


@merged
def _cross_entropy_cost(net, z, y, weight, here, size, stride):
    """The sum over a block of weight times loss, by the cross-entropy of a whole layer."""
    cost = broadcast(z, 0.0)
    for s in range(0, stride, lanes_of(z)):
        loss, largest = broadcast(z, 0.0), load(z, here + s)
        for k in range(s, s + size, stride):
            v = load(z, here + k)
            largest = where_positive(v - largest, v, largest)
        exponentials = broadcast(z, 0.0)
        for k in range(s, s + size, stride):
            exponentials += exp(load(z, here + k) - largest)
        log_sum_exp = log(exponentials)
        for k in range(s, s + size, stride):
            target = smoothed(net, load(y, k))
            loss += cross_entropy(load(z, here + k) - largest, log_sum_exp, target)
        cost += load(weight, s) * loss
    return lane_sum(cost)


@merged
def block_cost(net, work, stride):
    """The block's share of the cost: the sum over its samples of weight times loss."""
    a, z, y, weight = work.a, work.z, work.y, work.weight
    here = net.units_before[net.layers] * stride
    size = net.widths[net.layers] * stride
    if net.loss >= _HELD_LOSSES:
        values = (z, a, work.delta, y, weight, work.panel, here, here + size, stride, 1.0)
        call_function(net.loss, VALUE, values)
        return np.float64(work.panel[0])
    if net.loss == CROSS_ENTROPY:
        return np.float64(_cross_entropy_cost(net, z, y, weight, here, size, stride))
    return np.float64(_cost_of(net.loss, z, a, y, weight, here, size, stride))


@merged
def output_delta(net, work, stride):
    """delta of the last layer, dC/dz times the sample's weight, notes 004 (Biases)."""
    a, z, delta = work.a, work.z, work.delta
    activation, by_a = net.activations[net.layers - 1], net.loss_is_by_z == 0
    units, here = net.widths[net.layers], net.units_before[net.layers] * stride
    size = units * stride
    merges = by_a and activation < _HELD_ACTIVATIONS and activation != SOFTMAX
    if net.loss >= _HELD_LOSSES:
        values = (z, a, delta, work.y, work.weight, work.panel, here, here + size, stride, 1.0)
        call_function(net.loss, DERIVATIVE, values)
        if merges:
            _times_output_derivative(activation, z, a, delta, here, here + size)
    else:
        _held_delta(net, work, stride, merges)
    if by_a and activation == SOFTMAX:
        _softmax_derivative(units, stride, a, delta, here)
    elif by_a and activation >= _HELD_ACTIVATIONS:
        values = (z, a, delta, a, a, a, here, here + size, stride, 1.0)
        call_function(activation, DERIVATIVE, values)


@merged
def _times_output_derivative(activation, z, a, delta, start, stop):
    """delta = delta f'(z) from start to stop."""
    for i in range(start, stop, lanes_of(a)):
        store(delta, i, load(delta, i) * derivative(activation, load(z, i), load(a, i)))


@merged
def _held_delta(net, work, stride, merges):
    """The derivative of a loss that is held, times the weight; times the activation's, if that
    `merges` with it.
    """
    a, z, y, delta = work.a, work.z, work.y, work.delta
    activation, units = net.activations[net.layers - 1], net.widths[net.layers]
    here, size = net.units_before[net.layers] * stride, units * stride
    for s in range(0, stride, lanes_of(a)):
        weight = load(work.weight, s)
        total = broadcast(a, 0.0)
        if net.loss == CROSS_ENTROPY:
            for k in range(s, s + size, stride):
                total += smoothed(net, load(y, k))
        for k in range(s, s + size, stride):
            i = here + k
            if net.loss == CROSS_ENTROPY:
                d = cross_entropy_derivative(load(a, i), smoothed(net, load(y, k)), total)
            else:
                d = loss_derivative(net.loss, load(a, i), load(y, k))
                if merges:
                    d = d * derivative(activation, load(z, i), load(a, i))
            store(delta, i, weight * d)


@merged
def _softmax_derivative(units, stride, a, delta, here):
    """delta_k = a_k (delta_k - sum_j a_j delta_j)."""
    for s in range(here, here + stride, lanes_of(a)):
        inner = broadcast(a, 0.0)
        for j in range(units):
            inner += load(a, s + j * stride) * load(delta, s + j * stride)
        for j in range(units):
            store(
                delta,
                s + j * stride,
                load(a, s + j * stride) * (load(delta, s + j * stride) - inner),
            )
