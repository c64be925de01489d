"""Second derivatives of activations and losses, from their formulas: by them a gradient changes
where parameters do.
"""

from __future__ import annotations

from fastgd.functions.activation import Activation
from fastgd.functions.derivative import derivative, plus, times
from fastgd.functions.formula import Formula, variable
from fastgd.functions.loss import Loss
from fastgd.functions.text import compiled


def bend(function: Activation | Loss) -> Formula:
    """Of an activation f''(z), by z and a = f(z); of a loss the slope, by a, of its derivative, be
    that one taken by a or by z.
    """
    by_a = derivative(function.slope, variable("a"))
    if isinstance(function, Loss):
        return by_a
    return plus(derivative(function.slope, variable("z")), times(by_a, function.slope))


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
