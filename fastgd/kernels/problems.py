"""The arrays of a plan, its rows and its options, as structs of problems for compiled code."""

from functools import cached_property

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.kernels.codes import HELP, NO_UPDATE, TRAIN
from fastgd.kernels.few_memory import few_rows_of, few_rule_of, for_threads
from fastgd.kernels.plan import Plan
from fastgd.kernels.scratch import scratch_of
from fastgd.kernels.state_memory import StateMemory
from fastgd.kernels.structs import Apart, Data, Problem, Work, WorkQueue
from fastgd.kernels.threads.pool import Helpers, give_way
from fastgd.kernels.to_structs import (
    course_of,
    data_of,
    mean_weight_of,
    network_of,
    noise_of,
    rule_of,
)
from fastgd.machine.struct import place_of, struct_of, word_of, words_of
from fastgd.names import METHODS
from fastgd.options import Options
from fastgd.samples import Samples
from fastgd.schedules import first_plateau
from fastgd.state import State, aligned, padded, start
from fastgd.system.address import address_of

_NONE = np.zeros(0, np.int64)  # for a pointer to nothing
_X = place_of(Problem, "data", "X")
_ROWS = slice(_X, _X + 2 * len(Samples._fields))  # X, Y and weights
_MEAN_WEIGHT = place_of(Problem, "data", "mean_weight")
_FEW = 2**12  # numbers of rows that are copied sooner than arrays say their addresses


class Problems:
    """The problems of a plan, its data and its options, as structs.

    Blocks of at most `most_rows` are passed over at once, by up to `threads` threads. It can be
    kept for another training by this plan and these options: `let_go` of the rows, and later
    `look_at` other ones.
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
        nothing = np.zeros(0, dtype)
        no_rows = Samples(nothing, nothing, nothing)
        apart = held_out or no_rows
        alone = plan.unit_slices or plan.hidden_halves or plan.few_rows
        parts = 1 if alone else plan.row_parts(plan.batch)
        self.data = data_of(
            samples,
            len(samples.X),
            plan.batch,
            plan.shuffle,
            parts,
            unit_slices=plan.unit_slices,
            hidden_halves=plan.hidden_halves,
            few_rows=plan.few_rows,
        )
        self.held_out = data_of(
            apart, len(apart.X), len(apart.X), False, plan.row_parts(len(apart.X))
        )
        shared = plan.most_threads(self.held_out.n)
        threads = min(threads, shared)
        self.scratch = scratch_of(
            plan, self.data, self.held_out, threads, most_rows, keeps_layers=self.keeps_layers
        )
        self.works, self.next_works, self.held_out_works = self.scratch
        self.fews = for_threads(few_rows_of(plan, options), plan, options, threads)
        self.helpers = Helpers(threads - 1)
        halved = plan.hidden_halves
        exchange = aligned((4 * net.widths[-1] * self.works[0].block if halved else 0,), dtype)
        transposed = aligned((net.widths[0] * net.widths[1] if halved else 0,), dtype)
        self.noise = noise_of(net, options)
        self.apart = Apart(0, 0, 0)
        self.queue = WorkQueue(
            self.helpers.counters, np.zeros(12, np.int64), np.zeros(4), np.zeros(shared),
            exchange, transposed, give_way(),
        )  # fmt: skip
        self.rule = rule_of(
            net, options, nothing, np.ones(options.optimizer.powers), self.size,
            plan.update_slices,
        )  # fmt: skip
        self.few_rule = few_rule_of(self.rule, self.fews[0], plan, options)
        self.memory = StateMemory(self.size, net.n_params)
        # all that point to rows, and whether these are the validation rows; where those are
        self._structs: list[tuple[Array, int]] = []
        self._words = 2 * [_words_of_rows(no_rows, self.data)]
        self._alive: list[Samples] = []
        self.data = self.data._replace(**no_rows._asdict())
        self.held_out = self.held_out._replace(**no_rows._asdict())
        self._room: list[Array] = []  # for rows that are copied
        if not plan.weighted and not plan.validated and samples.X.size + samples.Y.size <= _FEW:
            X, Y = self._room = [aligned(array.shape, dtype) for array in samples[:2]]
            self._point_to(Samples.alike(X, Y), None)
        self._take(samples, held_out)

    @cached_property
    def nbytes(self) -> int:
        """Bytes of memory that are kept with it."""
        arrays = [*self.queue[:-1], self.rule.is_weight, self.rule.is_steep]
        arrays += [self.data.order, self.data.blocks, *self._room]
        arrays += [array for few in self.fews for array in few]
        arrays += [self.few_rule.slots, self.few_rule.is_weight]
        state = self.start(np.zeros(self.net.n_params, self.plan.net.dtype))
        of_states = (self.memory.copies + 1) * state.nbytes  # one looks ahead
        shared: int = sum(array.nbytes for array in arrays)
        return self.scratch.nbytes + of_states + shared

    # -- rows

    def look_at(self, samples: Samples, held_out: Samples | None) -> None:
        """Take the rows from these arrays, of the same shapes and kinds as before, and be as at the
        first call.
        """
        self._take(samples, held_out)
        if self.plan.shuffle:
            self.data.order[-1] = -1  # the order is of no epoch
        for work in self.works:
            work.gradient[...] = 0

    def _take(self, samples: Samples, held_out: Samples | None) -> None:
        """Take the rows from these arrays."""
        if not self._room:
            self._point_to(samples, held_out)
        for room, array in zip(self._room, samples, strict=False):
            room[...] = array

    def _point_to(self, samples: Samples, held_out: Samples | None) -> None:
        """Have the structs point to these rows, which are kept alive."""
        self._alive = [samples]
        self._words = [_words_of_rows(samples, self.data)]
        if held_out is not None:
            self._alive.append(held_out)
            self._words.append(_words_of_rows(held_out, self.held_out))
        for struct, which in self._structs:
            struct[_ROWS], struct[_MEAN_WEIGHT] = self._words[which]

    def let_go(self) -> None:
        """Keep no array of samples; nothing is to be computed until there are others."""
        self._alive = []

    def start(self, params: Array) -> State:
        """The state before the first update."""
        options = self.options
        state = start(
            params,
            options.optimizer.first_slots(params, options.first_rate),
            options.record,
            powers=options.optimizer.powers,
            plateau=first_plateau(options.learning_rate),
            keeps_best=options.restore_best,
            held_out=self.held_out.n > 0,
        )
        return state.widened(self.size)

    def begin(self, params: Array) -> State:
        """The state before the first update, in the kernel's own memory."""
        return self.memory.begin(params, self.start)

    def problem(self, state: State, command: int, *, rank: int = 0) -> Problem:
        """The problem, without stop rules, as the thread of this rank sees it: 0 leads by the
        command, others help.
        """
        method = METHODS.index(self.plan.method) if command == TRAIN else NO_UPDATE
        options = self.options
        rule = self.rule._replace(slots=state.slots, powers=state.powers, plateau=state.plateau)
        few_rule = self.few_rule._replace(powers=state.powers, plateau=state.plateau)
        course = course_of(state, options, rule.times)
        problem = Problem(
            self.net, self.data, state.params, self.works[rank], self.fews[rank], rule, few_rule,
            course, self.queue, self.noise, self.apart, HELP if rank else command, method,
            options.eps, 0, _NONE, _NONE, _NONE,
        )  # fmt: skip
        if self.plan.perturbed:
            problem = self._perturbed(problem, command, rank)
        if self.plan.hidden_halves:
            problem = problem._replace(
                next=self._struct(problem._replace(work=self.next_works[rank]))
            )
        if self.held_out.n == 0:
            return problem
        rows = problem._replace(
            data=self.held_out, work=self.held_out_works[rank], method=NO_UPDATE, is_held_out=1,
        )  # fmt: skip
        return problem._replace(held_out=self._struct(rows))

    def _perturbed(self, problem: Problem, command: int, rank: int) -> Problem:
        """The problem of rows that chance changes, which points to that of rows as they are; that
        alone where there are no updates.
        """
        work = self.untouched_works[rank]
        alone = problem._replace(work=work, method=NO_UPDATE, is_held_out=2)
        if command != TRAIN:
            return alone._replace(is_held_out=0)
        return problem._replace(untouched=self._struct(alone))

    @cached_property
    def untouched_works(self) -> list[Work]:
        """The same memory as threads train with, for rows that chance leaves alone."""
        return [work.without_chance() for work in self.works]

    @cached_property
    def patterns(self) -> list[Array]:
        """The structs of a training from no parameters in particular, one as each thread sees it,
        for members that put their own state and numbers in.
        """
        state = self.start(np.zeros(self.net.n_params, self.plan.net.dtype))
        ranks = range(len(self.works))
        return [self._struct(self.problem(state, TRAIN, rank=rank)) for rank in ranks]

    def structs_of(self, state: State) -> tuple[list[Array], list[Array]]:
        """The structs of the training of a state, one as each thread sees it, and all that are to
        stay alive with them; none of them is told of other rows.
        """
        before, ranks = len(self._structs), range(len(self.works))
        own = [self._struct(self.problem(state, TRAIN, rank=rank)) for rank in ranks]
        made = [struct for struct, _ in self._structs[before:]]
        del self._structs[before:]
        return own, made

    @cached_property
    def _known(self) -> dict[int, list[int]]:
        """Of what all problems share, as numbers."""
        shared = (
            self.net,
            self.data,
            self.held_out,
            self.queue,
            *self.fews,
            *self.works,
            *self.next_works,
            *self.untouched_works,
            *self.held_out_works,
        )
        real = self.plan.net.dtype
        return {id(part): words_of(part, real, {}) for part in shared}

    def _struct(self, problem: Problem) -> Array:
        """The problem as compiled code sees it."""
        struct = struct_of(problem, self.plan.net.dtype, self._known)
        return self.pointed(struct, problem.is_held_out == 1)

    def pointed(self, struct: Array, is_held_out: bool = False) -> Array:
        """The struct of a problem, or one that begins with it, which points to the rows from now
        on, or to the validation rows.
        """
        struct[_ROWS], struct[_MEAN_WEIGHT] = self._words[is_held_out]
        self._structs.append((struct, is_held_out))
        return struct


def _words_of_rows(samples: Samples, data: Data) -> tuple[Array, int]:
    """The addresses and lengths of the arrays of samples, and their mean weight in a batch."""
    words = [
        word
        for array in samples
        for word in ((address_of(array), array.size) if array.size else (0, 0))
    ]
    return np.array(words), word_of(mean_weight_of(samples, data.n, data.batches))
