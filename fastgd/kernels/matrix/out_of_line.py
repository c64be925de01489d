"""Functions of `layers` and `products` that are called, where those themselves are merged into
their callers: one copy of each for all who share out work, which is too large for a call to matter.
"""

from fastgd.kernels.matrix.costs import block_cost as _block_cost
from fastgd.kernels.matrix.costs import output_delta as _output_delta
from fastgd.kernels.matrix.layers import add_bias_gradient as _add_bias_gradient
from fastgd.kernels.matrix.layers import backward_units as _backward_units
from fastgd.kernels.matrix.layers import forward_units as _forward_units
from fastgd.kernels.matrix.layers import gradient_units as _gradient_units
from fastgd.kernels.matrix.layers import softmax_layer as _softmax_layer
from fastgd.kernels.matrix.products import multiply as _multiply
from fastgd.machine.jit import kernel


@kernel
def multiply(left, right, target, rows, columns, inner, alpha, add, panel):
    _multiply(left, right, target, rows, columns, inner, alpha, add, panel)


@kernel
def forward_units(net, params, work, stride, l, first, last):
    _forward_units(net, params, work, stride, l, first, last)


@kernel
def softmax_layer(net, work, stride, l):
    _softmax_layer(net, work, stride, l)


@kernel
def block_cost(net, work, stride):
    return _block_cost(net, work, stride)


@kernel
def output_delta(net, work, stride):
    _output_delta(net, work, stride)


@kernel
def backward_units(net, params, work, stride, l, first, last):
    _backward_units(net, params, work, stride, l, first, last)


@kernel
def gradient_units(net, work, stride, l, first, last, scale, target, at, add):
    _gradient_units(net, work, stride, l, first, last, scale, target, at, add)


@kernel
def add_bias_gradient(net, work, stride, l, first, last, scale, target, at, add):
    _add_bias_gradient(net, work, stride, l, first, last, scale, target, at, add)
