"""Formulas as they are written by hand: 2 (a - y) for fma(a, 2, -(y + y)), and a (1 - a)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from fastgd.functions.formula import Formula, number

_Term = tuple[float, tuple[Formula, ...]]  # a number and the factors that it is multiplied by


def by_hand(formula: Formula) -> Formula:
    """The formula, equal but for rounding, with sums and products in the order of reading."""
    result: Formula = formula.changed(_written)
    return result


def _written(node: Formula, inner: tuple[Formula, ...]) -> Formula:
    if node.operation in ("add", "subtract", "multiply", "negative"):
        return _sum(_terms(Formula(node.operation, *inner)))
    if node.operation == "fma":
        x, factor, summand = inner
        return _sum(_terms(Formula("add", Formula("multiply", x, factor), summand)))
    if node.operation == "where" and inner[0].operation == "less":
        return _choice(*inner[0].arguments, *inner[1:])
    return node.with_inner(inner)


def _choice(x: Formula, y: Formula, less: Formula, otherwise: Formula) -> Formula:
    """One of two by x < y: the smaller or the larger of both, or a number without its sign."""
    if {less, otherwise} == {x, y}:
        numbers_last = sorted((x, y), key=lambda each: each.number is not None)
        return Formula("minimum" if less is x else "maximum", *numbers_last)
    turned = Formula("negative", x)
    if y.number == 0 and {less, otherwise} == {x, turned}:
        size = Formula("abs", x)
        return size if otherwise is x else Formula("negative", size)
    return Formula("where", Formula("less", x, y), less, otherwise)


def _terms(node: Formula, factor: float = 1.0) -> list[_Term]:
    """The terms of a sum."""
    if node.operation == "add":
        return [term for each in node.arguments for term in _terms(each, factor)]
    if node.operation == "subtract":
        x, y = node.arguments
        return _terms(x, factor) + _terms(y, -factor)
    if node.operation == "negative":
        return _terms(node.arguments[0], -factor)
    return [_term(node, factor)]


def _term(node: Formula, factor: float) -> _Term:
    """A product, as its number and its other factors."""
    if node.number is not None:
        return factor * node.number, ()
    if node.operation == "negative":
        return _term(node.arguments[0], -factor)
    if node.operation == "multiply":
        first, more = _term(node.arguments[0], factor)
        other, others = _term(node.arguments[1], 1.0)
        return first * other, more + others
    return factor, (node,)


def _sum(terms: Sequence[_Term]) -> Formula:
    """The sum of the terms, those of the same factors once; of two, what they share before it."""
    together: dict[tuple[Formula, ...], float] = {}
    for factor, factors in terms:
        together[factors] = together.get(factors, 0.0) + factor
    left = [(factor, factors) for factors, factor in together.items() if factor]
    if not left:
        return number(0)
    if len(left) == 2:
        factor, shared, left = _shared(*left)
        if factor != 1 or shared:
            return _product((factor, (*shared, _plain_sum(left))))
    return _plain_sum(left)


def _shared(one: _Term, other: _Term) -> tuple[float, tuple[Formula, ...], list[_Term]]:
    """What two terms have in common, and what is left of each."""
    rest, shared = list(other[1]), []
    for each in one[1]:
        if each in rest:
            rest.remove(each)
            shared.append(each)
    own = list(one[1])
    for each in shared:
        own.remove(each)
    size = abs(one[0]) if abs(one[0]) == abs(other[0]) and (own or rest) and own else 1.0
    size = size if rest else 1.0
    return size, tuple(shared), [(one[0] / size, tuple(own)), (other[0] / size, tuple(rest))]


def _plain_sum(terms: Sequence[_Term]) -> Formula:
    ordered = sorted(terms, key=lambda term: term[0] < 0) if terms[0][0] < 0 else terms
    first, *others = ordered
    total = _product(first)
    for factor, factors in others:
        operation = "add" if factor > 0 else "subtract"
        total = Formula(operation, total, _product((abs(factor), factors)))
    return total


def _product(term: _Term) -> Formula:
    """A product, its number first, a square where two factors are the same."""
    factor, factors = term
    parts: list[Formula] = []
    for each in factors:
        if parts and parts[-1] is each:
            parts[-1] = Formula("multiply", each, each)
        else:
            parts.append(each)
    if not parts:
        return number(factor)
    if abs(factor) != 1:
        parts.insert(0, number(abs(factor)))
    product = reduce(lambda x, y: Formula("multiply", x, y), parts)
    return Formula("negative", product) if factor < 0 else product
