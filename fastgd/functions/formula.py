"""Formulas: numbers, variables and what is computed of them, as nodes that others may share.

Nodes that say the same are one object, so that what is written twice is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar
from weakref import WeakValueDictionary

OPERATORS = ("add", "subtract", "multiply", "divide", "negative")
COMPARISONS = ("less", "less_equal", "equal")
TRUTHS = (*COMPARISONS, "and", "or", "not")


class Formula:
    """A node: "number" of a float, "variable" of a name, or an operation of other nodes.

    Operations are OPERATORS, TRUTHS, and the functions of `fastgd.numeric`, where sign,
    maximum and minimum are written as comparisons.
    """

    __slots__ = ("__weakref__", "arguments", "operation")
    _known: ClassVar[WeakValueDictionary[Any, Formula]] = WeakValueDictionary()
    operation: str
    arguments: tuple[Any, ...]

    def __new__(cls, operation: str, *arguments: Any) -> Formula:
        key = operation, *(id(a) if isinstance(a, Formula) else repr(a) for a in arguments)
        found = cls._known.get(key)
        if found is None:
            found = object.__new__(cls)
            found.operation, found.arguments = operation, arguments
            cls._known[key] = found
        return found

    def __reduce__(self) -> Any:
        """As a list of its nodes, however deep they lie, by the places of those inside."""
        places: dict[Formula, int] = {}
        for node in self.nodes():
            places[node] = len(places)
        told = [
            (node.operation, [places[each] for each in node.inner] or node.arguments)
            for node in places
        ]
        return _restored, (told,)

    @property
    def inner(self) -> tuple[Formula, ...]:
        """The nodes that it is computed of."""
        return () if self.operation in ("number", "variable") else self.arguments

    def with_inner(self, inner: tuple[Formula, ...]) -> Formula:
        """Its operation of other nodes, as many as it is computed of."""
        return Formula(self.operation, *inner) if inner else self

    @property
    def variables(self) -> set[str]:
        """The names that it has."""
        return {node.arguments[0] for node in self.nodes() if node.operation == "variable"}

    @property
    def number(self) -> float | None:
        """What it is worth, if it is a number."""
        return self.arguments[0] if self.operation == "number" else None

    def nodes(self) -> Iterator[Formula]:
        """All that it is made of, each once, what is computed first before what needs it."""
        seen: set[Formula] = set()
        waiting = [(self, False)]
        while waiting:
            node, is_ready = waiting.pop()
            if is_ready:
                yield node
            elif node not in seen:
                seen.add(node)
                waiting.append((node, True))
                waiting += [(each, False) for each in reversed(node.inner)]

    def changed(self, change: Callable[[Formula, tuple[Any, ...]], Any]) -> Any:
        """What `change` makes of a node, given what it has made of those inside."""
        made: dict[Formula, Any] = {}
        for node in self.nodes():
            made[node] = change(node, tuple(made[each] for each in node.inner))
        return made[self]

    def replaced(self, old: Formula, new: Formula) -> Formula:
        """With one node in the place of another."""

        def change(node: Formula, inner: tuple[Formula, ...]) -> Formula:
            return new if node is old else node.with_inner(inner)

        result: Formula = self.changed(change)
        return result


def _restored(told: list[tuple[str, Any]]) -> Formula:
    """The last one of nodes that are told one after the other."""
    made: list[Formula] = []
    for operation, arguments in told:
        is_leaf = operation in ("number", "variable")
        made.append(Formula(operation, *(arguments if is_leaf else (made[i] for i in arguments))))
    return made[-1]


def number(value: float) -> Formula:
    """A number."""
    return Formula("number", float(value))


def variable(name: str) -> Formula:
    """A variable."""
    return Formula("variable", name)


def where(truth: Formula, yes: Formula, no: Formula) -> Formula:
    """One of two."""
    return yes if yes is no else Formula("where", truth, yes, no)


def sign(x: Formula) -> Formula:
    """1, -1, or 0, or NaN where x is."""
    zero = Formula("multiply", number(0), x)
    negative = where(Formula("less", x, number(0)), number(-1), zero)
    return where(Formula("less", number(0), x), number(1), negative)


def larger(x: Formula, y: Formula) -> Formula:
    """The larger of two; NaN where a variable part of it is."""
    return _extreme(x, y, lambda one, other: Formula("less", one, other))


def smaller(x: Formula, y: Formula) -> Formula:
    """The smaller of two; NaN where a variable part of it is."""
    return _extreme(x, y, lambda one, other: Formula("less", other, one))


def _extreme(x: Formula, y: Formula, before: Callable[[Formula, Formula], Formula]) -> Formula:
    if x.number is not None:
        x, y = y, x
    if y.number is None:  # where y is NaN, no comparison holds
        x = where(Formula("equal", y, y), x, y)
    return where(before(x, y), y, x)
