"""Machine code that looks at arrays itself: it counts references, outlives its predictor, and is made only where arrays lie as known."""

import ctypes
import gc
import sys
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
from predicted import ROWS, XOR

import fastgd
from fastgd.kernels.shelf import shelf
from fastgd.machine import quick_call

pytestmark = pytest.mark.usefixtures("way")


def test_it_counts_references():
    """Neither rows, outputs nor what both are of are lost or kept, also where it hands on or refuses."""
    f, X, bad = XOR.predictor(XOR.init(rng=0)), ROWS.copy(), np.full((1, 2), np.nan)
    given, small = np.zeros((4, 1)), np.zeros((4, 2))[:, :1]
    f(X)
    things = [X, X.dtype, bad, f._quick, f._bound.outputs, given, small]
    gc.collect()  # which other tests left arrays for, of the same dtype
    before = [sys.getrefcount(thing) for thing in things]
    for _ in range(1000):
        out = f(X)
        f(X, out=given)
        f(X, out=small)
        f(X.tolist())
        with pytest.raises(ValueError, match="finite"):
            f(bad)
    assert [sys.getrefcount(thing) for thing in things] == pytest.approx(before, abs=100)
    assert sys.getrefcount(out) == 2
    assert out.base is None
    assert out.flags.owndata


def test_it_outlives_the_predictor():
    """Whoever has the function alone has all that it needs."""
    f = XOR.predictor(XOR.init(rng=0))
    expected, function = f(ROWS), f._quick
    gone = weakref.ref(f)
    del f
    assert gone() is None
    shelf.clear()
    assert np.array_equal(function(ROWS), expected)
    assert np.array_equal(function(ROWS.tolist()), expected)


def test_who_calls_it(way):
    f = XOR.predictor(XOR.init(rng=0))
    assert (type(f._quick) is type(len)) == (way == "machine code")
    large = fastgd.MLP(300, 300, 1)
    assert type(large.predictor(large.init(rng=0))._quick) is not type(len)


@pytest.mark.parametrize("place", ["_TYPE", "_DATA", "_DIMENSIONS", "_DTYPE", "_FLAGS"])
def test_another_layout_is_noticed(place, monkeypatch):
    """An array's parts elsewhere than the code looks: it is not made."""
    assert quick_call._is_laid_out_as_known()
    monkeypatch.setattr(quick_call, place, getattr(quick_call, place) + 8)
    assert not quick_call._is_laid_out_as_known()


@pytest.mark.parametrize("absent", [None, "Py_IncRef", "PyObject_VectorcallDict"])
def test_a_python_without_a_function_that_is_called(absent, way, monkeypatch):
    """There is none of it then, and calls go through Python. Of all that it calls 3.10 has: that has no PyObject_Vectorcall, for one."""
    there = {"_handle", "Py_IncRef", "PyObject_VectorcallDict"} - {absent}
    python = SimpleNamespace(**{name: getattr(ctypes.pythonapi, name) for name in there})
    monkeypatch.setattr(quick_call, "ctypes", SimpleNamespace(**vars(ctypes) | {"pythonapi": python}))
    for name in ("_function", "_called", "_definition"):  # as they are before the first call
        kept = getattr(quick_call, name)
        monkeypatch.setattr(quick_call, name, getattr(kept, "__wrapped__", kept))
    kept, params = quick_call._definition("float64"), XOR.init(rng=0)
    monkeypatch.setattr(quick_call, "_definition", lambda dtype: kept)
    f = XOR.predictor(params)
    assert (type(f._quick) is type(len)) == (absent is None and way == "machine code")
    assert np.array_equal(f(ROWS), XOR.predict(params, ROWS))
