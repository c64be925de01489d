"""Products of matrices over spans: against NumPy's, with the numbers around them left alone, and no access outside a span."""

import numba
import numpy as np
import pytest

from fastgd.kernels.codes import ALIASING_BYTES, PANEL_BYTES
from fastgd.kernels.matrix.dot_products import multiply_rows
from fastgd.kernels.matrix.products import (
    Left,
    Right,
    Summand,
    Target,
    add_product,
    multiply,
    pack,
    sums_of_products,
    sums_of_rows,
)
from fastgd.kernels.matrix.transposing import transpose
from fastgd.kernels.scratch import block_bytes
from fastgd.machine.jit import FLAGS
from fastgd.machine.span import span_of, store
from fastgd.machine.tiles import OF_ROWS

BOUNDS = """
import numba, numpy as np
from fastgd.machine.jit import FLAGS
from fastgd.kernels.matrix.products import Left, Right, Target, multiply
from fastgd.kernels.codes import PANEL_BYTES
from fastgd.machine.span import copy, span_of

@numba.njit(**FLAGS)
def product(a, a_next, b, across, c, rows, columns, inner, panel):
    # b is (inner, 8), or (8, inner) if it lies across
    width = inner if across else 8
    left, right = Left(span_of(a), 0, a_next, 1), Right(span_of(b), 0, width, across)
    multiply(left, right, Target(span_of(c), 0, columns), rows, columns, inner, 1.0, False, span_of(panel))

@numba.njit(**FLAGS)
def copied(target, source, count):
    copy(span_of(target), 0, span_of(source), 0, count)

a, b, c, panel = np.arange(20.0), np.arange(64.0), np.zeros(35), np.zeros(PANEL_BYTES // 8)
product(a, 4, b, False, c, 5, 7, 4, panel)
assert np.array_equal(c.reshape(5, 7), a.reshape(5, 4) @ b[:32].reshape(4, 8)[:, :7])
product(a, 0, b, True, c, 5, 7, 8, panel)
assert np.array_equal(c.reshape(5, 7), np.tile(a[:8], (5, 1)) @ b.reshape(8, 8).T[:, :7])
copied(c, a, 4)
assert np.array_equal(c[:4], a[:4])
for call in (
    lambda: product(a[:19].copy(), 4, b, False, c, 5, 7, 4, panel),
    lambda: product(a, 5, b, False, c, 5, 7, 4, panel),
    lambda: product(a, 4, b[:30].copy(), False, c, 5, 7, 4, panel),
    lambda: product(a, 0, b[:55].copy(), True, c, 5, 7, 8, panel),
    lambda: product(a, 4, b, False, c[:34].copy(), 5, 7, 4, panel),
    lambda: product(a, 0, b, True, c, 5, 7, 8, panel[:15].copy()),
    lambda: copied(c, a, 21),
    lambda: copied(np.zeros(9), a, 10),
):
    try:
        call()
        print("fine")
    except IndexError:
        print("refused")
"""


@numba.njit(**FLAGS)
def product(a, a_next, a_step, b, b_width, across, c, c_width, rows, columns, inner, alpha, add, panel):
    left, right = Left(span_of(a), 3, a_next, a_step), Right(span_of(b), 5, b_width, across)
    multiply(left, right, Target(span_of(c), 7, c_width), rows, columns, inner, alpha, add, span_of(panel))


@numba.njit(**FLAGS)
def packed_product(a, a_next, a_step, b, b_width, across, c, c_width, rows, columns, inner, alpha, add, panel, packed, parts):
    for part in range(parts):
        pack(Right(span_of(b), 5, b_width, across), columns, inner, span_of(packed), part, parts)
    left, right = Left(span_of(a), 3, a_next, a_step), Right(span_of(packed), 0, 0, False)
    multiply(left, right, Target(span_of(c), 7, c_width), rows, columns, inner, alpha, add, span_of(panel))


@numba.njit(**FLAGS)
def with_numbers_of_rows(numbers, a, b, c, rows, columns, inner, panel):
    left, right = Left(span_of(a), 0, inner, 1), Right(span_of(b), 0, columns, False)
    target, summand = Target(span_of(c), 0, columns), Summand(span_of(numbers), 2, OF_ROWS)
    add_product(summand, left, right, target, rows, columns, inner, 0.5, span_of(panel))


@numba.njit(**FLAGS)
def product_of_rows(a, rows, b, others, width, c, row_step, other_step, scale, add, panel):
    multiply_rows(span_of(a), 3, rows, span_of(b), 5, others, width, span_of(c), 7, row_step, other_step, scale, add, span_of(panel))


@numba.njit(**FLAGS)
def transposed(source, width, target, target_width, rows, columns):
    transpose(span_of(source), 2, width, span_of(target), 1, target_width, rows, columns)


@numba.njit(**FLAGS)
def sums(a, width, rows, b, count, plain, with_b):
    store(span_of(plain), 0, sums_of_rows(span_of(a), 1, width, rows, span_of(b), 2, count))
    store(span_of(with_b), 0, sums_of_products(span_of(a), 1, width, rows, span_of(b), 2, count))


def at(start, matrix, width):
    """A flat array in which the matrix lies from `start` on, its rows `width` apart, among other numbers."""
    rows, columns = matrix.shape
    flat = np.random.default_rng(1).normal(size=start + rows * width + 3).astype(matrix.dtype)
    flat[start : start + rows * width].reshape(rows, width)[:, :columns] = matrix
    return flat


def taken(rows, columns, dtype):
    return np.random.default_rng(rows * 1000 + columns).normal(size=(rows, columns)).astype(dtype)


@pytest.mark.parametrize("across", [False, True], ids=["C as it is", "C transposed"])
@pytest.mark.parametrize("add", [False, True])
def test_products_of_rows(across, add, dtype):
    """Rows that fill no tile, widths that are no wide vectors."""
    lanes, panel = 32 // np.dtype(dtype).itemsize, np.full(64, np.nan, dtype)
    for rows in (1, 3, 8, 13):
        for others in (1, 2, 5):
            for width in (lanes, 2 * lanes, 25 * lanes):
                A, B = taken(rows, width, dtype), taken(others, width, dtype)
                C = at(7, taken(others, rows + 2, dtype), rows + 2) if across else at(7, taken(rows, others + 2, dtype), others + 2)
                expected, steps = C.astype(float), (1, rows + 2) if across else (others + 2, 1)
                products = 0.5 * A.astype(float) @ B.astype(float).T
                for i in range(rows):
                    for j in range(others):
                        place = 7 + i * steps[0] + j * steps[1]
                        expected[place] = products[i, j] + (expected[place] if add else 0)
                product_of_rows(at(3, A, width), rows, at(5, B, width), others, width, C, *steps, np.dtype(dtype).type(0.5), add, panel)
                np.testing.assert_allclose(C, expected, rtol=0, atol=1e-13 if np.dtype(dtype) == np.float64 else 2e-5)


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("transposed", [False, True], ids=["A as it is", "A transposed"])
@pytest.mark.parametrize("add", [False, True])
def test_products(across, transposed, add, dtype):
    """Rows that fill no tile, columns that fill no vector; B in place, copied in one panel or in several."""
    lanes, panel = 32 // np.dtype(dtype).itemsize, np.full(PANEL_BYTES // np.dtype(dtype).itemsize, np.nan, dtype)
    for rows in (1, 3, 4, 5, 10, 64, 67):
        for columns in (lanes, lanes + 1, 2 * lanes, 4 * lanes, 7 * lanes - 1):
            for inner in (1, 3 * lanes, 19, 130, 264) if across else (1, 2, 7, 130, 257):
                A, B, C = taken(rows, inner, dtype), taken(inner, columns, dtype), taken(rows, columns + 2, dtype)
                a = at(3, A.T if transposed else A, (rows if transposed else inner) + 1)
                b = at(5, B.T if across else B, (inner if across else columns) + 2)
                c = at(7, C, columns + 2)
                steps = (1, rows + 1) if transposed else (inner + 1, 1)
                expected = C.copy()
                expected[:, :columns] = (C[:, :columns] if add else 0) - 0.5 * (A.astype(float) @ B.astype(float))
                wanted = at(7, expected, columns + 2)
                width = (inner if across else columns) + 2
                product(a, *steps, b, width, across, c, columns + 2, rows, columns, inner, -0.5, add, panel)
                assert c == pytest.approx(wanted, rel=1e-12, abs=1e-12 if dtype == "float64" else 2e-4), (rows, columns, inner)
                untouched = np.ones(len(c), bool)
                untouched[7 : 7 + rows * (columns + 2)].reshape(rows, -1)[:, :columns] = False
                assert np.array_equal(c[untouched], wanted[untouched])


@pytest.mark.parametrize("room", [0, block_bytes(0), block_bytes(2**20)])
@pytest.mark.parametrize("add", [False, True])
def test_columns_of_numbers_at_the_same_places_of_a_cache(add, room, dtype):
    """Blocks of A are copied where there is room; a last one is narrower than a vector, or as wide as several."""
    itemsize = np.dtype(dtype).itemsize
    width, panel = ALIASING_BYTES // itemsize, np.full((PANEL_BYTES + room) // itemsize, np.nan, dtype)
    for rows, columns, inner in [(64, 40, 130), (131, 33, 257), (150, 48, 128)]:
        A, B, C = taken(rows, inner, dtype), taken(inner, columns, dtype), taken(rows, columns, dtype)
        c = at(7, C, columns)
        expected = (C if add else 0) - 0.5 * (A.astype(float) @ B.astype(float))
        arguments = at(3, A.T, width), 1, width, at(5, B, columns), columns, False, c, columns, rows, columns, inner, -0.5, add, panel
        product(*arguments)
        assert c[7:-3].reshape(rows, columns) == pytest.approx(expected, rel=1e-12, abs=1e-12 if dtype == "float64" else 2e-4), rows
        assert room == 0 or np.isfinite(panel[PANEL_BYTES // itemsize]), "nothing was copied"


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("parts", [1, 5])
def test_products_with_panels_that_are_packed(across, parts, dtype):
    """Rows and columns that fill no panel; they are written once, and no further than they need."""
    lanes = 32 // np.dtype(dtype).itemsize
    panel = np.full(PANEL_BYTES // np.dtype(dtype).itemsize, np.nan, dtype)
    for rows, columns, inner in [(5, lanes, 40), (64, 11 * lanes + 3, 130), (67, 4 * lanes - 1, 257), (10, 8 * lanes, 128), (3, 33, 16)]:
        A, B, C = taken(rows, inner, dtype), taken(inner, columns, dtype), taken(rows, columns, dtype)
        b = at(5, B.T if across else B, (inner if across else columns) + 2)
        packed = np.full(inner * -(-columns // lanes) * lanes, np.nan, dtype)
        c, width = at(7, C, columns), (inner if across else columns) + 2
        arguments = at(3, A, inner), inner, 1, b, width, across, c, columns, rows, columns, inner, -0.5, True, panel, packed, parts
        packed_product(*arguments)
        expected = C - 0.5 * (A.astype(float) @ B.astype(float))
        assert c[7:-3].reshape(rows, columns) == pytest.approx(expected, rel=1e-12, abs=1e-12 if dtype == "float64" else 2e-4)
        assert np.isfinite(packed).all()


def test_nothing_of_the_target_is_read_unless_added_to(dtype):
    lanes = 32 // np.dtype(dtype).itemsize
    A, B = taken(5, 6, dtype), taken(6, lanes + 1, dtype)
    c = at(7, np.full((5, lanes + 1), np.nan, dtype), lanes + 1)
    panel = np.zeros(PANEL_BYTES // np.dtype(dtype).itemsize, dtype)
    product(at(3, A, 6), 6, 1, at(5, B, lanes + 1), lanes + 1, False, c, lanes + 1, 5, lanes + 1, 6, 1.0, False, panel)
    assert c[7:-3].reshape(5, -1) == pytest.approx(A @ B, rel=1e-5, abs=1e-5)


def test_a_number_of_each_row_is_added(dtype):
    """Once, where the sums are cut; and nothing of the target."""
    lanes, panel = 32 // np.dtype(dtype).itemsize, np.zeros(PANEL_BYTES // np.dtype(dtype).itemsize, dtype)
    for rows, columns, inner in [(1, lanes, 1), (11, 7 * lanes - 1, 5), (67, 5 * lanes, 300)]:
        A, B, numbers = taken(rows, inner, dtype), taken(inner, columns, dtype), taken(1, rows + 2, dtype)[0]
        c = np.full((rows, columns), np.nan, dtype)
        with_numbers_of_rows(numbers, A.reshape(-1), B.reshape(-1), c.reshape(-1), rows, columns, inner, panel)
        expected = numbers[2:, None].astype(float) + 0.5 * (A.astype(float) @ B.astype(float))
        assert c == pytest.approx(expected, rel=1e-12, abs=1e-12 if dtype == "float64" else 2e-4)


@pytest.mark.parametrize("columns", [1, 7, 8, 9, 33])
@pytest.mark.parametrize("rows", [1, 3, 8, 13, 24])
def test_transposing(rows, columns, dtype):
    matrix = taken(rows, columns, dtype)
    target = np.zeros(1 + columns * (rows + 2), dtype)
    transposed(at(2, matrix, columns + 1), columns + 1, target, rows + 2, rows, columns)
    assert np.array_equal(target[1:].reshape(columns, rows + 2)[:, :rows], matrix.T)
    assert not target[1:].reshape(columns, rows + 2)[:, rows:].any()


def test_sums(dtype):
    lanes = 32 // np.dtype(dtype).itemsize
    for rows in range(1, lanes + 1):
        for count in (lanes, 5 * lanes):
            A, b = taken(rows, count, dtype), taken(1, count, dtype)
            plain, with_b = np.zeros(lanes, dtype), np.zeros(lanes, dtype)
            sums(at(1, A, count + 1), count + 1, rows, at(2, b, count), count, plain, with_b)
            assert plain[:rows] == pytest.approx(A.sum(axis=1), rel=1e-5, abs=1e-5)
            assert with_b[:rows] == pytest.approx(A @ b[0], rel=1e-5, abs=1e-5)


def test_products_and_copies_stay_inside_their_spans(python):
    assert python(BOUNDS, NUMBA_BOUNDSCHECK="1").split() == ["refused"] * 8
