"""Derivatives of formulas by a variable, exact, by the chain rule."""

from __future__ import annotations

import math
from collections.abc import Callable

from fastgd.functions.formula import TRUTHS, Formula, number, sign, where

ZERO, ONE = number(0), number(1)
_BELL = number(2 / math.sqrt(math.pi))


def plus(x: Formula, y: Formula) -> Formula:
    """x + y."""
    return y if x is ZERO else x if y is ZERO else Formula("add", x, y)


def minus(x: Formula, y: Formula) -> Formula:
    """x - y."""
    return negative(y) if x is ZERO else x if y is ZERO else Formula("subtract", x, y)


def times(x: Formula, y: Formula) -> Formula:
    """x y, where a factor of 0 or 1 is known."""
    if x is ZERO or y is ZERO:
        return ZERO
    if x.number is not None and y.number is not None:
        return number(x.number * y.number)
    return y if x is ONE else x if y is ONE else Formula("multiply", x, y)


def over(x: Formula, y: Formula) -> Formula:
    """x / y."""
    if y.number and x.operation == "multiply" and x.inner[1] is y:
        return x.inner[0]
    return x if x is ZERO or y is ONE else Formula("divide", x, y)


def negative(x: Formula) -> Formula:
    """-x."""
    return x if x is ZERO else number(-x.number) if x.number else Formula("negative", x)


# f' of f(x), given x and f(x)
_SLOPES: dict[str, Callable[[Formula, Formula], Formula]] = {
    "exp": lambda x, f: f,
    "expm1": lambda x, f: plus(f, ONE),
    "log": lambda x, f: over(ONE, x),
    "log1p": lambda x, f: over(ONE, plus(ONE, x)),
    "sqrt": lambda x, f: over(number(0.5), f),
    "sin": lambda x, f: Formula("cos", x),
    "cos": lambda x, f: negative(Formula("sin", x)),
    "tanh": lambda x, f: minus(ONE, times(f, f)),
    "sigmoid": lambda x, f: minus(f, times(f, f)),
    "normal_cdf": lambda x, f: Formula("normal_pdf", x),
    "normal_pdf": lambda x, f: negative(times(x, f)),
    "abs": lambda x, f: sign(x),
    "softplus": lambda x, f: Formula("sigmoid", x),
    "erf": lambda x, f: times(
        number(2 / math.sqrt(math.pi)), Formula("exp", negative(times(x, x)))
    ),
}
FUNCTIONS = tuple(_SLOPES)  # of one number
# f' of f(x), and what compiled code calls that where it shares with f(x) what takes long
_SHARING = {"softplus": ("sigmoid", "softplus_slope")}


def derivative(formula: Formula, by: Formula) -> Formula:
    """The derivative of a formula by one of its variables, all others being constant.

    Where two branches meet it is that of the one that is taken there.
    """

    def change(node: Formula, inner: tuple[Formula, ...]) -> Formula:
        if node is by:
            return ONE
        if all(each is ZERO for each in inner) or node.operation in TRUTHS:
            return ZERO
        return _chained(node, inner)

    result: Formula = formula.changed(change)
    return result


def beside(value: Formula, slope: Formula) -> Formula:
    """The slope, for compiled code that computes the value too, which then shares more."""
    for node in value.nodes():
        if node.operation in _SHARING:
            alone, sharing = (Formula(name, *node.arguments) for name in _SHARING[node.operation])
            slope = slope.replaced(alone, sharing)
    return slope


def _chained(node: Formula, inner: tuple[Formula, ...]) -> Formula:
    """The derivative of an operation, by those of what it is computed of."""
    x, *others = node.arguments
    dx, *rest = inner
    match node.operation:
        case "add":
            return plus(dx, rest[0])
        case "subtract":
            return minus(dx, rest[0])
        case "negative":
            return negative(dx)
        case "multiply":
            return plus(times(dx, others[0]), times(x, rest[0]))
        case "divide":
            if rest[0] is ZERO:
                return over(dx, others[0])
            return over(minus(dx, times(node, rest[0])), others[0])
        case "fma":
            return plus(plus(times(dx, others[0]), times(x, rest[0])), rest[1])
        case "where":
            return where(x, *rest)
        case operation:
            return times(_SLOPES[operation](x, node), dx)
