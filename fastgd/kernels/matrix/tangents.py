"""The Hessian of the cost times a vector, by Pearlmutter's R operator: beside every number of the
pass over a block of rows stands its tangent, how it changes where the parameters move along the
vector. The tangent of the gradient is the product.
"""

import numpy as np

from fastgd.formulas.compiled import SOFTMAX
from fastgd.kernels.matrix.out_of_line import (
    backward_units,
    forward_units,
    gradient_units,
    multiply,
    output_delta,
    softmax_layer,
)
from fastgd.kernels.matrix.products import Left, Right, Target
from fastgd.kernels.rows import gather
from fastgd.kernels.structs import Curvature
from fastgd.machine.jit import inline, kernel, merged
from fastgd.machine.span import broadcast, lanes_of, load, store
from fastgd.machine.struct_view import viewer

_FIRST, _ONE, _NO, _YES = np.int64(0), np.int64(1), np.bool_(False), np.bool_(True)
_curvature_of = viewer(Curvature)


@inline
def hessian_vector(follow, times_derivative, output_tangent, address, zero):
    """Fill the result, (n_params,), with the tangent of the gradient of rows first ... last, by
    loops of `tangent_loops`.
    """
    given = _curvature_of(address, zero)
    net, data, params, work, vector = given.net, given.data, given.params, given.work, given.vector
    by_a, by_delta, result, lanes = given.by_a, given.by_delta, given.result, lanes_of(work.a)
    total = data.mean_weight
    for start in range(given.first, given.last, work.block):
        rows = min(work.block, given.last - start)
        stride = (rows + lanes - 1) // lanes * lanes
        add = start > given.first
        gather(net, data, work, start, rows, stride, _FIRST, stride, total)
        for l in range(net.layers):
            forward_units(net, params, work, stride, l, _FIRST, net.widths[l + 1])
            softmax_layer(net, work, stride, l)
            _forward(follow, given.activations, net, params, vector, work, by_a, stride, l)
        output_tangent(
            net, work, by_a, by_delta.delta, stride, given.activations[net.layers - 1], given.loss,
            given.loss_is_by_z,
        )  # fmt: skip
        output_delta(net, work, stride)
        for l in range(net.layers - 1, -1, -1):
            units = net.widths[l + 1]
            gradient_units(net, by_delta, stride, l, _FIRST, units, 1.0, result, _FIRST, add)
            if l == 0:
                continue
            gradient_units(given.bare, by_a, stride, l, _FIRST, units, 1.0, result, _FIRST, _YES)
            _backward(net, params, vector, work, by_delta, stride, l)
            here, size = net.units_before[l] * stride, net.widths[l] * stride
            times_derivative(
                given.activations[l - 1], work.z, work.a, by_a.z, work.delta, by_delta.delta, here,
                here + size,
            )  # fmt: skip


@merged
def _product(params, weights, transposed, of, start, to, target, rows, inner, stride, panel):
    """W of, or W^T of, added to the target: (rows, stride)."""
    left = Left(params, weights, _ONE, rows) if transposed else Left(params, weights, inner, _ONE)
    right, target = Right(of, start, stride, _NO), Target(target, to, stride)
    multiply(left, right, target, rows, stride, inner, 1.0, _YES, panel)


@kernel
def _forward(follow, activations, net, params, vector, work, by_a, stride, l):
    """The tangents of z = W a + b and of a = f(z), of layer l."""
    z, inputs, units, weights = by_a.z, net.widths[l], net.widths[l + 1], net.weights[l]
    before, here = net.units_before[l] * stride, net.units_before[l + 1] * stride
    for j in range(units):
        change = vector[net.biases[l] + j] if net.biases[l] >= 0 else 0.0
        for i in range(here + j * stride, here + (j + 1) * stride, lanes_of(z)):
            store(z, i, change)
    panel = work.panel
    _product(vector, weights, _NO, work.a, before, here, z, units, inputs, stride, panel)
    if l > 0:
        _product(params, weights, _NO, by_a.a, before, here, z, units, inputs, stride, panel)
    if net.activations[l] == SOFTMAX:
        _softmax(work.a, z, by_a.a, here, units, stride)
    else:
        follow(activations[l], work.z, work.a, z, by_a.a, here, here + units * stride)


@merged
def _softmax(a, dz, da, here, units, stride):
    """The tangent of a_k is a_k (dz_k - sum_j a_j dz_j)."""
    for s in range(here, here + stride, lanes_of(a)):
        mean = broadcast(a, 0.0)
        for i in range(s, s + units * stride, stride):
            mean += load(a, i) * load(dz, i)
        for i in range(s, s + units * stride, stride):
            store(da, i, load(a, i) * (load(dz, i) - mean))


@kernel
def _backward(net, params, vector, work, by_delta, stride, l):
    """dC/da of the layer before layer l, W^T delta, and its tangent."""
    inputs, units, weights = net.widths[l], net.widths[l + 1], net.weights[l]
    before, here = net.units_before[l] * stride, net.units_before[l + 1] * stride
    backward_units(net, params, by_delta, stride, l, _FIRST, inputs)
    _product(
        vector, weights, _YES, work.delta, here, before, by_delta.delta, inputs, units, stride,
        work.panel,
    )  # fmt: skip
    backward_units(net, params, work, stride, l, _FIRST, inputs)
