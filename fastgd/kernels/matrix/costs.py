"""The cost of a block of rows, and its derivative by the last layer's z, for any loss."""

import numpy as np

from fastgd.formulas.compiled import (
    BY_Z,
    CROSS_ENTROPY,
    OF_ONE_OUTPUT,
    SOFTMAX,
    cross_entropy,
    cross_entropy_derivative,
    derivative,
    loss_derivative,
)
from fastgd.machine.dispatch import by_number
from fastgd.machine.elementary import exp, log
from fastgd.machine.jit import merged
from fastgd.machine.lane_sums import lane_sum
from fastgd.machine.span import broadcast, lanes_of, load, store
from fastgd.machine.vector import where_positive


def _summed(loss_of):
    """The sum of a loss over the outputs of a vector of samples, which are `stride` apart from
    first to last; those of z and a lie behind `here`.

    Each loss has a loop of its own: where it would be chosen inside, its last product could not be
    fused with the sum.
    """

    @merged
    def total(z, a, y, here, first, last, stride):
        loss = broadcast(a, 0.0)
        for k in range(first, last, stride):
            loss += loss_of(load(z, here + k), load(a, here + k), load(y, k))
        return loss

    return total


_total_loss = by_number(
    {i: _summed(value) for i, (value, _) in OF_ONE_OUTPUT.items()},
    "z, a, y, here, first, last, stride",
)


@merged
def block_cost(net, work, stride):
    """The block's share of the cost: the sum over its samples of weight times loss."""
    a, z, y, weight, lanes = work.a, work.z, work.y, work.weight, lanes_of(work.a)
    here = net.units_before[net.layers] * stride
    size = net.widths[net.layers] * stride
    cost = broadcast(a, 0.0)
    for s in range(0, stride, lanes):
        loss = broadcast(a, 0.0)
        if net.loss == CROSS_ENTROPY:
            largest = load(z, here + s)
            for k in range(s, s + size, stride):
                v = load(z, here + k)
                largest = where_positive(v - largest, v, largest)
            exponentials = broadcast(a, 0.0)
            for k in range(s, s + size, stride):
                exponentials += exp(load(z, here + k) - largest)
            log_sum_exp = log(exponentials)
            for k in range(s, s + size, stride):
                loss += cross_entropy(load(z, here + k) - largest, log_sum_exp, load(y, k))
        else:
            loss = _total_loss(net.loss, z, a, y, here, s, s + size, stride)
        cost += load(weight, s) * loss
    return np.float64(lane_sum(cost))


@merged
def output_delta(net, work, stride):
    """delta of the last layer, dC/dz times the sample's weight, notes 004 (Biases)."""
    a, z, y, delta, lanes = work.a, work.z, work.y, work.delta, lanes_of(work.a)
    activation = net.activations[net.layers - 1]
    units, here = net.widths[net.layers], net.units_before[net.layers] * stride
    size, by_a = units * stride, net.loss not in BY_Z
    for s in range(0, stride, lanes):
        weight = load(work.weight, s)
        total = broadcast(a, 0.0)
        if net.loss == CROSS_ENTROPY:
            for k in range(s, s + size, stride):
                total += load(y, k)
        for k in range(s, s + size, stride):
            i = here + k
            if net.loss == CROSS_ENTROPY:
                d = cross_entropy_derivative(load(a, i), load(y, k), total)
            else:
                d = loss_derivative(net.loss, load(a, i), load(y, k))
                if by_a and activation != SOFTMAX:
                    d = d * derivative(activation, load(z, i), load(a, i))
            store(delta, i, weight * d)
    if by_a and activation == SOFTMAX:
        _softmax_derivative(units, stride, a, delta, here)


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
