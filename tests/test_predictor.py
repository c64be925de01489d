"""Predictors and `predict`: against the oracle, to the same bits by whatever call, into whose memory; what they keep and forget."""

import copy
import ctypes
import mmap
import pickle
import sys
import weakref

import numpy as np
import oracle
import pytest
from conftest import random_problem
from predicted import ROWS, XOR

import fastgd
from fastgd import predictor

NETWORKS = [
    fastgd.MLP(2, 2, 1),
    fastgd.MLP(1, 1, activation="identity", bias=False),
    fastgd.MLP(4, 32, 16, 4, activation=["tanh", "relu", "sigmoid"]),
    fastgd.MLP(64, 100, 10, output="softmax", loss="cross_entropy"),
    fastgd.MLP(3, 9, 5, activation="sin", output="identity", bias=False),
    fastgd.MLP(200, 90, 3, activation="leaky_relu"),
    fastgd.MLP(1100, 70, 2, activation="tanh"),
]
pytestmark = pytest.mark.usefixtures("way")
COUNTS = [1, 2, 3, 4, 5, 8, 17, 100, 256, 257, 1000, 3]


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
