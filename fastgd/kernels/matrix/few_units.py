"""A first layer of few units on many inputs: the rows of X are multiplied as they lie, and where
they stand in order they are not copied either. It is a kernel that the matrix kernel calls.

A vector of z comes of sums along as many rows, and the gradient of a unit is a sum of rows: a block
is read from memory once, and for the gradient from a cache. Of more units, a product with X
transposed takes no longer.
"""

import numpy as np

from fastgd.kernels.codes import (
    FIRST_FORWARD,
    NOW_ADDS,
    NOW_FRESH,
    NOW_IS_DIRECT,
    NOW_PART,
    NOW_ROWS,
    NOW_START,
    TOTAL,
)
from fastgd.kernels.matrix.layers import activate_all, softmax_layer
from fastgd.kernels.matrix.out_of_line import add_bias_gradient
from fastgd.kernels.rows import gather_rows, gather_targets
from fastgd.machine.jit import merged
from fastgd.machine.row_dots import row_dots
from fastgd.machine.span import broadcast, in_wide_vectors, lanes_of, load, store

_AT_ONCE = 4  # sums of rows that are under way
_ZERO = np.int64(0)


@merged
def run(problem, wanted):
    """Of a block of rows, by what `work.now` says: gather them if they are `fresh`, and z and a
    of the first layer; or its gradient, as `layers.gradient_units` has it.
    """
    net, data, params, work, now = (
        problem.net, problem.data, problem.params, problem.work, problem.work.now,
    )  # fmt: skip
    lanes, here, rows = lanes_of(work.a), now[NOW_START], now[NOW_ROWS]
    stride = (rows + lanes - 1) // lanes * lanes
    in_place = rows == stride and data.shuffled == 0
    X, place = work.rows, _ZERO
    if in_place:
        X, place = data.X, here * net.widths[0]
    if wanted != FIRST_FORWARD:
        target, scale = work.gradient, 1.0
        if now[NOW_IS_DIRECT] != 0:
            target, scale = params, -problem.rule.rate
        at = now[NOW_PART] * problem.rule.size
        _gradient(net, work, X, place, stride, scale, target, at, now[NOW_ADDS] != 0)
        return
    if now[NOW_FRESH] != 0:
        total = problem.queue.numbers[TOTAL]
        if in_place:
            gather_targets(net, data, work, here, rows, stride, total)
        else:
            gather_rows(net, data, work, here, rows, stride, total)
    _forward(net, params, work, X, place, stride)


@merged
def _forward(net, params, work, X, at, stride):
    """z and a of the first layer for the rows from X[at] on."""
    z, panel, lanes, inputs = work.z, work.panel, lanes_of(work.a), net.widths[0]
    here, units = net.units_before[1] * stride, net.widths[1]
    whole = (inputs - 1) // lanes * lanes  # inputs before those that the last vector adds
    for j in range(units):
        w = net.weights[0] + j * inputs
        store(panel, 0, broadcast(z, 0.0))
        for k in range(whole, inputs):
            panel[k + lanes - inputs] = params[w + k]
        tail, bias = load(panel, 0), params[net.biases[0] + j] if net.biases[0] >= 0 else 0.0
        for s in range(0, stride, lanes):
            dots = row_dots(X, at + s * inputs, inputs, params, w, tail)
            store(z, here + j * stride + s, dots + bias)
    activate_all(net.activations[0], z, work.a, here, here + units * stride)
    softmax_layer(net, work, stride, _ZERO)


@merged
def _sum_of_rows(X, at, width, delta, d, stride):
    """The sum over the samples s of delta[d + s] times the vector at X[at + s width]."""
    sum_0, sum_1 = broadcast(X, 0.0), broadcast(X, 0.0)
    sum_2, sum_3 = broadcast(X, 0.0), broadcast(X, 0.0)
    for s in range(d, d + stride, _AT_ONCE):
        sum_0 += broadcast(X, delta[s]) * load(X, at)
        sum_1 += broadcast(X, delta[s + 1]) * load(X, at + width)
        sum_2 += broadcast(X, delta[s + 2]) * load(X, at + 2 * width)
        sum_3 += broadcast(X, delta[s + 3]) * load(X, at + 3 * width)
        at += _AT_ONCE * width
    return (sum_0 + sum_1) + (sum_2 + sum_3)


@merged
def _gradient(net, work, X, at, stride, scale, target, to, add):
    """The gradient of the first layer, as `gradient_units` has it, for the rows from X[at] on."""
    delta, panel, inputs, units = work.delta, work.panel, net.widths[0], net.widths[1]
    wide_X, wide_target = in_wide_vectors(X), in_wide_vectors(target)
    lanes, wide = lanes_of(X), lanes_of(wide_X)
    for j in range(units):
        d, w, k = (net.units_before[1] + j) * stride, to + net.weights[0] + j * inputs, _ZERO
        while k + wide <= inputs:
            total = scale * _sum_of_rows(wide_X, at + k, inputs, delta, d, stride)
            store(wide_target, w + k, total + load(wide_target, w + k) if add else total)
            k += wide
        while k < inputs:
            back = max(_ZERO, k + lanes - inputs)  # of columns that the last vector has once more
            first = k - back
            store(panel, 0, scale * _sum_of_rows(X, at + first, inputs, delta, d, stride))
            for i in range(back, lanes):
                target[w + first + i] = panel[i] + (target[w + first + i] if add else 0.0)
            k += lanes
    if net.biases[0] >= 0:
        add_bias_gradient(net, work, stride, _ZERO, _ZERO, units, scale, target, to, add)
