"""The text of functions as trees, wherever it lies: in files, in archives, or in a kernel's own
text, which stands in its module as `__source__`.
"""

from __future__ import annotations

import ast
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
    module = function.__globals__
    source = module.get("__source__")
    if source is None and (loader := module.get("__loader__")) is not None:
        source = loader.get_source(module["__name__"])
    code = function.__code__
    return _functions(source).get((code.co_name, code.co_firstlineno)) if source else None
