"""A network with one hidden layer by two threads, each with half of its hidden units: they meet
once an update.

z of the last layer is the sum of what either half contributes. When both have put theirs down, each
computes the rest for itself: the outputs and their delta in whole, and the gradient of what belongs
to its own units, which goes to the parameters at once. Where no other thread comes, one does both
halves, to the same bits.

Arrays of a half are (stride, units), one row a sample, as rows of X lie, and while updates go on
the first layer's weights lie as (inputs, units): every product but one then has what it multiplies
as it lies. The last layer's arrays are (units, stride) as elsewhere.
"""

import numpy as np

from fastgd.kernels.codes import PUT_DOWN
from fastgd.kernels.matrix.layers import activate_all, times_derivative
from fastgd.kernels.matrix.out_of_line import (
    add_bias_gradient,
    block_cost,
    multiply,
    output_delta,
    softmax_layer,
)
from fastgd.kernels.matrix.passes import LAYERWISE
from fastgd.kernels.matrix.products import Left, Right, Target
from fastgd.kernels.matrix.transposing import transpose
from fastgd.kernels.rows import batch_weight, gather_rows
from fastgd.kernels.threads.work_queue import back_off, finish, take
from fastgd.machine.atomic import read, write
from fastgd.machine.jit import inline, kernel
from fastgd.machine.span import broadcast, lanes_of, load, store
from fastgd.machine.vector import like
from fastgd.state import EPOCH_COST_SUM

# Numba compiles once for an int64
_ZERO, _ONE, _NO, _YES = np.int64(0), np.int64(1), np.bool_(False), np.bool_(True)


@inline
def _units_of(net, half, lanes):
    """The first of a half's units and that after the last; whole vectors in the first half."""
    units = net.widths[1]
    middle = units // 2 // lanes * lanes
    return (np.int64(0), middle) if half == 0 else (middle, units)


@inline
def _stride_of(problem, batch):
    """Rows of a batch up to whole vectors."""
    data, lanes = problem.data, lanes_of(problem.work.a)
    return (min(data.batch, data.n - batch * data.batch) + lanes - 1) // lanes * lanes


@kernel
def _gather(problem, batch):
    """The rows of a batch of this epoch."""
    data, start, stride = problem.data, batch * problem.data.batch, _stride_of(problem, batch)
    rows = min(data.batch, data.n - start)
    gather_rows(
        problem.net, data, problem.work, start, rows, stride, batch_weight(data, start, rows)
    )


@kernel
def _turn(problem, half, arrive):
    """Lay the first layer's weights of a half's units down input by input, or back as they lie in
    the parameters.
    """
    net, params, transposed, inputs = (
        problem.net,
        problem.params,
        problem.queue.transposed,
        problem.net.widths[0],
    )
    first, last = _units_of(net, half, lanes_of(params))
    there, here, units = net.weights[0] + first * inputs, first * inputs, last - first
    if arrive:
        transpose(params, there, inputs, transposed, here, units, units, inputs)
    else:
        transpose(transposed, here, units, params, there, inputs, inputs, units)


@inline
def _place_of(problem, half, update):
    """Where in `exchange` a half puts its part of z, by turns in one of two places: the other half
    may still be reading the last.
    """
    return (2 * half + update % 2) * problem.net.widths[2] * problem.work.block


@kernel
def _forward_half(problem, stride, half, update):
    """a of a half's units, and their part of z of the last layer, without its bias."""
    net, params, work, queue = problem.net, problem.params, problem.work, problem.queue
    lanes, inputs, biases = lanes_of(work.a), net.widths[0], net.biases[0]
    first, last = _units_of(net, half, lanes)
    units, here = last - first, (net.units_before[1] + first) * stride
    if biases >= 0:
        for column in range(0, units, lanes):
            column = min(column, units - lanes)
            bias = load(params, biases + first + column)
            for s in range(here + column, here + stride * units, units):
                store(work.z, s, bias)
    X, transposed = (
        Left(work.rows, _ZERO, inputs, _ONE),
        Right(queue.transposed, first * inputs, units, _NO),
    )
    multiply(
        X,
        transposed,
        Target(work.z, here, units),
        stride,
        units,
        inputs,
        1.0,
        biases >= 0,
        work.panel,
    )
    activate_all(net.activations[0], work.z, work.a, here, here + stride * units)
    w, a = (
        Left(params, net.weights[1] + first, net.widths[1], _ONE),
        Right(work.a, here, units, _YES),
    )
    exchange = Target(queue.exchange, _place_of(problem, half, update), stride)
    multiply(w, a, exchange, net.widths[2], stride, units, 1.0, _NO, work.panel)


@kernel
def _meet(problem, stride, update):
    """z, a and delta of the last layer, of both parts; the thread's own biases of
    it are updated.
    """
    net, work, exchange = problem.net, problem.work, problem.queue.exchange
    here, biases, lanes = net.units_before[2] * stride, net.biases[1], lanes_of(work.a)
    one, other = _place_of(problem, 0, update), _place_of(problem, 1, update)
    for j in range(net.widths[2]):
        bias = work.gradient[biases + j] if biases >= 0 else 0.0  # the thread's own, see `_biases`
        for s in range(j * stride, (j + 1) * stride, lanes):
            store(work.z, here + s, load(exchange, one + s) + load(exchange, other + s) + bias)
    activate_all(net.activations[1], work.z, work.a, here, here + net.widths[2] * stride)
    softmax_layer(net, work, stride, np.int64(1))
    output_delta(net, work, stride)
    if biases >= 0:
        add_bias_gradient(
            net,
            work,
            stride,
            _ONE,
            np.int64(0),
            net.widths[2],
            -problem.rule.rate,
            work.gradient,
            np.int64(0),
            _YES,
        )


@kernel
def _backward_half(problem, stride, half):
    """Update the parameters of a half's units."""
    net, params, work, queue, scale = (
        problem.net,
        problem.params,
        problem.work,
        problem.queue,
        -problem.rule.rate,
    )
    inputs, hidden, outputs, weights = net.widths[0], net.widths[1], net.widths[2], net.weights[1]
    first, last = _units_of(net, half, lanes_of(work.a))
    units, here, after = (
        last - first,
        (net.units_before[1] + first) * stride,
        net.units_before[2] * stride,
    )
    after_it, w = Left(work.delta, after, _ONE, stride), Right(params, weights + first, hidden, _NO)
    multiply(
        after_it, w, Target(work.delta, here, units), stride, units, outputs, 1.0, _NO, work.panel
    )
    after_it, a = Left(work.delta, after, stride, _ONE), Right(work.a, here, units, _NO)
    w_now = Target(params, weights + first, hidden)
    multiply(after_it, a, w_now, outputs, units, stride, scale, _YES, work.panel)
    times_derivative(
        net, work, stride, _ZERO, first, last, 2.0 if problem.method == LAYERWISE else 1.0
    )
    X, delta = Left(work.rows, _ZERO, _ONE, inputs), Right(work.delta, here, units, _NO)
    transposed = Target(queue.transposed, first * inputs, units)
    multiply(X, delta, transposed, inputs, units, stride, scale, _YES, work.panel)
    if net.biases[0] >= 0:
        _update_biases(params, net.biases[0] + first, work.delta, here, units, stride, scale)


@kernel
def _update_biases(params, biases, delta, here, units, stride, scale):
    """Add `scale` times the sum of the (stride, units) deltas over the samples."""
    lanes = lanes_of(params)
    whole = units // lanes * lanes
    for j in range(0, whole, lanes):
        total = broadcast(params, 0.0)
        for s in range(here + j, here + j + stride * units, units):
            total += load(delta, s)
        store(params, biases + j, load(params, biases + j) + scale * total)
    for j in range(whole, units):
        single = delta[here + j]
        for s in range(here + j + units, here + j + stride * units, units):
            single += delta[s]
        params[biases + j] += like(single, scale) * single


@inline
def _biases(problem, arrive):
    """Copy the last layer's biases to where the thread keeps its own, or back: both threads update
    them alike.
    """
    biases, own = problem.net.biases[1], problem.work.gradient
    for p in range(biases, biases + problem.net.widths[2] if biases >= 0 else biases):
        if arrive:
            own[p] = problem.params[p]
        else:
            problem.params[p] = own[p]


@kernel
def _wait_for_half(queue, half, update):
    """Until a half has put down its part of this update; how often it was looked for."""
    spins = np.int64(0)
    while read(queue.counters, PUT_DOWN[half]) <= update:
        spins += 1
        back_off(queue, spins)
    return spins


@kernel
def begin_halves(queue):
    """Nothing has been put down yet."""
    for half in range(2):
        write(queue.counters, PUT_DOWN[half], 0)


@kernel
def update_half(problem, half, batch_index, count, observe, both):
    """Make `count` updates of one half, or of `both`, from batch `batch_index` on; if nobody has
    drawn the other half when its first part of z is wanted, it is drawn here. The first half adds
    up the costs, if they are to be observed.

    How often the other half was looked for, all in all.
    """
    net, queue, now, then = problem.net, problem.queue, problem, problem.next
    other, spins = 1 - half, np.int64(0)
    _biases(problem, True)
    _turn(problem, half, True)
    if both:
        _turn(problem, other, True)
    for i in range(count):
        if both or i == 0:
            _gather(now, batch_index + i)
        stride = _stride_of(now, batch_index + i)
        _forward_half(now, stride, half, i)
        if not both:
            write(queue.counters, PUT_DOWN[half], i + 1)
            if i == 0 and take(queue) >= 0:
                both = True
                _turn(problem, other, True)
                finish(queue)
        if both:
            _forward_half(now, stride, other, i)
        else:
            if i + 1 < count:
                _gather(then, batch_index + i + 1)
            spins += _wait_for_half(queue, other, i)
        _meet(now, stride, i)
        if observe and (both or half == 0):
            problem.course.sums[EPOCH_COST_SUM] += block_cost(net, now.work, stride)
        _backward_half(now, stride, half)
        if both:
            _backward_half(now, stride, other)
        else:
            now, then = then, now
    _turn(problem, half, False)
    if both:
        _turn(problem, other, False)
    if both or half == 0:
        _biases(problem, False)
    return spins
