"""What Python does while threads train many members: tell how far they are, and say when they are to stop, and why."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType

from fastgd.system.interrupt import Interrupt
from fastgd.training.progress import Bar, ManyProgress

LOOK_SECONDS = 0.05  # between one look at the threads and the next, and of a chunk of compiled code
DUE = "checkpoint"  # a reason to stop for a moment


@dataclass
class Session:
    """Entered as a context, it answers Ctrl-C; the KeyboardInterrupt that the first one stands for is raised at the end."""

    tell: Callable[[ManyProgress], object] | None
    callback: Callable[[ManyProgress], bool] | None  # whether to stop
    max_seconds: float | None
    on_interrupt: str
    reason: str | None = None  # why threads are to stop
    at_rest: bool = True  # whether no thread is at work
    answers: bool = True  # Ctrl-C, which is left to others otherwise
    begun: float = field(default_factory=time.monotonic)
    interrupt: Interrupt = field(default_factory=Interrupt)
    stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Session:
        if isinstance(self.tell, Bar):
            self.stack.enter_context(self.tell)
        if self.answers:
            self.stack.enter_context(self.interrupt)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stack.close()
        if kind is None and self.interrupt.asked and self.on_interrupt == "raise":
            raise KeyboardInterrupt

    def over(self, work: Callable[[int], None], threads: int, so_far: Callable[[float], ManyProgress], is_due: Callable[[], bool]) -> None:
        """Run `work(rank)` on so many threads to its end, or until there is a reason for it to stop, which it looks for."""
        self.reason, self.at_rest = None, False
        pool = ThreadPoolExecutor(threads, thread_name_prefix="fastgd")
        try:
            running: set[Future[None]] = {pool.submit(work, rank) for rank in range(threads)}
            while running:
                done, running = wait(running, LOOK_SECONDS)
                for each in done:
                    each.result()
                self.look(so_far(time.monotonic() - self.begun))
                if self.reason is None and running and is_due():
                    self.reason = DUE
        except BaseException:
            self.reason = "interrupt"
            raise
        finally:
            pool.shutdown()
            self.at_rest = True  # unless Ctrl-C comes again

    def look(self, progress: ManyProgress) -> None:
        """Tell how far members are; find a reason to stop, unless there is one."""
        self.reason = self.reason or self._reason(progress)

    def _reason(self, progress: ManyProgress) -> str | None:
        if self.tell is not None:
            self.tell(progress)
        if self.callback is not None and self.callback(progress):
            return "callback"
        if self.interrupt.asked:
            return "interrupt"
        return "max_seconds" if self.max_seconds is not None and progress.seconds >= self.max_seconds else None
