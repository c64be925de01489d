"""What is taken of Numba besides `numba` and `numba.extending`: versions of it may move that."""

from collections.abc import Callable
from typing import Any

from numba.core import cgutils
from numba.core.compiler_lock import global_compiler_lock
from numba.core.errors import TypingError
from numba.core.registry import cpu_target
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_global

__all__ = [
    "AttributeTemplate",
    "TypingError",
    "cgutils",
    "cpu_target",
    "global_compiler_lock",
    "typing_of",
]


def typing_of(function: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates what gives the signature of a call of `function`, by the types of arguments, or
    None.
    """

    def define(signature_of: Callable[..., Any]) -> Callable[..., Any]:
        @infer_global(function)
        class _Typing(AbstractTemplate):  # type: ignore[misc]
            def generic(self, args: Any, kws: Any) -> Any:
                return signature_of(*args)

        return signature_of

    return define
