"""Finite differences of a block's cost, for any widths, as a kernel that the matrix kernel calls
where that is the method.
"""

from fastgd.kernels.matrix.costs import block_cost
from fastgd.kernels.matrix.layers import forward
from fastgd.kernels.matrix.passes import CENTRAL_DIFFERENCE
from fastgd.machine.jit import merged


@merged
def run(problem, limit):
    """The gradient of a block by forward or central differences of its cost, which is in the
    queue's, notes 002 (1): of limit // 2 samples, and added to what is there if limit is odd.

    Layers are perturbed from the last to the first, so that the activations before the perturbed
    layer are always the true ones.
    """
    net, params, work, eps = problem.net, problem.params, problem.work, problem.eps
    stride, add, base = limit // 2, limit % 2 != 0, problem.queue.costs[0]
    gradient = work.gradient
    stop = net.n_params
    sides = 2 if problem.method == CENTRAL_DIFFERENCE else 1
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
