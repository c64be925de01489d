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
    return {
        (node.name, min([node.lineno, *(each.lineno for each in node.decorator_list)])): node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
    }


def tree_of(function: Any) -> ast.FunctionDef | None:
    """The definition of a function; None if its text is not there."""
    code = function.__code__
    return _functions(_source_of(function) or "").get((code.co_name, code.co_firstlineno))


def _source_of(function: Any) -> str | None:
    module = function.__globals__
    if "__source__" in module:
        return str(module["__source__"])
    with suppress(AttributeError, ImportError, KeyError, OSError):
        source: str | None = module["__loader__"].get_source(module["__name__"])
        return source
    # of a notebook's cell, which no loader knows
    return "".join(linecache.getlines(function.__code__.co_filename))
