"""Predictors and `predict`: against the oracle, from threads, to the same bits by whatever call; what they refuse, keep and forget."""

import copy
import ctypes
import mmap
import os
import pickle
import sys
import weakref
from functools import partial
from types import SimpleNamespace

import numpy as np
import oracle
import pytest
from conftest import assert_refused, random_problem
from together import at_once

import fastgd
from fastgd import predictor
from fastgd.kernels.forward_pass import ForwardPass
from fastgd.kernels.shelf import shelf
from fastgd.machine import quick_call

NETWORKS = [
    fastgd.MLP(2, 2, 1),
    fastgd.MLP(1, 1, activation="identity", bias=False),
    fastgd.MLP(4, 32, 16, 4, activation=["tanh", "relu", "sigmoid"]),
    fastgd.MLP(64, 100, 10, output="softmax", loss="cross_entropy"),
    fastgd.MLP(3, 9, 5, activation="sin", output="identity", bias=False),
    fastgd.MLP(200, 90, 3, activation="leaky_relu"),
    fastgd.MLP(1100, 70, 2, activation="tanh"),
]
COUNTS = [1, 2, 3, 4, 5, 8, 17, 100, 256, 257, 1000, 3]
XOR = fastgd.MLP(2, 2, 1)
ROWS = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])


@pytest.fixture(params=["machine code", "Python"], autouse=True)
def way(request, monkeypatch):
    """How a predictor is called: through machine code that looks at arrays itself, or where that can't be."""
    if request.param == "Python":
        monkeypatch.setattr(quick_call, "_definition", lambda dtype: None)
    elif quick_call._definition("float64") is None:
        pytest.skip("arrays are not laid out as known")
    return request.param


def of_dtype(net, dtype):
    return fastgd.MLP(*net.widths, activation=list(net.activations), loss=net.loss, bias=net.bias, dtype=dtype)


@pytest.mark.parametrize("net", NETWORKS, ids=str)
def test_outputs(net, dtype):
    """By few rows after many and many after few, of one predictor: as the oracle has them, and to the bits of `predict`."""
    net, bound = of_dtype(net, dtype), {"float64": 1e-12, "float32": 1e-4}[dtype]
    params = random_problem(net, 1)[2]
    f = net.predictor(params)
    for n in COUNTS:
        X = random_problem(net, n, seed=n)[0].astype(dtype)
        ours = f(X)
        assert ours.shape == (n, net.widths[-1])
        assert ours.dtype == dtype
        assert ours == pytest.approx(oracle.predict(net, params, X), rel=bound, abs=bound)
        assert np.array_equal(ours, net.predict(params, X))
        out = np.full_like(ours, np.nan)
        assert f(X, out=out) is out
        assert np.array_equal(out, ours)


@pytest.mark.parametrize("net", NETWORKS[:-2], ids=str)
def test_a_row_is_the_same_beside_others(net, dtype):
    """To the bit, in layers of at most 128 inputs, whose sums are not cut: blocks, padding and threads are no part of what it comes to."""
    net = of_dtype(net, dtype)
    X, _, params = random_problem(net, 1000)
    X = X.astype(dtype)
    f, bits = net.predictor(params), {}
    for part in (slice(0, 1000), slice(0, 400), slice(900, 1000), slice(40, 80), *(slice(i, i + 1) for i in range(30)), slice(5, 8)):
        for row, outputs in zip(range(1000)[part], f(X[part]), strict=True):
            assert bits.setdefault(row, outputs.tobytes()) == outputs.tobytes()


@pytest.mark.skipif(sys.platform != "linux", reason="pages are protected by Linux's call")
@pytest.mark.parametrize("at_end", [True, False])
def test_nothing_beside_rows_is_read(at_end, dtype):
    """Rows, parameters and outputs that lie at the end of a page, or at its beginning, beside one that must not be touched."""
    page, kept = mmap.PAGESIZE, []

    def beside(array):
        pages = -(-array.nbytes // page)
        memory = mmap.mmap(-1, (pages + 2) * page)
        first = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        for place in (first, first + (pages + 1) * page):
            assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(place), page, 0) == 0
        kept.append(memory)
        offset = page + (pages * page - array.nbytes if at_end else 0)
        result = np.frombuffer(memory, array.dtype, array.size, offset).reshape(array.shape)
        result[...] = array
        return result

    for widths in ((3, 5, 2), (1, 1), (17, 33, 9), (200, 64, 1)):
        net = fastgd.MLP(*widths, activation="tanh", dtype=dtype)
        X, _, params = random_problem(net, 600)
        f, params_there = net.predictor(params), beside(params)
        for n in (1, 2, 7, 16, 255, 600):
            expected, rows = f(X[:n]), beside(X[:n])
            assert np.array_equal(f(rows, out=beside(np.zeros_like(expected))), expected)
            assert np.array_equal(net.predict(params_there, rows), expected)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(("net", "n"), [(NETWORKS[3], 3001), (XOR, 130_000)], ids=str)
def test_many_rows_go_over_threads(net, n, threads, monkeypatch):
    """Whether threads take part, and whoever takes which rows: the same bits as by parts that none takes part in."""
    X, _, params = random_problem(net, n)
    few = np.concatenate([net.predict(params, part) for part in np.array_split(X, -(-n // 500))])
    monkeypatch.setattr(predictor, "available_threads", lambda: threads)
    monkeypatch.setattr(predictor, "THREADED_PRODUCTS", 2**16)
    monkeypatch.setattr(predictor, "_TASK", 2**15)
    out = np.full((n, net.widths[-1]), np.nan)
    for outputs in (net.predict(params, X), net.predictor(params)(X), net.predictor(params)(X, out=out)):
        assert np.array_equal(outputs, few)
    assert few[::97] == pytest.approx(oracle.predict(net, params, X[::97]), rel=1e-12)


@pytest.mark.parametrize("times", [1, 1500])
def test_other_kinds_of_rows(times):
    """Lists, integers, bools, other dtypes, orders and strides, subclasses: the same numbers, the same outputs; of few rows, which are
    copied, and of more, which are read where they lie."""
    net, params, rows = XOR, XOR.init(rng=0), np.tile(ROWS, (times, 1))
    f, expected = net.predictor(params), np.tile(XOR.predict(params, ROWS), (times, 1))
    kinds = [
        rows.tolist(), rows.astype(int), rows.astype(bool), rows.astype("float32"), rows.astype(">f8"), np.asfortranarray(rows),
        np.repeat(rows, 2, axis=1)[:, ::2], rows[::-1][::-1], rows.view(type("Rows", (np.ndarray,), {})),
        np.frombuffer(b"-" + rows.tobytes(), offset=1).reshape(-1, 2),
    ]  # fmt: skip
    for X in kinds:
        assert type(f(X)) is np.ndarray
        assert np.array_equal(f(X), expected)
        assert np.array_equal(net.predict(params, X), expected)
        assert np.array_equal(net.predict(params.tolist(), X), expected)
    one = fastgd.MLP(1, 3)
    assert np.array_equal(one.predictor(np.ones(6))([1.0, 2.0]), one.predict(np.ones(6), [[1.0], [2.0]]))


def test_large_numbers_are_finite():
    """Whose squares are not."""
    net = fastgd.MLP(2, 1, activation="identity", bias=False)
    assert net.predictor([1e-300, 1e-300])([[1e300, -1e300], [1e300, 1e300]]) == pytest.approx(np.array([[0.0], [2.0]]), abs=1e-15)
    assert net.predict(np.array([1e200, 1e200]), np.array([[1e100, 0.0]])) == pytest.approx(1e300)


# -- out -------------------------------------------------------------------------------------------------------------------------------


def test_outputs_are_the_callers():
    """No later call writes to them, but to `out` it does."""
    f = XOR.predictor(XOR.init(rng=0))
    first = f(ROWS)
    kept = first.copy()
    out = np.empty((4, 1))
    assert f(1 - ROWS, out=out) is out
    assert np.array_equal(first, kept)
    assert np.array_equal(out, kept[::-1])
    f(ROWS, out)
    assert np.array_equal(out, kept)


@pytest.mark.parametrize("n", [4, 20_000, 131_072])
def test_out_may_lie_where_x_does(n, monkeypatch):
    monkeypatch.setattr(predictor, "THREADED_PRODUCTS", 2**16)
    monkeypatch.setattr(predictor, "available_threads", lambda: 2)
    net = fastgd.MLP(2, 3, 2)
    X, _, params = random_problem(net, n)
    f = net.predictor(params)
    expected = f(X)
    assert np.array_equal(f(X, out=X), expected)
    memory = random_problem(net, n)[0].repeat(2, axis=0)[: n + 1]
    X = memory[:n]
    expected = f(X.copy())
    assert np.array_equal(f(X, out=memory[1:]), expected)


def test_out_of_any_layout():
    f = XOR.predictor(XOR.init(rng=0))
    wide = np.zeros((4, 3))
    f(ROWS, out=wide[:, 1:2])
    assert np.array_equal(wide[:, 1:2], f(ROWS))
    assert not wide[:, [0, 2]].any()


READ_ONLY = np.zeros((4, 1))
READ_ONLY.flags.writeable = False
BAD_OUTS = {
    "list": ([[0.0]] * 4, TypeError, ["out", "float64", "(4, 1)"]),
    "flat": (np.zeros(4), ValueError, ["out", "(4, 1)", "(4,)"]),
    "rows": (np.zeros((5, 1)), ValueError, ["out", "(4, 1)", "(5, 1)"]),
    "float32": (np.zeros((4, 1), "float32"), ValueError, ["out", "float64", "float32"]),
    "read-only": (READ_ONLY, ValueError, ["out", "written"]),
}


@pytest.mark.parametrize("name", BAD_OUTS)
def test_refused_outs(name):
    out, error, words = BAD_OUTS[name]
    f = XOR.predictor(XOR.init(rng=0))
    assert_refused(lambda: f(ROWS, out=out), error, words)
    assert f(ROWS).shape == (4, 1)


BAD_ROWS = {
    "nan": ([[0, np.nan]], ValueError, ["X", "finite", "nan", "0, 1"]),
    "infinite": ([[0, 0], [-np.inf, 0]], ValueError, ["X", "finite", "-inf", "1, 0"]),
    "columns": ([[1.0, 2, 3]], ValueError, ["X", "(n, 2)", "(1, 3)"]),
    "flat": ([1.0, 2.0], ValueError, ["X", "(n, 2)", "(2,)"]),
    "empty": (np.zeros((0, 2)), ValueError, ["X", "one row"]),
    "cube": (np.zeros((1, 1, 2)), ValueError, ["X", "(n, 2)"]),
    "text": ([["a", "b"]], TypeError, ["X", "real numbers"]),
    "complex": (np.zeros((1, 2), complex), TypeError, ["X", "real numbers"]),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_refused_rows(name):
    """As an array or a list, by one who has seen good ones of the same shape, and goes on to see them; nothing is written."""
    X, error, words = BAD_ROWS[name]
    f, params = XOR.predictor(np.ones(9)), np.ones(9)
    for given in (X, np.array(X)):
        out = np.full((len(X), 1), 7.0)
        if len(X) and np.shape(X)[1:] == (2,):
            f(np.zeros(np.shape(X)))
        assert_refused(lambda given=given, out=out: f(given, out), error, words)
        assert_refused(lambda given=given: XOR.predict(params, given), error, words)
        assert (out == 7).all()
    assert np.array_equal(f(ROWS), XOR.predict(params, ROWS))


@pytest.mark.parametrize("n", [3, 2000, 50_000, 200_000])
def test_not_finite_among_many(n, monkeypatch):
    """In few rows and many, on one thread and several."""
    monkeypatch.setattr(predictor, "THREADED_PRODUCTS", 2**17)
    X, f = np.zeros((n, 2)), XOR.predictor(np.ones(9))
    f(X)
    out = np.zeros((n, 1))
    for row, what in ((n - 1, np.inf), (0, -np.inf), (n // 2, np.nan)):
        X[:] = 0
        X[row, 1] = what
        for call in (lambda: f(X), lambda: f(X, out), lambda: XOR.predict(np.ones(9), X)):
            assert_refused(call, ValueError, ["X", "finite", str(what), f"{row}, 1"])
    assert not out.any()


def test_refused_params():
    """Those of the same array once they are no good; by `predict` and when a predictor is made."""
    params = XOR.init(rng=0)
    XOR.predict(params, ROWS)
    params[3] = np.nan
    for call in (lambda: XOR.predict(params, ROWS), lambda: XOR.predictor(params)):
        assert_refused(call, ValueError, ["params", "finite", "nan", "3"])
    for call in (lambda: XOR.predict(np.zeros(8), ROWS), lambda: XOR.predictor(np.zeros(8))):
        assert_refused(call, ValueError, ["params", "(9,)", "(8,)", "MLP(2, 2, 1"])
    wide = fastgd.MLP(100, 100, 1)
    params = np.zeros(wide.n_params)
    wide.predict(params, np.zeros((1, 100)))
    params[-1] = np.inf
    assert_refused(lambda: wide.predict(params, np.zeros((1, 100))), ValueError, ["params", "finite", "inf"])


# -- whose memory it is ----------------------------------------------------------------------------------------------------------------


def test_params_are_a_copy():
    params = XOR.init(rng=0)
    f, expected = XOR.predictor(params), XOR.predict(params, ROWS)
    params[:] = 0
    assert np.array_equal(f(ROWS), expected)
    assert np.array_equal(XOR.predict(params, ROWS), np.full((4, 1), 0.5))


def test_nothing_of_the_callers_is_kept():
    """Neither by a predictor nor by the network's own calls, of few rows and of many."""
    for n in (10, 200_000):
        X, out, params = np.zeros((n, 2)), np.zeros((n, 1)), XOR.init(rng=0)
        f = XOR.predictor(params)
        f(X, out)
        XOR.predict(params, X)
        XOR.cost(params, X, out)
        XOR.cost_and_gradient(params, X, out)
        held = [weakref.ref(each) for each in (X, out, params)]
        del X, out, params
        assert [ref() is None for ref in held] == [True] * 3
        assert f(ROWS).shape == (4, 1)


def test_copies_and_pickles():
    f = XOR.predictor(XOR.init(rng=3))
    for other in (copy.copy(f), copy.deepcopy(f), pickle.loads(pickle.dumps(f))):
        assert other.net == XOR
        assert np.array_equal(other(ROWS), f(ROWS))
    assert len(pickle.dumps(f)) < 1500
    assert "MLP(2, 2, 1" in repr(f)


def test_runs_predict_by_it_and_hold_nothing(kernel):
    run = fastgd.train(XOR, ROWS, ROWS[:, :1], 3, rng=0, kernel=kernel)
    before = len(pickle.dumps(run))
    assert np.array_equal(run.predict(ROWS), XOR.predictor(run.params)(ROWS))
    assert len(pickle.dumps(run)) == before
    assert copy.deepcopy(run) == run == pickle.loads(pickle.dumps(run))


# -- several at once -------------------------------------------------------------------------------------------------------------------


def test_threads_share_a_predictor():
    """Each has the outputs of its own rows, of which some have other numbers than others'."""
    net = fastgd.MLP(4, 32, 16, 4)
    params, rows = net.init(rng=0), [random_problem(net, n, seed=n)[0] for n in (1, 3, 3, 70)]
    f = net.predictor(params)
    expected = [oracle.predict(net, params, X) for X in rows]
    for calls in ([partial(f, X) for X in rows], [partial(net.predict, params, X) for X in rows]):
        for results, theirs in zip(at_once(*calls), expected, strict=True):
            assert all(np.allclose(ours, theirs, rtol=1e-12, atol=0) for ours in results)


def test_a_call_within_a_call(monkeypatch):
    """As by the handler of a signal: it has memory of its own."""
    f = XOR.predictor(XOR.init(rng=0))
    expected, inner, check = f(ROWS), [], predictor._check_out

    def interrupted(net, X, out):
        inner.append(f((1 - ROWS).tolist()))
        check(net, X, out)

    monkeypatch.setattr(predictor, "_check_out", interrupted)
    assert np.array_equal(f(ROWS.tolist(), out=np.empty((4, 1))), expected)
    assert np.array_equal(inner[0], expected[::-1])


@pytest.mark.parametrize("n", [5000, 50_000])
def test_rows_that_change_meanwhile(n, monkeypatch):
    """As another thread would: looked at as they are read, at once or by parts."""
    X, outputs = np.zeros((n, 2)), ForwardPass.outputs

    def changed(forward, rows):
        X[-1, 0] = np.nan
        result = outputs(forward, rows)
        X[-1, 0] = 0
        return result

    monkeypatch.setattr(ForwardPass, "outputs", changed)
    with pytest.raises(RuntimeError, match="X was changed while its outputs were computed"):
        XOR.predict(np.ones(9), X)


def test_an_interrupted_change_of_rows(monkeypatch):
    """Ctrl-C while memory is made ready for other rows: the next call makes it ready anew."""
    f = XOR.predictor(XOR.init(rng=0))
    expected = f(ROWS.tolist())

    def stop(forward, shape):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("fastgd.kernels.forward_pass.ForwardPass._room_for", stop)
        with pytest.raises(KeyboardInterrupt):
            f(ROWS[:2].tolist())
    for n in (4, 2):
        assert np.array_equal(f(ROWS[:n].tolist()), expected[:n])


FORKED = """
import os, threading
import numpy as np
import fastgd
from fastgd import predictor
predictor.THREADED_PRODUCTS, predictor.available_threads = 2**17, lambda: 2
net = fastgd.MLP(2, 2, 1)
f, X = net.predictor(net.init(rng=0)), np.random.default_rng(0).normal(size=(200_000, 2))
expected = f(X), net.predict(net.init(rng=0), X[:3])
child = os.fork()
same = np.array_equal(f(X), expected[0]) and np.array_equal(net.predict(net.init(rng=0), X[:3]), expected[1])
if child == 0:
    os._exit(0 if same else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), same)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child(python):
    """Its parent's other threads are not there."""
    program = "import warnings; warnings.simplefilter('ignore', DeprecationWarning)\n" + FORKED
    assert python(program).split() == ["0", "True"]


# -- machine code that looks at arrays -------------------------------------------------------------------------------------------------


def test_it_counts_references():
    """Neither rows, outputs nor what both are of are lost or kept, also where it hands on or refuses."""
    f, X, bad = XOR.predictor(XOR.init(rng=0)), ROWS.copy(), np.full((1, 2), np.nan)
    given, small = np.zeros((4, 1)), np.zeros((4, 2))[:, :1]
    f(X)
    things = [X, X.dtype, bad, f._quick, f._bound.outputs, given, small]
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
