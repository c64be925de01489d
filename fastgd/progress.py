"""What a running training tells: a small record between chunks, and a bar that shows it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple

from fastgd.checks import Array, shown
from fastgd.float_errors import as_caller


class Progress(NamedTuple):
    """What the functions `progress` and `callback` are told between chunks."""

    epoch: int  # epochs finished
    epochs: int  # to be finished
    cost: float  # the last recorded one
    seconds: float  # in compiled loops so far
    params: Array  # (n_params,) a copy of the latest ones


class ManyProgress(NamedTuple):
    """The same of `train_many`. Members that have ended count with all the epochs that they might have taken."""

    epoch: int  # epochs finished, of all members
    epochs: int  # to be finished
    cost: float  # the least of those that have ended; NaN if none has
    seconds: float  # since the call of train_many
    ended: int  # members that have
    members: int


class Bar:
    """A line on stderr with epochs, cost, epochs a second and the time left; nothing where stderr is no terminal.

    Call it with every `Progress` or `ManyProgress`, inside a `with`.
    """

    def __init__(self, title: str = ""):
        self.title = title
        self.bar: Any = None

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.bar is not None:
            self.bar.close()

    def __call__(self, progress: Any) -> None:
        if self.bar is None:
            from tqdm import tqdm

            first = {"initial": progress.epoch, "total": progress.epochs, "desc": self.title or None}
            self.bar = tqdm(**first, unit=" epochs", unit_scale=True, leave=False, dynamic_ncols=True, disable=not sys.stderr.isatty())
        self.bar.set_postfix_str(f"cost {progress.cost:.6g}", refresh=False)
        self.bar.update(progress.epoch - self.bar.n)


def reporter(progress: object) -> Callable[[Any], object] | None:
    """The function that `progress`, an argument of `train`, stands for."""
    if progress is True:
        return Bar()
    if progress is False or progress is None:
        return None
    if not callable(progress):
        raise TypeError(f"progress must be True, False or a function; got {shown(progress)}")
    return progress if isinstance(progress, Bar) else as_caller(progress)
