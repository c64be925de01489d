"""The lines that a kernel compiles, as formulas: each is run once, with symbols for numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fastgd import numeric
from fastgd.formulas.texts import slope_by_b_name, slope_name, value_name
from fastgd.functions.activation import Activation
from fastgd.functions.formula import Formula, variable
from fastgd.functions.loss import Loss
from fastgd.functions.symbols import Number
from fastgd.kernels.generated.lines import Line
from fastgd.network import Network

# before names of the notes' recursion, where it differs from the exact one
LAYERWISE = "layerwise_"


def calls_of(net: Network) -> dict[str, tuple[tuple[str, ...], Formula]]:
    """The functions that its lines call: their arguments, and what they compute of these."""
    functions: dict[Activation | Loss, None] = dict.fromkeys(
        layer.function for layer in net.layers if layer.activation != "identity"
    )
    calls = {}
    for function in [*functions, net.loss_function]:
        if isinstance(function, Loss) or not function.whole_layer:
            calls[value_name(function)] = arguments_of(function), function.value
            calls[slope_name(function)] = function.slope_arguments, function.slope
    loss = net.loss_function
    if loss.of_pairs:
        calls[slope_by_b_name(loss)] = loss.slope_arguments, loss.slope_by_b
    return calls


def arguments_of(function: Activation | Loss) -> tuple[str, ...]:
    """By which its lines call it."""
    if isinstance(function, Activation) or function.whole_layer or function.of_pairs:
        return function.arguments
    return "z", "a", "y"


def formulas_of(lines: Iterable[Line], calls: Iterable[str]) -> dict[str, Formula]:
    """What each name is bound to, in order; of sums over the samples, what one adds.

    Where a name is bound again, by what it was before, it has one formula.
    """
    known: dict[str, Any] = {name: _call(name) for name in calls}
    known |= {"exp": numeric.exp, "log": numeric.log, "where_positive": _larger}
    found: dict[str, Formula] = {}
    for line in lines:
        if line.startswith("#"):
            continue
        name, _, text = line.partition(" += " if line.adds else " = ")
        formula = eval(text, {"__builtins__": {}}, _Symbols(known)).formula
        if name in found:
            formula = formula.replaced(variable(name), found[name])
        found[name] = formula
    return found


class _Symbols(dict[str, Any]):
    """Names that stand for themselves, beside those of functions."""

    def __missing__(self, name: str) -> Number:
        return Number(variable(name))


def _call(name: str) -> Any:
    return lambda *arguments: Number(Formula(name, *(each.formula for each in arguments)))


def _larger(difference: Number, x: Number, y: Number) -> Number:
    """The larger of two, told by their difference: all that lines choose by a sign, of the z of a
    softmax layer.
    """
    if difference.formula is not Formula("subtract", x.formula, y.formula):
        raise NotImplementedError(
            "internal error: lines of a kernel choose by a sign that is not of x - y; got "
            f"{difference.formula} for {x.formula} and {y.formula}"
        )
    return Number(Formula("maximum", x.formula, y.formula))


def substituted(formula: Formula, values: Mapping[str, Formula]) -> Formula:
    """With formulas in the place of some names."""

    def change(node: Formula, inner: tuple[Formula, ...]) -> Formula:
        if node.operation == "variable":
            return values.get(node.arguments[0], node)
        return node.with_inner(inner)

    result: Formula = formula.changed(change)
    return result
