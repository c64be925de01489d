"""Which names of a function stay what they are where they are read: those need no place in memory.

A suite is a list of statements: a function's body, or what stands indented under a statement.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

Place = tuple[int, ...]  # the suites around it, outermost first


@cache
def names_of(function: ast.FunctionDef) -> tuple[set[str], set[str]]:
    """The names that a function binds; those of them that are bound once, and read in no suite
    around the one that binds them.
    """
    bound: dict[str, list[Place]] = defaultdict(list)
    read: dict[str, list[Place]] = defaultdict(list)
    for argument in function.args.args:
        bound[argument.arg].append(())
    for name, place in _names(function.body, ()):
        if isinstance(name.ctx, ast.Store):
            bound[name.id].append(place)
        else:
            read[name.id].append(place)
    constant = {
        name
        for name, places in bound.items()
        if len(places) == 1 and all(place[: len(places[0])] == places[0] for place in read[name])
    }
    return set(bound), constant


def _names(body: list[ast.stmt], place: Place) -> Iterator[tuple[ast.Name, Place]]:
    for statement in body:
        if isinstance(statement, ast.For):
            yield from _in(statement.iter, place)
            inner = (*place, id(statement.body))
            yield from _in(statement.target, inner)
            yield from _names(statement.body, inner)
        elif isinstance(statement, (ast.If, ast.While)):
            # what a loop tests is read again after its body
            yield from _in(statement.test, place)
            for suite in (statement.body, statement.orelse):
                yield from _names(suite, (*place, id(suite)))
        else:
            yield from _in(statement, place)
            if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
                yield statement.target, place  # which binds what is bound already


def _in(node: Any, place: Place) -> Iterable[tuple[ast.Name, Place]]:
    """All names of a statement without suites, or of an expression."""
    found, left = [], [node]
    while left:
        inner = left.pop()
        if type(inner) is ast.Name:
            found.append((inner, place))
            continue
        for name in inner._fields:
            value = getattr(inner, name)
            if type(value) is list:
                left += value
            elif isinstance(value, ast.AST):
                left.append(value)
    return found
