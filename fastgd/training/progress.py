"""What a running training tells: a small record between chunks, and a bar that shows it."""

from __future__ import annotations

import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any, NamedTuple

from fastgd.arguments.checks import Array, shown
from fastgd.system.float_errors import as_caller
from fastgd.system.forgiving_stream import ForgivingStream


class Progress(NamedTuple):
    """What the functions `progress` and `callback` are told between chunks."""

    epoch: int  # epochs finished
    epochs: int  # to be finished
    cost: float  # the last recorded one
    seconds: float  # in compiled loops so far
    params: Array  # (n_params,) a copy of the latest ones


class ManyProgress(NamedTuple):
    """The same of `train_many`. Members that have ended count with all the epochs that they might
    have taken.
    """

    epoch: int  # epochs finished, of all members
    epochs: int  # to be finished
    cost: float  # the least of those that have ended; NaN if none has
    seconds: float  # since the call of train_many
    ended: int  # members that have
    members: int


class Teller(ABC):
    """What is told between chunks, inside a `with`, and may have training wait or end."""

    def waits(self) -> bool:
        """Whether training is to wait, which it does until another answer."""
        return False

    def stops(self) -> bool:
        """Whether it is to end."""
        return False

    def __enter__(self) -> Teller:
        return self

    @abstractmethod
    def linger(self, hurries: Callable[[], bool]) -> None:
        """Training has ended: wait until that is seen, unless somebody `hurries`."""

    @abstractmethod
    def __exit__(self, kind: type[BaseException] | None = None, *more: object) -> None:
        """Training is over."""

    @abstractmethod
    def __call__(self, progress: Any) -> None:
        """How far it is."""


class Bar(Teller):
    """A line with epochs, cost, epochs a second and the time left.

    It is shown on stderr, if that is a terminal, or in a notebook. Call it with every `Progress` or
    `ManyProgress`, inside a `with`. Where it can't be shown it is not, and raises nothing.
    """

    def __init__(self, title: str = ""):
        self.title = title
        self.bar: Any = None
        self.is_shown = True

    def __enter__(self) -> Bar:
        return self

    def linger(self, hurries: Callable[[], bool]) -> None:
        """A bar is seen while training goes on."""

    def __exit__(self, kind: type[BaseException] | None = None, *more: object) -> None:
        if self.bar is None:
            return
        with suppress(Exception):
            if kind is None:
                # a notebook's bar is red where less came than was expected
                self.bar.total = self.bar.n
            self.bar.close()

    def __call__(self, progress: Any) -> None:
        if not self.is_shown:
            return
        try:
            self.bar = self.bar or self._begin(progress)
            self.bar.set_postfix_str(f"cost {progress.cost:.6g}", refresh=False)
            self.bar.update(progress.epoch - self.bar.n)
        except Exception:
            self.is_shown = False

    def _begin(self, progress: Any) -> Any:
        file, in_notebook = ForgivingStream(sys.stderr), _in_notebook()
        self.is_shown = in_notebook or file.isatty()
        given: dict[str, Any] = {
            "initial": progress.epoch,
            "total": progress.epochs,
            "desc": self.title or None,
            "unit": " epochs",
            "unit_scale": True,
            "leave": False,
            "dynamic_ncols": True,
            "file": file,
            "disable": not self.is_shown,
        }
        with warnings.catch_warnings():
            # that a notebook lacks widgets: it gets a line of text, for which older versions of
            # tqdm raise instead
            warnings.simplefilter("ignore")
            if in_notebook:
                with suppress(ImportError):
                    return import_module("tqdm.auto").tqdm(**given)
            return import_module("tqdm").tqdm(**given)


def _in_notebook() -> bool:
    """Whether a Jupyter kernel runs this; its stderr is no terminal, but shown."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell is not None and "IPKernelApp" in shell.config


def reporter(
    progress: object, page: Callable[[], Teller] | None = None
) -> Callable[[Any], object] | None:
    """The function that `progress`, an argument of `train`, stands for; `page` makes what "page"
    does, where there is one.
    """
    if progress is True:
        return Bar()
    if progress is False or progress is None:
        return None
    if page is not None and isinstance(progress, str) and progress == "page":
        return page()
    if not callable(progress):
        known = "True, False" if page is None else "True, False, 'page'"
        raise TypeError(f"progress must be {known} or a function; got {shown(progress)}")
    return progress if isinstance(progress, Teller) else as_caller(progress)
