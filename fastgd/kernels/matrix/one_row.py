"""The outputs of one row: its units are the lanes, where elsewhere its samples are.

The weights lie input by input for that, as they are put for parameters that are bound to. What a
unit sums up, it sums up in the order of `layers`, to the same bits.
"""

from fastgd.formulas.compiled import SOFTMAX
from fastgd.kernels.codes import DEPTH
from fastgd.kernels.matrix.layers import PRODUCT, activate_all
from fastgd.kernels.matrix.products import FEW, SMALL
from fastgd.machine.elementary import exp
from fastgd.machine.jit import kernel
from fastgd.machine.span import broadcast, copy, in_wide_vectors, lanes_of, load, store
from fastgd.machine.vector import stay_scalar


@kernel
def forward_row(net, params, by_input, work, X, outputs):
    """outputs = a(m) of the row X; a layer's z and a start where those of a vector of samples do.

    By four vectors at a time, which reach beyond a layer's units into what is not yet filled.
    """
    a, z, apart = work.a, work.z, lanes_of(work.a)
    weights, wide_z = in_wide_vectors(by_input), in_wide_vectors(z)
    lanes = lanes_of(wide_z)
    copy(a, 0, X, 0, net.widths[0])
    for l in range(net.layers):
        inputs, units = net.widths[l], net.widths[l + 1]
        before, here = net.units_before[l] * apart, net.units_before[l + 1] * apart
        first, biases = net.weights[l], net.biases[l]
        product = units * inputs >= PRODUCT
        depth = DEPTH if inputs * apart > SMALL and units >= FEW else inputs  # as `multiply` has it
        for j in range(units):
            z[here + j] = params[biases + j] if biases >= 0 else 0.0
            stay_scalar()
        for j in range(0, units, 4 * lanes):
            to, w, nothing = here + j, first + j, broadcast(wide_z, 0.0)
            for t in range(0, inputs, depth):
                z_0, z_1 = load(wide_z, to), load(wide_z, to + lanes)
                z_2, z_3 = load(wide_z, to + 2 * lanes), load(wide_z, to + 3 * lanes)
                sum_0, sum_1 = nothing if product else z_0, nothing if product else z_1
                sum_2, sum_3 = nothing if product else z_2, nothing if product else z_3
                for k in range(t, min(t + depth, inputs)):
                    x, row = broadcast(wide_z, a[before + k]), w + k * units
                    sum_0 += x * load(weights, row)
                    sum_1 += x * load(weights, row + lanes)
                    sum_2 += x * load(weights, row + 2 * lanes)
                    sum_3 += x * load(weights, row + 3 * lanes)
                store(wide_z, to, z_0 + sum_0 if product else sum_0)
                store(wide_z, to + lanes, z_1 + sum_1 if product else sum_1)
                store(wide_z, to + 2 * lanes, z_2 + sum_2 if product else sum_2)
                store(wide_z, to + 3 * lanes, z_3 + sum_3 if product else sum_3)
        whole = (units + apart - 1) // apart * apart
        activate_all(net.activations[l], z, a, here, here + whole)
        if net.activations[l] == SOFTMAX:
            _softmax(z, a, here, here + units)
    copy(outputs, 0, a, net.units_before[net.layers] * apart, net.widths[net.layers])


@kernel
def _softmax(z, a, start, stop):
    """a_k = exp z_k / sum exp z."""
    largest, total = z[start], z[start] - z[start]
    for i in range(start, stop):
        largest = z[i] if z[i] - largest > 0 else largest
    for i in range(start, stop):
        a[i] = exp(z[i] - largest)
        total += a[i]
    for i in range(start, stop):
        a[i] = a[i] / total
        stay_scalar()
