"""What a kernel is given: a network in numbers, rows, scratch memory, the rule of the update, a course; and the binding of it all."""

import time
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from fastgd.checks import Array
from fastgd.jit import inline, kernel
from fastgd.kernels import driver
from fastgd.kernels.blas import gemm_address
from fastgd.kernels.driver import Course
from fastgd.kernels.plan import Plan
from fastgd.kernels.store import Entry
from fastgd.kernels.table import Doubles, Integers, Link, Reals, table_of, viewer
from fastgd.names import ACTIVATIONS, LOSSES, METHODS
from fastgd.options import Options
from fastgd.samples import Samples
from fastgd.schedules import KINDS, as_schedule
from fastgd.simd import VECTOR_BYTES, copy, stay_scalar
from fastgd.state import PENDING, State, aligned, start
from fastgd.updates import FORMS

NO_UPDATE = -1  # in the place of a method: only costs are wanted


class Network(NamedTuple):
    """An MLP in numbers; layer l, counted from 0, has widths[l] inputs and widths[l + 1] units."""

    layers: int
    n_params: int
    widths: Integers  # (layers + 1,)
    units_before: Integers  # (layers + 1,) units of all earlier layers, the inputs counting as one
    weights: Integers  # (layers,) where W starts in the flat array
    biases: Integers  # (layers,) where b starts, -1 without biases
    activations: Integers  # (layers,) numbers of names.ACTIVATIONS
    loss: int
    gemm: int  # address of BLAS gemm; 0 for loops over vectors


class Data(NamedTuple):
    """All rows, and the order in which they are taken."""

    X: Reals  # (n * inputs,)
    Y: Reals  # (n * outputs,)
    weights: Reals  # (n,) of the samples, or (0,) where all weigh the same
    order: Integers  # (n + 1,) the row at each place, and the epoch of which this is the order, where `shuffled`
    n: int
    shuffled: int
    batch: int  # rows of a batch; the last one of an epoch may be shorter
    batches: int  # of an epoch
    mean_weight: float  # of a batch


class Work(NamedTuple):
    """Scratch memory, sized before the loop. Layer l's part of the first three starts at units_before[l + 1] * stride."""

    a: Reals  # activations, the inputs first
    z: Reals  # pre-activations
    delta: Reals  # dC/da, then dC/dz
    y: Reals  # (outputs, stride) targets
    weight: Reals  # (stride,) share of each sample in the cost; 0 for padding
    gradient: Reals  # (n_params,) and padding to whole vectors
    block: int  # most rows of a block, a multiple of the lanes
    held: Integers  # (1,) 1 where the block holds all rows for good


class Rule(NamedTuple):
    """How a gradient becomes an update."""

    rate: float  # the learning rate, or the first value of its schedule
    schedule: int  # its place in schedules.KINDS
    times: Doubles  # (3,) warm-up and the schedule's own two numbers
    form: int  # its place in updates.FORMS
    numbers: Doubles  # the optimizer's own
    slots: Reals  # (slots * size,) what it keeps for every parameter
    powers: Doubles  # (2,) beta1^t and beta2^t
    clip_norm: float  # inf for no clipping
    l2: float
    decays: Reals  # (size,) 1 for weights, 0 for biases; (0,) without l2
    size: int  # of params: n_params up to whole vectors


class Problem(NamedTuple):
    """All that the updates of a kernel need."""

    net: Network
    data: Data
    params: Reals  # (size,)
    work: Work
    rule: Rule
    course: Course
    method: int  # its place in names.METHODS, or NO_UPDATE
    eps: float  # step of the difference methods
    apart: int  # whether this is the problem of the validation rows
    held_out: Link  # the same problem for the validation rows, without updates


problem_of = viewer(Problem)


@inline
def run(steps, table, zero, limit):
    """`limit` updates along the course of a table; see `driver.advance`."""
    driver.advance(steps, problem_of(table, zero), limit)


@kernel
def batch_weight(data, start, rows):
    """What the samples of a batch are averaged by: the sum of their weights, 1 where that is 0."""
    if len(data.weights) == 0:
        return float(rows)
    total = 0.0
    for place in range(start, start + rows):
        total += data.weights[data.order[place] if data.shuffled != 0 else place]
    return total if total > 0 else 1.0


@kernel
def gather(net, data, work, start, rows, stride, total):
    """Copy places start ... start + rows of this epoch's order into the block; padding repeats the first of them with weight 0.

    `total` is what the weights of the batch sum to.
    """
    inputs, outputs = net.widths[0], net.widths[net.layers]
    for s in range(stride):
        place = start + (s if s < rows else 0)
        row = data.order[place] if data.shuffled != 0 else place
        weight = data.weights[row] / total if len(data.weights) != 0 else 1.0 / total
        work.weight[s] = weight if s < rows else 0.0
        if net.gemm != 0:
            copy(work.a, s * inputs, data.X, row * inputs, inputs)
        else:
            for k in range(inputs):
                work.a[k * stride + s] = data.X[row * inputs + k]
                stay_scalar()
        for k in range(outputs):
            work.y[k * stride + s] = data.Y[row * outputs + k]
            stay_scalar()


def padded(size: int, dtype: np.dtype[Any]) -> int:
    """`size` rounded up to whole vectors."""
    lanes = VECTOR_BYTES // dtype.itemsize
    return -(-size // lanes) * lanes


class Bound:
    """A plan bound to its data and options.

    `entry` is the compiled `train` of a kernel; `most_rows` are passed over at once.
    """

    def __init__(self, plan: Plan, options: Options, samples: Samples, held_out: Samples | None, entry: Entry, most_rows: int, wide: bool):
        net, dtype = plan.net, plan.net.dtype
        self.plan, self.entry, self.options = plan, entry, options
        self.zero = dtype.type(0)
        self.size = padded(net.n_params, dtype)
        self.net = Network(
            layers=len(net.layers),
            n_params=net.n_params,
            widths=_integers(net.widths),
            units_before=_integers(sum(net.widths[:l]) for l in range(len(net.widths))),
            weights=_integers(layer.weights.start for layer in net.layers),
            biases=_integers(layer.biases.start if layer.bias else -1 for layer in net.layers),
            activations=_integers(ACTIVATIONS.index(layer.activation) for layer in net.layers),
            loss=LOSSES.index(net.loss),
            gemm=gemm_address(dtype) if wide else 0,
        )
        self.data = _data(samples, plan.batch, plan.shuffle)
        self.work = self._scratch(min(most_rows, plan.batch))
        nothing = samples.weights[:0]
        self.held_out = _data(held_out or Samples(nothing, nothing, nothing), len(held_out.X) if held_out else 0, False)
        self.held_out_work = self._scratch(min(most_rows, self.held_out.n))
        self.decays = aligned((self.size if options.l2 else 0,), dtype)
        for layer in net.layers if options.l2 else ():
            self.decays[layer.weights] = 1

    def _scratch(self, rows: int) -> Work:
        net, dtype = self.plan.net, self.plan.net.dtype
        block = padded(rows, dtype)
        units = sum(net.widths) * block
        return Work(
            a=aligned((units,), dtype),
            z=aligned((units,), dtype),
            delta=aligned((units,), dtype),
            y=aligned((net.widths[-1] * block,), dtype),
            weight=aligned((block,), dtype),
            gradient=aligned((self.size,), dtype),
            block=block,
            held=np.zeros(1, np.int64),
        )

    def start(self, params: Array) -> State:
        """The state before the first update."""
        options = self.options
        slots = np.zeros((options.optimizer.slots, len(params)), params.dtype)
        if options.optimizer.form == "rprop":
            slots[1] = options.first_rate
        state = start(params, slots, options.record, keeps_best=options.restore_best, held_out=self.held_out.n > 0)
        return state.widened(self.size)

    def problem(self, state: State, method: int, seed: int = 0, epochs: int = 1, *, watched: bool = False) -> Problem:
        options, schedule = self.options, as_schedule(self.options.learning_rate)
        rate, *times = schedule.numbers
        rule = Rule(
            rate=rate,
            schedule=KINDS.index(type(schedule)),
            times=np.array(times),
            form=FORMS.index(options.form),
            numbers=np.array(options.optimizer.numbers),
            slots=state.slots,
            powers=state.powers,
            clip_norm=np.inf if options.clip_norm is None else options.clip_norm,
            l2=options.l2,
            decays=self.decays,
            size=self.size,
        )
        course = driver.course(state, options, seed, epochs, watched=watched, held_out=self.held_out.n > 0)
        problem = Problem(
            self.net, self.data, state.params, self.work, rule, course, method, options.eps, False, np.zeros(0, np.int64)
        )  # fmt: skip
        apart = problem._replace(data=self.held_out, work=self.held_out_work, method=NO_UPDATE, apart=True)
        return problem._replace(held_out=table_of(apart))

    def advance(self, state: State, seed: int, epochs: int, limit: int, *, watched: bool = True) -> float:
        """At most `limit` updates on the way to `epochs`, and the seconds that they took; 0 compiles what has not been compiled yet.

        Unless `watched`, no stop rule acts.
        """
        problem = self.problem(state, METHODS.index(self.plan.method), seed, epochs, watched=watched)
        last = self.updates(state) + limit
        seconds = self._run(problem, limit)
        while state.is_full and state.epoch < epochs and self.updates(state) < last:
            state.thin_out()
            seconds += self._run(problem, last - self.updates(state))
        return seconds

    def updates(self, state: State) -> int:
        """Updates made since epoch 0."""
        return state.updates(self.plan.batches)

    def cost(self, params: Array) -> float:
        """The cost of all rows for (n_params,) parameters."""
        return self._cost(params, data=self.data._replace(shuffled=0)) / self.data.batches

    def held_out_cost(self, params: Array) -> float:
        """The cost of the validation rows."""
        return self._cost(params, data=self.held_out, work=self.held_out_work, apart=True)

    def _cost(self, params: Array, **rows: Any) -> float:
        """The sum of the batch costs of a pass without updates."""
        state = start(params).widened(self.size)
        self._run(self.problem(state, NO_UPDATE)._replace(**rows), driver.ALL_ROWS)
        return float(state.sums[PENDING])

    def watch_end(self, state: State, cost: float) -> None:
        """Apply the stop rules to the parameters after the last epoch, which no further pass looks at.

        `cost` is that of all rows. An epoch of several batches was looked at when it ended.
        """
        if self.options.watches and (self.held_out.n or self.plan.batches == 1):
            course = driver.course(state, self.options, 0, state.epoch, watched=True, held_out=self.held_out.n > 0)
            cost = self.held_out_cost(state.params[: self.net.n_params]) if self.held_out.n else cost
            if driver.watch.py_func(course, state.epoch, cost):
                state.best[:] = state.params[: len(state.best)]

    def _run(self, problem: Problem, limit: int) -> float:
        """Call the compiled loop, and return its seconds. `problem` keeps alive what its table points to."""
        table = table_of(problem)
        before = time.perf_counter()
        self.entry(table, self.zero, limit)
        return time.perf_counter() - before


def _integers(values: Iterable[int]) -> Array:
    return np.array(list(values), np.int64)


def _data(samples: Samples, batch: int, shuffle: bool) -> Data:
    n = len(samples.X)
    batches = -(-n // batch) if n else 0
    total = float(samples.weights.sum(dtype=np.float64)) if len(samples.weights) else float(n)
    order = np.full(n + 1 if shuffle else 0, -1, np.int64)
    return Data(*samples, order, n, shuffle, batch, batches, total / batches if n else 0.0)
