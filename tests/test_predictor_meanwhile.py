"""Predictors and `predict` while something else happens: other threads and calls, rows that change, Ctrl-C, a fork."""

import os
from functools import partial

import numpy as np
import oracle
import pytest
from conftest import random_problem
from predicted import ROWS, XOR
from together import at_once

import fastgd
from fastgd import predictor
from fastgd.kernels.forward_pass import ForwardPass

pytestmark = pytest.mark.usefixtures("way")


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
