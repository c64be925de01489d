"""The activations that are built in, each declared as one's own would be.

An entry here is all that there is to one: kernels, checks, documents and tests read this table.
"""

from __future__ import annotations

import math
from functools import partial

from fastgd import numeric
from fastgd.functions.activation import Activation
from fastgd.functions.table import Table
from fastgd.numeric import cos, fma, where

_built_in = partial(Activation, check=False)  # the tests check each
_PROBABILITY, _UNIT, _POSITIVE = (0.0, 1.0), (-1.0, 1.0), (0.0, math.inf)

identity = _built_in(lambda z: z, lambda z, a: 1.0, "identity")
sigmoid = _built_in(  # notes 002 (9), and a (1 - a), (10)
    numeric.sigmoid, lambda z, a: fma(-a, a, a), "sigmoid", bounds=_PROBABILITY
)
tanh = _built_in(numeric.tanh, lambda z, a: fma(-a, a, 1.0), "tanh", bounds=_UNIT)
relu = _built_in(
    lambda z: where(z < 0, 0.0, z), lambda z, a: where(z > 0, 1.0, 0.0), "relu",
    bounds=_POSITIVE, scheme="he",
)  # fmt: skip
leaky_relu = _built_in(
    lambda z, slope=0.01: where(z < 0, slope * z, z),
    lambda z, a, slope: where(z > 0, 1.0, slope), "leaky_relu", scheme="he",
)  # fmt: skip
sin = _built_in(numeric.sin, lambda z, a: cos(z), "sin", bounds=_UNIT)
# as far as it goes number by number: the rest, which takes a whole layer, is the kernels'
softmax = _built_in(lambda z: z, lambda z, a: 1.0, "softmax", bounds=_PROBABILITY, whole_layer=True)

ACTIVATIONS = Table(list(globals().values()), Activation)


def activation(name: str, argument: str = "activation") -> Activation:
    """The built-in one of this name, with numbers in brackets if they are not its defaults;
    ValueError or TypeError, naming the argument, if there is none.
    """
    return ACTIVATIONS.find(argument, name)


for _each in ACTIVATIONS.values():
    _each.named = activation
