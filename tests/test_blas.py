"""BLAS inside kernels: one thread for the whole process while anybody needs it, and no access outside a span."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from fastgd.kernels.blas import gemm_address, one_thread

BOUNDS = """
import numba, numpy as np
from fastgd.jit import FLAGS
from fastgd.kernels.blas import gemm_address
from fastgd.kernels.gemm import multiply
from fastgd.simd import copy, span_of

@numba.njit(**FLAGS)
def product(gemm, a, b, c, rows, columns, inner):
    multiply(gemm, False, False, rows, columns, inner, 1.0, span_of(a), 0, inner, span_of(b), 0, 0.0, span_of(c), 0)

@numba.njit(**FLAGS)
def of_columns(gemm, a, first, b, c):
    # C = 1 + 2 A^T B for columns first, first + 1 of A, which is (2, 3)
    multiply(gemm, True, False, 2, 2, 2, 2.0, span_of(a), first, 3, span_of(b), 0, 1.0, span_of(c), 0)

@numba.njit(**FLAGS)
def copied(target, source, count):
    copy(span_of(target), 0, span_of(source), 0, count)

a, b, c = np.arange(6.0), np.arange(6.0, 12.0), np.zeros(4)
product(gemm_address(a.dtype), a, b, c, 2, 2, 3)
assert np.array_equal(c.reshape(2, 2), a.reshape(2, 3) @ b.reshape(3, 2))
c = np.ones(4)
of_columns(gemm_address(a.dtype), a, 1, b, c)
assert np.array_equal(c.reshape(2, 2), 1 + 2 * a.reshape(2, 3)[:, 1:].T @ b[:4].reshape(2, 2))
copied(c, a, 4)
assert np.array_equal(c, a[:4])
for call in (
    lambda: product(gemm_address(a.dtype), a[:5].copy(), b, c, 2, 2, 3),
    lambda: product(gemm_address(a.dtype), a, b[:5].copy(), c, 2, 2, 3),
    lambda: product(gemm_address(a.dtype), a, b, c[:3].copy(), 2, 2, 3),
    lambda: of_columns(gemm_address(a.dtype), a, 2, b, c),
    lambda: copied(c, a, 5),
    lambda: copied(np.zeros(9), a, 7),
):
    try:
        call()
        print("fine")
    except IndexError:
        print("refused")
"""


def threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_one_thread_until_the_last_has_left():
    """The number of threads is the process's: whoever leaves first must not take the limit from who is still inside."""
    gemm_address(np.dtype("float64"))  # loads the library
    before = threads()
    first, second = one_thread, one_thread
    first.__enter__()
    assert threads() == {1}
    second.__enter__()
    first.__exit__(None, None, None)
    assert threads() == {1}
    second.__exit__(None, None, None)
    assert threads() == before


def test_an_error_inside_puts_the_threads_back():
    before = threads()
    with pytest.raises(KeyError), one_thread:
        raise KeyError
    assert threads() == before


def test_products_and_copies_stay_inside_their_spans(python):
    assert python(BOUNDS, NUMBA_BOUNDSCHECK="1").split() == ["refused"] * 6
