"""What a kernel is given: a network in numbers, data, scratch memory, a course; and how Python hands them over.

They cross as one table of addresses, lengths and numbers: compiling the conversion of thirty Python objects would take longer than
compiling a small kernel. `Bound` keeps the arrays alive and builds the table; `unpack` reads it in the same order.
"""

import time
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from fastgd.checks import Array
from fastgd.jit import inline, kernel
from fastgd.kernels import driver
from fastgd.kernels.blas import gemm_address
from fastgd.kernels.driver import Course, State
from fastgd.kernels.plan import Plan
from fastgd.kernels.store import Entry
from fastgd.names import ACTIVATIONS, LOSSES, METHODS
from fastgd.simd import VECTOR_BYTES, copy, span_in, span_of, stay_scalar

NO_UPDATE = -1  # in the place of a method: only costs are wanted


class Network(NamedTuple):
    """An MLP in numbers; layer l, counted from 0, has widths[l] inputs and widths[l + 1] units."""

    layers: int
    n_params: int
    widths: Any  # (layers + 1,)
    units_before: Any  # (layers + 1,) units of all earlier layers, the inputs counting as one
    weights: Any  # (layers,) where W starts in the flat array
    biases: Any  # (layers,) where b starts, -1 without biases
    activations: Any  # (layers,) numbers of names.ACTIVATIONS
    loss: int
    gemm: int  # address of BLAS gemm; 0 for loops over vectors


class Data(NamedTuple):
    """All rows, and the order in which they are taken."""

    X: Any  # (n * inputs,)
    Y: Any  # (n * outputs,)
    order: Any  # (n + 1,) the row at each place, and the epoch of which this is the order, where `shuffled`
    n: int
    shuffled: bool


class Work(NamedTuple):
    """Scratch memory, sized before the loop. Layer l's part of the first three starts at units_before[l + 1] * stride."""

    a: Any  # activations, the inputs first
    z: Any  # pre-activations
    delta: Any  # dC/da, then dC/dz
    y: Any  # (outputs, stride) targets
    weight: Any  # (stride,) share of each sample in the cost; 0 for padding
    gradient: Any  # (n_params,) and padding to whole vectors
    block: int  # most rows of a block, a multiple of the lanes
    held: Any  # (1,) int64: 1 where the block holds all rows for good


class Problem(NamedTuple):
    """All that the updates of a kernel need."""

    net: Any
    data: Any
    params: Any  # (n_params,) and padding to whole vectors
    work: Any
    method: int  # its place in names.METHODS, or NO_UPDATE
    eps: float  # step of the difference methods
    batch: int  # rows of a batch; the last one of an epoch may be shorter
    learning_rate: float


@kernel
def gather(net, data, work, start, rows, stride, samples):
    """Copy places start ... start + rows of this epoch's order into the block; padding repeats the first of them with weight 0."""
    inputs, outputs = net.widths[0], net.widths[net.layers]
    for s in range(stride):
        place = start + (s if s < rows else 0)
        row = data.order[place] if data.shuffled != 0 else place
        work.weight[s] = 1.0 / samples if s < rows else 0.0
        if net.gemm != 0:
            copy(work.a, s * inputs, data.X, row * inputs, inputs)
        else:
            for k in range(inputs):
                work.a[k * stride + s] = data.X[row * inputs + k]
                stay_scalar()
        for k in range(outputs):
            work.y[k * stride + s] = data.Y[row * outputs + k]
            stay_scalar()


_DATA = len(Network._fields)
_WORK = _DATA + len(Data._fields)
_COURSE = _WORK + len(Work._fields)
_PARAMS = _COURSE + len(Course._fields)


@kernel
def unpack(table_array, zero):
    """Network, data, work, course and parameters of a table; `zero` is one of the network's dtype."""
    table = span_of(table_array)
    net = Network(
        table[2 * 0],
        table[2 * 1],
        span_in(table, 2, 0),
        span_in(table, 3, 0),
        span_in(table, 4, 0),
        span_in(table, 5, 0),
        span_in(table, 6, 0),
        table[2 * 7],
        table[2 * 8],
    )
    data = Data(
        span_in(table, _DATA, zero),
        span_in(table, _DATA + 1, zero),
        span_in(table, _DATA + 2, 0),
        table[2 * (_DATA + 3)],
        table[2 * (_DATA + 4)],
    )
    work = Work(
        span_in(table, _WORK, zero),
        span_in(table, _WORK + 1, zero),
        span_in(table, _WORK + 2, zero),
        span_in(table, _WORK + 3, zero),
        span_in(table, _WORK + 4, zero),
        span_in(table, _WORK + 5, zero),
        table[2 * (_WORK + 6)],
        span_in(table, _WORK + 7, 0),
    )
    course = Course(
        table[2 * _COURSE],
        table[2 * (_COURSE + 1)],
        table[2 * (_COURSE + 2)],
        table[2 * (_COURSE + 3)],
        table[2 * (_COURSE + 4)],
        span_in(table, _COURSE + 5, 0),
        span_in(table, _COURSE + 6, 0.0),
        table[2 * (_COURSE + 7)],
        span_in(table, _COURSE + 8, 0),
        span_in(table, _COURSE + 9, 0.0),
    )
    return net, data, work, course, span_in(table, _PARAMS, zero)


@inline
def train(steps, table, zero, method, eps, learning_rate, limit):
    """At most `limit` updates of the parameters along the course."""
    net, data, work, course, params = unpack(table, zero)
    problem = Problem(net, data, params, work, method, eps, course.batch, learning_rate)
    driver.advance(steps, problem, course, data.order, data.n, limit)


def padded(size: int, dtype: np.dtype[Any]) -> int:
    """`size` rounded up to whole vectors."""
    lanes = VECTOR_BYTES // dtype.itemsize
    return -(-size // lanes) * lanes


def scratch(size: int, dtype: np.dtype[Any]) -> Array:
    """Zeros that start at a cache line: a vector across two lines costs half as much again in small kernels."""
    line = 64
    memory = np.zeros(size * dtype.itemsize + line, np.uint8)
    start = -memory.ctypes.data % line
    return memory[start : start + size * dtype.itemsize].view(dtype)


def pad(params: Array) -> Array:
    """A copy of `params` with zeros up to whole vectors."""
    result = scratch(padded(len(params), params.dtype), params.dtype)
    result[: len(params)] = params
    return result


def _table(values: Iterable[Any]) -> Array:
    """Two int64 a value: address and length of an array, or a number and 0."""
    rows = [(v.ctypes.data, v.size) if isinstance(v, np.ndarray) else (int(v), 0) for v in values]
    return np.array(rows, np.int64).ravel()


class Bound:
    """A plan bound to its data: X is (n, inputs) and Y (n, outputs), of the network's dtype, C-contiguous.

    `entry` is the compiled `train` of a kernel; `block` the most rows it passes over at once.
    """

    def __init__(self, plan: Plan, X: Array, Y: Array, entry: Entry, block: int, wide: bool):
        net, dtype = plan.net, plan.net.dtype
        block = padded(block, dtype)
        units = sum(net.widths)

        def integers(values: list[int]) -> Array:
            return np.array(values, np.int64)

        self.plan, self.entry = plan, entry
        self.zero = dtype.type(0)
        self.net = Network(
            layers=len(net.layers),
            n_params=net.n_params,
            widths=integers(list(net.widths)),
            units_before=integers([sum(net.widths[:l]) for l in range(len(net.widths))]),
            weights=integers([layer.weights.start for layer in net.layers]),
            biases=integers([layer.biases.start if layer.bias else -1 for layer in net.layers]),
            activations=integers([ACTIVATIONS.index(layer.activation) for layer in net.layers]),
            loss=LOSSES.index(net.loss),
            gemm=gemm_address(dtype) if wide else 0,
        )
        self.data = Data(X, Y, np.full(plan.n + 1 if plan.shuffle else 0, -1, np.int64), plan.n, plan.shuffle)
        self.work = Work(
            a=scratch(units * block, dtype),
            z=scratch(units * block, dtype),
            delta=scratch(units * block, dtype),
            y=scratch(net.widths[-1] * block, dtype),
            weight=scratch(block, dtype),
            gradient=scratch(padded(net.n_params, dtype), dtype),
            block=block,
            held=np.zeros(1, np.int64),
        )

    def table(self, state: State, data: Data, batch: int) -> Array:
        """What `unpack` reads; valid as long as its arrays are."""
        course = Course(
            epochs=state.epochs,
            batch=batch,
            batches=-(-data.n // batch),
            shuffle=data.shuffled,
            seed=state.seed,
            cursor=state.cursor,
            pending=state.pending,
            records=len(state.record),
            record=state.record,
            costs=state.costs,
        )
        return _table([*self.net, *data, *self.work, *course, state.params])

    def advance(self, state: State, learning_rate: float, eps: float, limit: int) -> float:
        """At most `limit` updates, and the seconds that they took; 0 compiles what has not been compiled yet."""
        method = METHODS.index(self.plan.method)
        table = self.table(state, self.data, self.plan.batch)
        before = time.perf_counter()
        self.entry(table, self.zero, method, eps, learning_rate, limit)
        return time.perf_counter() - before

    def cost(self, params: Array) -> float:
        """The cost of all rows for (n_params,) parameters: an epoch without updates. The last batch, if short, is a pass of its own."""
        n, batch, total = self.plan.n, self.plan.batch, 0.0
        whole = n - n % batch
        for first, stop in [(0, whole), (whole, n)]:
            if first < stop:
                X, Y = self.data.X[first:stop], self.data.Y[first:stop]
                data = Data(X, Y, self.data.order[:0], stop - first, False)
                state = driver.start(pad(params), seed=0, first=0, epochs=1, record=np.zeros(1, np.int64))
                table = self.table(state, data, min(batch, stop - first))
                self.entry(table, self.zero, NO_UPDATE, 1.0, 0.0, stop - first)
                total += state.costs[0] * ((stop - first) / n)
        return float(total)
