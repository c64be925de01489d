"""A derivation as a program, in whatever language: functions of numbers, and what `cost` and each
gradient compute, line by line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fastgd.derivation.kernel_lines import LAYERWISE, calls_of
from fastgd.derivation.steps import Derivation, Equation
from fastgd.functions.by_hand import by_hand
from fastgd.functions.formula import Formula
from fastgd.kernels.generated.equations import parameter_names

_ABOUT = {
    "cost": "The cost: the mean over n rows of the loss of one.",
    "gradient": "The derivative of the cost by each parameter, by the exact recursion, notes 004.",
    "layerwise_gradient": "That of each layer's own cost by its parameters, notes 002 (49)-(52).",
}


ABOUT = (
    "Each line has its number in the derivation, and the equation of the notes of which it is a",
    "case: 002 is the paper, 004 the matrix form. Units, inputs and targets are numbered from 0:",
    "w2_0_1 is the weight of layer 2 to unit 0 from unit 1, b2_0 its bias, z2_0 its",
    "pre-activation, a2_0 its activation, delta2_0 the derivative of the loss by z2_0.",
)


class Line(NamedTuple):
    """name = formula, of one sample, or of the mean over all; its number, and what it cites."""

    name: str
    formula: Formula
    mark: str


@dataclass(frozen=True)
class Part:
    """A function of the program: what it says of itself, its lines, and what it returns."""

    name: str
    about: str
    lines: list[Line]
    results: list[str]

    @property
    def variables(self) -> set[str]:
        """The names that its lines have."""
        return set().union(*(line.formula.variables for line in self.lines))


class Function(NamedTuple):
    """name(arguments) = formula, of numbers; its number, and what it cites."""

    name: str
    arguments: tuple[str, ...]
    formula: Formula
    mark: str


class Program:
    """What every language writes: functions of numbers, and parts that call them."""

    def __init__(self, derivation: Derivation):
        self.net, self._derivation = derivation.net, derivation
        self._calls = calls_of(self.net)
        known = {equation.name for equation in derivation.equations}
        exact = [f"d{name}" for name in parameter_names(self.net)]
        results = {"cost": ["loss"], "gradient": exact}
        if self.net.loss == "squared_error":
            own = [LAYERWISE + name if LAYERWISE + name in known else name for name in exact]
            results["layerwise_gradient"] = own
        self.parts = [self._part(name, names) for name, names in results.items()]
        called = {node.operation for formula in self._formulas() for node in formula.nodes()}
        marks = {each.left.operation: mark_of(each) for each in derivation.equations if each.left}
        self.functions = [
            Function(name, self._needed(name), by_hand(formula), marks[name])
            for name, (_, formula) in self._calls.items()
            if name in called
        ]

    @property
    def operations(self) -> set[str]:
        """All that is computed in it."""
        formulas = [*self._formulas(), *(each.formula for each in self.functions)]
        return {node.operation for formula in formulas for node in formula.nodes()}

    def _part(self, name: str, results: list[str]) -> Part:
        """The lines that the results need, from the last to the first."""
        needed, lines = set(results), []
        for each in reversed(self._derivation.equations):
            if each.name in needed:
                lines.append(Line(each.name, self._simple(each.right), mark_of(each)))
                needed |= lines[-1].formula.variables
        return Part(name, _ABOUT[name], lines[::-1], results)

    def _formulas(self) -> Iterator[Formula]:
        """Those of all lines."""
        return (line.formula for part in self.parts for line in part.lines)

    def _needed(self, name: str) -> tuple[str, ...]:
        """The arguments that a function needs."""
        arguments, formula = self._calls[name]
        used = formula.variables
        return tuple(each for each in arguments if each in used)

    def _simple(self, formula: Formula) -> Formula:
        """With calls that have only what the functions need, and of which none is of nothing."""

        def change(node: Formula, inner: tuple[Formula, ...]) -> Formula:
            if node.operation not in self._calls:
                return node.with_inner(inner)
            arguments, of = self._calls[node.operation]
            needed = self._needed(node.operation)
            given = [each for name, each in zip(arguments, inner, strict=True) if name in needed]
            return Formula(node.operation, *given) if given else of

        result: Formula = formula.changed(change)
        return result


def mark_of(equation: Equation) -> str:
    """The number of an equation, and what it cites."""
    return " ".join([f"({equation.number})", ", ".join(equation.cites)]).strip()


def wrapped(items: Sequence[str], room: int) -> list[str]:
    """Items between commas, in lines of so many letters."""
    lines = [""]
    for item in items:
        if lines[-1] and len(lines[-1]) + len(item) + 2 > room:
            lines.append("")
        lines[-1] += f"{' ' if lines[-1] else ''}{item},"
    return lines
