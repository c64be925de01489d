"""Many members on threads: those of small networks in the lanes of one compiled loop, others each by `train`, on a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgd.checks import Array
from fastgd.each import Each, samples_of
from fastgd.interrupt import Interrupt
from fastgd.network import MLP
from fastgd.optimizers import Rprop
from fastgd.options import Options
from fastgd.progress import Bar, ManyProgress, Progress
from fastgd.run import DivergedError, Run
from fastgd.samples import Samples
from fastgd.state import MOST, NEXT_RECORD, RECORDED, STRIDE

if TYPE_CHECKING:
    from fastgd.kernels import Plan

_LOOK_SECONDS = 0.05  # between one look at the threads and the next, and of a chunk of compiled code
_FIRST_LIMIT = 64  # epochs of the first chunk


@dataclass
class Standing:
    """Where every member stands, in arrays that threads change in place."""

    params: Array  # (members, n_params)
    slots: Array  # (members, slots, n_params)
    powers: Array  # (members, 2)
    epochs: Array  # (members,)
    costs: Array  # (members,) NaN until a member has ended
    stopped_by: Array  # (members,) of str, "" until then
    recorded: Array  # (members, 3) int64: points of the history, the epoch of the next, epochs between them
    points: Array  # (members, record - 1) int64: epochs of the history; (members, 0) without one
    history: Array  # (members, record - 1) costs of it

    @classmethod
    def at_start(cls, each: Each, options: Options) -> Standing:
        members, n = each.params.shape
        slots = np.zeros((members, options.optimizer.slots, n), each.params.dtype)
        if isinstance(options.optimizer, Rprop):
            slots[:, 1] = each.rates[:, None]
        stopped_by = np.zeros(members, "<U11")
        points = np.zeros((members, max(0, options.record - 1)), np.int64)
        recorded = np.tile([0, 0 if options.record else MOST, 1], (members, 1))
        return cls(
            each.params.copy(), slots, np.ones((members, 2)), np.zeros(members, np.int64), np.full(members, np.nan), stopped_by,
            recorded, points, np.full(points.shape, np.nan),
        )  # fmt: skip


@dataclass
class Watch:
    """What Python does while threads train: tell how far they are, and say when they are to stop, and why."""

    tell: Callable[[ManyProgress], object] | None
    callback: Callable[[ManyProgress], object] | None
    max_seconds: float | None
    on_interrupt: str
    reason: str | None = None  # why they are to stop
    begun: float = field(default_factory=time.monotonic)

    def over(self, work: Callable[[int], None], threads: int, so_far: Callable[[float], ManyProgress]) -> None:
        """Run `work(rank)` on so many threads to its end, or until there is a reason for it to stop, which it looks for."""
        asked = False
        with ExitStack() as stack:
            if isinstance(self.tell, Bar):
                stack.enter_context(self.tell)
            interrupt = stack.enter_context(Interrupt())
            pool = stack.enter_context(ThreadPoolExecutor(threads, thread_name_prefix="fastgd"))
            try:
                running: set[Future[None]] = {pool.submit(work, rank) for rank in range(threads)}
                while running:
                    done, running = wait(running, _LOOK_SECONDS)
                    for each in done:
                        each.result()
                    self.reason = self.reason or self._reason(interrupt, so_far(time.monotonic() - self.begun))
            except BaseException:
                self.reason = "interrupt"
                raise
            asked = interrupt.asked
        if asked and self.on_interrupt == "raise":
            raise KeyboardInterrupt

    def _reason(self, interrupt: Interrupt, progress: ManyProgress) -> str | None:
        if self.tell is not None:
            self.tell(progress)
        answer = self.callback(progress) if self.callback is not None else None
        if isinstance(answer, (bool, np.bool_)) and answer:
            return "callback"
        if interrupt.asked:
            return "interrupt"
        return "max_seconds" if self.max_seconds is not None and progress.seconds >= self.max_seconds else None


class _Progressing:
    """How far all members are."""

    def __init__(self, standing: Standing, last: Array):
        self.standing, self.last, self.total = standing, last, int(last.sum())

    def __call__(self, seconds: float) -> ManyProgress:
        ended = ~np.isnan(self.standing.costs)
        left = int((self.last - self.standing.epochs)[~ended].sum())
        costs = self.standing.costs[ended]
        least = float(costs.min()) if len(costs) else np.nan
        return ManyProgress(self.total - left, self.total, least, seconds, int(ended.sum()), len(ended))


def in_lanes(plan: Plan, options: Options, samples: Samples, each: Each, standing: Standing, watch: Watch, threads: int) -> float:
    """Train in the lanes kernel; the seconds of the busiest thread."""
    from fastgd.kernels import REASONS, Lanes

    kernel = Lanes(
        plan, options, samples, threads,
        params=standing.params, slots=standing.slots, powers=standing.powers, epochs=standing.epochs, costs=standing.costs,
        recorded=standing.recorded, points=standing.points, history=standing.history,
        seeds=each.seeds, rates=each.rates, schedules=each.schedules, times=each.times, numbers=each.numbers, l2=each.l2,
        clip_norm=each.clip_norm, last=each.epochs, target_cost=each.target_cost, patience=each.patience, min_delta=each.min_delta,
    )  # fmt: skip
    seconds = np.zeros(threads)

    def work(rank: int) -> None:
        kernel.advance(rank, 0)  # compiles
        limit = _FIRST_LIMIT
        while watch.reason is None and not kernel.is_done(rank):
            before = time.perf_counter()
            kernel.advance(rank, limit)
            elapsed = time.perf_counter() - before
            seconds[rank] += elapsed
            limit = max(1, int(limit * min(10.0, _LOOK_SECONDS / max(elapsed, 1e-9))))

    watch.over(work, threads, _Progressing(standing, each.epochs))
    reasons = np.array(REASONS, "<U11")
    reasons[0] = watch.reason or ""
    standing.stopped_by[:] = reasons[kernel.finish()]
    return float(seconds.max())


def on_threads(
    net: MLP, kernel: str, options: Options, samples: Samples, each: Each, standing: Standing, watch: Watch, threads: int
) -> float:
    """Train every member by `train`, one thread each; the seconds of the busiest thread."""
    from fastgd.training import train

    shared = options.to_dict() | {"record": options.record or 2, "kernel": kernel, "threads": 1}
    waiting, lock = iter(np.argsort(-each.epochs, kind="stable").tolist()), threading.Lock()
    seconds = np.zeros(threads)

    def run_of(member: int, **more: Any) -> Run:
        X, Y, weights = samples_of(samples, member)
        given = shared | each.arguments(member, options) | {"sample_weight": weights if len(weights) else None} | more
        try:
            return train(net, X, Y, **given)
        except DivergedError as error:
            return error.run

    def work(rank: int) -> None:
        while watch.reason is None:
            with lock:
                member = next(waiting, None)
            if member is None:
                return

            def look(progress: Progress, member: int = member) -> bool:
                standing.epochs[member] = progress.epoch
                return watch.reason is not None

            run = run_of(member, callback=look)
            seconds[rank] += run.seconds
            _put(standing, member, run, watch)

    watch.over(work, threads, _Progressing(standing, each.epochs))
    for member in np.flatnonzero(np.isnan(standing.costs)).tolist():  # those that had not begun
        _put(standing, member, run_of(member, epochs=0), watch)
    return float(seconds.max())


def _put(standing: Standing, member: int, run: Run, watch: Watch) -> None:
    """A run in the place of its member."""
    assert run.state is not None
    early = watch.reason is not None and (run.stopped_by == "callback" or run.epochs == 0)
    standing.params[member], standing.epochs[member] = run.params, run.epochs
    standing.slots[member, : len(run.state.slots)], standing.powers[member] = run.state.slots, run.state.powers
    if standing.points.size:
        standing.recorded[member] = run.state.cursor[[RECORDED, NEXT_RECORD, STRIDE]]
        standing.points[member], standing.history[member] = run.state.points, run.state.costs
    standing.stopped_by[member] = watch.reason if early else run.stopped_by
    standing.costs[member] = run.cost if np.isfinite(run.cost) else np.inf
