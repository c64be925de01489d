"""Finite differences of a block's cost, for any widths."""

from fastgd.kernels.matrix.costs import block_cost
from fastgd.kernels.matrix.layers import forward
from fastgd.machine.jit import kernel


@kernel
def differences(net, params, work, stride, base, central, eps, add):
    """The block's gradient by forward or central differences of its cost, `base`, notes 002 (1).

    Layers are perturbed from the last to the first, so that the activations before the perturbed
    layer are always the true ones.
    """
    gradient = work.gradient
    stop = net.n_params
    sides = 2 if central else 1
    for l in range(net.layers - 1, -1, -1):
        for i in range(net.weights[l], stop):
            value, slope, step = params[i], 0.0, eps
            for _ in range(sides):
                params[i] = value + step
                forward(net, params, work, stride, l)
                slope += (block_cost(net, work, stride) - base) / step
                step = -step
            params[i] = value
            slope /= sides
            gradient[i] = slope + gradient[i] if add else slope
        stop = net.weights[l]
