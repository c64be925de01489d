"""Warnings that name the caller's own line, however deep in the package they arise."""

from __future__ import annotations

import sys
import warnings

from fastgd.standard_error import Forgiving


def warn(message: str) -> None:
    """A RuntimeWarning at the innermost line that is not this package's."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "fastgd":
        frame, level = frame.f_back, level + 1
    warnings.warn(message, RuntimeWarning, stacklevel=level)


def say(message: str) -> None:
    """A warning about work that goes on, which it may not end: where warnings are errors, it is a line on stderr."""
    try:
        warn(message)
    except Exception:
        print(f"{RuntimeWarning.__name__}: {message}", file=Forgiving(sys.stderr))
