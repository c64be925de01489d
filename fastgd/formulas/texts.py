"""Activations and losses as text that is compiled, for one float or one vector of them.

A derivative gets the pre-activation z and the activation a = f(z) and uses whichever is cheaper; a
loss gets z, a and the target y, and its derivative a and y. Those of losses that serve one output
alone are by z, others by a. A loss of two outputs gets both, a and b, and y, and so do its
derivatives by each of them.
"""

from __future__ import annotations

from fastgd.functions.activation import Activation
from fastgd.functions.loss import Loss

# what the matrix kernel holds itself, and knows by its place here
HELD_ACTIVATIONS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "sin", "softmax")
HELD_LOSSES = ("squared_error", "binary_cross_entropy", "cross_entropy")


def name_of_held(function: Activation | Loss) -> str:
    """The name of a function by which the matrix kernel would hold it."""
    return function.family if function.whole_layer else function.name


def value_name(function: Activation | Loss) -> str:
    """What its function is called in compiled text."""
    return f"{function.symbol}_{'value' if isinstance(function, Activation) else 'loss'}"


def slope_name(function: Activation | Loss) -> str:
    """What its derivative is called in compiled text."""
    of_loss = "" if isinstance(function, Activation) else "loss_"
    return f"{function.symbol}_{of_loss}derivative"


def slope_by_b_name(loss: Loss) -> str:
    """What the derivative of a loss of two outputs by the second is called in compiled text."""
    return f"{slope_name(loss)}_by_b"


def text_of(function: Activation | Loss, together: bool = False) -> str:
    """All of them, as text over the names of `vocabulary`; `together` for code that computes
    values and derivatives at once.
    """
    arguments, taken = function.arguments, function.slope_arguments
    slopes = [function.compiled_slope(slope_name(function), taken, beside_value=together)]
    if isinstance(function, Loss) and function.of_pairs:
        slopes += [function.compiled_slope(slope_by_b_name(function), taken, "derivative_by_b")]
    elif isinstance(function, Loss) and not function.whole_layer:
        arguments = ("z", "a", "y")
    return "\n\n\n".join([function.compiled(value_name(function), arguments), *slopes]) + "\n"
