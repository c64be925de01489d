"""Vectors as values of compiled code: arithmetic that keeps its dtype, selection, sums."""

import numba
import numpy as np
import pytest
from this_machine import compiles_for

from fastgd.machine import jit
from fastgd.machine.lane_sums import lane_sum
from fastgd.machine.span import broadcast, lanes_of, load, span_of, store
from fastgd.machine.vector import like, plus, where_negative, where_positive

LANES = {"float64": 4, "float32": 8}


@numba.njit(**jit.FLAGS)
def arithmetic(x, y, results):
    a, b = load(span_of(x), 0), load(span_of(y), 0)
    out = span_of(results)
    lanes = lanes_of(out)
    store(out, 0, a + b)
    store(out, lanes, a - b)
    store(out, 2 * lanes, a * b)
    store(out, 3 * lanes, a / b)
    store(out, 4 * lanes, -a)
    store(out, 5 * lanes, a * 0.1)
    store(out, 6 * lanes, 0.1 - a)
    store(out, 7 * lanes, a / 3)
    a += b
    a *= 0.7
    a -= 1
    store(out, 8 * lanes, a)
    return lanes


def test_arithmetic_is_numpys(dtype):
    """Numbers are rounded to the vector's dtype first: a literal never widens float32."""
    rng = np.random.default_rng(0)
    lanes = LANES[dtype]
    x, y = rng.normal(size=(2, lanes)).astype(dtype)
    results = np.empty((9, lanes), dtype)
    assert arithmetic(x, y, results) == lanes
    real = np.dtype(dtype).type
    expected = [x + y, x - y, x * y, x / y, -x, x * real(0.1), real(0.1) - x, x / real(3)]
    assert np.array_equal(results[:8], expected)
    # contraction may fuse the last product and difference
    eps = float(np.finfo(dtype).eps)
    assert results[8] == pytest.approx((x + y) * real(0.7) - real(1), rel=4 * eps, abs=4 * eps)


@numba.njit(**jit.FLAGS)
def summed(x):
    return lane_sum(load(span_of(x), 0))


def test_plus_is_rounded_after_the_product(dtype):
    """Which an ordinary sum is not, where the processor has one instruction for both."""

    @numba.njit(**jit.FLAGS)
    def sums(x, y, z, apart, together):
        a, b, c, first, second = span_of(x), span_of(y), span_of(z), span_of(apart), span_of(together)
        for i in range(0, len(x), lanes_of(a)):
            store(first, i, plus(load(a, i) * load(b, i), load(c, i)))
            store(second, i, load(a, i) * load(b, i) + load(c, i))

    x, y = np.random.default_rng(0).normal(size=(2, 64)).astype(dtype)
    apart, together = np.empty((2, 64), dtype)
    sums(x, y, -(x * y), apart, together)
    assert not apart.any()
    assert together.any() or not compiles_for("fma")


def test_lane_sum_adds_by_halves(dtype):
    """In the order that the docstring gives, to the last bit; numbers of many magnitudes, so that order shows."""
    rng = np.random.default_rng(1)
    for _ in range(100):
        x = (rng.normal(size=LANES[dtype]) * 10.0 ** rng.integers(-6, 6, LANES[dtype])).astype(dtype)
        halves = x
        while len(halves) > 1:
            halves = halves[: len(halves) // 2] + halves[len(halves) // 2 :]
        assert summed(x) == halves[0]


@numba.njit(**jit.FLAGS)
def selected(x, yes, no, positive, negative):
    for i in range(0, len(x), lanes_of(span_of(x))):
        v, a, b = load(span_of(x), i), load(span_of(yes), i), load(span_of(no), i)
        store(span_of(positive), i, where_positive(v, a, b))
        store(span_of(negative), i, where_negative(v, a, b))


@numba.njit(**jit.FLAGS)
def selected_one_by_one(x, yes, no, positive, negative):
    for i in range(len(x)):
        positive[i] = where_positive(x[i], yes[i], no[i])
        negative[i] = where_negative(x[i], yes[i], no[i])


@pytest.mark.parametrize("select", [selected, selected_one_by_one])
def test_selection(select, dtype):
    smallest = np.finfo(dtype).smallest_subnormal
    x = np.array([1, -1, 0, -0.0, np.nan, np.inf, -np.inf, smallest], dtype)
    yes, no = np.arange(8, dtype=dtype), -np.arange(8, dtype=dtype) - 1
    yes[0] = np.nan  # picked whole, not computed with
    positive, negative = np.empty(8, dtype), np.empty(8, dtype)
    select(x, yes, no, positive, negative)
    assert np.array_equal(positive, np.where(x > 0, yes, no), equal_nan=True)
    assert np.array_equal(negative, np.where(x < 0, yes, no))


@numba.njit(**jit.FLAGS)
def literals(x, out):
    store(span_of(out), 0, like(load(span_of(x), 0), 0.1))
    store(span_of(out), lanes_of(span_of(out)), broadcast(span_of(x), 0.3))
    return like(x[0], 0.1)


def test_literals_take_the_dtype(dtype):
    lanes = LANES[dtype]
    x, out = np.ones(lanes, dtype), np.empty((2, lanes), dtype)
    one = literals(x, out)
    assert one == np.dtype(dtype).type(0.1)
    assert np.all(out[0] == np.dtype(dtype).type(0.1))
    assert np.all(out[1] == np.dtype(dtype).type(0.3))
    assert numba.from_dtype(np.dtype(dtype)) in {s.return_type for s in literals.nopython_signatures}
