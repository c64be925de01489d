"""Plain functions of Python that become part of compiled code."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from types import FunctionType
from typing import Any


def mark_of(*functions: Callable[..., Any] | None) -> str:
    """A hash of functions and of those that they call; "" where all are of this package, by whose
    sources compiled code is known anyway.
    """
    found: dict[Any, None] = {}
    for function in functions:
        _collect(function, found)
    if all(each.__module__.startswith("fastgd.") for each in found):
        return ""
    return hashlib.sha256(repr([_content(each) for each in found]).encode()).hexdigest()[:20]


def _collect(function: Any, found: dict[Any, None]) -> None:
    if isinstance(function, FunctionType) and function not in found:
        found[function] = None
        for name in function.__code__.co_names:
            _collect(function.__globals__.get(name), found)


def _content(function: Any) -> tuple[Any, ...]:
    """What a function does: its code, and the numbers that it finds outside."""
    code = function.__code__
    numbers = [function.__globals__.get(name) for name in code.co_names]
    known = [each for each in numbers if isinstance(each, (int, float))]
    return code.co_name, code.co_varnames, code.co_names, code.co_code, code.co_consts, known
