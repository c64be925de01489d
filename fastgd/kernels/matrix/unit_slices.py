"""A pass over one block of rows by slices of units: each is a few rows of a layer's W and of what
comes out of it. What all slices of a large layer are multiplied with is packed before, by all.

Slices need no sums over threads, as parts of the rows do, and the gradient of each unit is written
once.
"""

import numpy as np

from fastgd.kernels.matrix.layers import (
    delta_of,
    inputs_by_sample,
    inputs_of,
    is_packed,
    times_derivative,
)
from fastgd.kernels.matrix.out_of_line import backward_units, forward_units, gradient_units
from fastgd.kernels.matrix.passes import LAYERWISE
from fastgd.kernels.matrix.products import pack
from fastgd.kernels.rows import gather
from fastgd.machine.jit import kernel
from fastgd.machine.span import lanes_of

_UNITS = 128  # of a slice
_MOST = 8
_PACKED = 2**14  # numbers that a part of packing has at least: some 2 us
_PRODUCTS = 2**18  # multiplications of a layer below which one thread is as fast: some 5 us


@kernel
def slices_of(net, l, units, stride):
    """Slices of so many units on either side of layer l."""
    if net.widths[l] * net.widths[l + 1] * stride < _PRODUCTS or units < 32:
        return 1
    return min(_MOST, max(2, units // _UNITS))


@kernel
def packing_parts(work, stride, rows, units):
    """Parts of packing (units, stride) for a product of so many rows; 0 if it is not packed."""
    if not is_packed(work, rows):
        return 0
    return max(1, min(_MOST, units * stride // _PACKED))


@kernel
def pack_inputs(problem, stride, l, part, parts):
    """For z of layer l."""
    net, work = problem.net, problem.work
    pack(inputs_of(net, work, stride, l), stride, net.widths[l], work.packed, part, parts)


@kernel
def pack_inputs_by_sample(problem, stride, l, part, parts):
    """For the gradient of layer l."""
    net, work = problem.net, problem.work
    if net.widths[l] >= lanes_of(work.a):
        right = inputs_by_sample(net, work, stride, l)
        pack(right, net.widths[l], stride, work.packed, part, parts)


@kernel
def pack_delta(problem, stride, l, part, parts):
    """For delta of the layer before l."""
    net, work = problem.net, problem.work
    pack(delta_of(net, work, stride, l), stride, net.widths[l + 1], work.packed, part, parts)


@kernel
def gather_slice(problem, start, rows, part, parts, total):
    lanes = lanes_of(problem.work.a)
    vectors = (rows + lanes - 1) // lanes
    first, last = vectors * part // parts * lanes, vectors * (part + 1) // parts * lanes
    gather(
        problem.net, problem.data, problem.work, start, rows, vectors * lanes, first, last, total
    )


@kernel
def forward_slice(problem, stride, l, part, parts):
    units = problem.net.widths[l + 1]
    forward_units(
        problem.net,
        problem.params,
        problem.work,
        stride,
        l,
        units * part // parts,
        units * (part + 1) // parts,
    )


@kernel
def backward_slice(problem, stride, l, part, parts):
    """Delta of the layer before l."""
    net, work, units = problem.net, problem.work, problem.net.widths[l]
    first, last = units * part // parts, units * (part + 1) // parts
    backward_units(net, problem.params, work, stride, l, first, last)
    times_derivative(
        net, work, stride, l - 1, first, last, 2.0 if problem.method == LAYERWISE else 1.0
    )


@kernel
def gradient_slice(problem, stride, l, part, parts, scale, add):
    """The gradient of layer l, added to that of other blocks if `add`; or its update, if it is not
    to be scaled by 1.
    """
    net, units = problem.net, problem.net.widths[l + 1]
    target = problem.work.gradient if scale == 1.0 else problem.params
    gradient_units(
        net,
        problem.work,
        stride,
        l,
        units * part // parts,
        units * (part + 1) // parts,
        scale,
        target,
        np.int64(0),
        add or scale != 1.0,
    )
