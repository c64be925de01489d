"""Ctrl-C as a question that a loop asks, instead of an exception out of nowhere."""

from __future__ import annotations

import threading

# those of `signal` make enums of handlers, which takes microseconds
from _signal import getsignal, signal  # type: ignore[import-not-found]
from signal import SIGINT, default_int_handler
from types import FrameType


class Interrupt:
    """Inside `with`, or between `begin` and `end`, the first Ctrl-C sets `asked`; the second raises
    KeyboardInterrupt as usual.

    Outside the main thread, or where the program handles SIGINT itself, nothing is changed.
    """

    def __init__(self) -> None:
        self.asked = False
        self.handles = False

    def begin(self) -> None:
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and getsignal(SIGINT) is default_int_handler:
            signal(SIGINT, self._ask)
            self.handles = True

    def end(self) -> None:
        if self.handles:
            signal(SIGINT, default_int_handler)

    def __enter__(self) -> Interrupt:
        self.begin()
        return self

    def __exit__(self, *exception: object) -> None:
        self.end()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
