"""Helpers: Python threads that take parts of the work of the compiled loop while it runs; see
`work_queue`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.kernels.structs import TAKEN
from fastgd.machine.linking import c_function

_NONE_YET = 2**16 + 1  # task 0 of one part, which is taken
_NO_MORE = 2**62  # a task without parts
_LINE = 8  # places of a cache line


class Helpers:
    """So many threads, between `start` and `stop`. There may be none: then who leads does
    everything.
    """

    def __init__(self, count: int):
        self.count = count
        self.counters: Array = np.zeros(6 * _LINE, np.int64)
        self._threads: ThreadPoolExecutor | None = None

    def start(self) -> None:
        if self.count:
            self._threads = ThreadPoolExecutor(self.count, thread_name_prefix="fastgd")

    def stop(self) -> None:
        if self._threads is not None:
            self._threads.shutdown()
        self._threads = None

    def have_nothing(self) -> None:
        """Take no part of what follows."""
        self.counters[TAKEN] = _NONE_YET

    @contextmanager
    def at_work(self, calls: list[Callable[[], None]]) -> Iterator[None]:
        """While this lasts, each helper takes parts of what another call does, by a call of its
        own.
        """
        self.have_nothing()
        helping = [self._threads.submit(one) for one in calls] if self._threads is not None else []
        try:
            yield
        finally:
            self.counters[TAKEN] = _NO_MORE
            for each in helping:
                each.result()

    @contextmanager
    def at_call(self, calls: list[Callable[[], None]]) -> Iterator[None]:
        """The same by threads of this call's own, and calls that are ready to be made."""
        self.have_nothing()
        with on_threads(calls, self._have_no_more):
            yield

    def _have_no_more(self) -> None:
        self.counters[TAKEN] = _NO_MORE


@contextmanager
def on_threads(
    calls: Sequence[Callable[[], None]], end: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """While this lasts, other threads make these calls; then `end` tells them to end, and they are
    waited for.
    """
    if not calls:
        yield
        return
    with ThreadPoolExecutor(len(calls), thread_name_prefix="fastgd") as pool:
        begun = [pool.submit(call) for call in calls]
        try:
            yield
        finally:
            end()
            for each in begun:
                each.result()


@cache
def give_way() -> int:
    """The address of the C function that lets another thread run."""
    return c_function("SwitchToThread" if os.name == "nt" else "sched_yield")
