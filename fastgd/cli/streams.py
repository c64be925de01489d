"""The standard streams of a command: what stderr refuses changes nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from typing import Any

from fastgd.system.forgiving_stream import ForgivingStream


@contextmanager
def safe_streams() -> Iterator[None]:
    """Inside, stderr takes whatever is written, and stdout escapes what its encoding lacks."""
    _fill_closed_descriptors()
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115 (which is empty then)
    stderr, stdout = sys.stderr, sys.stdout
    errors = getattr(stdout, "errors", None)
    _set_errors(stdout, "backslashreplace")
    try:
        with redirect_stderr(ForgivingStream(stderr)):
            yield
    finally:
        drop_what_is_refused(stderr)
        drop_what_is_refused(stdout)
        _set_errors(stdout, errors)


def drop_what_is_refused(stream: Any) -> None:
    """The interpreter flushes streams once more at exit, and would complain on its own."""
    try:
        if stream is not None:
            stream.flush()
    except Exception:
        with suppress(Exception):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _set_errors(stream: Any, errors: str | None) -> None:
    """What a stream does about characters that its encoding lacks, where it can be told."""
    with suppress(Exception):
        stream.reconfigure(errors=errors)


def _fill_closed_descriptors() -> None:
    """Else a file that is opened takes a stream's place, and gets what native code prints there."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
