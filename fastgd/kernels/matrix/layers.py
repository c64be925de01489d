"""Forward pass, per-layer backprop and finite differences of one block of rows, for any widths.

A block is padded to whole vectors by rows of weight 0. Inside it every array of a layer is (units,
stride), one row a unit, `stride` padded samples wide, so that loops over samples are vectors.
Layers of some width are products of matrices; others are loops. What goes number by number serves
arrays of the other direction, too, see `hidden_halves`.

Which activation, loss and method they use is decided at run time, so that one compilation serves
every network of a dtype. Each has loops of its own, in which nothing is left to decide.
"""

import numpy as np

from fastgd.formulas.compiled import OF_ACTIVATIONS, SOFTMAX
from fastgd.kernels.matrix.by_address import DERIVATIVE, VALUE, call_function
from fastgd.kernels.matrix.costs import output_delta
from fastgd.kernels.matrix.dot_products import multiply_rows
from fastgd.kernels.matrix.dropout import drop, drop_delta
from fastgd.kernels.matrix.elementwise import over_all, times_all
from fastgd.kernels.matrix.products import (
    FEW,
    Left,
    Right,
    Summand,
    Target,
    add_product,
    multiply,
    sums_of_products,
    sums_of_rows,
)
from fastgd.machine.dispatch import by_number
from fastgd.machine.elementary import exp
from fastgd.machine.jit import kernel, merged
from fastgd.machine.span import broadcast, lanes_of, load, store
from fastgd.machine.tiles import NOTHING, OF_ROWS
from fastgd.machine.vector import where_positive

_HELD = len(OF_ACTIVATIONS)
PRODUCT = 16  # weights from which on a layer is a product
# a gradient is products of rows along the samples, if these are so many vectors, where inputs are
# fewer vectors than that, or units few: of a first layer, whose inputs lie the other way too, or of
# another one
_LONG, _SHORT, _FEW_FIRST, _FEW_UNITS = 16, 4, 4, 12
_ONE, _NO, _YES = np.int64(1), np.bool_(False), np.bool_(True)  # Numba compiles once for an int64
_NOTHING, _OF_ROWS = np.int64(NOTHING), np.int64(OF_ROWS)


# -- what a layer's products are with -------------------------------------------------------------


@merged
def inputs_of(net, work, stride, l):
    """a of the layer before, (inputs, samples), for z."""
    return Right(work.a, net.units_before[l] * stride, stride, _NO)


@merged
def inputs_by_sample(net, work, stride, l):
    """a of the layer before, (samples, inputs), for the gradient: the rows of X, or a across."""
    if l > 0:
        return Right(work.a, net.units_before[l] * stride, stride, _YES)
    return Right(work.rows, np.int64(0), net.widths[0], _NO)


@merged
def delta_of(net, work, stride, l):
    """delta of the layer, (units, samples), for that of the layer before."""
    return Right(work.delta, net.units_before[l + 1] * stride, stride, _NO)


@merged
def is_packed(work, rows):
    """Whether what so many rows of a layer's product are multiplied with has been packed."""
    return len(work.packed) != 0 and rows >= FEW


@merged
def _packed(work, rows, right):
    """It as panels, if it has been packed."""
    span, start, width, across = right
    if is_packed(work, rows):
        span, start, width, across = work.packed, np.int64(0), np.int64(0), _NO
    return Right(span, start, width, across)


# -- one layer: l, its units first ... last, its inputs, where it starts (here) and where the layer
# before does ---


@merged
def forward_units(net, params, work, stride, l, first, last):
    """z = W a + b and a = f(z), notes 002 (45), 004; softmax, which needs all units, is still to
    come.
    """
    a, z, lanes = work.a, work.z, lanes_of(work.a)
    inputs = net.widths[l]
    before, here = net.units_before[l] * stride, net.units_before[l + 1] * stride
    weights, biases, activation = net.weights[l], net.biases[l], net.activations[l]
    if (last - first) * inputs >= PRODUCT:
        w, to = weights + first * inputs, here + first * stride
        left, target = Left(params, w, inputs, _ONE), Target(z, to, stride)
        right = _packed(work, net.widths[l + 1], inputs_of(net, work, stride, l))
        summand = Summand(params, biases + first, _OF_ROWS if biases >= 0 else _NOTHING)
        add_product(summand, left, right, target, last - first, stride, inputs, 1.0, work.panel)
    else:
        for j in range(first, last):
            w, bias = weights + j * inputs, params[biases + j] if biases >= 0 else 0.0
            for s in range(0, stride, lanes):
                total = broadcast(z, bias)
                for k in range(inputs):
                    total += params[w + k] * load(a, before + k * stride + s)
                store(z, here + j * stride + s, total)
    activate_all(activation, z, a, here + first * stride, here + last * stride)


_activate = by_number(
    {i: over_all(value) for i, (value, _) in enumerate(OF_ACTIVATIONS)}, "z, a, start, stop"
)


@kernel
def activate_all(activation, z, a, start, stop):
    """a = f(z) from start to stop, which are whole vectors apart; softmax is the identity here."""
    if activation < _HELD:
        _activate(activation, z, a, start, stop)
    else:
        call_function(activation, VALUE, (z, a, a, a, a, a, start, stop, 0, 1.0))


@merged
def softmax_layer(net, work, stride, l):
    """a_k = exp z_k / sum exp z, shifted by the largest z so that nothing overflows; if that is the
    layer's activation.
    """
    if net.activations[l] != SOFTMAX:
        return
    a, z, units, here = work.a, work.z, net.widths[l + 1], net.units_before[l + 1] * stride
    for s in range(here, here + stride, lanes_of(a)):
        largest = load(z, s)
        for j in range(units):
            v = load(z, s + j * stride)
            largest = where_positive(v - largest, v, largest)
        total = broadcast(a, 0.0)
        for j in range(units):
            e = exp(load(z, s + j * stride) - largest)
            store(a, s + j * stride, e)
            total += e
        for j in range(units):
            store(a, s + j * stride, load(a, s + j * stride) / total)


@merged
def gradient_units(net, work, stride, l, first, last, scale, target, at, add):
    """dC/dW = delta a^T and dC/db = delta summed over the samples, notes 002 (50), (51), 004;
    `scale` times that goes to target[at:], where parameters lie as in the flat array, or is added
    to what is there.
    """
    a, delta, lanes = work.a, work.delta, lanes_of(work.a)
    inputs = net.widths[l]
    before, here = net.units_before[l] * stride, net.units_before[l + 1] * stride
    weights = at + net.weights[l]
    product = (last - first) * inputs >= PRODUCT and inputs >= lanes
    w, of, units = weights + first * inputs, here + first * stride, last - first
    few = inputs < _SHORT * lanes or units <= (_FEW_UNITS if l > 0 else _FEW_FIRST)
    if product and few and stride >= _LONG * lanes:
        if inputs < units:
            multiply_rows(
                delta, of, units, a, before, inputs, stride, target, w, inputs, _ONE, scale, add,
                work.panel,
            )  # fmt: skip
        else:
            multiply_rows(
                a, before, inputs, delta, of, units, stride, target, w, _ONE, inputs, scale, add,
                work.panel,
            )  # fmt: skip
    elif product:
        left, to = Left(delta, of, stride, _ONE), Target(target, w, inputs)
        right = _packed(work, net.widths[l + 1], inputs_by_sample(net, work, stride, l))
        multiply(left, right, to, units, inputs, stride, scale, add, work.panel)
    elif units > inputs:
        for j in range(first, last, lanes):
            count = min(lanes, last - j)
            for k in range(inputs):
                sums = sums_of_products(
                    delta, here + j * stride, stride, count, a, before + k * stride, stride
                )
                _put(target, weights + j * inputs + k, inputs, count, sums, scale, add, work.panel)
    else:
        for j in range(first, last):
            for k in range(0, inputs, lanes):
                count = min(lanes, inputs - k)
                sums = sums_of_products(
                    a, before + k * stride, stride, count, delta, here + j * stride, stride
                )
                _put(target, weights + j * inputs + k, _ONE, count, sums, scale, add, work.panel)
    if net.biases[l] >= 0:
        add_bias_gradient(net, work, stride, l, first, last, scale, target, at, add)


@merged
def add_bias_gradient(net, work, stride, l, first, last, scale, target, at, add):
    """The gradient of biases first ... last of layer l, as `gradient_units` has it."""
    delta, lanes = work.delta, lanes_of(work.a)
    here, biases = net.units_before[l + 1] * stride, net.biases[l]
    for j in range(first, last, lanes):
        count = min(lanes, last - j)
        sums = sums_of_rows(delta, here + j * stride, stride, count, delta, here, stride)
        _put(target, at + biases + j, _ONE, count, sums, scale, add, work.panel)


@merged
def _put(target, start, step, count, sums, scale, add, panel):
    """`count` lanes of scale times a vector to every `step`-th place of the target, or added to
    what is there.
    """
    store(panel, 0, scale * sums)
    for i in range(count):
        place = start + i * step
        target[place] = panel[i] + target[place] if add else panel[i]


@merged
def backward_units(net, params, work, stride, l, first, last):
    """dC/da of units first ... last of the layer before: W^T delta, notes 002 (52), 004."""
    delta, lanes = work.delta, lanes_of(work.a)
    inputs, units = net.widths[l], net.widths[l + 1]
    before, here = net.units_before[l] * stride, net.units_before[l + 1] * stride
    weights = net.weights[l]
    if (last - first) * units >= PRODUCT:
        w, to = weights + first, before + first * stride
        left, target = Left(params, w, _ONE, inputs), Target(delta, to, stride)
        right = _packed(work, inputs, delta_of(net, work, stride, l))
        multiply(left, right, target, last - first, stride, units, 1.0, _NO, work.panel)
    else:
        for k in range(first, last):
            for s in range(0, stride, lanes):
                total = broadcast(delta, 0.0)
                for j in range(units):
                    total += params[weights + j * inputs + k] * load(delta, here + j * stride + s)
                store(delta, before + k * stride + s, total)


_times_derivative = by_number(
    {i: times_all(slope) for i, (_, slope) in enumerate(OF_ACTIVATIONS)},
    "z, a, delta, start, stop, factor",
)


@kernel
def times_slopes(activation, z, a, delta, start, stop, factor):
    """delta = factor delta f'(z) from start to stop, which are whole vectors apart."""
    if activation < _HELD:
        _times_derivative(activation, z, a, delta, start, stop, factor)
    else:
        call_function(activation, DERIVATIVE, (z, a, delta, a, a, a, start, stop, 0, factor))


@merged
def times_derivative(net, work, stride, l, first, last, factor):
    """delta = factor dC/da f'(z) of units first ... last of layer l, notes 002 (50)."""
    here = net.units_before[l + 1] * stride
    start, stop = here + first * stride, here + last * stride
    times_slopes(net.activations[l], work.z, work.a, work.delta, start, stop, factor)


# -- one block of rows -----------------------------------------------------------------------------


@merged
def forward(net, params, work, stride, first_layer):
    """Activations of every layer from `first_layer` on."""
    for l in range(first_layer, net.layers):
        forward_units(net, params, work, stride, l, np.int64(0), net.widths[l + 1])
        softmax_layer(net, work, stride, l)
        if len(work.masks) != 0 and l + 1 < net.layers:
            drop(net, work, stride, l)


@merged
def backward(net, params, work, stride, factor, scale, target, at, add, first_layer):
    """Gradient of the block by per-layer backprop from the last layer to `first_layer`, notes 002
    (50)-(52), 004; see `gradient_units`. Delta of the layer before that is there then.

    The target may be the parameters themselves: a layer's are not needed any more when its gradient
    is there.
    """
    output_delta(net, work, stride)
    for l in range(net.layers - 1, first_layer - 1, -1):
        if l > 0:
            backward_units(net, params, work, stride, l, np.int64(0), net.widths[l])
        gradient_units(net, work, stride, l, np.int64(0), net.widths[l + 1], scale, target, at, add)
        if l > 0:
            if len(work.masks) != 0:
                drop_delta(net, work, stride, l - 1)
            times_derivative(net, work, stride, l - 1, np.int64(0), net.widths[l], factor)
