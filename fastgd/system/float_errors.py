"""Floating-point errors: none inside public calls, as the caller has it in his own functions."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")
# what NumPy ignores them by inside a call, alone in a list; None outside of one
_silence: ContextVar[list[Any] | None] = ContextVar("silence", default=None)


def quiet(function: Callable[P, R]) -> Callable[P, R]:
    """A public function whose result does not depend on `np.errstate` around its call."""

    @wraps(function)
    def call(*arguments: P.args, **named: P.kwargs) -> R:
        if _silence.get() is not None:  # inside another one
            return function(*arguments, **named)
        silence = _begun()
        token = _silence.set(silence)
        try:
            return function(*arguments, **named)
        finally:
            _silence.reset(token)
            silence[0].__exit__(None, None, None)

    return call


def _begun() -> list[Any]:
    """Nothing is heard of floating-point errors from now on."""
    ignored = np.errstate(all="ignore")
    ignored.__enter__()
    return [ignored]


def as_caller(function: Callable[P, R]) -> Callable[P, R]:
    """A function of the caller's, called inside a `quiet` one with the state that is outside."""
    silence = _silence.get()
    if silence is None:
        return function
    silence[0].__exit__(None, None, None)
    state: Any = np.geterr()
    silence[:] = _begun()

    def call(*arguments: P.args, **named: P.kwargs) -> R:
        token = _silence.set(None)
        try:
            with np.errstate(**state):
                return function(*arguments, **named)
        finally:
            _silence.reset(token)

    return call
