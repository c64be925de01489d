"""Where the code of activations and losses is that the matrix kernel does not hold."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from fastgd.formulas.texts import (
    HELD_ACTIVATIONS,
    HELD_LOSSES,
    name_of_held,
    slope_by_b_name,
    slope_name,
    text_of,
    value_name,
)
from fastgd.functions.activation import Activation
from fastgd.functions.loss import Loss
from fastgd.machine.cache import Entry, entry

_TEXT = '''"""{what} {name}, for the matrix kernel."""

from fastgd.formulas.vocabulary import *
from fastgd.kernels.matrix import by_address, elementwise
from fastgd.machine.jit import kernel


{functions}

value_of = {value_loop}
derivative_of = {slope_loop}


@kernel
def run(address, zero, wanted):
    by_address.{what}(value_of, derivative_of, address, zero, wanted)
'''


def code_of(function: Activation | Loss, dtype: np.dtype[Any]) -> Entry:
    """The loops of a function over a block, compiled."""
    value, slope = value_name(function), slope_name(function)
    if isinstance(function, Loss) and function.of_pairs:
        loops = (
            f"elementwise.weighed(elementwise.summed_pairs({value}))",
            f"elementwise.differentiated_pairs({slope}, {slope_by_b_name(function)})",
        )
    elif isinstance(function, Activation):
        loops = f"elementwise.over_all({value})", f"elementwise.times_all({slope})"
    else:
        loops = (
            f"elementwise.weighed(elementwise.summed({value}))",
            f"elementwise.differentiated({slope})",
        )
    text = _TEXT.format(
        what=function.what, name=function.name, functions=text_of(function),
        value_loop=loops[0], slope_loop=loops[1],
    )  # fmt: skip
    return entry("function", text, "run", dtype)


def number_of(function: Activation | Loss, dtype: np.dtype[Any]) -> int:
    """What the matrix kernel knows a function by: its place among those that it holds, or the
    address of its code, which is compiled if it has not been.
    """
    held = HELD_ACTIVATIONS if isinstance(function, Activation) else HELD_LOSSES
    name = name_of_held(function)
    return held.index(name) if name in held else _address_of(function, dtype)


@cache
def _address_of(function: Activation | Loss, dtype: np.dtype[Any]) -> int:
    return code_of(function, dtype).c_address()
