"""Objectives: against finite differences, the oracle and training itself; with SciPy; from threads; what they refuse and hold."""

import copy
import pickle

import numpy as np
import oracle
import pytest
from conftest import assert_refused, random_problem
from scipy.optimize import minimize
from together import at_once

import fastgd
from fastgd.kernels import gradient_pass

XOR = fastgd.MLP(2, 2, 1)
X, Y = fastgd.data.gate("xor")
PARAMS = XOR.init(rng=0)
NETWORKS = [
    XOR,
    fastgd.MLP(3, 4, 2, activation=["tanh", "identity"]),
    fastgd.MLP(3, 4, 2, activation="sin", bias=False),
    fastgd.MLP(4, 6, 3, activation="sigmoid", output="softmax", loss="cross_entropy"),
    fastgd.MLP(2, 5, 2, activation="tanh", output="sigmoid", loss="binary_cross_entropy"),
]


def weights_of(net, params):
    """The parameters with zeros in the place of biases."""
    return np.concatenate([np.append(W.ravel(), 0 * b if net.bias else []) for W, b in oracle.layers_of(net, params)])


@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("net", NETWORKS, ids=str)
def test_cost_and_gradient(net, weighted, l2):
    """The cost by the oracle's losses of single rows, the gradient as the slope of the very cost that the objective says."""
    X, Y, params = random_problem(net, 13)
    weights = np.random.default_rng(1).uniform(0, 3, 13) if weighted else np.ones(13)
    o = net.objective(X, Y, sample_weight=weights if weighted else None, l2=l2)
    losses = [oracle.cost(net, params, X[i : i + 1], Y[i : i + 1]) for i in range(13)]
    cost, gradient = o(params)
    assert type(cost) is float
    assert cost == pytest.approx(np.average(losses, weights=weights) + l2 / 2 * (weights_of(net, params) ** 2).sum(), rel=1e-12)
    slopes = [(o.cost(params + step) - o.cost(params - step)) / 2e-6 for step in 1e-6 * np.eye(net.n_params)]
    assert gradient == pytest.approx(np.array(slopes), rel=1e-6, abs=1e-8)
    assert o.cost(params) == cost
    assert np.array_equal(o.gradient(params), gradient)


@pytest.mark.parametrize("n", [1, 4, 300, 3000])
@pytest.mark.parametrize("net", [XOR, fastgd.MLP(30, 40, 5, activation="tanh"), fastgd.MLP(2, 200, 100, 2)], ids=str)
def test_to_the_bits_of_the_networks_own(net, n, dtype):
    net = fastgd.MLP(*net.widths, activation=list(net.activations), dtype=dtype)
    X, Y, params = random_problem(net, n)
    X, Y, params = (array.astype(dtype) for array in (X, Y, params))
    o = net.objective(X, Y)
    cost, gradient = o(params)
    theirs = net.cost_and_gradient(params, X, Y)
    assert (cost, gradient.tobytes()) == (theirs[0], theirs[1].tobytes())
    assert cost == net.cost(params, X, Y) == o.cost(params)
    assert np.array_equal(gradient, net.gradient(params, X, Y))
    bound = {"float64": 1e-10, "float32": 2e-3}[dtype]
    assert cost == pytest.approx(oracle.cost(net, params, X, Y), rel=bound)
    exact = oracle.gradient(net, params, X, Y)
    assert np.linalg.norm(gradient - exact) < bound * np.linalg.norm(exact)


@pytest.mark.parametrize("l2", [0.0, 0.2])
def test_one_step_of_training_follows_it(l2):
    o = XOR.objective(X, Y, l2=l2)
    run = fastgd.train(XOR, X, Y, 1, 0.5, params=PARAMS, l2=l2, kernel="matrix")
    assert run.params == pytest.approx(PARAMS - 0.5 * o.gradient(PARAMS), rel=1e-13, abs=1e-15)
    assert run.cost == XOR.objective(X, Y).cost(run.params)


@pytest.mark.parametrize("method", ["L-BFGS-B", "BFGS", "CG"])
def test_scipy_minimizes_it(method):
    """To where no slope is left, and with l2 to weights that pay for themselves."""
    net = fastgd.MLP(1, 4, 1, activation="tanh", output="identity")
    x = np.linspace(-2, 2, 30)
    y = np.sin(x)
    start = net.init(rng=0)
    for l2, most in ((0.0, 0.01), (1e-2, 0.2)):
        o = net.objective(x, y, l2=l2)
        result = minimize(o, start, jac=True, method=method, tol=1e-12)
        assert result.fun < most < o.cost(start)
        assert oracle.cost(net, result.x, x[:, None], y[:, None]) <= result.fun * (1 + 1e-6)
        assert np.abs(o.gradient(result.x)).max() < 1e-3
        separate = minimize(o.cost, start, jac=o.gradient, method=method, tol=1e-12)
        assert separate.fun == pytest.approx(result.fun, rel=1e-6)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("net", [fastgd.MLP(20, 30, 3, activation="tanh"), fastgd.MLP(40, 300, 200, 3)], ids=str)
def test_many_rows_go_over_threads(net, threads, monkeypatch):
    """In parts of rows, and in slices of units where rows are few: the same bits on any number of threads."""
    for n in (200, 2000):
        X, Y, params = random_problem(net, n)
        expected = net.objective(X, Y)(params)
        with monkeypatch.context() as patched:
            patched.setattr(gradient_pass, "THREADED_PRODUCTS", 1)
            patched.setattr(gradient_pass, "available_threads", lambda: threads)
            o = net.objective(X, Y)
            assert len(o._passes.free[0]._training) <= threads
            for _ in range(20):
                cost, gradient = o(params)
                assert (cost, gradient.tobytes()) == (expected[0], expected[1].tobytes())
                assert o.cost(params) == cost


def test_threads_share_an_objective():
    o = XOR.objective(X, Y)
    points = [XOR.init(rng=seed) for seed in range(4)]
    for results, params in zip(at_once(*(lambda p=p: o(p) for p in points)), points, strict=True):
        cost, gradient = oracle.cost(XOR, params, X, Y), oracle.gradient(XOR, params, X, Y)
        assert all(each[0] == pytest.approx(cost, rel=1e-12) for each in results)
        assert all(np.allclose(each[1], gradient, rtol=1e-10, atol=1e-14) for each in results)


def test_calls_do_not_depend_on_earlier_ones():
    """Nor on what came of them: a cost that overflows, parameters that are refused."""
    net = fastgd.MLP(2, 2, 1, activation="identity")
    o, params = net.objective(X, Y), net.init(rng=0)
    expected = o(params)
    with np.errstate(all="raise"):
        assert o(np.full(net.n_params, 1e200))[0] == np.inf
    for _ in range(2):
        assert_refused(lambda: o(np.full(net.n_params, np.nan)), ValueError, ["params", "finite", "nan"])
        cost, gradient = o(params)
        assert (cost, gradient.tobytes()) == (expected[0], expected[1].tobytes())
        assert o.cost(params) == cost


def test_a_sum_that_overflows_is_silent():
    """As all that is computed: the gradient of the data, 3e38, and that of l2 are more than float32 has."""
    net = fastgd.MLP(1, 1, activation="identity", bias=False, dtype="float32")
    with np.errstate(all="raise"):
        cost, gradient = net.objective([[1.0]], [[0.0]], l2=2.0)(np.float32([1.5e38]))
    assert not np.isfinite(cost)
    assert np.array_equal(gradient, np.float32([np.inf]))


def test_results_are_the_callers():
    o = XOR.objective(X, Y)
    gradient = o(PARAMS)[1]
    kept = gradient.copy()
    o(-PARAMS)
    assert np.array_equal(gradient, kept)
    gradient[:] = 7
    assert np.array_equal(o(PARAMS)[1], kept)


def test_other_kinds_of_params():
    o, expected = XOR.objective(X, Y), XOR.objective(X.tolist(), Y.astype(int))(PARAMS)
    for params in (PARAMS.tolist(), PARAMS.astype(">f8"), np.repeat(PARAMS, 2)[::2], PARAMS[::-1][::-1]):
        cost, gradient = o(params)
        assert (cost, gradient.tobytes()) == (expected[0], expected[1].tobytes())
    small = fastgd.MLP(2, 2, 1, dtype="float32").objective(X, Y)
    cost, gradient = small(PARAMS)
    assert gradient.dtype == "float32"
    assert gradient == pytest.approx(expected[1], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_copies_and_pickles(l2):
    o = XOR.objective(X, Y, sample_weight=[1, 2, 3, 4.0], l2=l2)
    cost, gradient = o(PARAMS)
    for other in (copy.copy(o), copy.deepcopy(o), pickle.loads(pickle.dumps(o))):
        assert other.net == XOR
        theirs = other(PARAMS)
        assert (theirs[0], theirs[1].tobytes()) == (cost, gradient.tobytes())
    assert "MLP(2, 2, 1" in repr(o)


CLASSES = fastgd.MLP(2, 3, 2, output="softmax", loss="cross_entropy")
V, T = ValueError, TypeError
REFUSED = {
    "rows": (lambda: XOR.objective(X[:3], Y), V, ["X and Y", "3", "4"]),
    "nan": (lambda: XOR.objective(X * np.nan, Y), V, ["X", "finite"]),
    "columns": (lambda: XOR.objective(X, X), V, ["Y", "(n, 1)"]),
    "targets": (lambda: fastgd.MLP(2, 1, loss="binary_cross_entropy").objective(X, Y + 1), V, ["Y", "between 0 and 1"]),
    "no class": (lambda: CLASSES.objective(X, X), V, ["Y", "row 0"]),
    "weights": (lambda: XOR.objective(X, Y, sample_weight=[1.0, 2]), V, ["sample_weight", "(4,)", "(2,)"]),
    "negative weights": (lambda: XOR.objective(X, Y, sample_weight=[1.0, 2, -1, 0]), V, ["sample_weight", "-1"]),
    "l2": (lambda: XOR.objective(X, Y, l2=-0.1), V, ["l2", "-0.1"]),
    "l2 of nan": (lambda: XOR.objective(X, Y, l2=np.nan), V, ["l2", "nan"]),
    "l2 of text": (lambda: XOR.objective(X, Y, l2="much"), T, ["l2", "much"]),
    "params": (lambda: XOR.objective(X, Y)(PARAMS[:8]), V, ["params", "(9,)", "(8,)"]),
    "params of cost": (lambda: XOR.objective(X, Y).cost([PARAMS]), V, ["params", "(9,)"]),
    "params of gradient": (lambda: XOR.objective(X, Y).gradient("some"), T, ["params"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    call, error, words = REFUSED[name]
    assert_refused(call, error, words)
