"""A plan bound to data and options, whatever the kernel: its arrays, and the calls of compiled
code.
"""

import time
from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.kernels.plan import Plan
from fastgd.kernels.structs import (
    CHECK_RULES,
    HELP,
    NO_UPDATE,
    PANEL_BYTES,
    PASS,
    TRAIN,
    Data,
    Problem,
    Work,
    WorkQueue,
)  # fmt: skip
from fastgd.kernels.threads.pool import Helpers, give_way
from fastgd.kernels.to_structs import course_of, data_of, is_weight_of, network_of, rule_of
from fastgd.machine.cache import Entry
from fastgd.machine.struct import struct_of, words_of
from fastgd.names import METHODS
from fastgd.options import Options
from fastgd.samples import Samples
from fastgd.state import EPOCH_COST_SUM, HELD_OUT, State, aligned, padded, start

_NONE = np.zeros(0, np.int64)  # for a pointer to nothing


class Bound(ABC):
    """A plan bound to its data and options.

    Blocks of at most `most_rows` are passed over at once, on up to `threads` threads while it is
    entered as a context.
    """

    keeps_layers = True  # whether what a layer computes is kept in memory

    def __init__(
        self,
        plan: Plan,
        options: Options,
        samples: Samples,
        held_out: Samples | None,
        threads: int,
        most_rows: int,
    ):
        net, dtype = plan.net, plan.net.dtype
        self.plan, self.options = plan, options
        self.size = padded(net.n_params, dtype)
        self.net = network_of(net)
        nothing = samples.weights[:0]
        held_out = held_out or Samples(nothing, nothing, nothing)
        parts = 1 if plan.unit_slices or plan.hidden_halves else plan.row_parts(plan.batch)
        self.data = data_of(
            samples,
            len(samples.X),
            plan.batch,
            plan.shuffle,
            parts,
            unit_slices=plan.unit_slices,
            hidden_halves=plan.hidden_halves,
        )
        self.held_out = data_of(
            held_out, len(held_out.X), len(held_out.X), False, plan.row_parts(len(held_out.X))
        )
        shared = max(
            self.data.row_parts, self.held_out.row_parts, plan.update_slices, 1 + plan.hidden_halves
        )
        ranks = range(min(threads, shared))
        gradient = aligned((self.data.row_parts * self.size,), dtype)
        if plan.unit_slices:  # of one block, which all threads work on
            work = self._scratch(self.data, most_rows, gradient)
            self.works = [work._replace(panel=np.zeros_like(work.panel)) for _ in ranks]
        else:
            own = [
                aligned(gradient.shape, dtype) if plan.hidden_halves else gradient for _ in ranks
            ]
            self.works = [self._scratch(self.data, most_rows, each) for each in own]
        self.next_works = (
            [self._with_other_rows(work) for work in self.works] if plan.hidden_halves else []
        )
        self.held_out_works = [self._scratch(self.held_out, most_rows, gradient) for _ in ranks]
        self.helpers = Helpers(len(ranks) - 1)
        halved = plan.hidden_halves
        exchange = aligned((4 * net.widths[-1] * self.works[0].block if halved else 0,), dtype)
        transposed = aligned((net.widths[0] * net.widths[1] if halved else 0,), dtype)
        self.queue = WorkQueue(
            self.helpers.counters, np.zeros(11, np.int64), np.zeros(4), np.zeros(shared),
            exchange, transposed, give_way(),
        )  # fmt: skip
        self.is_weight = is_weight_of(net, options, self.size)

    def _scratch(self, data: Data, most_rows: int, gradient: Array) -> Work:
        """For blocks of even size, at most `most_rows`."""
        net, dtype = self.plan.net, self.plan.net.dtype
        rows = -(-data.batch // data.row_parts)
        block = padded(-(-rows // max(1, -(-rows // most_rows))), dtype)
        units = sum(net.widths) * block if self.keeps_layers else 0
        return Work(
            rows=aligned(
                (
                    (net.widths[0] + net.widths[-1]) * block
                    if self.keeps_layers or not self.plan.rows_stay
                    else 0,
                ),
                dtype,
            ),
            a=aligned((max(units, net.widths[0] * block),), dtype),
            z=aligned((units,), dtype),
            delta=aligned((units,), dtype),
            y=aligned((net.widths[-1] * block,), dtype),
            weight=aligned((block,), dtype),
            panel=aligned((PANEL_BYTES // dtype.itemsize if self.keeps_layers else 0,), dtype),
            gradient=gradient,
            block=block,
        )

    def _with_other_rows(self, work: Work) -> Work:
        """Other memory for rows, beside the same for what is computed of them."""
        rows, y, weight = (
            aligned(array.shape, array.dtype) for array in (work.rows, work.y, work.weight)
        )
        return work._replace(rows=rows, y=y, weight=weight)

    def __enter__(self) -> "Bound":
        self.helpers.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.helpers.stop()

    @abstractmethod
    def entry(self, function: str) -> Entry:
        """A compiled function of the kernel."""

    def start(self, params: Array) -> State:
        """The state before the first update."""
        options = self.options
        state = start(
            params,
            options.optimizer.first_slots(params, options.first_rate),
            options.record,
            keeps_best=options.restore_best,
            held_out=self.held_out.n > 0,
        )
        return state.widened(self.size)

    def problem(
        self,
        state: State,
        command: int,
        seed: int = 0,
        epochs: int = 1,
        *,
        monitored: bool = False,
        rank: int = 0,
    ) -> Problem:
        """The problem as the thread of this rank sees it: 0 leads by the command, others help."""
        method = METHODS.index(self.plan.method) if command == TRAIN else NO_UPDATE
        options = self.options
        rule = rule_of(
            options, state.slots, state.powers, self.is_weight, self.size, self.plan.update_slices
        )
        course = course_of(
            state, options, seed, epochs, monitored=monitored, held_out=self.held_out.n > 0
        )
        problem = Problem(
            self.net, self.data, state.params, self.works[rank], rule, course, self.queue,
            HELP if rank else command, method, options.eps, False, _NONE, _NONE,
        )  # fmt: skip
        if self.plan.hidden_halves:
            problem = problem._replace(
                next=self._struct(problem._replace(work=self.next_works[rank]))
            )
        if self.held_out.n == 0:
            return problem
        rows = problem._replace(
            data=self.held_out, work=self.held_out_works[rank], method=NO_UPDATE, is_held_out=True
        )
        return problem._replace(held_out=self._struct(rows))

    @cached_property
    def pattern(self) -> Array:
        """The struct of a training from no parameters in particular, for members that put their own
        state and numbers in.
        """
        state = self.start(np.zeros(self.net.n_params, self.plan.net.dtype))
        return self._struct(self.problem(state, TRAIN, monitored=True))

    @cached_property
    def _known(self) -> dict[int, list[int]]:
        """Of what all problems share, as numbers."""
        shared = (
            self.net,
            self.data,
            self.held_out,
            self.queue,
            *self.works,
            *self.next_works,
            *self.held_out_works,
        )
        real = self.plan.net.dtype
        return {id(part): words_of(part, real, {}) for part in shared}

    def _struct(self, problem: Problem) -> Array:
        return struct_of(problem, self.plan.net.dtype, self._known)

    def advance(
        self, state: State, seed: int, epochs: int, limit: int, *, monitored: bool = True
    ) -> float:
        """At most `limit` updates on the way to `epochs`, and the seconds that they took; 0
        compiles what has not been compiled yet.

        Unless `monitored`, no stop rule acts.
        """
        ranks = range(len(self.works) if limit else 1)
        problems = [
            self.problem(state, TRAIN, seed, epochs, monitored=monitored, rank=rank)
            for rank in ranks
        ]
        # they point to what the problems keep alive
        return self._enter([self._struct(problem) for problem in problems], limit)

    def _enter(self, structs: list[Array], limit: int = 0) -> float:
        """Have the first of these problems done by the compiled loop, the others helping, and
        return its seconds.
        """
        train = self.entry("train")
        with self.helpers.at_work(train, structs[1:]):
            before = time.perf_counter()
            train(structs[0], limit)
            return time.perf_counter() - before

    def cost(self, params: Array) -> float:
        """The cost of all rows for (n_params,) parameters."""
        return self._cost(params, data=self.data._replace(shuffled=0)) / self.data.batches

    def held_out_cost(self, params: Array) -> float:
        """The cost of the validation rows."""
        return self._cost(params, data=self.held_out, is_held_out=True)

    def _cost(self, params: Array, *, data: Data, is_held_out: bool = False) -> float:
        """The sum of the batch costs of a pass without updates."""
        state = start(params).widened(self.size)
        works = self.held_out_works if is_held_out else self.works
        problems = [
            self.problem(state, PASS, rank=rank)._replace(
                data=data, work=work, is_held_out=is_held_out
            )
            for rank, work in enumerate(works)
        ]
        self._enter([self._struct(problem) for problem in problems])
        return float(state.sums[EPOCH_COST_SUM])

    @property
    def monitors_held_out(self) -> bool:
        """Whether stop rules watch the validation rows."""
        return self.options.monitors and self.held_out.n > 0

    def watch_end(self, state: State, cost: float) -> None:
        """Apply the stop rules to the parameters after the last epoch, which no further pass looks
        at.

        `cost` is that of all rows. An epoch of several batches was looked at when it ended.
        """
        if self.options.monitors and (self.held_out.n or self.plan.batches == 1):
            if self.monitors_held_out:
                cost = state.sums[HELD_OUT] = self.held_out_cost(state.params[: self.net.n_params])
            epoch_cost_sum, state.sums[EPOCH_COST_SUM] = state.sums[EPOCH_COST_SUM], cost
            self._enter([self._struct(self.problem(state, CHECK_RULES, epochs=0, monitored=True))])
            state.sums[EPOCH_COST_SUM] = epoch_cost_sum
