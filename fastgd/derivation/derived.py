"""The derivation of one network: what the kernel's lines say, and why it is the derivative.

Forward, the cost, the partial derivatives of activations, then both recursions from the last layer
to the first, as notes 002 and 004 have them. What ends a row of equations is always the kernel's
line; what stands before it is the chain rule, by the partial derivatives of the lines before.
"""

from __future__ import annotations

from fastgd.derivation.deriving import COST, Deriving, partial
from fastgd.derivation.exact import exact
from fastgd.derivation.forward import cost, forward, functions, partials
from fastgd.derivation.layerwise import layerwise
from fastgd.derivation.steps import Derivation
from fastgd.functions.derivative import minus, times
from fastgd.functions.formula import Formula, variable
from fastgd.network import Network


def derived(net: Network) -> Derivation:
    """The derivation, unit by unit."""
    of = Deriving(net)
    for section in (functions, forward, cost, partials, exact):
        section(of)
    if net.loss == "squared_error":
        layerwise(of)
    _update(of)
    return of.derivation


def _update(of: Deriving) -> None:
    text = "Gradient descent, by the rate $\\eta$, of every parameter $p$ at once."
    of.section("Update", text)
    p = variable("p")
    step = times(variable("rate"), partial(COST, p))
    of.add("update", 0, "p", minus(p, step), left=Formula("new", p))
