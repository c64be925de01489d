"""Warnings that name the caller's own line, however deep in the package they arise."""

from __future__ import annotations

import sys
import warnings

from fastgd.system.forgiving_stream import ForgivingStream


def warn(message: str) -> None:
    """A RuntimeWarning at the innermost line that is not this package's.

    Where warnings are errors it is one; that it can't be shown is none.
    """
    frame, level = sys._getframe(1), 2
    while (
        frame.f_back is not None
        and str(frame.f_globals.get("__name__")).partition(".")[0] == "fastgd"
    ):
        frame, level = frame.f_back, level + 1
    try:
        warnings.warn(message, RuntimeWarning, stacklevel=level)
    except RuntimeWarning:
        raise
    except Exception:  # of a closed stderr, or of whom warnings are shown by
        return


def say(message: str) -> None:
    """A warning about work that goes on, which it may not end: where warnings are errors, it is a
    line on stderr.
    """
    try:
        warn(message)
    except Exception:
        print(f"{RuntimeWarning.__name__}: {message}", file=ForgivingStream(sys.stderr))
