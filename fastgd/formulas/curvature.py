"""Second derivatives of activations and losses, once, for one float or one vector of them: by them
a gradient changes where parameters do.

That of an activation is f''(z), by z and a = f(z); that of a loss is the slope, by a, of the
derivative that `losses` has of it, be that one taken by a or by z.
"""

from fastgd.formulas.losses import OF_ONE_OUTPUT
from fastgd.machine.dispatch import by_number
from fastgd.machine.elementary import fma
from fastgd.machine.jit import merged
from fastgd.machine.vector import like
from fastgd.names import ACTIVATIONS, LOSSES


@merged
def straight(z, a):
    """0, of what has no curve, or kinks alone."""
    return like(a, 0.0)


@merged
def sigmoid_curvature(z, a):
    """a (1 - a) (1 - 2 a)."""
    return fma(-a, a, a) * fma(a, like(a, -2.0), like(a, 1.0))


@merged
def tanh_curvature(z, a):
    """-2 a (1 - a^2)."""
    return like(a, -2.0) * a * fma(-a, a, like(a, 1.0))


@merged
def sin_curvature(z, a):
    """-sin z."""
    return -a


@merged
def squared_error_curvature(a, y):
    """2."""
    return like(a, 2.0)


@merged
def binary_cross_entropy_curvature(a, y):
    """1, of a - y."""
    return like(a, 1.0)


# -- the tables, by number, a name's place in names.ACTIVATIONS or names.LOSSES

CURVATURES = {  # of softmax, what is done number by number
    "identity": straight,
    "sigmoid": sigmoid_curvature,
    "tanh": tanh_curvature,
    "relu": straight,
    "leaky_relu": straight,
    "sin": sin_curvature,
    "softmax": straight,
}
LOSS_CURVATURES = {
    "squared_error": squared_error_curvature,
    "binary_cross_entropy": binary_cross_entropy_curvature,
}

curvature = by_number({i: CURVATURES[name] for i, name in enumerate(ACTIVATIONS)}, "z, a")
loss_curvature = by_number({i: LOSS_CURVATURES[LOSSES[i]] for i in OF_ONE_OUTPUT}, "a, y")
