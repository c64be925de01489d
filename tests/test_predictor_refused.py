"""What predictors and `predict` refuse, by whatever call: nothing is written, and the next call is as any other."""

import numpy as np
import pytest
from conftest import assert_refused
from predicted import ROWS, XOR

import fastgd
from fastgd import predictor

pytestmark = pytest.mark.usefixtures("way")


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
