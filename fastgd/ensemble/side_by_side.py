"""Many members on threads: those of small networks in the lanes of one compiled loop, others each
by `train`, on a thread of its own.

Training goes in rounds: threads train until all members have ended, or until there is a reason to
stop. Then every member is written back to where it stands, and the next round begins with those
that have not ended.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fastgd.ensemble.runs import Runs
from fastgd.ensemble.samples import samples_of
from fastgd.ensemble.session import DUE, LOOK_SECONDS, Session
from fastgd.ensemble.settings import MemberSettings
from fastgd.ensemble.state import EnsembleState
from fastgd.mlp import MLP
from fastgd.options import Options
from fastgd.samples import Samples
from fastgd.state import (
    BATCH,
    EPOCH_COST_SUM,
    NEXT_RECORD,
    PATIENCE_COST,
    PATIENCE_EPOCH,
    RECORDED,
    STRIDE,
    UPDATES,
)
from fastgd.training.progress import ManyProgress, Progress
from fastgd.training.run import DivergedError, Run

if TYPE_CHECKING:
    from fastgd.kernels import Lanes, Plan

_FIRST_LIMIT = 64  # epochs of the first chunk


@dataclass
class SideBySide(ABC):
    """Members on their way, and what they are trained by. In every round each thread trains one
    chunk in any case.
    """

    plan: Plan
    options: Options
    samples: Samples
    settings: MemberSettings
    states: EnsembleState
    threads: int
    seconds: float = 0.0  # of the busiest thread
    is_whole: bool = True  # whether all members are written back to where they stand

    def train(self, session: Session) -> Runs:
        """Train until all have ended or something stops them; the checkpoint is written last."""
        file = session.file
        if file is not None:
            file.prepare(self.runs().nbytes)
        with session:
            try:
                while self.states.running.any():
                    self._round(session)
                    if session.reason == DUE and file is not None:
                        file.save(self.runs())
                    elif session.reason is not None:
                        self._add_costs()
                        break
            except BaseException:
                if file is not None and self.is_whole:
                    file.save_last(self.runs())
                raise
            runs = self.runs(session.reason or "")
            if file is not None:
                file.save_last(runs)
        return runs

    @property
    def net(self) -> MLP:
        """The network that all members are copies of."""
        assert isinstance(self.plan.net, MLP)
        return self.plan.net

    def runs(self, reason: str = "interrupt") -> Runs:
        """The runs so far, those that have not ended being stopped by this."""
        return Runs(
            self.net,
            self.plan.kernel,
            self.seconds,
            self.options,
            self.settings,
            self.states.ended_by(reason),
        )

    @abstractmethod
    def _round(self, session: Session) -> None:
        """Train until all have ended, or the session has a reason to stop."""

    def _over(
        self,
        session: Session,
        chunks: Callable[[int], Iterator[float]],
        write_back: Callable[[], None],
    ) -> None:
        """On each thread, go through the chunks of its rank, which yield their seconds, until there
        is a reason to stop.
        """
        seconds = np.zeros(self.threads)

        def work(rank: int) -> None:
            for elapsed in chunks(rank):
                seconds[rank] += elapsed
                if session.reason is not None:
                    break

        self.is_whole = False
        try:
            session.over(work, self.threads, self.progress)
        finally:
            if session.at_rest:
                write_back()
                self.is_whole = True
            self.seconds += float(seconds.max())

    @abstractmethod
    def _add_costs(self) -> None:
        """Compute the costs of those that have not ended."""

    def progress(self, seconds: float) -> ManyProgress:
        """How far all members are."""
        states, last, running = self.states, self.settings.epochs, self.states.running
        left, total, costs = (
            int((last - states.epochs)[running].sum()),
            int(last.sum()),
            states.costs[~running],
        )
        return ManyProgress(
            total - left,
            total,
            float(costs.min()) if len(costs) else np.nan,
            seconds,
            len(costs),
            len(running),
        )


class InLanes(SideBySide):
    """Members in the lanes kernel."""

    kernel: Lanes  # of the latest round

    def _round(self, session: Session) -> None:
        from fastgd.kernels import REASONS, Lanes

        settings, states = self.settings, self.states
        stopped = (states.stopped_by[:, None] == np.array(REASONS)).argmax(axis=1).astype(np.int64)
        patience_cost, patience_epochs = (
            states.patience_cost.astype(states.params.dtype),
            states.patience_epochs.copy(),
        )
        self.kernel = kernel = Lanes(
            self.plan, self.options, self.samples, self.threads, params=states.params,
            slots=states.slots, powers=states.powers, epochs=states.epochs, updates=states.updates,
            patience_cost=patience_cost, patience_epochs=patience_epochs, costs=states.costs,
            stopped=stopped, recorded=states.recorded, points=states.points, history=states.history,
            seeds=settings.seeds, rates=settings.rates, schedules=settings.schedules,
            times=settings.times, numbers=settings.numbers, l2=settings.l2,
            clip_norm=settings.clip_norm, last=settings.epochs, target_cost=settings.target_cost,
            patience=settings.patience, min_delta=settings.min_delta,
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

        def write_back() -> None:
            kernel.flush()
            self._take_reasons()
            monitored = settings.monitored  # others may have been looked at beside them
            states.patience_cost[monitored], states.patience_epochs[monitored] = (
                patience_cost[monitored],
                patience_epochs[monitored],
            )

        self._over(session, chunks, write_back)

    def _add_costs(self) -> None:
        self.kernel.add_costs()
        self._take_reasons()

    def _take_reasons(self) -> None:
        from fastgd.kernels import REASONS

        self.states.stopped_by[:] = np.array(REASONS)[self.kernel.members.stopped]


class OnThreads(SideBySide):
    """Members of which each is trained by `train`."""

    def _round(self, session: Session) -> None:
        states = self.states
        left = np.where(states.running, self.settings.epochs - states.epochs, -1)
        waiting, lock = (
            iter(np.argsort(-left, kind="stable")[: states.running.sum()].tolist()),
            threading.Lock(),
        )

        def look(member: int, progress: Progress) -> bool:
            states.epochs[member] = progress.epoch
            return session.reason is not None

        def next_one() -> int | None:
            with lock:
                return next(waiting, None)

        def chunks(rank: int) -> Iterator[float]:
            while (member := next_one()) is not None:
                run = self._run(member, int(left[member]), partial(look, member))
                self._put(member, run)
                yield run.seconds

        self._over(session, chunks, lambda: None)  # each is put back when it comes

    def _run(self, member: int, epochs: int, look: Callable[[Progress], bool] | None = None) -> Run:
        """A member trained for further epochs from where it stands."""
        from fastgd.training.train import train

        options = replace(self.options, record=self.options.record or 2)
        before = Runs(self.net, self.plan.kernel, 0.0, options, self.settings, self.states)[member]
        X, Y, weights = samples_of(self.samples, member)
        given = (
            options.to_dict()
            | self.settings.arguments(member, options)
            | {"kernel": self.plan.kernel, "threads": 1, "callback": look}
        )
        given |= {
            "params": before,
            "epochs": epochs,
            "sample_weight": weights if len(weights) else None,
        }
        try:
            return train(self.net, X, Y, **given)
        except DivergedError as error:
            return error.run

    def _put(self, member: int, run: Run) -> None:
        """A run in the place of its member, which has ended unless `look` stopped it."""
        states, state = self.states, run.state
        assert state is not None
        states.params[member], states.epochs[member] = run.params, run.epochs
        states.slots[member, : len(state.slots)], states.powers[member] = state.slots, state.powers
        states.batch[member], states.updates[member] = state.cursor[[BATCH, UPDATES]]
        # where nobody looks at an epoch's cost, that is not of all batches
        states.epoch_cost_sum[member] = (
            state.sums[EPOCH_COST_SUM]
            if self.settings.monitored[member] or states.has_histories
            else 0.0
        )
        if states.has_histories:
            states.recorded[member] = state.cursor[[RECORDED, NEXT_RECORD, STRIDE]]
            states.points[member], states.history[member] = state.points, state.costs
        states.patience_cost[member], states.patience_epochs[member] = (
            state.sums[PATIENCE_COST],
            state.cursor[PATIENCE_EPOCH],
        )
        if run.stopped_by != "callback":
            states.stopped_by[member], states.costs[member] = run.stopped_by, _cost(run)

    def _add_costs(self) -> None:
        for member in np.flatnonzero(self.states.running).tolist():
            self.states.costs[member] = _cost(self._run(member, 0))


def _cost(run: Run) -> float:
    return run.cost if np.isfinite(run.cost) else np.inf
