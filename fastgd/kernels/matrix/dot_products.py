"""Products of rows of two matrices: of those that lie along what is summed over, nothing has to be
transposed.
"""

from fastgd.machine.dots import ROWS, VECTORS, tile_of_dots
from fastgd.machine.jit import kernel


@kernel
def multiply_rows(
    a, a_start, rows, b, b_start, others, width, target, start, row_step, other_step, scale, add,
    panel,
):  # fmt: skip
    """target[start + i row_step + j other_step] = scale times the product of row i of one matrix
    with row j of another one, all `width` numbers; or that is added to what is there.
    """
    for i in range(0, rows, ROWS):
        high = min(ROWS, rows - i)
        for j in range(0, others, VECTORS):
            wide, from_b = min(VECTORS, others - j), b_start + j * width
            tile_of_dots(a, a_start + i * width, high, b, from_b, wide, width, panel)
            for other in range(wide):
                place, at = start + i * row_step + (j + other) * other_step, other * ROWS
                for row in range(high):
                    total = scale * panel[at + row]
                    target[place] = total + target[place] if add else total
                    place += row_step
