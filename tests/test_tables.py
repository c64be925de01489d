"""The tables of functions that dispatch is written out from: what is added in part is an error at import."""

import numba
import numpy as np
import pytest

from fastgd.formulas import schedules
from fastgd.machine.dispatch import by_number
from fastgd.machine.jit import merged
from fastgd.schedules import KINDS


def test_each_schedule_has_its_function():
    assert list(schedules.RATE_FUNCTIONS) == list(KINDS)


@merged
def _once(x, y):
    return x + y


@merged
def _twice(x, y):
    return 2 * x + y


@merged
def _thrice(x, y):
    return 3 * x + y


@pytest.mark.parametrize("functions", [[_once], [_once, _twice], [_twice, _once, _twice, _thrice, _once]])
def test_a_number_chooses_a_function(functions):
    choose = by_number(dict(enumerate(functions)), "x, y")
    call = numba.njit(lambda number, x, y: choose(number, x, y))
    factors = [{_once: 1, _twice: 2, _thrice: 3}[function] for function in functions]
    assert [call(np.int64(i), 10.0, 1.0) for i in range(len(functions))] == [10.0 * k + 1 for k in factors]
    assert call(np.int64(99), 10.0, 1.0) == 10.0 * factors[0] + 1
