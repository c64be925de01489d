"""Arrays that compiled code reads are of the type that it reads them as, on platforms whose default integer is another one too."""

import dataclasses
import importlib.util
from typing import NamedTuple

import numpy as np
import pytest

import fastgd
from fastgd.kernels.matrix import tasks
from fastgd.machine.struct import Doubles, Integers, Pointer, Reals, struct_of


class Inner(NamedTuple):
    reals: Reals


class Outer(NamedTuple):
    counts: Integers
    sums: Doubles
    other: Pointer
    inner: Inner


def outer(counts=np.int64, sums=np.float64, other=np.int64, reals=np.float32):
    return Outer(np.zeros(3, counts), np.zeros(3, sums), np.zeros(3, other), Inner(np.zeros(3, reals)))


def test_a_table_holds_addresses_and_lengths():
    values = outer()
    arrays = (values.counts, values.sums, values.other, values.inner.reals)
    expected = [number for array in arrays for number in (array.ctypes.data, 3)]
    assert struct_of(values, np.dtype(np.float32)).tolist() == expected


@pytest.mark.parametrize(
    ("field", "dtype", "place", "expected"),
    [
        ("counts", np.int32, "Outer.counts", "int64"),
        ("counts", np.uint64, "Outer.counts", "int64"),
        ("counts", ">i8", "Outer.counts", "int64"),
        ("sums", np.float32, "Outer.sums", "float64"),
        ("sums", np.int64, "Outer.sums", "float64"),
        ("other", np.int32, "Outer.other", "int64"),
        ("reals", np.float64, "Inner.reals", "float32"),
        ("reals", ">f4", "Inner.reals", "float32"),
    ],
)
def test_an_array_of_another_type_is_refused(field, dtype, place, expected):
    with pytest.raises(TypeError, match=rf"{place} must be a C-contiguous array of {expected}; got {np.dtype(dtype)}"):
        struct_of(outer(**{field: dtype}), np.dtype(np.float32))


def test_an_array_that_does_not_lie_row_by_row_is_refused():
    with pytest.raises(TypeError, match=r"Inner\.reals must be a C-contiguous array of float64; got float64, not row by row"):
        struct_of(Inner(np.zeros((4, 4)).T[1:]), np.dtype(np.float64))


@pytest.fixture
def short_integers(monkeypatch):
    """Python's whole numbers become int32 in new arrays where they fit, as on Windows with NumPy 1.26."""

    def shortened(function):
        def call(*arguments, **keywords):
            result = function(*arguments, **keywords)
            asked = "dtype" in keywords or len(arguments) > {"full": 2, "arange": 3}.get(function.__name__, 1)
            given = any(isinstance(value, (np.ndarray, np.generic)) for value in arguments)
            if asked or given or result.dtype != np.int64 or (abs(result) >= 2**31).any():
                return result
            return result.astype(np.int32)

        return call

    for name in ("array", "asarray", "full", "arange"):
        monkeypatch.setattr(np, name, shortened(getattr(np, name)))
    monkeypatch.setattr(np, "tile", lambda values, times, tile=np.tile: tile(np.array(values), times))


def trainings(optimizer, kernel):
    """A training of one network, and one of many with a schedule, stop rules and histories."""
    X, Y = fastgd.data.gate("xor")
    net = fastgd.MLP(2, 2, 1)
    rate = fastgd.schedules.Constant(0.1) if optimizer == "rprop" else fastgd.schedules.Step(0.1, every=5)
    given = {"optimizer": optimizer, "patience": 50, "rng": 3, "record": 5}
    if kernel != "lanes":
        return fastgd.train(net, X, Y, 20, rate, kernel=kernel, **given)
    return fastgd.train_many(net, X, Y, [20, 9, 20], [rate] * 3, kernel=kernel, **given)


@pytest.mark.parametrize("kernel", ["matrix", "lanes"])
@pytest.mark.parametrize("optimizer", ["sgd", "rprop"])
def test_short_integers_change_nothing(optimizer, kernel, request):
    expected = trainings(optimizer, kernel)
    request.getfixturevalue("short_integers")
    assert np.array([1]).dtype == np.int32
    assert trainings(optimizer, kernel) == expected


@pytest.mark.parametrize("rng", [0, [5, 6, 7], np.random.default_rng(1), 2**40])
def test_seeds_of_members(rng, short_integers):
    runs = fastgd.train_many(fastgd.MLP(2, 2, 1), *fastgd.data.gate("xor"), 3, members=3, rng=rng, kernel="lanes")
    assert runs.seeds.dtype == np.int64


def test_constants_of_compiled_code(short_integers):
    """Numba compiles a function once more for an int32."""
    again = importlib.util.module_from_spec(importlib.util.spec_from_file_location("tasks_again", tasks.__file__))
    again.__spec__.loader.exec_module(again)
    assert {type(value) for name, value in vars(again).items() if isinstance(value, np.integer)} == {np.int64}


def test_members_of_a_file_in_another_byte_order_are_refused(path):
    """Whole numbers and costs, which compiled code would read as other ones."""
    X, Y = fastgd.data.gate("xor")
    net = fastgd.MLP(2, 2, 1)
    runs = fastgd.train_many(net, X, Y, 3, members=2, rng=0, kernel="matrix")
    runs = dataclasses.replace(runs, states=dataclasses.replace(runs.states, cursor=runs.states.cursor.astype(">i8")))
    runs.save(path)
    with pytest.raises(ValueError, match="can't be gone on from: epochs of its states is >i8"):
        fastgd.load_runs(path)
