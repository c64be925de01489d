"""The loop of a training run: a state advanced in chunks, and what is done when its numbers stop
being finite.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from fastgd.arguments.arrays import are_finite
from fastgd.arguments.checks import Array, shown
from fastgd.optimizers import Rprop
from fastgd.state import NON_FINITE, STOPPED, State
from fastgd.training.history import history_of
from fastgd.training.progress import Progress
from fastgd.training.run import DivergedError, Run
from fastgd.training.session import Session, Training

if TYPE_CHECKING:
    from fastgd.kernels import Bound

CHUNK_SECONDS = 0.05
# updates between the two latest states that are kept: more than it takes a cost to overflow before
# parameters do
_FAR_BACK = 512


class Loop(Training[Run]):
    """A state on its way to `epochs`. `run` says how it is trained, and for how
    long it has been.
    """

    def __init__(self, run: Run, kernel: Bound, state: State, epochs: int):
        self.run, self.kernel, self.epochs = run, kernel, epochs
        self.state = kernel.memory.hold(state)
        self.seconds = run.seconds
        self.known_cost = -1, np.nan  # after how many updates, and what it is
        self.tells_stalled = False  # whether the next update is looked at in the end
        self.is_compiled = False
        # the first state and two of the latest, by their updates, to go back to
        self.kept = [(self.state.updates, kernel.memory.kept())]

    @property
    def params(self) -> Array:
        """The latest parameters, (n_params,), as the state holds them."""
        return self.kernel.memory.outside.params

    @property
    def is_done(self) -> bool:
        """Whether all epochs are done, or a stop rule ended them."""
        return self.state.epoch >= self.epochs or bool(self.state.cursor[STOPPED])

    @property
    def latest_cost(self) -> float:
        """The last recorded one."""
        return float(self.state.costs[self.state.recorded - 1]) if self.state.recorded else np.nan

    def _advance(self, limit: int) -> float:
        """Advance and return the seconds that it took."""
        return self.kernel.advance(self.state, self.run.seed, self.epochs, limit)

    def compile(self) -> None:
        """Compile, or load what was compiled before."""
        self._advance(0)
        self.is_compiled = True

    @property
    def nbytes(self) -> int:
        return self.state.nbytes

    def to_end(self, session: Session[Run]) -> Run:
        helpers = self.kernel.helpers

        def look() -> str | None:
            session.look(self.progress() if session.is_heard else None)
            if session.reason is None and not self.is_done:
                if session.file is not None and session.file.is_due:
                    self.save(session.file.save)
                # the first chunk is a single update
                if self.kernel.are_worth_threads(self.epochs - self.state.epoch):
                    helpers.start()
            return session.reason

        try:
            if self.kernel.needs_threads:
                helpers.start()
            self.compile()
            session.begin()
            self.tells_stalled = True
            # while compiling
            return self.finished("interrupt") if session.interrupt.asked else self.run_until(look)
        finally:
            helpers.stop()

    def progress(self) -> Progress:
        """How far it is."""
        epoch, params = self.state.epoch, self.params.copy()
        return Progress(epoch, self.epochs, self.latest_cost, self.seconds, params)

    def so_far(self, error: BaseException | None = None) -> Run | None:
        """The run as it is, unless it is on its way to a DivergedError, or that has ended it."""
        is_worth_it = self.is_compiled and not isinstance(error, DivergedError)
        return self.as_run("interrupt") if is_worth_it and self.has_finite_cost() else None

    def run_until(self, look: Callable[[], str | None]) -> Run:
        """The run that it ends in, or when `look` has a reason to end it, between two chunks of
        about CHUNK_SECONDS.
        """
        limit, reason = 1, None
        while not self.is_done:
            if reason is not None:
                return self.finished(reason)
            self._keep()
            elapsed = self._advance(limit)
            self.seconds += elapsed
            if not self._is_finite():
                self._raise_diverged()
            limit = max(1, int(limit * min(100.0, CHUNK_SECONDS / max(elapsed, 1e-9))))
            reason = look()
        return self.finished()

    # -- what there is to show

    def finished(self, ended_by: str | None = None) -> Run:
        """The run, ended by its stop rules or its epochs unless by something else."""
        stalled = self.tells_stalled and self._is_stalled()
        if not self.has_finite_cost():
            self._raise_diverged()
        if ended_by is None and not self.state.cursor[STOPPED]:
            self.kernel.watch_end(self.state, self.cost())
        return self.as_run(ended_by or self.state.stopped_by, stalled=stalled)

    def as_run(self, stopped_by: str, *, stalled: bool = False) -> Run:
        """The run as far as it has come: the best parameters if they are to be restored, otherwise
        the latest.
        """
        state = self.kernel.memory.outside.copy()
        cost = latest = self.cost()
        params = state.params
        if len(state.best) and state.is_watched and stopped_by != "diverged":
            params, cost = state.best, self.kernel.cost(state.best)
        has_held_out = self.kernel.held_out.n > 0
        held_out = self.kernel.held_out_cost(state.params) if has_held_out else None
        return self.run.with_values(
            params=params, cost=cost, epochs=state.epoch, seconds=self.seconds,
            stopped_by=stopped_by, history=history_of(state, latest, held_out), stalled=stalled,
            state=state,
        )  # fmt: skip

    def _is_stalled(self) -> bool:
        """Whether the next update would change no parameter: each step is under half a unit in the
        last place. It tells the cost, too, where that falls out.
        """
        # a parameter of rprop waits whenever its gradient changes its sign
        is_rprop = isinstance(self.run.options["optimizer"], Rprop)
        if is_rprop or self.state.updates == 0:
            return False
        cost, is_stalled = self.kernel.look_ahead(self.state, self.run.seed)
        if self.kernel.cost_falls_out:
            self.known_cost = self.state.updates, cost
        return is_stalled

    # -- numbers that stop being finite: the verdict depends on the updates alone, not on where
    # chunks end

    def _is_finite(self) -> bool:
        """Whether all parameters and the costs that were looked at are; once they are not, they
        stay so.
        """
        return not self.state.cursor[NON_FINITE] and are_finite(self.params)

    def has_finite_cost(self) -> bool:
        """Whether the cost of all rows is finite, and that of validation rows which stop rules
        watch.
        """
        return all(map(math.isfinite, self._costs().values()))

    def cost(self) -> float:
        """The cost of all rows, after so many updates, which takes a pass."""
        update = self.state.updates
        if self.known_cost[0] != update:
            self.known_cost = update, self.kernel.cost(self.params)
        return self.known_cost[1]

    def _costs(self) -> dict[str, float]:
        costs = {"cost": self.cost()}
        if self.kernel.monitors_held_out:
            costs["validation cost"] = self.kernel.held_out_cost(self.params)
        return costs

    def _keep(self) -> None:
        """Keep the state; of those kept before, the first and one that is some way back."""
        updates, latest = self.state.updates, self.kept[-1]
        if updates > latest[0]:
            back = latest if updates - latest[0] >= _FAR_BACK else self.kept[len(self.kept) // 2]
            self.kept = [self.kept[0], back, (updates, self.kernel.memory.kept())]

    def _go_to(self, update: int) -> None:
        """Put the state where it was after `update` updates."""
        nearest, block = max((each for each in self.kept if each[0] <= update), key=itemgetter(0))
        self.kernel.memory.put_back(block)
        self._advance(update - nearest)

    def _last(self, good: int, bad: int, is_good: Callable[[], bool]) -> int:
        """The last update after which something holds, as it does after `good`, and no longer after
        `bad`; by halving.
        """
        while bad - good > 1:
            middle = (good + bad) // 2
            self._go_to(middle)
            good, bad = (middle, bad) if is_good() else (good, middle)
        return good

    def _raise_diverged(self) -> None:
        """Find the last update after which every number was finite, the cost of all rows included,
        and raise.
        """
        # up to `good` parameters and recorded costs are finite, from `bad` on they are not
        bad = self.state.updates + int(self._is_finite())
        good = self._last(self.kept[-1][0], bad, self._is_finite)
        # the cost overflows before the parameters do: go back in growing steps until it does not
        first, back, bad, update = self.kept[0][0], 0, good + 1, good
        self._go_to(update)
        while not self.has_finite_cost() and update > first:
            back, bad = 2 * back + 1, update
            update = max(good - back, first)
            self._go_to(update)
        self._go_to(self._last(update, bad, self.has_finite_cost))
        run = self.as_run("diverged")
        for name, cost in self._costs().items():
            if not math.isfinite(cost):
                raise DivergedError(
                    f"the {name} of the initial parameters is {cost}; scale X and Y", run
                )
        raise DivergedError(
            f"cost or parameters stopped being finite in epoch {run.epochs + 1} at learning_rate "
            f"{shown(run.options['learning_rate'])}; "
            "try a smaller learning_rate, clip_norm=1.0, or scale X and Y",
            run,
        )
