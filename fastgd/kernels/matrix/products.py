"""Products of matrices, tile by tile in registers.

A tile of C = A B is a few rows by a few vectors. Its sums stay in registers while B's rows go by as
vectors and A's numbers as broadcasts, so that A may lie in memory in either direction. Where B is
large, or lies the other way, a panel of it as wide as a tile is copied to where it stays in the
first cache while all rows of A go by. So is a block of A whose numbers would take each other's
places in there, as large as there is room for.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgd.kernels.codes import ALIASING_BYTES, BETWEEN, DEPTH
from fastgd.kernels.matrix.transposing import transpose
from fastgd.machine.jit import kernel, merged
from fastgd.machine.span import in_wide_vectors, lanes_of, load, store
from fastgd.machine.tiles import HIGHEST, NOTHING, OLD, WIDEST, sums_of, tile_of
from fastgd.state import VECTOR_BYTES

_LOW = 4  # rows of a tile where few are left
_ALIASING = ALIASING_BYTES // VECTOR_BYTES
SMALL = 4096  # numbers of a B that stays in the first cache as it is
FEW = 64  # rows of A that are too few to copy a panel for
_NONE = np.int64(0)
_NOTHING, _OLD = np.int64(NOTHING), np.int64(OLD)


# -- products --------------------------------------------------------------------------------------


class Left(NamedTuple):
    """A matrix whose number at row i and column t is span[start + i next + t step]."""

    span: Any
    start: int | np.int64
    next: int | np.int64
    step: int | np.int64


class Right(NamedTuple):
    """One whose number at row t and column k is span[start + t width + k].

    Where it lies `across`, that is span[start + k width + t]. Where the width is 0, it has been
    packed.
    """

    span: Any
    start: int | np.int64
    width: int | np.int64
    across: bool | np.bool_


class Target(NamedTuple):
    """One at span[start], its rows `width` apart."""

    span: Any
    start: int | np.int64
    width: int | np.int64


class Summand(NamedTuple):
    """What a product is added to: NOTHING, OLD, which the target holds, or OF_ROWS, for row i
    span[start + i].
    """

    span: Any
    start: int | np.int64
    kind: int | np.int64


def _tiles(vectors):
    """The function that computes tiles below each other, so many vectors wide: low ones where few
    rows are left. The first `done` of their columns are left as they are.
    """
    high, low = tile_of(vectors, HIGHEST), tile_of(vectors, _LOW)

    @kernel
    def multiply_by_tiles(
        a, a_start, a_next, a_step, b, b_start, b_width, c, c_start, c_width, rows, done, inner,
        alpha, add, numbers, first,
    ):  # fmt: skip
        for i in range(0, rows, HIGHEST):
            from_a, to, left = a_start + i * a_next, c_start + i * c_width, rows - i
            if left > _LOW:
                high(
                    a, from_a, a_next, a_step, b, b_start, b_width, c, to, c_width, left, done,
                    inner, alpha, add, numbers, first + i,
                )  # fmt: skip
            else:
                low(
                    a, from_a, a_next, a_step, b, b_start, b_width, c, to, c_width, left, done,
                    inner, alpha, add, numbers, first + i,
                )  # fmt: skip

    return multiply_by_tiles


_tiles_2, _widest_tiles = _tiles(2), _tiles(WIDEST)
# sums of a narrow one are few: more rows of it are under way at a time
_tile_1 = tile_of(1, 2 * _LOW)


@kernel
def _tiles_1(
    a, a_start, a_next, a_step, b, b_start, b_width, c, c_start, c_width, rows, done, inner,
    alpha, add, numbers, first,
):  # fmt: skip
    """Tiles below each other, one vector wide; `done` of its columns are left as they are."""
    for i in range(0, rows, 2 * _LOW):
        from_a, to, left = a_start + i * a_next, c_start + i * c_width, rows - i
        _tile_1(
            a, from_a, a_next, a_step, b, b_start, b_width, c, to, c_width, left, done, inner,
            alpha, add, numbers, first + i,
        )  # fmt: skip


@merged
def multiply(left, right, target, rows, columns, inner, alpha, add, panel):
    """C = alpha A B, or C + alpha A B if `add`, where columns fill at least one vector.

    A is (rows, inner), B (inner, columns), C (rows, columns).
    """
    summand = Summand(target.span, _NONE, _OLD if add else _NOTHING)
    add_product(summand, left, right, target, rows, columns, inner, alpha, panel)


@merged
def add_product(summand, left, right, target, rows, columns, inner, alpha, panel):
    """C = summand + alpha A B, as `multiply` has it."""
    a, a_start, a_next, a_step = left
    b, b_start, b_width, across = right
    c, c_start, c_width = target
    numbers, first_number, kind = summand
    lanes, is_packed = lanes_of(b), b_width == 0
    copies = across or (inner * b_width > SMALL and rows >= FEW)
    depth = min(inner, DEPTH) if copies or is_packed else inner
    room = len(panel) // (DEPTH * lanes) - 4 - BETWEEN  # vectors of a block's rows
    aliases = room > 0 and a_next == 1 and a_step % (_ALIASING * lanes) == 0
    aliases = aliases and (copies or is_packed)
    step_b = (columns + lanes - 1) // lanes * lanes if is_packed else 1 if across else b_width
    most = min(rows, room * lanes) if aliases else rows
    for first in range(0, rows, most):
        high, to = min(most, rows - first), c_start + first * c_width
        for t in range(0, inner, depth):
            deep, from_a = min(depth, inner - t), a_start + first * a_next + t * a_step
            block, apart = a, a_step
            if aliases and high >= lanes:
                block, apart = panel, (room + BETWEEN) * lanes
                start, from_a = from_a, np.int64(DEPTH * 4 * lanes)
                _copy_rows(a, start, a_step, panel, from_a, apart, deep, high)
            _multiply_deep(
                Left(block, from_a, a_next, apart),
                Right(b, b_start + t * step_b, b_width, across),
                Target(c, to, c_width),
                high,
                columns,
                deep,
                alpha,
                Summand(numbers, first_number + first, _OLD if t > 0 else kind),
                panel,
                copies,
            )


@merged
def _multiply_deep(left, right, target, rows, columns, deep, alpha, summand, panel, copies):
    """The same for as many rows of B as a panel has, if it `copies` panels."""
    a, a_start, a_next, a_step = left
    b, b_start, b_width, across = right
    c, c_start, c_width = target
    numbers, first, add = summand
    lanes, column = lanes_of(b), np.int64(0)
    while column < columns:
        width = (
            _whole_vectors_at(column, columns, lanes)
            if b_width == 0
            else _vectors_at(column, columns, lanes)
        )
        done = max(0, column + width * lanes - columns)  # where the last tile reaches back
        source, from_b, from_b_width = b, b_start + column - done, b_width
        if b_width == 0:
            from_b, from_b_width = b_start + column * deep, width * lanes
        elif copies:
            source, from_b, from_b_width = panel, np.int64(0), width * lanes
            _put_panel(b, b_start, b_width, across, column - done, width, deep, panel, from_b)
        column -= done
        to = c_start + column
        if width == 1:
            _tiles_1(
                a, a_start, a_next, a_step, source, from_b, from_b_width, c, to, c_width, rows,
                done, deep, alpha, add, numbers, first,
            )  # fmt: skip
        elif width > 2:
            _widest_tiles(
                a, a_start, a_next, a_step, source, from_b, from_b_width, c, to, c_width, rows,
                done, deep, alpha, add, numbers, first,
            )  # fmt: skip
        else:
            _tiles_2(
                a, a_start, a_next, a_step, source, from_b, from_b_width, c, to, c_width, rows,
                done, deep, alpha, add, numbers, first,
            )  # fmt: skip
        column += width * lanes


@merged
def _vectors_at(column, columns, lanes):
    """How many vectors wide the tiles at a column are; the last ones reach back to others."""
    left = columns - column
    if left > WIDEST // 2 * lanes and columns >= WIDEST * lanes:
        return WIDEST
    return 2 if left > lanes and columns >= 2 * lanes else 1


@merged
def _whole_vectors_at(column, columns, lanes):
    """The same of panels that are packed, of which only the last vector reaches back."""
    if column + 2 * lanes > columns:
        return 1
    return 2 if column + WIDEST * lanes > columns else WIDEST


# -- panels ----------------------------------------------------------------------------------------


@merged
def pack(right, columns, inner, packed, part, parts):
    """A part of the panels of B, (inner, columns), put down one behind the other, for several
    products with it; the last columns are filled up to whole vectors.
    """
    b, b_start, b_width, across = right
    lanes = lanes_of(b)
    wide, whole = WIDEST * lanes, (columns + lanes - 1) // lanes * lanes
    strips, deeps = max(1, columns // wide), (inner + DEPTH - 1) // DEPTH
    for i in range(strips * deeps * part // parts, strips * deeps * (part + 1) // parts):
        t, column = i // strips * DEPTH, i % strips * wide
        stop = column + wide if i % strips < strips - 1 else columns
        deep = min(DEPTH, inner - t)
        while column < stop:
            width, done = (
                _whole_vectors_at(column, columns, lanes),
                max(0, column + lanes - columns),
            )
            start, to = b_start + t * (1 if across else b_width), t * whole + column * deep
            _put_panel(b, start, b_width, across, column - done, width, deep, packed, to)
            column += width * lanes


@merged
def _put_panel(b, start, b_width, across, column, vectors, deep, panel, to):
    """So many vectors from a column on, of as many rows as a panel has, to panel[to]."""
    if across:
        wide = vectors * lanes_of(b)
        transpose(b, start + column * b_width, b_width, panel, to, wide, wide, deep)
    else:
        _copy_panel(b, start + column, b_width, panel, to, vectors, deep)


@merged
def _copy_panel(b, start, b_width, panel, to, vectors, rows):
    """So many vectors of each row of B to panel[to], one row behind the other."""
    lanes, wide_b, wide_panel = lanes_of(b), in_wide_vectors(b), in_wide_vectors(panel)
    if vectors == 1:
        for _ in range(rows):
            store(panel, to, load(b, start))
            start, to = start + b_width, to + lanes
    elif vectors == 2:
        for _ in range(rows):
            store(wide_panel, to, load(wide_b, start))
            start, to = start + b_width, to + 2 * lanes
    else:
        for _ in range(rows):
            first, second = load(wide_b, start), load(wide_b, start + 2 * lanes)
            store(wide_panel, to, first)
            store(wide_panel, to + 2 * lanes, second)
            start, to = start + b_width, to + 4 * lanes


@merged
def _copy_rows(source, start, width, panel, to, apart, rows, columns):
    """(rows, columns) at source[start], its rows `width` apart, to panel[to], `apart` from each
    other; there is at least one vector of columns, and the last reaches back.
    """
    lanes = lanes_of(source)
    for t in range(rows):
        for k in range(0, columns, lanes):
            k = min(k, columns - lanes)
            store(panel, to + t * apart + k, load(source, start + t * width + k))


# -- sums along rows -------------------------------------------------------------------------------


sums_of_rows, sums_of_products = sums_of(False), sums_of(True)
