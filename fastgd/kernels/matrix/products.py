"""Products of matrices, tile by tile in registers; and transposing them.

A tile of C = A B is a few rows by a few vectors. Its sums stay in registers while B's rows go by as
vectors and A's numbers as broadcasts, so that A may lie in memory in either direction. Where B is
large, or lies the other way, a panel of it as wide as a tile is copied to where it stays in the
first cache while all rows of A go by.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgd.kernels.structs import PANEL_BYTES
from fastgd.machine.jit import kernel, merged
from fastgd.machine.span import lanes_of, load, store
from fastgd.machine.tiles import WIDEST, sums_of, tile_of, transpose_tile
from fastgd.machine.vector import stay_scalar
from fastgd.state import VECTOR_BYTES

TILE = 4  # rows of a tile
_TALL = TILE * WIDEST // 2  # rows of one that is two vectors wide, where there are more than TILE
# rows of a panel, on every machine the same, since sums are cut by it
_DEPTH = PANEL_BYTES // (4 * VECTOR_BYTES)
_SMALL = 4096  # numbers of a B that stays in the first cache as it is
_FEW = 64  # rows of A that are too few to copy a panel for
_NONE = np.int64(0)  # columns that are left as they are


# -- transposing -----------------------------------------------------------------------------------


@kernel
def transpose(source, start, width, target, to, target_width, rows, columns):
    """The (rows, columns) matrix at source[start] as (columns, rows) at target[to]; the last tiles
    reach back.
    """
    lanes = lanes_of(source)
    if rows >= lanes and columns >= lanes:
        for r in range(0, rows, lanes):
            r = min(r, rows - lanes)
            for k in range(0, columns, lanes):
                k = min(k, columns - lanes)
                transpose_tile(
                    source,
                    start + r * width + k,
                    width,
                    target,
                    to + k * target_width + r,
                    target_width,
                )
        return
    for r in range(rows):
        for k in range(columns):
            target[to + k * target_width + r] = source[start + r * width + k]
            stay_scalar()


# -- products --------------------------------------------------------------------------------------


class Left(NamedTuple):
    """A matrix whose number at row i and column t is span[start + i next + t step]."""

    span: Any
    start: int | np.int64
    next: int | np.int64
    step: int | np.int64


class Right(NamedTuple):
    """One whose number at row t and column k is span[start + t width + k].

    Where it lies `across`, that is span[start + k width + t].
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


_tile_1, _tile_2, _widest_tile = (tile_of(vectors, TILE) for vectors in (1, 2, WIDEST))
_tall_tile_2 = tile_of(2, _TALL)


@kernel
def _tiles_1(
    a, a_start, a_next, a_step, b, b_start, b_width, c, c_start, c_width, rows, done, inner,
    alpha, add,
):  # fmt: skip
    """Tiles below each other, one vector wide; `done` of its columns are left as they are."""
    for i in range(0, rows, TILE):
        from_a, to, high = a_start + i * a_next, c_start + i * c_width, rows - i
        _tile_1(
            a, from_a, a_next, a_step, b, b_start, b_width, c, to, c_width, high, done, inner,
            alpha, add,
        )  # fmt: skip


@kernel
def _tiles_2(
    a, a_start, a_next, a_step, b, b_start, b_width, c, c_start, c_width, rows, inner, alpha, add,
):  # fmt: skip
    """Tiles below each other, two vectors wide: tall ones while many rows are left."""
    for i in range(0, rows, _TALL):
        from_a, to, high = a_start + i * a_next, c_start + i * c_width, rows - i
        if high > TILE:
            _tall_tile_2(
                a, from_a, a_next, a_step, b, b_start, b_width, c, to, c_width, high, _NONE, inner,
                alpha, add,
            )  # fmt: skip
        else:
            _tile_2(
                a, from_a, a_next, a_step, b, b_start, b_width, c, to, c_width, high, _NONE, inner,
                alpha, add,
            )  # fmt: skip


@kernel
def _widest_tiles(
    a, a_start, a_next, a_step, b, b_start, b_width, c, c_start, c_width, rows, inner, alpha, add,
):  # fmt: skip
    """Tiles below each other, as wide as registers allow."""
    for i in range(0, rows, TILE):
        from_a, to, high = a_start + i * a_next, c_start + i * c_width, rows - i
        _widest_tile(
            a, from_a, a_next, a_step, b, b_start, b_width, c, to, c_width, high, _NONE, inner,
            alpha, add,
        )  # fmt: skip


@merged
def multiply(left, right, target, rows, columns, inner, alpha, add, panel):
    """C = alpha A B, or C + alpha A B if `add`, where columns fill at least one vector.

    A is (rows, inner), B (inner, columns), C (rows, columns).
    """
    a, a_start, a_next, a_step = left
    b, b_start, b_width, across = right
    c, c_start, c_width = target
    lanes, column = lanes_of(b), np.int64(0)
    copies = across or (inner * b_width > _SMALL and rows >= _FEW)
    depth = min(inner, _DEPTH) if copies else inner
    while column < columns:
        width = (
            1
            if column + 2 * lanes > columns
            else 2
            if column + WIDEST * lanes > columns
            else WIDEST
        )
        done = max(0, column + lanes - columns)  # of columns, where the last vector reaches back
        column -= done
        for t in range(0, inner, depth):
            deep, more = min(depth, inner - t), add or t > 0
            source, from_b, from_b_width = b, b_start + column, b_width
            if copies:
                source, from_b, from_b_width = panel, np.int64(0), width * lanes
                if across:
                    transpose(
                        b,
                        b_start + column * b_width + t,
                        b_width,
                        panel,
                        np.int64(0),
                        from_b_width,
                        from_b_width,
                        deep,
                    )
                else:
                    _copy_panel(
                        b, b_start + t * b_width + column, b_width, panel, from_b_width, deep
                    )
            from_a, to = a_start + t * a_step, c_start + column
            if width == 1:
                _tiles_1(
                    a, from_a, a_next, a_step, source, from_b, from_b_width, c, to, c_width, rows,
                    done, deep, alpha, more,
                )  # fmt: skip
            elif width > 2:
                _widest_tiles(
                    a, from_a, a_next, a_step, source, from_b, from_b_width, c, to, c_width, rows,
                    deep, alpha, more,
                )  # fmt: skip
            else:
                _tiles_2(
                    a, from_a, a_next, a_step, source, from_b, from_b_width, c, to, c_width, rows,
                    deep, alpha, more,
                )  # fmt: skip
        column += width * lanes


@merged
def _copy_panel(b, start, b_width, panel, width, rows):
    for t in range(rows):
        for k in range(0, width, lanes_of(b)):
            store(panel, t * width + k, load(b, start + t * b_width + k))


# -- sums along rows -------------------------------------------------------------------------------


sums_of_rows, sums_of_products = sums_of(False), sums_of(True)
