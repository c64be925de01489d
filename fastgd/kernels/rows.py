"""Taking rows: their order in an epoch, their weights, and copying them into a block."""

import numpy as np

from fastgd.kernels.matrix.transposing import transpose
from fastgd.machine.jit import inline, kernel, merged
from fastgd.machine.span import copy, fetch, lanes_of, load, store
from fastgd.machine.vector import stay_scalar

# vectors of a cache line; most rows, and numbers, that are on their way at a time; of so many
# numbers of X, all may be near already
_LINES, _ROWS_AHEAD, _NUMBERS_AHEAD, _NEAR = 2, 16, 1024, 2**14


@inline
def mix(x):
    """A well-mixed uint64 of another one (the finalizer of splitmix64)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@inline
def _shuffle(order, start, stop, key):
    """Fisher-Yates on order[start : stop], with a counter for a generator."""
    for i in range(stop - 1, start, -1):
        take = mix(key + np.uint64(0x9E3779B97F4A7C15) * np.uint64(i))
        j = start + np.int64(((take >> np.uint64(32)) * np.uint64(i - start + 1)) >> np.uint64(32))
        order[i], order[j] = order[j], order[i]


@kernel
def put_in_order(data, seed, epoch):
    """The order of the rows in an epoch, a function of (seed, epoch) alone.

    Blocks of rows are shuffled, then the rows of as many of them as make a window. In memory all
    rows are one block; on disk a window is what has to be read at a time.
    """
    order, blocks, n = data.order, data.blocks, data.n
    if data.shuffled == 0 or order[n] == epoch:
        return
    key = mix(np.uint64(seed) + np.uint64(0x9E3779B97F4A7C15) * (np.uint64(epoch) + np.uint64(1)))
    for i in range(len(blocks)):
        blocks[i] = i
    _shuffle(blocks, 0, len(blocks), mix(key))
    place = 0
    for i in range(len(blocks)):
        first = blocks[i] * data.span
        for row in range(first, min(first + data.span, n)):
            order[place] = row
            place += 1
    for start in range(0, n, data.window):
        _shuffle(order, start, min(start + data.window, n), key)
    order[n] = epoch


@kernel
def batch_weight(data, start, rows):
    """What the samples of a batch are averaged by: the sum of their weights, 1 where that is 0."""
    if len(data.weights) == 0:
        return float(rows)
    total = 0.0
    for place in range(start, start + rows):
        total += data.weights[data.order[place] if data.shuffled != 0 else place]
    return total if total > 0 else 1.0


@inline
def _row_of(data, start, rows, s):
    """The row that is sample s of a batch; padding takes the first one."""
    place = start + (s if s < rows else 0)
    return data.order[place] if data.shuffled != 0 else place


@merged
def _are_far(data, width):
    """Whether most rows are read from where memory is far: of many in any order."""
    return data.shuffled != 0 and data.n * width > _NEAR


@merged
def _expect_row(data, width, place):
    """Have a row of X on its way that is taken soon after the one at a place of the order, if that
    goes so far.
    """
    place += min(_ROWS_AHEAD, 1 + _NUMBERS_AHEAD // width)
    if place < data.n:
        for k in range(0, width, lanes_of(data.X) * _LINES):
            fetch(data.X, data.order[place] * width + k)


@merged
def _put_weights(data, work, start, rows, first, last, total):
    """Put down the weights of samples first ... last, a vector at a time where all weigh the same;
    padding has weight 0.
    """
    lanes, s = lanes_of(work.weight), first
    if len(data.weights) == 0:
        while s + lanes <= min(rows, last):
            store(work.weight, s, 1.0 / total)
            s += lanes
    while s < last:
        weight = 1.0
        if len(data.weights) != 0:
            weight = data.weights[_row_of(data, start, rows, s)]
        work.weight[s] = weight / total if s < rows else 0.0
        s += 1


@kernel
def gather(net, data, work, start, rows, stride, first, last, total):
    """Copy places start ... start + rows of this epoch's order into the block, of which these are
    samples first ... last; there is padding up to `stride` samples. `total` is what the weights of
    the batch sum to.
    """
    inputs, outputs = net.widths[0], net.widths[net.layers]
    targets = stride * inputs
    _put_weights(data, work, start, rows, first, last, total)
    far = _are_far(data, inputs)
    for s in range(first, last):
        row = _row_of(data, start, rows, s)
        if far:
            _expect_row(data, inputs, start + s)
        _put_row(data.X, row * inputs, inputs, work.rows, s * inputs, work.a, s, stride)
        _put_row(
            data.Y, row * outputs, outputs, work.rows, targets + s * outputs, work.y, s, stride
        )
    if inputs >= lanes_of(work.a):
        transpose(work.rows, first * inputs, inputs, work.a, first, stride, last - first, inputs)
    if outputs >= lanes_of(work.a):
        transpose(
            work.rows,
            targets + first * outputs,
            outputs,
            work.y,
            first,
            stride,
            last - first,
            outputs,
        )


@kernel
def gather_rows(net, data, work, start, rows, stride, total):
    """All samples of a block, as `gather` takes them, whose inputs are copied as they lie, and no
    further.
    """
    inputs = net.widths[0]
    far = _are_far(data, inputs)
    for s in range(stride):
        row = _row_of(data, start, rows, s)
        if far:
            _expect_row(data, inputs, start + s)
        _copy_row(data.X, row * inputs, inputs, work.rows, s * inputs)
    gather_targets(net, data, work, start, rows, stride, total)


@kernel
def gather_targets(net, data, work, start, rows, stride, total):
    """The targets of all samples of a block, and their weights, as `gather` takes them."""
    outputs = net.widths[net.layers]
    targets = stride * net.widths[0]
    _put_weights(data, work, start, rows, np.int64(0), stride, total)
    if outputs == 1 and rows == stride and data.shuffled == 0:
        copy(work.y, 0, data.Y, start, stride)
        return
    for s in range(stride):
        row = _row_of(data, start, rows, s)
        _put_row(
            data.Y, row * outputs, outputs, work.rows, targets + s * outputs, work.y, s, stride
        )
    if outputs >= lanes_of(work.a):
        transpose(work.rows, targets, outputs, work.y, np.int64(0), stride, stride, outputs)


@merged
def _put_row(source, start, width, rows, to, columns, s, stride):
    """Copy a row to where rows lie, if it fills a vector; otherwise to column s of the block."""
    if width >= lanes_of(columns):
        _copy_row(source, start, width, rows, to)
    else:
        for k in range(width):
            columns[k * stride + s] = source[start + k]
            stay_scalar()


@merged
def _copy_row(source, start, width, rows, to):
    lanes = lanes_of(rows)
    if width >= lanes:
        for k in range(0, width, lanes):
            k = min(k, width - lanes)
            store(rows, to + k, load(source, start + k))
    else:
        for k in range(width):
            rows[to + k] = source[start + k]
            stay_scalar()
