"""Each activation f(z) and its derivative, once, for one float or one vector of them.

A derivative gets the pre-activation z and the activation a = f(z) and uses whichever is cheaper.
Softmax, which needs a whole layer, is the exception: it is written where layers are, in the
kernels.
"""

from fastgd.machine.dispatch import by_number
from fastgd.machine.elementary import cos, fma, sigmoid, sin, tanh
from fastgd.machine.jit import merged
from fastgd.machine.vector import like, where_negative, where_positive
from fastgd.names import ACTIVATIONS

LEAKY_SLOPE = 0.01


@merged
def identity(z):
    """z."""
    return z


@merged
def identity_derivative(z, a):
    """1."""
    return like(a, 1.0)


@merged
def sigmoid_derivative(z, a):
    """a (1 - a), notes 002 (10)."""
    return fma(-a, a, a)


@merged
def tanh_derivative(z, a):
    """1 - a^2."""
    return fma(-a, a, like(a, 1.0))


@merged
def relu(z):
    """z where it is positive, otherwise 0."""
    return where_negative(z, like(z, 0.0), z)


@merged
def relu_derivative(z, a):
    """1 where z is positive, otherwise 0."""
    return where_positive(z, like(a, 1.0), like(a, 0.0))


@merged
def leaky_relu(z):
    """z where it is positive, otherwise LEAKY_SLOPE z."""
    return where_negative(z, like(z, LEAKY_SLOPE) * z, z)


@merged
def leaky_relu_derivative(z, a):
    """1 where z is positive, otherwise LEAKY_SLOPE."""
    return where_positive(z, like(a, 1.0), like(a, LEAKY_SLOPE))


@merged
def sin_derivative(z, a):
    """cos z."""
    return cos(z)


# -- the table, and derivatives by number, a name's place in names.ACTIVATIONS

SOFTMAX = ACTIVATIONS.index("softmax")
FUNCTIONS = {  # f and f'; of softmax, what is done number by number
    "identity": (identity, identity_derivative),
    "sigmoid": (sigmoid, sigmoid_derivative),
    "tanh": (tanh, tanh_derivative),
    "relu": (relu, relu_derivative),
    "leaky_relu": (leaky_relu, leaky_relu_derivative),
    "sin": (sin, sin_derivative),
    "softmax": (identity, identity_derivative),
}

derivative = by_number({i: FUNCTIONS[name][1] for i, name in enumerate(ACTIVATIONS)}, "z, a")
