"""What Python does while threads train many members: tell them when they are to stop, and why."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from fastgd.ensemble.runs import Runs
from fastgd.training import session
from fastgd.training.progress import ManyProgress

LOOK_SECONDS = 0.05  # between one look at the threads and the next, and of a chunk of compiled code
DUE = "checkpoint"  # a reason to stop for a moment


@dataclass
class Session(session.Session[Runs]):
    """A session of threads, which look at its `reason` and stop when there is one."""

    at_rest: bool = True  # whether no thread is at work

    def over(
        self,
        work: Callable[[int], None],
        threads: int,
        so_far: Callable[[float], ManyProgress],
    ) -> None:
        """Run `work(rank)` on so many threads, until it ends or sees that there is a reason to."""
        self.reason, self.at_rest = None, False
        pool = ThreadPoolExecutor(threads, thread_name_prefix="fastgd")
        try:
            running: set[Future[None]] = {pool.submit(work, rank) for rank in range(threads)}
            while running:
                done, running = wait(running, LOOK_SECONDS)
                for each in done:
                    each.result()
                self.look(so_far(self.seconds))
                if self.reason is None and running and self.file is not None and self.file.is_due:
                    self.reason = DUE
        except BaseException:
            self.reason = "interrupt"
            raise
        finally:
            pool.shutdown()
            self.at_rest = True  # unless Ctrl-C comes again
