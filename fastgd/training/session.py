"""What Python does while compiled code trains: tell how far it is, and find a reason to end it."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic

from fastgd.arguments.checks import finite_number
from fastgd.arguments.choices import check_name
from fastgd.system.interrupt import Interrupt
from fastgd.training.callbacks import Callbacks, check_callback
from fastgd.training.checkpoint import Checkpoint, Kept, check_checkpoint
from fastgd.training.progress import Teller, reporter

_PAUSE_SECONDS = 0.05  # between two looks whether to go on


@dataclass
class Session(Generic[Kept]):
    """A context in which Ctrl-C is answered; a KeyboardInterrupt for it is raised at the end."""

    tell: Callable[[Any], object] | None  # progress, as a function
    callback: Callable[[Any], bool] | None  # whether to stop
    max_seconds: float | None
    file: Checkpoint[Kept] | None
    on_interrupt: str
    reason: str | None = None  # to stop
    kept: Kept | None = None  # what training has come to, once it has ended
    answers: bool = True  # Ctrl-C, which is left to others otherwise
    begun: float = math.nan
    interrupt: Interrupt = field(default_factory=Interrupt)

    def __enter__(self) -> Session[Kept]:
        self.begin()
        if self._teller is not None:
            self._teller.__enter__()
        if self.answers:
            self.interrupt.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: Any
    ) -> None:
        try:
            if self._teller is not None:
                self._see_off(self._teller, kind, error, trace)
        finally:
            self.interrupt.end()
            if isinstance(self.callback, Callbacks):
                self.callback.ended(self.kept or getattr(error, "run", None))
        if kind is None and self.interrupt.asked and self.on_interrupt == "raise":
            raise KeyboardInterrupt

    def _see_off(self, tell: Teller, *error: Any) -> None:
        """The end is seen, or Ctrl-C ends the wait for that, also where one has ended training."""
        asked, self.interrupt.asked = self.interrupt.asked, False
        try:
            tell.linger(lambda: self.interrupt.asked)
        finally:
            self.interrupt.asked |= asked
            tell.__exit__(*error)

    @property
    def _teller(self) -> Teller | None:
        """Who shows the training for as long as it lasts, if anybody does."""
        return self.tell if self.tell is not None and isinstance(self.tell, Teller) else None

    def begin(self) -> None:
        """Count seconds from now on."""
        self.begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.begun

    @property
    def is_heard(self) -> bool:
        """Whether anybody is told how far training is."""
        return self.tell is not None or self.callback is not None

    def look(self, progress: Any) -> None:
        """Tell how far training is; find a reason to stop, unless there is one."""
        self.reason = self.reason or self._reason(progress)

    def _reason(self, progress: Any) -> str | None:
        if self.tell is not None:
            self.tell(progress)
            if self._teller is not None:
                self._wait_while_paused(self._teller)
        if self.callback is not None and self.callback(progress):
            return "callback"
        if self.interrupt.asked:
            return "interrupt"
        is_over = self.max_seconds is not None and self.seconds >= self.max_seconds
        return "max_seconds" if is_over else None

    def _wait_while_paused(self, tell: Teller) -> None:
        """Seconds in which nothing is trained do not count; to stop there is as Ctrl-C is."""
        before = time.monotonic()
        while tell.waits() and not tell.stops() and not self.interrupt.asked:
            time.sleep(_PAUSE_SECONDS)
        self.begun += time.monotonic() - before
        self.interrupt.asked = self.interrupt.asked or tell.stops()


class Training(ABC, Generic[Kept]):
    """What is trained in a session: one loop, or many members."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes of what a checkpoint holds."""

    @abstractmethod
    def to_end(self, session: Session[Kept]) -> Kept:
        """What it ends in, or comes to until the session has a reason to end it."""

    @abstractmethod
    def so_far(self, error: BaseException | None = None) -> Kept | None:
        """What it has come to, also where an error has ended it; None if that is not worth
        keeping.
        """

    def train(self, session: Session[Kept]) -> Kept:
        """What it ends in; the checkpoint is written first, also where an error ends it."""
        file = session.file
        if file is not None:
            file.prepare(self.nbytes)
        with session:
            try:
                kept = session.kept = self.to_end(session)
            except BaseException as error:
                if file is not None:
                    self.save(file.save_last, error)
                raise
            if file is not None:
                file.save_last(kept)
        return kept

    def save(self, save: Callable[[Kept], None], error: BaseException | None = None) -> None:
        """Save what it has come to, if it is worth keeping."""
        kept = self.so_far(error)
        if kept is not None:
            save(kept)


def check_session(
    given: dict[str, Any],
    checkpoint_of: Callable[[Path, float], Checkpoint[Kept]],
    page: Callable[[], Teller] | None = None,
) -> Session[Kept]:
    """The session for arguments of `train` or `train_many`, whose checkpoint is that of a path, so
    many seconds apart; `page` makes what shows it on a page, where there is one. ValueError or
    TypeError if they are wrong.
    """
    tell, callback = reporter(given["progress"], page), check_callback(given["callback"])
    max_seconds = given["max_seconds"]
    if max_seconds is not None:
        max_seconds = finite_number("max_seconds", max_seconds, least=0.0)
    path, every = check_checkpoint(given)
    check_name("on_interrupt", given["on_interrupt"], ("return", "raise"))
    file = None if path is None else checkpoint_of(path, every)
    return Session(tell, callback, max_seconds, file, given["on_interrupt"])
