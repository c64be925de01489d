"""Many members on threads, or by the caller's where that takes little: those of small networks in
the lanes of one compiled loop, others as `on_threads` has it.

Training goes in rounds: threads train until all members have ended, or until there is a reason to
stop. Then every member is written back to where it stands, and the next round begins with those
that have not ended.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.ensemble.runs import Runs
from fastgd.samples import Samples
from fastgd.system.float_errors import quiet
from fastgd.system.processors import available_threads
from fastgd.training.progress import ManyProgress
from fastgd.training.session import Session, Training

if TYPE_CHECKING:
    from fastgd.kernels import Lanes, Plan

LOOK_SECONDS = 0.05  # between one look at the threads and the next, and of a chunk of compiled code
DUE = "checkpoint"  # a reason to stop for a moment
_FIRST_LIMIT = 64  # epochs of the first chunk


@dataclass
class SideBySide(Training[Runs]):
    """Members on their way, and what they are trained by. In every round each thread trains one
    chunk in any case.
    """

    plan: Plan
    samples: Samples
    members: Runs  # in whose arrays they are trained; its seconds are those of the busiest thread
    threads: int | None  # at most; all processors where it is not given
    is_whole: bool = True  # whether all members are written back to where they stand
    is_part: bool = False  # whether plan and options are for others, too, who are elsewhere

    # up to which no thread is started, and members are trained in turn: what starting some takes
    small_seconds: ClassVar[float] = 0.002

    @property
    def nbytes(self) -> int:
        return self.members.nbytes

    def to_end(self, session: Session[Runs]) -> Runs:
        while self.members.running.any():
            self._round(session)
            if session.reason == DUE and session.file is not None:
                self.save(session.file.save)
            elif session.reason is not None:
                self._add_costs()
                return self.members.ended_by(session.reason)
        return self.members

    def so_far(self, error: BaseException | None = None) -> Runs | None:
        """The runs as they are, those that have not ended being interrupted."""
        return self.members.ended_by("interrupt") if self.is_whole else None

    @abstractmethod
    def _round(self, session: Session[Runs]) -> None:
        """Train until all have ended, or the session has a reason to stop."""

    def _over(
        self,
        session: Session[Runs],
        chunks: Callable[[int], Iterator[float]],
        write_back: Callable[[], None],
        *,
        is_small: bool,
    ) -> None:
        """On each thread, go through the chunks of its rank, which yield their seconds, until there
        is a reason to stop; meanwhile look for one. What is little work is done by the caller's.
        """
        seconds = np.zeros(1 if is_small else self._thread_count())
        self.is_whole, session.reason = False, None
        try:
            if is_small:
                self._here(session, chunks(0), seconds)
            else:
                self._on_threads(session, chunks, seconds)
        except BaseException:
            session.reason = "interrupt"
            raise
        finally:
            write_back()  # unless Ctrl-C comes again
            self.is_whole = True
            total = self.members.seconds + float(seconds.max())
            self.members = replace(self.members, seconds=total)

    def _thread_count(self) -> int:
        """How many threads are to train, where there is much to do."""
        return min(self.threads or available_threads(), len(self.members))

    def _seconds_left(self) -> Array:
        """About what it takes to train those that have not ended, and to compute their costs."""
        from fastgd.kernels import epoch_seconds

        members = self.members
        left = members.settings.epochs - members.epochs + 1.0
        an_epoch = epoch_seconds(self.plan, len(members))
        return np.where(members.running, left * an_epoch, 0.0)

    def _here(self, session: Session[Runs], chunks: Iterator[float], seconds: Array) -> None:
        looked = time.perf_counter()
        for elapsed in chunks:
            seconds[0] += elapsed
            if time.perf_counter() - looked >= LOOK_SECONDS:
                self._look(session)
                looked = time.perf_counter()
            if session.reason is not None:
                break
        self._look(session, is_over=True)

    def _on_threads(
        self, session: Session[Runs], chunks: Callable[[int], Iterator[float]], seconds: Array
    ) -> None:
        @quiet
        def work(rank: int) -> None:
            for elapsed in chunks(rank):
                seconds[rank] += elapsed
                if session.reason is not None:
                    break

        count = len(seconds)
        pool = ThreadPoolExecutor(count, thread_name_prefix="fastgd")
        try:
            running: set[Future[None]] = {pool.submit(work, rank) for rank in range(count)}
            while running:
                done, running = wait(running, LOOK_SECONDS)
                for each in done:
                    each.result()
                self._look(session, is_over=not running)
        except BaseException:
            session.reason = "interrupt"  # for those that are running
            raise
        finally:
            pool.shutdown()

    def _look(self, session: Session[Runs], *, is_over: bool = False) -> None:
        """Tell how far all are, and look for a reason to stop."""
        session.look(self.progress(session.seconds) if session.is_heard else None)
        is_due = session.file is not None and session.file.is_due
        if session.reason is None and not is_over and is_due:
            session.reason = DUE

    @abstractmethod
    def _add_costs(self) -> None:
        """Compute the costs of those that have not ended."""

    def progress(self, seconds: float) -> ManyProgress:
        """How far all members are."""
        members, running = self.members, self.members.running
        last, costs = members.settings.epochs, members.cost[~running]
        left, total = int((last - members.epochs)[running].sum()), int(last.sum())
        least = float(costs.min()) if len(costs) else np.nan
        return ManyProgress(total - left, total, least, seconds, len(costs), len(running))


class InLanes(SideBySide):
    """Members in the lanes kernel."""

    kernel: Lanes | None = None  # of the latest round

    def to_end(self, session: Session[Runs]) -> Runs:
        runs = super().to_end(session)
        if self.kernel is not None:
            self.kernel.let_go()
        return runs

    def _round(self, session: Session[Runs]) -> None:
        from fastgd.kernels import Lanes

        members = self.members
        is_small = bool(self._seconds_left().sum() <= self.small_seconds)
        self.kernel = kernel = Lanes(
            self.plan, members.options, self.samples, 1 if is_small else self._thread_count(),
            members.settings, members.states, members.cost,
        )  # fmt: skip

        def chunks(rank: int) -> Iterator[float]:
            kernel.advance(rank, 0)  # compiles
            limit = _FIRST_LIMIT
            while not kernel.is_done(rank):
                before = time.perf_counter()
                # a first look at costs counts for one, and some epoch has to follow
                kernel.advance(rank, limit + 1)
                elapsed = time.perf_counter() - before
                limit = max(1, int(limit * min(10.0, LOOK_SECONDS / max(elapsed, 1e-9))))
                yield elapsed

        self._over(session, chunks, kernel.flush, is_small=is_small)

    def _add_costs(self) -> None:
        assert self.kernel is not None
        self.kernel.add_costs()
