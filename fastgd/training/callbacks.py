"""`callback`: functions of the caller's that are told how far training is and may end it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgd.arguments.checks import shown
from fastgd.system.files import reason_of
from fastgd.system.float_errors import as_caller
from fastgd.system.warn import say


class Callbacks:
    """One callback or several as one, each of which is told everything."""

    def __init__(self, callbacks: list[Callable[[Any], object]]):
        self.asks = [as_caller(callback) for callback in callbacks]
        ends = [getattr(callback, "ended", None) for callback in callbacks]
        self.ends = [as_caller(end) for end in ends if callable(end)]

    def __call__(self, progress: Any) -> bool:
        """Whether training is to stop, as any of them says."""
        answers = [_truth(ask(progress)) for ask in self.asks]
        return any(answers)

    def ended(self, run: Any) -> None:
        """Tell those that have a method `ended` what training has come to, or None where an error
        has ended it. What they raise is said, and loses nothing.
        """
        for end in self.ends:
            try:
                end(run)
            except Exception as error:
                say(f"callback.ended has failed: {reason_of(error)}")


def check_callback(callback: Any) -> Callbacks | None:
    """What `callback`, an argument of `train`, stands for: a function, several in a list, or None.

    Their answers must be truth values, Python's or NumPy's, or None.
    """
    if callback is None:
        return None
    several = list(callback) if isinstance(callback, (list, tuple)) else [callback]
    for each in several:
        if not callable(each):
            expected = "a function, a list of functions, or None"
            raise TypeError(f"callback must be {expected}; got {shown(each)}")
    return Callbacks(several) if several else None


def _truth(answer: object) -> bool:
    if answer is not None and not isinstance(answer, (bool, np.bool_)):
        expected = "True to stop training, False or None to go on"
        raise TypeError(f"callback must return {expected}; got {shown(answer)}")
    return bool(answer)
