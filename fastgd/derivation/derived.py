"""The derivation of one network: what the kernel's lines say, and why it is the derivative.

Forward, the cost, the partial derivatives of activations, then both recursions from the last layer
to the first, as notes 002 and 004 have them. What ends a row of equations is always the kernel's
line; what stands before it is the chain rule, by the partial derivatives of the lines before.
"""

from __future__ import annotations

from fastgd.derivation.deriving import Deriving
from fastgd.derivation.exact import exact
from fastgd.derivation.forward import cost, forward, functions, partials, update
from fastgd.derivation.layerwise import layerwise
from fastgd.derivation.steps import Derivation
from fastgd.network import Network


def derived(net: Network) -> Derivation:
    """The derivation, unit by unit."""
    of = Deriving(net)
    functions(of.derivation)
    for section in (forward, cost, partials, exact):
        section(of)
    if net.loss == "squared_error":
        layerwise(of)
    update(of.derivation)
    return of.derivation
