"""Many members on threads: those of small networks in the lanes of one compiled loop, others each
by a loop of its own, on a thread of its own.

Training goes in rounds: threads train until all members have ended, or until there is a reason to
stop. Then every member is written back to where it stands, and the next round begins with those
that have not ended.
"""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fastgd.ensemble.runs import Runs
from fastgd.options import Options
from fastgd.samples import Samples
from fastgd.state import EPOCH, STOPPED, STOPS
from fastgd.system.float_errors import quiet
from fastgd.training.loop import Loop
from fastgd.training.progress import ManyProgress
from fastgd.training.run import DivergedError
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
    threads: int
    is_whole: bool = True  # whether all members are written back to where they stand

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
    ) -> None:
        """On each thread, go through the chunks of its rank, which yield their seconds, until there
        is a reason to stop; meanwhile look for one.
        """
        seconds = np.zeros(self.threads)

        @quiet
        def work(rank: int) -> None:
            for elapsed in chunks(rank):
                seconds[rank] += elapsed
                if session.reason is not None:
                    break

        self.is_whole, session.reason = False, None
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="fastgd")
        try:
            running: set[Future[None]] = {pool.submit(work, rank) for rank in range(self.threads)}
            while running:
                done, running = wait(running, LOOK_SECONDS)
                for each in done:
                    each.result()
                session.look(self.progress(session.seconds))
                is_due = session.file is not None and session.file.is_due
                if session.reason is None and running and is_due:
                    session.reason = DUE
        except BaseException:
            session.reason = "interrupt"
            raise
        finally:
            pool.shutdown()
            write_back()  # unless Ctrl-C comes again
            self.is_whole = True
            total = self.members.seconds + float(seconds.max())
            self.members = replace(self.members, seconds=total)

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

    kernel: Lanes  # of the latest round

    def _round(self, session: Session[Runs]) -> None:
        from fastgd.kernels import Lanes

        members = self.members
        self.kernel = kernel = Lanes(
            self.plan, members.options, self.samples, self.threads,
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

        self._over(session, chunks, kernel.flush)

    def _add_costs(self) -> None:
        self.kernel.add_costs()


class OnThreads(SideBySide):
    """Members of which each has a loop of its own, as `train` has it."""

    def _round(self, session: Session[Runs]) -> None:
        members = self.members
        left = np.where(members.running, members.settings.epochs - members.epochs, -1)
        waiting = iter(np.argsort(-left, kind="stable")[: members.running.sum()].tolist())
        lock = threading.Lock()

        def next_one() -> int | None:
            with lock:
                return next(waiting, None)

        def chunks(rank: int) -> Iterator[float]:
            while (member := next_one()) is not None:
                yield self._train(member, session)

        self._over(session, chunks, lambda: None)  # each is put back when it comes

    def _loop(self, member: int) -> Loop:
        """The loop of a member, from where it stands."""
        from fastgd import kernels

        run, samples = self.members[member], self.samples.of(member)
        options = Options(**run.options)
        plan = kernels.plan_for(run.net, samples, options, self.plan.kernel)
        bound = kernels.load(plan, options, samples)
        assert run.state is not None
        return Loop(run, bound, run.state, int(self.members.settings.epochs[member]))

    def _train(self, member: int, session: Session[Runs]) -> float:
        """Train a member until it has ended or there is a reason to stop, and put it back; the
        seconds that it took.
        """
        members, loop = self.members, self._loop(member)
        begun, before = loop.state.epoch, loop.seconds

        def look() -> str | None:
            members.states.cursor[member, EPOCH] = loop.state.epoch
            return None if session.reason is None else DUE

        try:
            run = loop.run_until(look)
        except DivergedError as error:
            run = error.run
        except BaseException:  # the rest of its state is where it was
            members.states.cursor[member, EPOCH] = begun
            raise
        state, slots = run.state, members.states.slots[member]
        assert state is not None
        slots[: len(state.slots)] = state.slots
        members.states[member] = replace(state, slots=slots)
        if run.stopped_by != DUE:  # it has ended
            members.states.cursor[member, STOPPED] = STOPS.index(run.stopped_by)
            members.cost[member] = _or_inf(run.cost)
        return loop.seconds - before

    def _add_costs(self) -> None:
        for member in np.flatnonzero(self.members.running).tolist():
            self.members.cost[member] = _or_inf(self._loop(member).cost())


def _or_inf(cost: float) -> float:
    return cost if np.isfinite(cost) else np.inf
