"""Plain functions of Python over numbers, compiled for single floats and for vectors.

What they call of a vocabulary is compiled code's own; other functions that they call are compiled
as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from fastgd.machine.jit import merged

# by which the text of a function is found
_ABOUT_MODULE = ("__name__", "__loader__", "__source__")


def compiled(function: Callable[..., Any], vocabulary: Mapping[Any, Any]) -> Any:
    """The function, merged into compiled code that calls it; `vocabulary` has what is called in the
    place of functions of Python's.
    """
    assert isinstance(function, FunctionType)
    outside = function.__globals__
    names = {name: outside[name] for name in _ABOUT_MODULE if name in outside}
    for name in function.__code__.co_names:
        if name in outside:
            names[name] = _own(outside[name], vocabulary)
    return merged(FunctionType(function.__code__, names, function.__name__))


def _own(value: Any, vocabulary: Mapping[Any, Any]) -> Any:
    if not isinstance(value, FunctionType):
        return value
    return vocabulary[value] if value in vocabulary else compiled(value, vocabulary)
