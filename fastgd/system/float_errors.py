"""Floating-point errors: none inside public calls, as the caller has it in his own functions."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")
_of_caller: ContextVar[Any] = ContextVar("of_caller", default=None)


def quiet(function: Callable[P, R]) -> Callable[P, R]:
    """A public function whose result does not depend on `np.errstate` around its call."""

    @wraps(function)
    def call(*arguments: P.args, **named: P.kwargs) -> R:
        if _of_caller.get() is not None:  # inside another one
            return function(*arguments, **named)
        token = _of_caller.set(np.geterr())
        try:
            with np.errstate(all="ignore"):
                return function(*arguments, **named)
        finally:
            _of_caller.reset(token)

    return call


def as_caller(function: Callable[P, R]) -> Callable[P, R]:
    """A function of the caller's, called inside a `quiet` one with the state that is outside."""
    state = _of_caller.get()

    def call(*arguments: P.args, **named: P.kwargs) -> R:
        token = _of_caller.set(None)
        try:
            with np.errstate(**state):
                return function(*arguments, **named)
        finally:
            _of_caller.reset(token)

    return call if state is not None else function
