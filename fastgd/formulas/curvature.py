"""Second derivatives of activations and losses, from their formulas: by them a gradient changes
where parameters do.
"""

from __future__ import annotations

from fastgd.functions.activation import Activation
from fastgd.functions.derivative import derivative
from fastgd.functions.formula import Formula, variable
from fastgd.functions.loss import Loss
from fastgd.functions.text import compiled


def bend(function: Activation | Loss) -> Formula:
    """Of an activation f''(z), by z and a = f(z); of a loss the slope, by a, of its derivative, be
    that one taken by a or by z.
    """
    if isinstance(function, Loss):
        return derivative(function.slope, variable("a"))
    # not from a derivative that is given, which may be exact only as it stands, as gelu's by a / z
    z, value = variable("z"), function.value
    second = derivative(derivative(value, z), z)
    return second.replaced(value, variable("a")) if value.inner else second


def text_of_derivatives(function: Activation | Loss, number: int) -> str:
    """The first and the second derivative as text over the names of `vocabulary`: the functions
    `activation_slope_3` and `activation_bend_3`, or of `loss`.
    """
    formulas = {"slope": function.slope, "bend": bend(function)}
    return "\n\n\n".join(
        compiled(
            f"{function.what}_{kind}_{number}", function.slope_arguments, formula,
            f"The {kind} of {function.what} {function.name}.",
        )
        for kind, formula in formulas.items()
    )  # fmt: skip
