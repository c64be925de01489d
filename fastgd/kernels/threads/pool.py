"""Helpers: Python threads that take parts of the work of the compiled loop while it runs; see
`work_queue`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from threading import Lock

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.kernels.codes import TAKEN
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

    @property
    def are_lacking(self) -> bool:
        """Whether there may be some, and none is."""
        return self.count > 0 and self._threads is None

    def start(self) -> None:
        if self.are_lacking:
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
        offered = calls if self._threads is not None else []
        with _offered(self._threads, offered, self._have_no_more):
            yield

    @contextmanager
    def at_call(self, calls: list[Callable[[], None]]) -> Iterator[None]:
        """The same by threads of this call's own, and calls that are ready to be made."""
        self.have_nothing()
        with on_threads(calls, self._have_no_more):
            yield

    def _have_no_more(self) -> None:
        self.counters[TAKEN] = _NO_MORE


class _Offer:
    """A call that a thread may take, until there is an end to it. An executor that can't start a
    thread keeps what it was given, and makes it later: nobody would wait for that.
    """

    def __init__(self, call: Callable[[], None]):
        self._call = call
        self._error: BaseException | None = None
        self._taken, self._over = Lock(), Lock()
        self._over.acquire()

    def take(self) -> None:
        if self._taken.acquire(blocking=False):
            try:
                self._call()
            except BaseException as error:
                self._error = error
            finally:
                self._over.release()

    def is_taken(self) -> bool:
        """Whether somebody has; nobody does from now on."""
        return not self._taken.acquire(blocking=False)

    def error(self) -> BaseException | None:
        """What went wrong; who has taken it is waited for."""
        with self._over:
            return self._error


@contextmanager
def _offered(
    threads: ThreadPoolExecutor | None,
    calls: Sequence[Callable[[], None]],
    end: Callable[[], None],
) -> Iterator[None]:
    """While this lasts, threads may make the calls."""
    offers = [_Offer(call) for call in calls]
    if threads is not None:
        with suppress(RuntimeError):  # the process is ending, or no thread can be started
            for each in offers:
                threads.submit(each.take)
    try:
        yield
    finally:
        end()
        taken = [each for each in offers if each.is_taken()]
        for error in [each.error() for each in taken]:
            if error is not None:
                raise error


@contextmanager
def on_threads(
    calls: Sequence[Callable[[], None]], end: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """While this lasts, other threads make these calls; then `end` tells those that were begun to
    end, and they are waited for. Those that were not are not made.
    """
    if not calls:
        yield
        return
    threads = ThreadPoolExecutor(len(calls), thread_name_prefix="fastgd")
    with threads, _offered(threads, calls, end):
        yield


@cache
def give_way() -> int:
    """The address of the C function that lets another thread run."""
    return c_function("SwitchToThread" if os.name == "nt" else "sched_yield")
