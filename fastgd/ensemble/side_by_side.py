"""Many members on threads: those of small networks in the lanes of one compiled loop, others each by `train`, on a thread of its own.

Training goes in rounds: threads train until all members have ended, or until there is a reason to stop. Then every member is written back
to where it stands, and the next round begins with those that have not ended.
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
from fastgd.ensemble.session import DUE, LOOK_SECONDS, Session
from fastgd.ensemble.settings import MemberSettings, samples_of
from fastgd.ensemble.state import EnsembleState
from fastgd.options import Options
from fastgd.samples import Samples
from fastgd.state import BATCH, EPOCH_COST_SUM, NEXT_RECORD, PATIENCE_COST, PATIENCE_EPOCH, RECORDED, STRIDE, UPDATES
from fastgd.training.checkpoint import Checkpoint
from fastgd.training.progress import ManyProgress, Progress
from fastgd.training.run import DivergedError, Run

if TYPE_CHECKING:
    from fastgd.kernels import Lanes, Plan

_FIRST_LIMIT = 64  # epochs of the first chunk


@dataclass
class SideBySide(ABC):
    """Members on their way, and what they are trained by. In every round each thread trains one chunk in any case."""

    plan: Plan
    options: Options
    samples: Samples
    each: MemberSettings
    standing: EnsembleState
    threads: int
    seconds: float = 0.0  # of the busiest thread
    is_whole: bool = True  # whether all members are written back to where they stand

    def train(self, watch: Session, file: Checkpoint[Runs] | None = None) -> Runs:
        """Train to the end, or to what ends it from outside; the file is written every so often and at the end, be that an error."""
        if file is not None:
            file.prepare(self.runs().nbytes)
        is_due = (lambda: file.is_due) if file is not None else (lambda: False)
        with watch:
            try:
                while self.standing.running.any():
                    self._round(watch, is_due)
                    if watch.reason == DUE and file is not None:
                        file.save(self.runs())
                    elif watch.reason is not None:
                        self._add_costs()
                        break
            except BaseException:
                if file is not None and self.is_whole:
                    file.save_last(self.runs())
                raise
            runs = self.runs(watch.reason or "")
            if file is not None:
                file.save_last(runs)
        return runs

    def runs(self, reason: str = "interrupt") -> Runs:
        """The runs so far, those that have not ended being stopped by this."""
        return Runs(self.plan.net, self.plan.kernel, self.seconds, self.options, self.each, self.standing.ended_by(reason))

    @abstractmethod
    def _round(self, watch: Session, is_due: Callable[[], bool]) -> None:
        """Train until all have ended, or the watch has a reason to stop."""

    def _over(
        self, watch: Session, is_due: Callable[[], bool], chunks: Callable[[int], Iterator[float]], write_back: Callable[[], None]
    ) -> None:
        """On each thread, go through the chunks of its rank, which yield their seconds, until the watch has a reason to stop."""
        seconds = np.zeros(self.threads)

        def work(rank: int) -> None:
            for elapsed in chunks(rank):
                seconds[rank] += elapsed
                if watch.reason is not None:
                    break

        self.is_whole = False
        try:
            watch.over(work, self.threads, self.progress, is_due)
        finally:
            if watch.at_rest:
                write_back()
                self.is_whole = True
            self.seconds += float(seconds.max())

    @abstractmethod
    def _add_costs(self) -> None:
        """Compute the costs of those that have not ended."""

    def progress(self, seconds: float) -> ManyProgress:
        """How far all members are."""
        standing, last, running = self.standing, self.each.epochs, self.standing.running
        left, total, costs = int((last - standing.epochs)[running].sum()), int(last.sum()), standing.costs[~running]
        return ManyProgress(total - left, total, float(costs.min()) if len(costs) else np.nan, seconds, len(costs), len(running))


class InLanes(SideBySide):
    """Members in the lanes kernel."""

    kernel: Lanes  # of the latest round

    def _round(self, watch: Session, is_due: Callable[[], bool]) -> None:
        from fastgd.kernels import REASONS, Lanes

        each, standing = self.each, self.standing
        stopped = (standing.stopped_by[:, None] == np.array(REASONS)).argmax(axis=1).astype(np.int64)
        patience_cost, patience_epochs = standing.patience_cost.astype(standing.params.dtype), standing.patience_epochs.copy()
        self.kernel = kernel = Lanes(
            self.plan, self.options, self.samples, self.threads,
            params=standing.params, slots=standing.slots, powers=standing.powers, epochs=standing.epochs, updates=standing.updates,
            patience_cost=patience_cost, patience_epochs=patience_epochs, costs=standing.costs, stopped=stopped,
            recorded=standing.recorded, points=standing.points, history=standing.history,
            seeds=each.seeds, rates=each.rates, schedules=each.schedules, times=each.times, numbers=each.numbers, l2=each.l2,
            clip_norm=each.clip_norm, last=each.epochs, target_cost=each.target_cost, patience=each.patience, min_delta=each.min_delta,
        )  # fmt: skip

        def chunks(rank: int) -> Iterator[float]:
            kernel.advance(rank, 0)  # compiles
            limit = _FIRST_LIMIT
            while not kernel.is_done(rank):
                before = time.perf_counter()
                kernel.advance(rank, limit + 1)  # a first look at costs counts for one, and some epoch has to follow
                elapsed = time.perf_counter() - before
                limit = max(1, int(limit * min(10.0, LOOK_SECONDS / max(elapsed, 1e-9))))
                yield elapsed

        def write_back() -> None:
            kernel.flush()
            self._take_reasons()
            monitored = each.monitored  # others may have been looked at beside them
            standing.patience_cost[monitored], standing.patience_epochs[monitored] = patience_cost[monitored], patience_epochs[monitored]

        self._over(watch, is_due, chunks, write_back)

    def _add_costs(self) -> None:
        self.kernel.add_costs()
        self._take_reasons()

    def _take_reasons(self) -> None:
        from fastgd.kernels import REASONS

        self.standing.stopped_by[:] = np.array(REASONS)[self.kernel.members.stopped]


class OnThreads(SideBySide):
    """Members of which each is trained by `train`."""

    def _round(self, watch: Session, is_due: Callable[[], bool]) -> None:
        standing = self.standing
        left = np.where(standing.running, self.each.epochs - standing.epochs, -1)
        waiting, lock = iter(np.argsort(-left, kind="stable")[: standing.running.sum()].tolist()), threading.Lock()

        def look(member: int, progress: Progress) -> bool:
            standing.epochs[member] = progress.epoch
            return watch.reason is not None

        def next_one() -> int | None:
            with lock:
                return next(waiting, None)

        def chunks(rank: int) -> Iterator[float]:
            while (member := next_one()) is not None:
                run = self._run(member, int(left[member]), partial(look, member))
                self._put(member, run)
                yield run.seconds

        self._over(watch, is_due, chunks, lambda: None)  # each is put back when it comes

    def _run(self, member: int, epochs: int, look: Callable[[Progress], bool] | None = None) -> Run:
        """A member trained for further epochs from where it stands."""
        from fastgd.training.train import train

        options = replace(self.options, record=self.options.record or 2)
        before = Runs(self.plan.net, self.plan.kernel, 0.0, options, self.each, self.standing)[member]
        X, Y, weights = samples_of(self.samples, member)
        given = options.to_dict() | self.each.arguments(member, options) | {"kernel": self.plan.kernel, "threads": 1, "callback": look}
        given |= {"params": before, "epochs": epochs, "sample_weight": weights if len(weights) else None}
        try:
            return train(self.plan.net, X, Y, **given)
        except DivergedError as error:
            return error.run

    def _put(self, member: int, run: Run) -> None:
        """A run in the place of its member, which has ended unless `look` stopped it."""
        standing, state = self.standing, run.state
        assert state is not None
        standing.params[member], standing.epochs[member] = run.params, run.epochs
        standing.slots[member, : len(state.slots)], standing.powers[member] = state.slots, state.powers
        standing.batch[member], standing.updates[member] = state.cursor[[BATCH, UPDATES]]
        # where nobody looks at an epoch's cost, that is not of all batches
        standing.epoch_cost_sum[member] = state.sums[EPOCH_COST_SUM] if self.each.monitored[member] or standing.has_histories else 0.0
        if standing.has_histories:
            standing.recorded[member] = state.cursor[[RECORDED, NEXT_RECORD, STRIDE]]
            standing.points[member], standing.history[member] = state.points, state.costs
        standing.patience_cost[member], standing.patience_epochs[member] = state.sums[PATIENCE_COST], state.cursor[PATIENCE_EPOCH]
        if run.stopped_by != "callback":
            standing.stopped_by[member], standing.costs[member] = run.stopped_by, _cost(run)

    def _add_costs(self) -> None:
        for member in np.flatnonzero(self.standing.running).tolist():
            self.standing.costs[member] = _cost(self._run(member, 0))


def _cost(run: Run) -> float:
    return run.cost if np.isfinite(run.cost) else np.inf
