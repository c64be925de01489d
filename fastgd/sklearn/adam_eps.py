"""Adam's eps as scikit-learn has it."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgd.arguments.checks import Array

_AHEAD = 256  # updates for which it is computed at a time


class AdamEps:
    """What the loop is to be told, so that eps is the one of (fits,) after its correction for the
    moments' beginning at 0, which scikit-learn leaves out; `done` updates were made before.
    """

    def __init__(self, eps: Array, beta2: Array, done: int):
        self._eps, self._beta2, self._done = eps, beta2, done
        self._ahead: list[Any] = []

    def next(self) -> Any:
        """(fits,) for the next update; of a single fit a number."""
        if not self._ahead:
            t = np.arange(self._done + 1, self._done + _AHEAD + 1)[:, None]
            values = self._eps / np.sqrt(1 - self._beta2**t)
            self._ahead = values[::-1, 0].tolist() if len(self._eps) == 1 else list(values[::-1])
        self._done += 1
        return self._ahead.pop()
