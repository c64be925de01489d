"""Flat arrays that compiled code borrows: elements, vectors at any index, bounds."""

import numba
import numpy as np
import pytest

from fastgd.machine import jit
from fastgd.machine.span import load, span_of, store

LANES = {"float64": 4, "float32": 8}


@numba.njit(**jit.FLAGS)
def copy_from(x, start, out):
    store(span_of(out), 0, load(span_of(x), start))


def test_load_at_any_index(dtype):
    lanes = LANES[dtype]
    x = np.arange(3 * lanes, dtype=dtype)
    for start in range(2 * lanes + 1):
        out = np.zeros(lanes, dtype)
        copy_from(x, start, out)
        assert np.array_equal(out, x[start : start + lanes])


@numba.njit(**jit.FLAGS)
def elements(x, out):
    source, target = span_of(x), span_of(out)
    for i in range(len(x)):
        target[i] = source[i] * 2


def test_elements_of_a_span(dtype):
    x = np.arange(5, dtype=dtype)
    out = np.empty(5, dtype)
    elements(x, out)
    assert np.array_equal(out, 2 * x)
    whole = np.arange(5)
    elements(whole, integers := np.empty(5, np.int64))
    assert np.array_equal(integers, 2 * whole)


BOUNDS = """
import sys
import numba, numpy as np
from fastgd.machine import jit
from fastgd.machine.span import load, span_of, store

@numba.njit(**jit.FLAGS)
def loaded(x, i):
    store(span_of(x), 0, load(span_of(x), i))

@numba.njit(**jit.FLAGS)
def stored(x, i):
    store(span_of(x), i, load(span_of(x), 0))

@numba.njit(**jit.FLAGS)
def got(x, i):
    return span_of(x)[i]

@numba.njit(**jit.FLAGS)
def put(x, i):
    span_of(x)[i] = 1.0

memory = np.zeros(32, sys.argv[1])  # around the span, so that nothing foreign is touched
span = memory[8:24]
lanes = 32 // memory.itemsize
for function, outside, inside in [(loaded, 16 - lanes + 1, 16 - lanes), (stored, 16 - lanes + 1, 16 - lanes), (got, 16, 15), (put, 16, 15)]:
    for index in (inside, outside, -1, -lanes):
        try:
            function(span, index)
            print("fine", end=" ")
        except IndexError:
            print("refused", end=" ")
"""


@pytest.mark.parametrize("check", [0, 1])
def test_bounds(python, dtype, check):
    """Outside a span is refused under NUMBA_BOUNDSCHECK, where the kernel tests are run once more."""
    printed = python(BOUNDS, dtype, NUMBA_BOUNDSCHECK=check).split()
    assert printed == ["fine", *(["refused"] if check else ["fine"]) * 3] * 4
