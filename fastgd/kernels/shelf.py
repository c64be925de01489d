"""What was bound for a call is kept for the next one of its kind."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable
from typing import Any, Protocol, TypeVar

_MOST_BYTES = 2**26
_MOST_KEYS = 64


class Kept(Protocol):
    """What may lie on a shelf: memory, and none of the caller's."""

    @property
    def nbytes(self) -> int: ...


T = TypeVar("T", bound=Kept)


class Shelf:
    """Things by key. Whoever takes one has it alone until it is put back: two threads have two, and
    so has a call within a call. What was made first goes first.
    """

    def __init__(self) -> None:
        self.clear()
        if hasattr(os, "register_at_fork"):  # a thread that is not there may hold the lock
            os.register_at_fork(after_in_child=self.clear)

    def clear(self) -> None:
        """Keep nothing."""
        self._free: dict[Hashable, list[Any]] = {}
        self._lock = threading.RLock()  # the handler of a signal may call while we hold it

    def take(self, key: Hashable, make: Callable[[], T]) -> T:
        """One that is free, or a new one."""
        one: T | None = self.find(key)
        return self.made(make()) if one is None else one

    def find(self, key: Hashable) -> Any:
        """One that is free, or None."""
        try:
            return self._free[key].pop()
        except LookupError:
            return None

    def made(self, one: T) -> T:
        """A new one, for which there is room from now on."""
        self._make_room(one.nbytes)
        return one

    def put_back(self, key: Hashable, one: Kept) -> None:
        """Keep it for the next one who wants one, unless it is very large."""
        if one.nbytes <= _MOST_BYTES:
            self._free.setdefault(key, []).append(one)

    def _make_room(self, nbytes: int) -> None:
        with self._lock:
            kept = list(self._free.items())
            sizes = [sum(one.nbytes for one in free) for _, free in kept]
            total = nbytes + sum(sizes)
            for i, (key, _) in enumerate(kept):
                if total <= _MOST_BYTES and len(kept) - i < _MOST_KEYS:
                    break
                self._free.pop(key, None)
                total -= sizes[i]


shelf = Shelf()
