"""The losses that are built in, each declared as one's own would be.

An entry here is all that there is to one: kernels, checks, documents and tests read this table.
"""

from __future__ import annotations

from functools import partial

from fastgd.activations import sigmoid, softmax
from fastgd.functions.loss import Loss
from fastgd.functions.table import Table
from fastgd.numeric import exp, fma, log1p, where

_built_in = partial(Loss, check=False)  # the tests check each
_PROBABILITY = (0.0, 1.0)

squared_error = _built_in(  # notes 002 (17), (20)
    lambda a, y: (a - y) ** 2, lambda a, y: fma(a, 2.0, -(y + y)), "squared_error"
)
# -y log a - (1 - y) log(1 - a), which is (max(z, 0) - y z) + log(1 + e^-|z|)
binary_cross_entropy = _built_in(
    lambda z, y: (where(z < 0, 0.0, z) - y * z) + log1p(exp(where(z < 0, z, -z))),
    lambda a, y: a - y, "binary_cross_entropy", output=sigmoid, targets=_PROBABILITY,
)  # fmt: skip
# -y log a, of a z less the sample's largest, whose rounding that and the sum would share
cross_entropy = _built_in(
    lambda z, log_sum_exp, y: y * (log_sum_exp - z),
    lambda a, y, total: a * total - y, "cross_entropy", output=softmax, targets=_PROBABILITY,
)  # fmt: skip

LOSSES = Table(list(globals().values()), Loss)


def loss(name: str) -> Loss:
    """The built-in one of this name, with numbers in brackets if they are not its defaults;
    ValueError or TypeError if there is none.
    """
    return LOSSES.find("loss", name)


for _each in LOSSES.values():
    _each.named = loss
