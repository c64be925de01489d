"""The text of functions as trees, wherever it lies: in files, in archives, in the cells of a
notebook, or in a kernel's own text, which stands in its module as `__source__`.
"""

from __future__ import annotations

import ast
import linecache
from contextlib import suppress
from functools import cache
from typing import Any


@cache
def _functions(source: str) -> dict[tuple[str, int], ast.FunctionDef]:
    """By their names and the lines that they begin at, decorators included."""
    found, left = {}, list[ast.AST](ast.parse(source).body)
    while left:  # statements stand in statements alone, and in what handles an error
        node = left.pop()
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            found[node.name, first] = node
        for suite in ("body", "orelse", "finalbody", "handlers", "cases"):
            left += getattr(node, suite, ())
    return found


def tree_of(function: Any, texts: dict[Any, str]) -> ast.FunctionDef | None:
    """The definition of a function; None if its text is not there. Texts that have been read are
    kept in `texts`.
    """
    code = function.__code__
    place = id(function.__globals__), code.co_filename
    if place not in texts:
        texts[place] = _source_of(function) or ""
    return _functions(texts[place]).get((code.co_name, code.co_firstlineno))


def _source_of(function: Any) -> str | None:
    module = function.__globals__
    if "__source__" in module:
        return str(module["__source__"])
    with suppress(AttributeError, ImportError, KeyError, OSError):
        source: str | None = module["__loader__"].get_source(module["__name__"])
        return source
    # of a notebook's cell, which no loader knows
    return "".join(linecache.getlines(function.__code__.co_filename))
