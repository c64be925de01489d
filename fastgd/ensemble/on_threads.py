"""Members of which each has a loop of its own, as `train` has it; those that take little are
trained in turn by one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.ensemble.runs import Runs
from fastgd.ensemble.side_by_side import DUE, SideBySide
from fastgd.state import EPOCH, STOPPED, STOPS, State
from fastgd.training.loop import Loop
from fastgd.training.run import DivergedError
from fastgd.training.session import Session

if TYPE_CHECKING:
    from fastgd.kernels import Bound

_MOST_IN_TURN = 256  # members, each of which takes some microseconds of Python's time


class OnThreads(SideBySide):
    """Members of which each has a loop of its own, as `train` has it. Those that take little are
    trained in turn, through to their end.
    """

    def _round(self, session: Session[Runs]) -> None:
        seconds = self._seconds_left()
        waiting, lock = self._pieces(session, seconds), threading.Lock()

        def next_piece() -> Callable[[], float] | None:
            with lock:
                return next(waiting, None)

        def chunks(rank: int) -> Iterator[float]:
            while (piece := next_piece()) is not None:
                yield piece()

        is_small = bool(seconds.sum() <= self.small_seconds)
        # each is put back when it comes
        self._over(session, chunks, lambda: None, is_small=is_small)

    def _pieces(self, session: Session[Runs], seconds: Array) -> Iterator[Callable[[], float]]:
        """The work of one thread at a time, which comes to seconds; that of the longest members
        first, by about so many `seconds`.
        """
        order = np.argsort(-seconds, kind="stable")[: self.members.running.sum()]
        is_small = (seconds[order] <= self.small_seconds) & (not self.plan.hidden_halves)
        is_small &= ~self.members.settings.takes_a_loop[order]
        for member in order[~is_small].tolist():
            yield partial(self._train, member, session)
        small, own_rows, members = order[is_small], self.plan.own_rows, self.members
        kinds = members.settings.kinds(type(members.options.optimizer))
        are_alike = not (own_rows or self.is_part) and bool((kinds == kinds[0]).all())
        kinds = kinds[small]
        for kind in sorted(set(kinds.tolist())):
            alike = small[kinds == kind]
            most = int(min(_MOST_IN_TURN, self.small_seconds / seconds[alike[0]]))
            count = 1 if own_rows else most
            for start in range(0, len(alike), count):
                some = alike[start : start + count]
                kernel = self._kernel_of_all if are_alike else partial(self._kernel, int(some[0]))
                are_all = len(some) == len(self.members)
                portion = slice(None) if are_all else some
                yield partial(self._train_in_turn, portion, kernel, session)

    def _kernel(self, member: int) -> tuple[Hashable, Bound]:
        """One that is bound to the options and the rows of a member, and the key to put it back."""
        from fastgd import kernels

        members, samples = self.members, self.samples.of(member)
        options = members.options_of(member)
        plan = kernels.plan_for(members.net, samples, options, self.plan.kernel)
        return kernels.take(plan, options, samples, None, 1)

    def _kernel_of_all(self) -> tuple[Hashable, Bound]:
        """The same where members differ in numbers alone."""
        from fastgd import kernels

        return kernels.take(self.plan, self.members.options, self.samples, None, 1)

    def _loop(self, member: int, kernel: Bound) -> Loop:
        """The loop of a member, from where it stands."""
        run, last = self.members[member], int(self.members.settings.epochs[member])
        assert run.state is not None
        return Loop(run, kernel, run.state, last)

    def _train_in_turn(
        self,
        some: slice | Array,
        take_kernel: Callable[[], tuple[Hashable, Bound]],
        session: Session[Runs],
    ) -> float:
        """Train members of one kind to their ends and put them back; the seconds that it took."""
        from fastgd import kernels

        members, (key, kernel) = self.members, take_kernel()
        begun = members.states_of(some, kernel.options.optimizer.slots)
        in_turn = kernels.InTurn(kernel, members.settings[some], begun)
        before = time.perf_counter()
        states, costs = in_turn.train()
        elapsed, lost = time.perf_counter() - before, np.isnan(costs)
        kernels.put_back(key, kernel)
        if lost.any():
            numbers = np.arange(len(members))[some]
            for member in numbers[lost].tolist():
                elapsed += self._train(member, session)  # finds where it stops being finite
            some, states, costs = numbers[~lost], states[~lost], costs[~lost]
        self._put(some, states)
        members.cost[some] = costs
        return elapsed

    def _train(self, member: int, session: Session[Runs]) -> float:
        """Train a member until it has ended or there is a reason to stop, and put it back; the
        seconds that it took.
        """
        from fastgd import kernels

        key, kernel = self._kernel(member)
        members, loop = self.members, self._loop(member, kernel)
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
        kernels.put_back(key, kernel)
        assert run.state is not None
        self._put(member, run.state)
        if run.stopped_by != DUE:  # it has ended
            members.states.cursor[member, STOPPED] = STOPS.index(run.stopped_by)
            members.cost[member] = _or_inf(run.cost)
        return loop.seconds - before

    def _put(self, some: int | slice | Array, states: State) -> None:
        """Put one member back, or several."""
        all_states = self.members.states
        slots, plateau = all_states.slots[some], all_states.plateau[some]
        slots[..., : states.slots.shape[-2], :] = states.slots
        if states.plateau.shape == plateau.shape:
            plateau = states.plateau
        all_states[some] = states.with_arrays(slots=slots, plateau=plateau)

    def _add_costs(self) -> None:
        for member in np.flatnonzero(self.members.running).tolist():
            _, kernel = self._kernel(member)
            self.members.cost[member] = _or_inf(self._loop(member, kernel).cost())


def _or_inf(cost: float) -> float:
    return cost if np.isfinite(cost) else np.inf
