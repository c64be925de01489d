"""The activations that are built in, each declared as one's own would be.

An entry here is all that there is to one: kernels, checks, documents and tests read this table.
Meanings and defaults are PyTorch's where it has them.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from fastgd import numeric as n
from fastgd.functions.activation import Activation
from fastgd.functions.table import Table
from fastgd.numeric import where

_built_in = partial(Activation, check=False)  # the tests check each
_PROBABILITY, _UNIT, _POSITIVE = (0.0, 1.0), (-1.0, 1.0), (0.0, math.inf)
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805
_FAR = 40.0  # where e^-z counts for nothing, and products of e^z are finite


def _softplus(z: Any, beta: float = 1.0) -> Any:
    if not beta > 0:
        raise ValueError(f"beta of softplus must be above 0; got {beta:g}")
    return n.softplus(beta * z) / beta


def _softplus_slope(z: Any, a: Any, beta: float) -> Any:
    """The sigmoid, by that of -|z|, which the value takes too."""
    s = n.sigmoid(-abs(beta * z))
    return where(z < 0, s, 1 - s)


def _snake(z: Any, frequency: float = 1.0) -> Any:
    if frequency == 0:
        raise ValueError("frequency of snake must not be 0; got 0")
    return z + n.sin(frequency * z) ** 2 / frequency


def _snake_slope(z: Any, a: Any, frequency: float) -> Any:
    """1 where the numbers are further apart than waves are long."""
    return 1 + n.sin(2 * frequency * where(abs(z) < 1e30, z, 0.0))


def _gelu_tanh_inside(z: Any) -> Any:
    """Twice what the tanh is taken of; z sigmoid of it is 0.5 z (1 + tanh of half)."""
    square = n.minimum(z * z, _FAR**2)  # beyond, it is 0 or 1 in any case
    return math.sqrt(8 / math.pi) * (z + z * (0.044715 * square))


def _gelu_tanh_slope(z: Any, a: Any) -> Any:
    s, square = n.sigmoid(_gelu_tanh_inside(z)), n.minimum(z * z, _FAR**2)
    return s + a * (1 - s) * (math.sqrt(8 / math.pi) * (1 + 3 * 0.044715 * square))


def _gelu_slope(z: Any, a: Any) -> Any:
    """The normal distribution's share below z, which is a / z, and z times its density."""
    return where(abs(z) < 1e-30, 0.5, a / z) + z * n.normal_pdf(z)


def _silu_slope(z: Any, a: Any) -> Any:
    s = n.sigmoid(z)
    return s + a * (1 - s)


def _mish(z: Any) -> Any:
    """z tanh(log(1 + e^z)), which is z s (2 - s) / (1 + (1 - s)^2) with s = sigmoid(z)."""
    s = n.sigmoid(z)
    return z * (s * (2 - s) * (1 / (1 + (1 - s) ** 2)))


def _mish_slope(z: Any, a: Any) -> Any:
    s = n.sigmoid(z)
    c = 1 - s
    r = 1 / (1 + c * c)
    return s * (2 - s) * r + z * (s * (2 * c * r) ** 2)


identity = _built_in(lambda z: z, lambda z, a: 1.0, "identity")
sigmoid = _built_in(  # notes 002 (9), and a (1 - a), (10)
    n.sigmoid, lambda z, a: n.fma(-a, a, a), "sigmoid", bounds=_PROBABILITY
)
tanh = _built_in(n.tanh, lambda z, a: n.fma(-a, a, 1.0), "tanh", bounds=_UNIT)
sin = _built_in(n.sin, lambda z, a: n.cos(z), "sin", bounds=_UNIT)
# as far as it goes number by number: the rest, which takes a whole layer, is the kernels'
softmax = _built_in(lambda z: z, lambda z, a: 1.0, "softmax", bounds=_PROBABILITY, whole_layer=True)

# -- rectifiers and what is like them

relu = _built_in(
    lambda z: where(z < 0, 0.0, z), lambda z, a: where(z > 0, 1.0, 0.0), "relu",
    bounds=_POSITIVE, scheme="he",
)  # fmt: skip
leaky_relu = _built_in(
    lambda z, slope=0.01: where(z < 0, slope * z, z),
    lambda z, a, slope: where(z > 0, 1.0, slope), "leaky_relu", scheme="he",
)  # fmt: skip
elu = _built_in(
    lambda z, alpha=1.0: where(z < 0, alpha * n.expm1(z), z),
    lambda z, a, alpha: where(z > 0, 1.0, a + alpha), "elu", scheme="he",
)  # fmt: skip
selu = _built_in(
    lambda z: _SELU_SCALE * where(z < 0, _SELU_ALPHA * n.expm1(z), z),
    lambda z, a: where(z > 0, _SELU_SCALE, a + _SELU_SCALE * _SELU_ALPHA), "selu",
    bounds=(-_SELU_SCALE * _SELU_ALPHA, math.inf), scheme="he",
)  # fmt: skip
softplus = _built_in(
    _softplus,
    _softplus_slope, "softplus", bounds=_POSITIVE, scheme="he", derived_beside_value=True,
)  # fmt: skip
gelu = _built_in(
    lambda z: z * n.normal_cdf(z), _gelu_slope, "gelu", scheme="he", derived_beside_value=True
)
gelu_tanh = _built_in(
    lambda z: z * n.sigmoid(_gelu_tanh_inside(z)), _gelu_tanh_slope, "gelu_tanh", scheme="he"
)
silu = _built_in(lambda z: z * n.sigmoid(z), _silu_slope, "silu", scheme="he")
mish = _built_in(_mish, _mish_slope, "mish", scheme="he")

# -- bells and steps

softsign = _built_in(
    lambda z: z / (1 + abs(z)), lambda z, a: 1 / (1 + abs(z)) ** 2, "softsign", bounds=_UNIT
)
hard_tanh = _built_in(
    lambda z: where(z <= -1, -1.0, where(z >= 1, 1.0, z)), None, "hard_tanh", bounds=_UNIT
)
hard_sigmoid = _built_in(
    lambda z: where(z <= -3, 0.0, where(z >= 3, 1.0, z * (1 / 6) + 0.5)), None, "hard_sigmoid",
    bounds=_PROBABILITY,
)  # fmt: skip
gaussian = _built_in(
    lambda z: n.exp(-n.minimum(z * z, _FAR**2)), lambda z, a: -2 * (z * a), "gaussian",
    bounds=_PROBABILITY,
)  # fmt: skip
elliot = _built_in(  # between 0 and 1, as FANN has it
    lambda z: where(z < 0, 0.5 / (1 + abs(z)), 1 - 0.5 / (1 + abs(z))),
    lambda z, a: 0.5 / (1 + abs(z)) ** 2, "elliot", bounds=_PROBABILITY,
)  # fmt: skip

# -- powers and others

exp = _built_in(n.exp, lambda z, a: a, "exp", bounds=_POSITIVE)
square = _built_in(lambda z: z * z, lambda z, a: 2 * z, "square", bounds=_POSITIVE)
absolute = _built_in(abs, lambda z, a: n.sign(z), "absolute", bounds=_POSITIVE)
snake = _built_in(
    _snake,
    _snake_slope, "snake",
)  # fmt: skip

ACTIVATIONS = Table(list(globals().values()), Activation)


def activation(name: str, argument: str = "activation") -> Activation:
    """The built-in one of this name, with numbers in brackets if they are not its defaults;
    ValueError or TypeError, naming the argument, if there is none.
    """
    return ACTIVATIONS.find(argument, name)


for _each in ACTIVATIONS.values():
    _each.named = activation
