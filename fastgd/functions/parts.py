"""Formulas cut into parts: what a formula needs more than once stands beside it by a name, where it
would be long without.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from fastgd.functions.formula import TRUTHS, Formula, variable
from fastgd.functions.languages import latex

_LONG = 300  # nodes of a formula that is written out


class Parts(NamedTuple):
    """A formula of variables and of named parts, which may need parts before them."""

    formula: Formula
    named: dict[str, Formula]


def parts_of(formula: Formula) -> Parts:
    """The formula and what it needs more than once, called t1, t2, ...; all of it one formula, if
    that has at most some hundred nodes.
    """
    nodes = list(formula.nodes())
    uses = Counter(each for node in nodes for each in node.inner)
    sizes: dict[Formula, int] = {}
    for node in nodes:
        sizes[node] = 1 + sum(sizes[each] for each in node.inner)
    if sizes[formula] <= _LONG:
        return Parts(formula, {})
    named: dict[str, Formula] = {}

    def change(node: Formula, inner: tuple[Formula, ...]) -> Formula:
        written = node.with_inner(inner)
        if not inner or uses[node] < 2 or node.operation in TRUTHS:
            return written
        name = f"t{len(named) + 1}"
        named[name] = written
        return variable(name)

    return Parts(formula.changed(change), named)


def latex_of_parts(formula: Formula) -> str:
    """The formula in LaTeX's mathematics, and behind it its parts, if it is cut: of a length that
    grows with what there is to compute, be that needed once or often.
    """
    whole, named = parts_of(formula)
    equations = (f"{latex(variable(name))} = {latex(part)}" for name, part in named.items())
    return r", \quad ".join([latex(whole), *equations])
