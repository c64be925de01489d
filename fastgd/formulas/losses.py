"""The loss of one output of one sample, and its derivative, once, for one float or one vector of
them.

z is the pre-activation, a the activation, y the target. The derivative of squared error is taken by
a. Those of the cross-entropies are taken by z, where the activation's own derivative cancels; so
are their values, which stay finite when a reaches 0 or 1.
"""

from fastgd.machine.dispatch import by_number
from fastgd.machine.elementary import exp, fma, log1p
from fastgd.machine.jit import merged
from fastgd.machine.vector import like, where_negative
from fastgd.names import LOSSES, PARTNERS


@merged
def squared_error(z, a, y):
    """(a - y)^2, notes 002 (17)."""
    difference = a - y
    return difference * difference


@merged
def squared_error_derivative(a, y):
    """By a: 2 (a - y), notes 002 (20)."""
    return fma(a, like(a, 2.0), -(y + y))


@merged
def binary_cross_entropy(z, a, y):
    """-y log a - (1 - y) log(1 - a) for a = sigmoid(z), which is (max(z, 0) - y z) + log(1 +
    e^-|z|).
    """
    return (where_negative(z, like(z, 0.0), z) - y * z) + log1p(exp(where_negative(z, z, -z)))


@merged
def binary_cross_entropy_derivative(a, y):
    """By z: a - y."""
    return a - y


@merged
def cross_entropy(z, log_sum_exp, y):
    """-y log a for a = softmax(z): y (log sum exp z - z), both less the sample's largest z, whose
    rounding they would share.
    """
    return y * (log_sum_exp - z)


@merged
def cross_entropy_derivative(a, y, total):
    """By z: a * total - y, where `total` is the sum of the sample's targets."""
    return a * total - y


# -- the table, and its functions by number, a name's place in names.LOSSES

CROSS_ENTROPY = LOSSES.index("cross_entropy")
BY_Z = tuple(LOSSES.index(name) for name in PARTNERS)  # whose derivatives are
FUNCTIONS = {  # value and derivative
    "squared_error": (squared_error, squared_error_derivative),
    "binary_cross_entropy": (binary_cross_entropy, binary_cross_entropy_derivative),
    "cross_entropy": (cross_entropy, cross_entropy_derivative),
}

OF_ONE_OUTPUT = {i: FUNCTIONS[name] for i, name in enumerate(LOSSES) if i != CROSS_ENTROPY}

loss_derivative = by_number({i: slope for i, (_, slope) in OF_ONE_OUTPUT.items()}, "a, y")
