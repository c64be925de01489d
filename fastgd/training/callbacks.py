"""`callback`, a function of the caller's that is told how far training is and may end it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgd.arguments.checks import shown
from fastgd.system.float_errors import as_caller


def check_callback(callback: Any) -> Callable[[Any], bool] | None:
    """Whether training is to stop, as a function of what the callback is told.

    Its answer must be a truth value, Python's or NumPy's, or None.
    """
    if callback is None:
        return None
    if not callable(callback):
        raise TypeError(f"callback must be a function or None; got {shown(callback)}")
    ask = as_caller(callback)

    def stops(progress: Any) -> bool:
        answer = ask(progress)
        if answer is not None and not isinstance(answer, (bool, np.bool_)):
            expected = "True to stop training, False or None to go on"
            raise TypeError(f"callback must return {expected}; got {shown(answer)}")
        return bool(answer)

    return stops
