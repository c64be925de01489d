"""Layers of a few rows of data, units for lanes: forward, and backward with the update.

W lies as it does in the parameters, each of its rows filled up to whole vectors with zeros, and so
do z, a and delta of a row of data. z is the sums of products along rows of W; dC/da of the layer
before is a sum of rows of W, and the gradient of a row of W a sum of rows of a, by which it is
updated in the same sweep.
"""

import numpy as np

from fastgd.kernels.matrix.layers import activate_all
from fastgd.machine.dots import ROWS, VECTORS, add_dots, add_pairs_of_dots
from fastgd.machine.jit import kernel, merged
from fastgd.machine.span import broadcast, in_wide_vectors, lanes_of, load, store
from fastgd.machine.vector import first_lanes

SWEPT = 4  # rows of W that a sweep takes at a time
_ZERO = np.int64(0)


@kernel
def multiply_units(net, few, rows, x, l, first, last):
    """z = W a + b of units first ... last of layer l, whose inputs are at a[x]: whole groups of
    ROW_GROUP units, or up to the last one.
    """
    w, a, b, z = in_wide_vectors(few.params), in_wide_vectors(few.a), few.params, few.z
    width, inputs, here, weights = (
        few.widths[l + 1],
        few.widths[l],
        few.starts[l + 1],
        few.weights[l],
    )
    for j in range(first, last, ROWS):
        at, bias, to, r = weights + j * inputs, weights - width + j, here + j, _ZERO
        while r + VECTORS <= rows:
            of_r = x + r * inputs
            add_pairs_of_dots(w, at, inputs, a, of_r, inputs, b, bias, z, to + r * width, width)
            r += VECTORS
        while r < rows:
            add_dots(w, at, inputs, a, x + r * inputs, inputs, b, bias, z, to + r * width, width)
            r += 1


@merged
def clear_tails(span, start, rows, width, units):
    """Zeros behind the first `units` of rows that are `width` long, the last vector of each."""
    wide = in_wide_vectors(span)
    lanes = lanes_of(wide)
    for end in range(start + width, start + width + rows * width, width):
        kept = first_lanes(load(wide, end - lanes), units - width + lanes, 0.0)
        store(wide, end - lanes, kept)


@kernel
def activate_units(net, few, rows, l, first, last):
    """a = f(z) of those units, notes 002 (45), 004, and 0 beyond the last of the layer; softmax,
    which needs all units, is still to come.
    """
    activation = net.activations[l]
    units, width, here = net.widths[l + 1], few.widths[l + 1], few.starts[l + 1]
    stop = width if last == units else last
    if stop - first == width:
        activate_all(activation, few.z, few.a, here, here + rows * width)
    else:
        for row in range(here, here + rows * width, width):
            activate_all(activation, few.z, few.a, row + first, row + stop)
    if last == units:
        clear_tails(few.a, here, rows, width, units)


# -- sweeps: rows of W at w[at], their deltas at delta[d], the inputs at a[x]


def sweep_of(passes_back, adds):
    """The function that takes SWEPT rows of W, each `width` numbers, past `rows` rows of data.

    Where it `passes_back`, it adds what they contribute to dC/da of the layer before to
    back[before:]. If it `adds`, `scale` times their gradient is added to the rows of W themselves;
    otherwise their gradient goes to target[at].
    """

    @merged
    def one(w, at, width, a, x, delta, d, back, before, target, scale):
        d_0, d_1 = broadcast(w, delta[d]), broadcast(w, delta[d + 1])
        d_2, d_3 = broadcast(w, delta[d + 2]), broadcast(w, delta[d + 3])
        g_0, g_1 = scale * d_0 if adds else d_0, scale * d_1 if adds else d_1
        g_2, g_3 = scale * d_2 if adds else d_2, scale * d_3 if adds else d_3
        for k in range(0, width, lanes_of(w)):
            p_0, p_1, p_2, p_3 = at + k, at + width + k, at + 2 * width + k, at + 3 * width + k
            x_k = load(a, x + k)
            if passes_back:
                total = load(back, before + k) + d_0 * load(w, p_0)
                total = (total + d_1 * load(w, p_1)) + d_2 * load(w, p_2)
                store(back, before + k, total + d_3 * load(w, p_3))
            store(target, p_0, load(w, p_0) + g_0 * x_k if adds else g_0 * x_k)
            store(target, p_1, load(w, p_1) + g_1 * x_k if adds else g_1 * x_k)
            store(target, p_2, load(w, p_2) + g_2 * x_k if adds else g_2 * x_k)
            store(target, p_3, load(w, p_3) + g_3 * x_k if adds else g_3 * x_k)

    @merged
    def several(w, at, width, rows, a, x, delta, d, apart, back, before, target, scale):
        nothing = broadcast(w, 0.0)
        for k in range(0, width, lanes_of(w)):
            p_0, p_1, p_2, p_3 = at + k, at + width + k, at + 2 * width + k, at + 3 * width + k
            w_0 = load(w, p_0) if passes_back or adds else nothing
            w_1 = load(w, p_1) if passes_back or adds else nothing
            w_2 = load(w, p_2) if passes_back or adds else nothing
            w_3 = load(w, p_3) if passes_back or adds else nothing
            g_0, g_1, g_2, g_3 = nothing, nothing, nothing, nothing
            for r in range(rows):
                x_k, here, there = load(a, x + r * width + k), d + r * apart, before + r * width + k
                d_0, d_1 = broadcast(w, delta[here]), broadcast(w, delta[here + 1])
                d_2, d_3 = broadcast(w, delta[here + 2]), broadcast(w, delta[here + 3])
                g_0 += d_0 * x_k
                g_1 += d_1 * x_k
                g_2 += d_2 * x_k
                g_3 += d_3 * x_k
                if passes_back:
                    total = ((load(back, there) + d_0 * w_0) + d_1 * w_1) + d_2 * w_2
                    store(back, there, total + d_3 * w_3)
            store(target, p_0, w_0 + scale * g_0 if adds else g_0)
            store(target, p_1, w_1 + scale * g_1 if adds else g_1)
            store(target, p_2, w_2 + scale * g_2 if adds else g_2)
            store(target, p_3, w_3 + scale * g_3 if adds else g_3)

    @kernel
    def sweep(net, few, rows, x, l, first, last, back, before, target, scale):
        """Rows first ... last of the W of layer l, whole sweeps."""
        w, a, delta = (
            in_wide_vectors(few.params), in_wide_vectors(few.a), in_wide_vectors(few.delta)
        )  # fmt: skip
        to, back, width = in_wide_vectors(target), in_wide_vectors(back), few.widths[l]
        here, weights, apart = few.starts[l + 1], few.weights[l], few.widths[l + 1]
        if rows == 1:
            for j in range(first, last, SWEPT):
                at = weights + j * width
                one(w, at, width, a, x, delta, here + j, back, before, to, scale)
        else:
            for j in range(first, last, SWEPT):
                at, d = weights + j * width, here + j
                several(w, at, width, rows, a, x, delta, d, apart, back, before, to, scale)

    return sweep


_update_first, _update_later = sweep_of(False, True), sweep_of(True, True)
_gradient_first, _gradient_later = sweep_of(False, False), sweep_of(True, False)


@kernel
def sweep_rows(net, few, rows, x, l, first, last, back, before, target, adds, scale):
    """Take rows first ... last of the W of layer l past the rows of data, whose inputs are at a[x],
    as `sweep_of` has it.
    """
    if l == 0 and adds:
        _update_first(net, few, rows, x, l, first, last, back, before, target, scale)
    elif l == 0:
        _gradient_first(net, few, rows, x, l, first, last, back, before, target, scale)
    elif adds:
        _update_later(net, few, rows, x, l, first, last, back, before, target, scale)
    else:
        _gradient_later(net, few, rows, x, l, first, last, back, before, target, scale)


@merged
def bias_gradient(net, few, rows, l, target, adds, scale):
    """The gradient of the biases of layer l, delta summed over the rows, put where biases lie; or
    `scale` times it added to what is there.
    """
    delta, to = in_wide_vectors(few.delta), in_wide_vectors(target)
    width, here = few.widths[l + 1], few.starts[l + 1]
    biases = few.weights[l] - width
    for k in range(0, width, lanes_of(delta)):
        total = load(delta, here + k)
        for r in range(1, rows):
            total += load(delta, here + r * width + k)
        store(to, biases + k, load(to, biases + k) + scale * total if adds else total)


@merged
def clear_back(back, start, stop):
    """Zeros from start to stop, which are whole vectors apart."""
    wide = in_wide_vectors(back)
    for k in range(start, stop, lanes_of(wide)):
        store(wide, k, 0.0)


@kernel
def add_back(few, rows, l, parts):
    """dC/da of the layer before l, of what each part has passed back."""
    delta, back, size = in_wide_vectors(few.delta), in_wide_vectors(few.back), rows * few.widths[l]
    for k in range(0, size, lanes_of(delta)):
        total = load(back, k)
        for other in range(size + k, parts * size, size):
            total += load(back, other)
        store(delta, few.starts[l] + k, total)
