"""What a kernel is given: a network in numbers, its data, scratch memory; and the entry through which Python calls any kernel."""

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
from fastgd.simd import VECTOR_BYTES, span_of


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
    X: Any  # (n * inputs,)
    Y: Any  # (n * outputs,)
    order: Any  # (n,) the row at each place of this epoch, where `shuffled`
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


class Problem(NamedTuple):
    net: Any
    data: Any
    params: Any  # (n_params,) and padding to whole vectors
    work: Any
    method: int
    eps: float  # step of the difference methods
    batch: int  # rows of a batch; the last one of an epoch may be shorter
    learning_rate: float


@kernel
def gather(net, data, work, start, rows, stride, samples):
    """Copy places start ... start + rows of this epoch's order into the block; padding repeats the first of them with weight 0."""
    inputs, outputs = net.widths[0], net.widths[net.layers]
    for s in range(stride):
        place = start + (s if s < rows else 0)
        row = data.order[place] if data.shuffled else place
        work.weight[s] = 1.0 / samples if s < rows else 0.0
        if net.gemm != 0:
            for k in range(inputs):
                work.a[s * inputs + k] = data.X[row * inputs + k]
        else:
            for k in range(inputs):
                work.a[k * stride + s] = data.X[row * inputs + k]
        for k in range(outputs):
            work.y[k * stride + s] = data.Y[row * outputs + k]


@inline
def borrow(net, data, work):
    """The same with spans in the place of arrays."""
    return (
        Network(
            net.layers, net.n_params, span_of(net.widths), span_of(net.units_before), span_of(net.weights), span_of(net.biases),
            span_of(net.activations), net.loss, net.gemm,
        ),
        Data(span_of(data.X), span_of(data.Y), span_of(data.order), data.n, data.shuffled),
        Work(
            span_of(work.a), span_of(work.z), span_of(work.delta), span_of(work.y), span_of(work.weight), span_of(work.gradient),
            work.block,
        ),
    )  # fmt: skip


@inline
def train(steps, net_arrays, data_arrays, work_arrays, params, method, eps, learning_rate, course, limit):
    """At most `limit` updates of `params` along the course."""
    net, data, work = borrow(net_arrays, data_arrays, work_arrays)
    problem = Problem(net, data, span_of(params), work, method, eps, course.batch, learning_rate)
    driver.advance(steps, problem, course, data.order, data.n, limit)


def padded(size: int, dtype: np.dtype[Any]) -> int:
    """`size` rounded up to whole vectors."""
    lanes = VECTOR_BYTES // dtype.itemsize
    return -(-size // lanes) * lanes


def pad(params: Array) -> Array:
    """A copy of `params` with zeros up to whole vectors."""
    result = np.zeros(padded(len(params), params.dtype), params.dtype)
    result[: len(params)] = params
    return result


class Bound:
    """A plan bound to its data: X is (n, inputs) and Y (n, outputs), of the network's dtype, C-contiguous.

    `entry` is the compiled `train` of a kernel; `block` the most rows it passes over at once.
    """

    def __init__(self, plan: Plan, X: Array, Y: Array, entry: Entry, block: int, wide: bool):
        net, dtype = plan.net, plan.net.dtype
        block = padded(block, dtype)
        units = sum(net.widths)

        def scratch(size: int) -> Array:
            return np.zeros(size, dtype)

        def integers(values: list[int]) -> Array:
            return np.array(values, np.int64)

        self.plan, self.entry = plan, entry
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
        self.data = Data(X, Y, np.empty(plan.n if plan.shuffle else 0, np.int64), plan.n, plan.shuffle)
        self.work = Work(
            a=scratch(units * block),
            z=scratch(units * block),
            delta=scratch(units * block),
            y=scratch(net.widths[-1] * block),
            weight=scratch(block),
            gradient=scratch(padded(net.n_params, dtype)),
            block=block,
        )

    def advance(self, state: State, learning_rate: float, eps: float, limit: int) -> None:
        """At most `limit` updates; 0 compiles what has not been compiled yet."""
        plan = self.plan
        course = Course(
            state.epochs, plan.batch, plan.batches, plan.shuffle, np.uint64(state.seed), state.cursor, state.pending,
            len(state.record), state.record, state.costs,
        )  # fmt: skip
        method = METHODS.index(plan.method)
        self.entry(self.net, self.data, self.work, state.params, method, eps, learning_rate, course, limit)
