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
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.ensemble.runs import Runs
from fastgd.samples import Samples
from fastgd.state import EPOCH, STOPPED, STOPS, State
from fastgd.system.float_errors import quiet
from fastgd.training.loop import Loop
from fastgd.training.progress import ManyProgress
from fastgd.training.run import DivergedError
from fastgd.training.session import Session, Training

if TYPE_CHECKING:
    from fastgd.kernels import Bound, Lanes, Plan

LOOK_SECONDS = 0.05  # between one look at the threads and the next, and of a chunk of compiled code
DUE = "checkpoint"  # a reason to stop for a moment
_FIRST_LIMIT = 64  # epochs of the first chunk
# up to which no thread is started, and members are trained in turn: about what starting some takes
_SMALL_SECONDS = 0.002
_MOST_IN_TURN = 256  # members, each of which takes some microseconds of Python's time


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
        is a reason to stop; meanwhile look for one. What is little work is done by the caller's.
        """
        seconds = np.zeros(self.threads)
        self.is_whole, session.reason = False, None
        try:
            if self._seconds_left().sum() <= _SMALL_SECONDS:
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

    def _seconds_left(self) -> Array:
        """About what it takes to train those that have not ended, and to compute their costs."""
        members = self.members
        left = members.settings.epochs - members.epochs + 1.0
        return np.where(members.running, left * self.plan.seconds, 0.0)

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

        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="fastgd")
        try:
            running: set[Future[None]] = {pool.submit(work, rank) for rank in range(self.threads)}
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
        session.look(self.progress(session.seconds) if session.is_watched else None)
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
    """Members of which each has a loop of its own, as `train` has it. Those that take little are
    trained in turn, through to their end.
    """

    def _round(self, session: Session[Runs]) -> None:
        waiting, lock = self._pieces(session), threading.Lock()

        def next_piece() -> Callable[[], float] | None:
            with lock:
                return next(waiting, None)

        def chunks(rank: int) -> Iterator[float]:
            while (piece := next_piece()) is not None:
                yield piece()

        self._over(session, chunks, lambda: None)  # each is put back when it comes

    def _pieces(self, session: Session[Runs]) -> Iterator[Callable[[], float]]:
        """The work of one thread at a time, which comes to seconds; that of the longest members
        first.
        """
        seconds = self._seconds_left()
        order = np.argsort(-seconds, kind="stable")[: self.members.running.sum()]
        is_small = (seconds[order] <= _SMALL_SECONDS) & (not self.plan.hidden_halves)
        for member in order[~is_small].tolist():
            yield partial(self._train, member, session)
        small = order[is_small]
        kinds = self.members.settings.kinds[small]
        for kind in sorted(set(kinds.tolist())):
            alike = small[kinds == kind]
            most = int(min(_MOST_IN_TURN, _SMALL_SECONDS / seconds[alike[0]]))
            count = 1 if any(self.samples.are_own) else most
            for start in range(0, len(alike), count):
                yield partial(self._train_in_turn, alike[start : start + count], session)

    def _kernel(self, member: int) -> Bound:
        """One that is bound to the options and the rows of a member."""
        from fastgd import kernels

        members, samples = self.members, self.samples.of(member)
        options = members.options_of(member)
        plan = kernels.plan_for(members.net, samples, options, self.plan.kernel)
        return kernels.load(plan, options, samples)

    def _loop(self, member: int) -> Loop:
        """The loop of a member, from where it stands."""
        run, last = self.members[member], int(self.members.settings.epochs[member])
        assert run.state is not None
        return Loop(run, self._kernel(member), run.state, last)

    def _train_in_turn(self, some: Array, session: Session[Runs]) -> float:
        """Train members of one kind to their ends and put them back; the seconds that it took."""
        from fastgd import kernels

        members, kernel = self.members, self._kernel(int(some[0]))
        begun = members.states_of(some, kernel.options.optimizer.slots)
        in_turn = kernels.InTurn(kernel, members.settings[some], begun)
        before = time.perf_counter()
        states, costs = in_turn.train()
        elapsed, ended = time.perf_counter() - before, ~np.isnan(costs)
        self._put(some[ended], states[ended])
        members.cost[some[ended]] = costs[ended]
        for member in some[~ended].tolist():
            elapsed += self._train(member, session)  # which says where a number stops being finite
        return elapsed

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
        assert run.state is not None
        self._put(member, run.state)
        if run.stopped_by != DUE:  # it has ended
            members.states.cursor[member, STOPPED] = STOPS.index(run.stopped_by)
            members.cost[member] = _or_inf(run.cost)
        return loop.seconds - before

    def _put(self, some: int | Array, states: State) -> None:
        """Put one member back, or several."""
        all_states = self.members.states
        slots = all_states.slots[some]
        slots[..., : states.slots.shape[-2], :] = states.slots
        all_states[some] = replace(states, slots=slots)

    def _add_costs(self) -> None:
        for member in np.flatnonzero(self.members.running).tolist():
            self.members.cost[member] = _or_inf(self._loop(member).cost())


def _or_inf(cost: float) -> float:
    return cost if np.isfinite(cost) else np.inf
