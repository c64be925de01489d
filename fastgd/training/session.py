"""What Python does around the chunks of a run: tell how far it is, end it, write its checkpoint, answer Ctrl-C. It changes no number."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from fastgd.arguments.checks import check_name, finite_number
from fastgd.samples import Samples
from fastgd.system.interrupt import Interrupt
from fastgd.training.callbacks import check_callback
from fastgd.training.checkpoint import Checkpoint, check_checkpoint, checkpoint_of_run
from fastgd.training.loop import Loop
from fastgd.training.progress import Bar, Progress, reporter
from fastgd.training.run import DivergedError, Run


@dataclass(frozen=True)
class Session:
    """Arguments of `train`, checked by `check_between_chunks`."""

    tell: Callable[[Progress], object] | None  # progress, as a function
    callback: Callable[[Progress], bool] | None  # whether to stop
    max_seconds: float | None
    checkpoint: Checkpoint[Run] | None
    on_interrupt: str

    def train(self, loop: Loop) -> Run:
        """The run that the loop ends in; its checkpoint is written first, also where an error ends it."""
        file = self.checkpoint
        if file is not None:
            file.prepare(loop.state.nbytes)
        with ExitStack() as stack:
            stack.enter_context(loop.kernel)
            if isinstance(self.tell, Bar):
                stack.enter_context(self.tell)
            interrupt = stack.enter_context(Interrupt())
            loop.compile()
            try:
                run = loop.finished(self._go(loop, interrupt))
            except BaseException as error:
                if not isinstance(error, DivergedError):
                    self._save(loop, last=True)
                raise
            if file is not None:
                file.save_last(run)
        if interrupt.asked and self.on_interrupt == "raise":
            raise KeyboardInterrupt
        return run

    def _go(self, loop: Loop, interrupt: Interrupt) -> str | None:
        """Train to the end, or to what ends it between two chunks; what that was."""
        start = time.monotonic()
        if interrupt.asked:  # while compiling
            return "interrupt"
        for _ in loop.chunks():
            is_to_stop = self._told(loop)
            if loop.is_done:
                break
            if is_to_stop:
                return "callback"
            if interrupt.asked:
                return "interrupt"
            if self.max_seconds is not None and time.monotonic() - start >= self.max_seconds:
                return "max_seconds"
            if self.checkpoint is not None and self.checkpoint.is_due:
                self._save(loop)
        return None

    def _save(self, loop: Loop, last: bool = False) -> None:
        """Write the run so far, unless it is on its way to a DivergedError: then the file keeps an earlier state."""
        if self.checkpoint is not None and loop.has_finite_cost():
            save = self.checkpoint.save_last if last else self.checkpoint.save
            save(loop.so_far("interrupt"))

    def _told(self, loop: Loop) -> bool:
        """Whether the callback, told how far the loop is, asks it to stop."""
        if self.tell is None and self.callback is None:
            return False
        progress = Progress(loop.state.epoch, loop.epochs, loop.latest_cost, loop.seconds, loop.params.copy())
        if self.tell is not None:
            self.tell(progress)
        return self.callback is not None and self.callback(progress)


def check_session(samples: Samples, held_out: Samples | float | None, given: dict[str, Any]) -> Session:
    """Those for a training on these rows, or a ValueError or TypeError that names what is wrong; no file is looked at yet."""
    tell, callback = reporter(given["progress"]), check_callback(given["callback"])
    max_seconds = given["max_seconds"]
    if max_seconds is not None:
        max_seconds = finite_number("max_seconds", max_seconds, least=0.0)
    path, every = check_checkpoint(given)
    check_name("on_interrupt", given["on_interrupt"], ("return", "raise"))
    file = None if path is None else checkpoint_of_run(path, every, samples, held_out)
    return Session(tell, callback, max_seconds, file, given["on_interrupt"])
