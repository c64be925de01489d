"""The activations and losses that the matrix kernel holds, as functions of compiled code."""

from __future__ import annotations

from typing import Any

from fastgd.activations import ACTIVATIONS
from fastgd.formulas import vocabulary
from fastgd.formulas.texts import (
    HELD_ACTIVATIONS,
    HELD_LOSSES,
    slope_name,
    text_of,
    value_name,
)
from fastgd.functions.activation import Activation
from fastgd.functions.loss import Loss
from fastgd.losses import LOSSES
from fastgd.machine.dispatch import by_number


def _functions_of(function: Activation | Loss) -> tuple[Any, Any]:
    """Its value and its derivative, to be merged into those that call them."""
    names = vars(vocabulary) | {"__source__": text_of(function)}
    exec(names["__source__"], names)
    return names[value_name(function)], names[slope_name(function)]


# value and derivative of each at its place; of softmax, what is done number by number
OF_ACTIVATIONS = [_functions_of(ACTIVATIONS[name]) for name in HELD_ACTIVATIONS]
SOFTMAX = HELD_ACTIVATIONS.index("softmax")
derivative = by_number({i: slope for i, (_, slope) in enumerate(OF_ACTIVATIONS)}, "z, a")

OF_LOSSES = [_functions_of(LOSSES[name]) for name in HELD_LOSSES]
CROSS_ENTROPY = HELD_LOSSES.index("cross_entropy")
OF_ONE_OUTPUT = {i: pair for i, pair in enumerate(OF_LOSSES) if i != CROSS_ENTROPY}
loss_derivative = by_number({i: slope for i, (_, slope) in OF_ONE_OUTPUT.items()}, "a, y")
cross_entropy, cross_entropy_derivative = OF_LOSSES[CROSS_ENTROPY]
