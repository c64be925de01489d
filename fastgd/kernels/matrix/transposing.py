"""Matrices the other way round, tile by tile in registers."""

from fastgd.machine.jit import kernel
from fastgd.machine.span import lanes_of
from fastgd.machine.tiles import transpose_tile
from fastgd.machine.vector import stay_scalar

_ROWS = 64  # that are transposed at a time, whose cache lines are used again meanwhile


@kernel
def transpose(source, start, width, target, to, target_width, rows, columns):
    """The (rows, columns) matrix at source[start] as (columns, rows) at target[to]; the last tiles
    reach back.

    Rows of the target may lie where they take each other's places in a cache: so many neighbouring
    tiles of them are written first that their cache lines are full.
    """
    lanes = lanes_of(source)
    if rows >= lanes and columns >= lanes:
        for first in range(0, rows, _ROWS):
            for k in range(0, columns, lanes):
                k = min(k, columns - lanes)
                for r in range(first, min(first + _ROWS, rows), lanes):
                    r = min(r, rows - lanes)
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
