"""A plan bound to data and options, whatever the kernel: the calls of compiled code."""

import ctypes
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.kernels.codes import CHECK_RULES, HELD_OUT_COST, NOTHING, PASS, TRAIN
from fastgd.kernels.estimates import epoch_seconds
from fastgd.kernels.plan import THREADED_PRODUCTS, Plan
from fastgd.kernels.problems import Problems
from fastgd.kernels.structs import Problem
from fastgd.kernels.to_structs import watched_of
from fastgd.machine.cache import Entry
from fastgd.machine.struct import place_of
from fastgd.options import Options
from fastgd.samples import Samples
from fastgd.state import (
    EPOCH,
    EPOCH_COST_SUM,
    HELD_OUT,
    NEXT_RECORD,
    RECORDED,
    STOPPED,
    STRIDE,
    State,
    start,
)

THREADED_SECONDS = 0.001  # of training, for which threads are started: some three times of that
# of a state, what an update depends on
_OF_AN_UPDATE = "params", "slots", "powers", "plateau", "cursor"
_COMMAND = place_of(Problem, "command")
_SEED, _EPOCHS, _MONITORED = (
    place_of(Problem, "course", name) for name in ("seed", "epochs", "monitored")
)


class _Calls(NamedTuple):
    """Of who leads, and of those who help."""

    calls: list[Callable[[], None]]
    structs: list[Array]  # all that they read
    lead: Array  # the first's


class Bound(Problems, ABC):
    """A plan bound to its data and options. Its threads work while it is entered as a context."""

    def __init__(
        self,
        plan: Plan,
        options: Options,
        samples: Samples,
        held_out: Samples | None,
        threads: int,
        most_rows: int,
    ):
        super().__init__(plan, options, samples, held_out, threads, most_rows)
        self._watched = watched_of(options, held_out=self.held_out.n > 0)
        self._limit = ctypes.c_int64()
        self._trained: tuple[State, _Calls] | None = None  # the state that was advanced last

    @property
    def needs_threads(self) -> bool:
        """Whether a single pass takes long enough for threads to be started for it."""
        if self.helpers.count == 0:
            return False
        return max(self.plan.n, self.held_out.n) * self.net.n_params >= THREADED_PRODUCTS

    def are_worth_threads(self, epochs: int) -> bool:
        """Whether so many epochs take long enough for threads to be started for them, unless they
        are there.
        """
        may_help = self.helpers.are_lacking
        return may_help and epochs * epoch_seconds(self.plan) >= THREADED_SECONDS

    def __enter__(self) -> "Bound":
        self.helpers.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.helpers.stop()

    @abstractmethod
    def entry(self, function: str) -> Entry:
        """A compiled function of the kernel."""

    def _calls_of(self, problems: Iterator[Problem]) -> _Calls:
        """The calls of compiled code for the problems as the threads see them."""
        entry, before = self.entry("train"), len(self._structs)
        own = [self._struct(problem) for problem in problems]
        calls = [entry.calls_of(struct, self._limit) for struct in own]
        return _Calls(calls, [struct for struct, _ in self._structs[before:]], own[0])

    def _training_of(self, state: State) -> _Calls:
        """The calls that train a state; those of the latest one are there."""
        if self._trained is None or self._trained[0] is not state:
            ranks = range(len(self.works))
            problems = (self.problem(state, TRAIN, rank=rank) for rank in ranks)
            self._trained = state, self._calls_of(problems)
        return self._trained[1]

    def advance(
        self, state: State, seed: int, epochs: int, limit: int, *, monitored: bool = True
    ) -> float:
        """At most `limit` updates on the way to `epochs`, and the seconds that they took; 0
        compiles what has not been compiled yet.

        Unless `monitored`, no stop rule acts.
        """
        calls, structs, _ = self._training_of(state)
        if limit == 0:
            return 0.0
        watched = self._watched if monitored else NOTHING
        for struct in structs:
            struct[_SEED], struct[_EPOCHS], struct[_MONITORED] = seed, epochs, watched
        return self._run(calls, limit)

    @property
    def cost_falls_out(self) -> bool:
        """Whether an update begins with the cost of all rows."""
        return self.plan.rows_stay

    def look_ahead(self, state: State, seed: int) -> tuple[float, bool]:
        """The cost that the next update of a state would find, of all rows where it `falls out`,
        and whether that update would change no parameter. The state stays as it is.
        """
        ahead, names, (calls, structs, _) = self._ahead
        for name in names:
            getattr(ahead, name)[...] = getattr(state, name)
        cursor = ahead.cursor
        cursor[STOPPED], cursor[RECORDED], cursor[STRIDE] = 0, 0, 1
        cursor[NEXT_RECORD] = cursor[EPOCH]
        for struct in structs:
            struct[_SEED], struct[_EPOCHS], struct[_MONITORED] = seed, state.epoch + 1, NOTHING
        self._run(calls, 1)
        # which ends at the first that differ
        return float(ahead.costs[0]), ahead.params.data == state.params.data

    @cached_property
    def _ahead(self) -> tuple[State, list[str], _Calls]:
        """Of an update that is made to look ahead: a state, what it has of the one that is trained,
        and the calls.
        """
        params = np.zeros(self.net.n_params, self.plan.net.dtype)
        whole = self.start(params)
        state = start(
            params, whole.slots[:, : len(params)], powers=len(whole.powers), plateau=whole.plateau
        ).widened(self.size)
        names = [name for name in _OF_AN_UPDATE if getattr(state, name).size]
        ranks = range(len(self.works))
        calls = self._calls_of(self.problem(state, TRAIN, rank=rank) for rank in ranks)
        return state, names, calls

    def _run(self, calls: list[Callable[[], None]], limit: int = 0) -> float:
        """Make the first of these calls of the compiled loop, the others helping, and return its
        seconds.
        """
        self._limit.value = limit
        if len(calls) == 1:
            self.helpers.have_nothing()
            return _seconds_of(calls[0])
        with self.helpers.at_work(calls[1:]):
            return _seconds_of(calls[0])

    def cost(self, params: Array) -> float:
        """The cost of all rows for (n_params,) parameters."""
        return self._cost(params, self._costing) / self.data.batches

    def held_out_cost(self, params: Array) -> float:
        """The cost of the validation rows."""
        return self._cost(params, self._held_out_costing)

    def _cost(self, params: Array, calls: _Calls) -> float:
        """The sum of the batch costs of a pass without updates."""
        state = self._passing
        state.params[: self.net.n_params] = params
        state.sums[EPOCH_COST_SUM] = 0.0
        self._run(calls.calls)
        return float(state.sums[EPOCH_COST_SUM])

    @cached_property
    def _passing(self) -> State:
        """Of passes without updates."""
        return start(np.zeros(self.net.n_params, self.plan.net.dtype)).widened(self.size)

    @cached_property
    def _costing(self) -> _Calls:
        """Of a pass over the rows, in their own order."""
        return self._calls_of(
            problem._replace(data=problem.data._replace(shuffled=0)) for problem in self._passes()
        )

    @cached_property
    def _held_out_costing(self) -> _Calls:
        """Of a pass over the validation rows."""
        return self._calls_of(
            problem._replace(data=self.held_out, work=work, is_held_out=True)
            for problem, work in zip(self._passes(), self.held_out_works, strict=True)
        )

    def _passes(self) -> Iterator[Problem]:
        ranks = range(len(self.works))
        return (self.problem(self._passing, PASS, rank=rank) for rank in ranks)

    @property
    def monitors_held_out(self) -> bool:
        """Whether stop rules watch the validation rows."""
        return self._watched == HELD_OUT_COST

    def watch_end(self, state: State, cost: float) -> None:
        """Apply the stop rules to the parameters after the last epoch, which no further pass looks
        at.

        `cost` is that of all rows. An epoch of several batches was looked at when it ended.
        """
        if self._watched != NOTHING and (self.held_out.n or self.plan.batches == 1):
            if self.monitors_held_out:
                cost = state.sums[HELD_OUT] = self.held_out_cost(state.params[: self.net.n_params])
            epoch_cost_sum, state.sums[EPOCH_COST_SUM] = state.sums[EPOCH_COST_SUM], cost
            calls, _, lead = self._training_of(state)
            lead[_COMMAND], lead[_MONITORED] = CHECK_RULES, self._watched
            self._run(calls[:1])
            lead[_COMMAND] = TRAIN
            state.sums[EPOCH_COST_SUM] = epoch_cost_sum


def _seconds_of(call: Callable[[], None]) -> float:
    before = time.perf_counter()
    call()
    return time.perf_counter() - before
