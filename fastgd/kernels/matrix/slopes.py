"""How each output of each row changes, by every parameter or by the inputs: a pass forward over a
block of rows, and one backward for each output, which ends at the place of its rows in the result.
"""

import numpy as np

from fastgd.formulas.compiled import SOFTMAX
from fastgd.kernels.matrix.layers import forward, times_derivative
from fastgd.kernels.matrix.out_of_line import backward_units
from fastgd.kernels.matrix.transposing import transpose
from fastgd.kernels.structs import Slopes
from fastgd.machine.jit import inline, kernel, merged
from fastgd.machine.span import broadcast, copy, lanes_of, load, store
from fastgd.machine.struct_view import viewer

_FIRST = np.int64(0)
_slopes_of = viewer(Slopes)


@inline
def slopes(address, zero):
    """Fill the result: (n, outputs, n_params), or (n, outputs, inputs) where it is by inputs, each
    row multiplied by its scale.

    Padding is whatever its memory holds: no sample looks at another.
    """
    given = _slopes_of(address, zero)
    net, params, work, result = given.net, given.params, given.work, given.result
    inputs, outputs, lanes = net.widths[0], net.widths[net.layers], lanes_of(work.a)
    width = inputs if given.by_inputs != 0 else net.n_params
    for start in range(0, given.n, work.block):
        rows = min(work.block, given.n - start)
        stride = (rows + lanes - 1) // lanes * lanes
        transpose(given.X, start * inputs, inputs, work.a, _FIRST, stride, rows, inputs)
        forward(net, params, work, stride, _FIRST)
        for s in range(rows):
            work.weight[s] = given.scale[start + s] if len(given.scale) != 0 else 1.0
        _derivatives(net, work, stride, given.derivatives)
        if given.by_inputs == 0:
            _lay_by_samples(net, work, stride)
        for k in range(outputs):
            at = (start * outputs + k) * width
            _output_slope(net, work, stride, given.derivatives, k)
            for l in range(net.layers - 1, -1, -1):
                if given.by_inputs == 0:
                    _put_layer(net, work, stride, l, result, at, outputs * width, rows)
                if l > 0 or given.by_inputs != 0:
                    _backward(net, params, work, stride, l, k)
                if l > 0:
                    _times(net, work, stride, l, given.derivatives)
            if given.by_inputs != 0:
                transpose(work.delta, _FIRST, stride, result, at, outputs * width, inputs, rows)


@kernel
def _derivatives(net, work, stride, derivatives):
    """f'(z) of every unit; 1 of a softmax."""
    last = net.units_before[net.layers] + net.widths[net.layers]
    start, stop = net.units_before[1] * stride, last * stride
    for i in range(start, stop, lanes_of(work.delta)):
        store(work.delta, i, 1.0)
    for l in range(net.layers):
        times_derivative(net, work, stride, l, _FIRST, net.widths[l + 1], 1.0)
    copy(derivatives, start, work.delta, start, stop - start)


@kernel
def _lay_by_samples(net, work, stride):
    """The activations of all layers but the last as (stride, units), where they are otherwise
    (units, stride).
    """
    for l in range(net.layers):
        here = net.units_before[l] * stride
        transpose(work.a, here, stride, work.rows, here, net.widths[l], net.widths[l], stride)


@kernel
def _output_slope(net, work, stride, derivatives, k):
    """The last layer's delta where output k, times the scale, is what is differentiated."""
    a, delta, units = work.a, work.delta, net.widths[net.layers]
    here = net.units_before[net.layers] * stride
    softmax = net.activations[net.layers - 1] == SOFTMAX
    for s in range(0, stride, lanes_of(a)):
        scale = load(work.weight, s)
        output = load(a, here + k * stride + s)
        for j in range(units):
            i = here + j * stride + s
            if softmax:
                own = 1.0 if j == k else 0.0
                store(delta, i, scale * load(a, i) * (broadcast(a, own) - output))
            elif j == k:
                store(delta, i, scale * load(derivatives, i))
            else:
                store(delta, i, 0.0)


@kernel
def _backward(net, params, work, stride, l, k):
    """dy_k/da of the layer before layer l: W^T delta, where of the last layer's delta only that of
    output k is not 0, unless it is a softmax.
    """
    delta, inputs, softmax = work.delta, net.widths[l], net.activations[l] == SOFTMAX
    if l < net.layers - 1 or softmax:
        backward_units(net, params, work, stride, l, _FIRST, inputs)
        return
    before, here = net.units_before[l] * stride, (net.units_before[l + 1] + k) * stride
    for j in range(inputs):
        weight, to = params[net.weights[l] + k * inputs + j], before + j * stride
        for s in range(0, stride, lanes_of(delta)):
            store(delta, to + s, weight * load(delta, here + s))


@kernel
def _times(net, work, stride, l, derivatives):
    """delta = dy/da f'(z) of the layer before layer l."""
    here = net.units_before[l] * stride
    for i in range(here, here + net.widths[l] * stride, lanes_of(derivatives)):
        store(work.delta, i, load(work.delta, i) * load(derivatives, i))


@kernel
def _put_layer(net, work, stride, l, result, at, apart, rows):
    """dy/dW = delta a^T and dy/db = delta of each sample, notes 002 (50), (51), 004, to the rows of
    the result, which are `apart` from each other.
    """
    inputs, units, weights = net.widths[l], net.widths[l + 1], at + net.weights[l]
    if inputs >= lanes_of(work.a):
        _put_by_samples(net, work, stride, l, result, weights, apart, rows)
    else:
        _put_by_parameters(net, work, stride, l, result, weights, apart, rows)
    if net.biases[l] >= 0:
        here = net.units_before[l + 1] * stride
        transpose(work.delta, here, stride, result, at + net.biases[l], apart, units, rows)


@merged
def _put_by_samples(net, work, stride, l, result, at, apart, rows):
    """Where a sample's activations fill a vector; the last one reaches back."""
    source, delta, inputs, lanes = work.rows, work.delta, net.widths[l], lanes_of(work.a)
    before, here = net.units_before[l] * stride, net.units_before[l + 1] * stride
    for s in range(rows):
        for j in range(net.widths[l + 1]):
            slope = broadcast(source, delta[here + j * stride + s])
            to = at + s * apart + j * inputs
            for k in range(0, inputs, lanes):
                k = min(k, inputs - lanes)
                store(result, to + k, slope * load(source, before + s * inputs + k))


@merged
def _put_by_parameters(net, work, stride, l, result, at, apart, rows):
    """Where inputs are few: products parameter by parameter, of some units at a time, the last of
    which reach back; then they are turned.
    """
    a, delta, panel, lanes = work.a, work.delta, work.panel, lanes_of(work.a)
    inputs, units = net.widths[l], net.widths[l + 1]
    before, here = net.units_before[l] * stride, net.units_before[l + 1] * stride
    group = min(units, lanes)
    for first in range(0, units, group):
        first = min(first, units - group)
        for j in range(group):
            from_delta = here + (first + j) * stride
            for k in range(inputs):
                to, from_a = (j * inputs + k) * stride, before + k * stride
                for s in range(0, stride, lanes):
                    store(panel, to + s, load(delta, from_delta + s) * load(a, from_a + s))
        to = at + first * inputs
        transpose(panel, _FIRST, stride, result, to, apart, group * inputs, rows)
