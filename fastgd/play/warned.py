"""The library's warnings, as the session whose thread raises them tells them."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_local = threading.local()


class Warned(list[str]):
    """Warnings of a session, each once."""

    def hear(self, text: str) -> None:
        if text not in self:
            self.append(text)


def hear(warned: Warned) -> None:
    """What this thread warns of from now on is kept there."""
    _local.warned = warned


@contextmanager
def warnings_heard() -> Iterator[None]:
    """Inside, RuntimeWarnings go to the sessions whose threads raise them, and nowhere else."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        warned = getattr(_local, "warned", None)
        if warned is not None:
            warned.hear(" ".join(str(message).split()))

    with warnings.catch_warnings():
        warnings.simplefilter("always", RuntimeWarning)
        warnings.showwarning = show
        yield
