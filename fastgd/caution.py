"""Warnings that name the caller's own line, however deep in the package they arise."""

from __future__ import annotations

import sys
import warnings


def warn(message: str) -> None:
    """A RuntimeWarning at the innermost line that is not this package's."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "fastgd":
        frame, level = frame.f_back, level + 1
    warnings.warn(message, RuntimeWarning, stacklevel=level)
