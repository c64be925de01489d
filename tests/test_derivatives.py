"""Derivatives for others: Jacobians of outputs and residuals, products with Hessians, against central differences of the oracle; with
SciPy; from threads; what they refuse.
"""

import pickle

import numpy as np
import oracle
import pytest
from conftest import assert_refused, random_problem
from scipy.optimize import least_squares, minimize
from together import at_once

import fastgd
from fastgd.activations import ACTIVATIONS
from fastgd.kernels import curvature_pass, slope_pass
from fastgd.kernels.shelf import shelf
from fastgd.losses import LOSSES

SQUARES = [  # of squared error
    fastgd.MLP(3, 5, 2),
    fastgd.MLP(1, 1, activation="identity", bias=False),
    fastgd.MLP(1, 16, 1, activation="tanh", output="identity"),
    fastgd.MLP(9, 3, 20, 2, 5, activation="sin", bias=False),
    fastgd.MLP(4, 32, 16, 4, activation=["tanh", "relu", "sigmoid"]),
    fastgd.MLP(6, 9, 5, activation="leaky_relu", output="softmax"),
]
OTHERS = [
    fastgd.MLP(4, 6, 3, activation="sigmoid", output="softmax", loss="cross_entropy"),
    fastgd.MLP(2, 5, 2, activation="tanh", output="sigmoid", loss="binary_cross_entropy"),
]
COUNTS = [1, 2, 4, 5, 64, 70, 300]


def of_dtype(net, dtype):
    return fastgd.MLP(*net.widths, activation=list(net.activations), loss=net.loss, bias=net.bias, dtype=dtype)


def central(function, at, step=1e-6):
    """The derivative of each number of a function of a flat array by each of its numbers, which come last."""
    steps = step * np.eye(len(at))
    return np.stack([(function(at + one) - function(at - one)) / (2 * step) for one in steps], axis=-1)


def assert_near(ours, exact, dtype):
    bound = {"float64": 1e-8, "float32": 2e-5}[dtype]
    assert ours.dtype == dtype
    assert ours.shape == exact.shape
    assert np.abs(ours - exact).max() < bound * max(1.0, np.abs(exact).max())


def exact_product(net, params, X, Y, v):
    """The Hessian times v, by gradients on either side."""
    return central(lambda step: oracle.gradient(net, params + step * v, X, Y), np.zeros(1))[:, 0]


NUMBER_BY_NUMBER = [name for name, each in ACTIVATIONS.items() if not each.whole_layer]


@pytest.mark.parametrize("first", range(0, len(NUMBER_BY_NUMBER), 6))
def test_every_activation(first):
    """Some of them in a network that is compiled once: their derivatives, and those of their derivatives."""
    names = NUMBER_BY_NUMBER[first : first + 6]
    for last in names:
        net = fastgd.MLP(3, *[4] * len(names[1:]), 2, activation=[*(name for name in names if name != last), last])
        X, Y, params = random_problem(net, 9)
        v = np.random.default_rng(2).normal(size=net.n_params)
        exact = central(lambda params, net=net, X=X: oracle.predict(net, params, X).ravel(), params)
        assert_near(net.objective(X, Y).jacobian(params), exact, "float64")
        assert_near(net.hessian_vector(params, X, Y, v), exact_product(net, params, X, Y, v), "float64")


@pytest.mark.parametrize("name", [name for name, each in LOSSES.items() if not each.of_pairs])
def test_every_loss(name):
    loss = LOSSES[name]
    for output in ["identity", "tanh", "softmax"] if loss.output is None else [loss.output]:
        net = fastgd.MLP(3, 5, 2, activation="sin", output=output, loss=name)
        X, Y, params = random_problem(net, 9)
        v = np.random.default_rng(2).normal(size=net.n_params)
        assert_near(net.hessian_vector(params, X, Y, v), exact_product(net, params, X, Y, v), "float64")


@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("net", SQUARES, ids=str)
def test_jacobian(net, n, dtype):
    """Of the residuals, which are outputs less targets."""
    net = of_dtype(net, dtype)
    X, Y, params = random_problem(net, n)
    o = net.objective(X, Y)
    residuals, jacobian = o.residuals(params), o.jacobian(params)
    X, Y, params = (array.astype(float) for array in (X, Y, params))
    assert_near(residuals, (oracle.predict(net, params, X) - Y).ravel(), dtype)
    exact = central(lambda params: oracle.predict(net, params, X).ravel(), params)
    assert_near(jacobian, exact, dtype)


@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("net", SQUARES[-4:], ids=str)
def test_residuals_are_of_the_cost(net, weighted, l2):
    """Their squares sum to n times the cost, and its gradient is that of half of them, whatever the weights and the penalty."""
    X, Y, params = random_problem(net, 70)
    weights = np.random.default_rng(1).integers(0, 4, 70) if weighted else None
    o = net.objective(X, Y, sample_weight=weights, l2=l2)
    residuals, jacobian = o.residuals(params), o.jacobian(params)
    decayed = sum(W.size for W, _ in net.unpack(params)) if l2 else 0
    assert residuals.shape == (70 * net.widths[-1] + decayed,)
    assert jacobian.shape == (*residuals.shape, net.n_params)
    cost, gradient = o(params)
    assert np.sum(residuals**2) / 70 == pytest.approx(cost, rel=1e-12)
    assert 2 / 70 * residuals @ jacobian == pytest.approx(gradient, rel=1e-10, abs=1e-12)
    assert jacobian == pytest.approx(central(o.residuals, params), rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("net", SQUARES + OTHERS, ids=str)
def test_input_gradient(net, n, dtype):
    net = of_dtype(net, dtype)
    X, _, params = random_problem(net, n)
    ours = net.input_gradient(params, X)
    X, params = X.astype(float), params.astype(float)
    moved = central(lambda step: oracle.predict(net, params, X + step), np.zeros(net.widths[0]))
    assert_near(ours, moved, dtype)


@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("net", SQUARES + OTHERS, ids=str)
def test_hessian_vector(net, n, dtype):
    net = of_dtype(net, dtype)
    X, Y, params = random_problem(net, n)
    v = np.random.default_rng(2).normal(size=net.n_params).astype(dtype)
    ours = net.hessian_vector(params, X, Y, v)
    X, Y, params, v = (array.astype(float) for array in (X, Y, params, v))
    assert_near(ours, exact_product(net, params, X, Y, v), dtype)
    o = net.objective(X, Y)
    assert np.array_equal(o.hessian_vector(params.astype(dtype), v.astype(dtype)), ours)


@pytest.mark.parametrize("net", SQUARES[-2:] + OTHERS, ids=str)
def test_hessian_vector_of_weighted_rows(net):
    """The weighted mean of the products of single rows, and l2 times the vector at weights."""
    X, Y, params = random_problem(net, 7)
    v, weights = np.random.default_rng(2).normal(size=net.n_params), np.array([0, 1, 2, 0.5, 3, 1, 1])
    o = net.objective(X, Y, sample_weight=weights, l2=0.3)
    rows = [net.hessian_vector(params, X[i : i + 1], Y[i : i + 1], v) for i in range(7)]
    layers = net.unpack(v.copy())
    for _, b in layers:
        b *= 0
    expected = np.average(rows, axis=0, weights=weights) + 0.3 * net.pack(layers)
    assert o.hessian_vector(params, v) == pytest.approx(expected, rel=1e-10, abs=1e-12)


def test_hessians_are_symmetric():
    net = OTHERS[0]
    X, Y, params = random_problem(net, 20)
    hessian = np.array([net.hessian_vector(params, X, Y, v) for v in np.eye(net.n_params)])
    assert hessian == pytest.approx(hessian.T, rel=1e-10, abs=1e-14)


CURVE = fastgd.MLP(1, 6, 1, activation="tanh", output="identity")
x = np.linspace(-2, 2, 40)
y = np.sin(2 * x) + 0.1 * np.random.default_rng(0).normal(size=40)


@pytest.mark.parametrize("method", ["lm", "trf"])
def test_least_squares_minimum_is_the_costs(method):
    """Where the cost has no slope: of the weighted rows, and with the penalty, which biases have none of."""
    o = CURVE.objective(x, y, sample_weight=1 + (x > 0), l2=1e-3)
    result = least_squares(o.residuals, CURVE.init(rng=0), o.jacobian, method=method, xtol=1e-14, ftol=1e-14, gtol=1e-10)
    assert result.cost / 20 == pytest.approx(o.cost(result.x), rel=1e-10)
    assert np.abs(o.gradient(result.x)).max() < 1e-6
    assert o.cost(result.x) < 0.1 < np.var(y)


def test_levenberg_marquardt_fits_a_curve():
    o = CURVE.objective(x, y)
    result = least_squares(o.residuals, CURVE.init(rng=0), o.jacobian, method="lm", max_nfev=500)
    assert oracle.cost(CURVE, result.x, x[:, None], y[:, None]) < 0.01


@pytest.mark.parametrize("method", ["Newton-CG", "trust-ncg", "trust-krylov"])
def test_newton_methods_take_it(method):
    o = CURVE.objective(x, y, l2=1e-2)
    result = minimize(o, CURVE.init(rng=0), jac=True, hessp=o.hessian_vector, method=method, options={"maxiter": 500})
    assert np.abs(o.gradient(result.x)).max() < 1e-3
    assert result.fun < 0.2


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("net", [fastgd.MLP(20, 30, 3, activation="tanh"), SQUARES[-1]], ids=str)
def test_many_rows_go_over_threads(net, threads, monkeypatch):
    """The same bits on any number of threads; rows of a Jacobian are those of a few rows, however many there are."""
    n = 2000
    X, Y, params = random_problem(net, n)
    v = np.random.default_rng(2).normal(size=net.n_params)

    def all_of_them():
        return net.objective(X, Y).jacobian(params), net.input_gradient(params, X), net.hessian_vector(params, X, Y, v)

    expected = all_of_them()
    outputs = net.widths[-1]
    assert np.array_equal(net.objective(X[999:1007], Y[999:1007]).jacobian(params), expected[0][999 * outputs : 1007 * outputs])
    assert_near(expected[2], exact_product(net, params, X, Y, v), "float64")
    begun = []
    for module in (slope_pass, curvature_pass):
        original = module.on_threads
        monkeypatch.setattr(module, "on_threads", lambda calls, original=original: (begun.append(len(calls)), original(calls))[1])
        monkeypatch.setattr(module, "THREADED_PRODUCTS", 1)
        monkeypatch.setattr(module, "available_threads", lambda: threads)
    for name in ("_THREADED", "_TASK"):
        monkeypatch.setattr(slope_pass, name, 1)
    shelf.clear()
    for _ in range(5):
        assert all(np.array_equal(one, other) for one, other in zip(all_of_them(), expected, strict=True))
    assert set(begun) == {threads - 1}


def test_threads_share_an_objective():
    net = SQUARES[0]
    X, Y, _ = random_problem(net, 5)
    o = net.objective(X, Y)
    points = [net.init(rng=seed) for seed in range(4)]
    v = np.ones(net.n_params)
    for call in (o.residuals, o.jacobian, lambda p: o.hessian_vector(p, v), lambda p: net.input_gradient(p, X)):
        expected = [call(params) for params in points]
        for results, theirs in zip(at_once(*(lambda p=p, call=call: call(p) for p in points)), expected, strict=True):
            assert all(np.array_equal(each, theirs) for each in results)


def test_calls_do_not_depend_on_earlier_ones():
    """Nor on what came of them; results are the caller's."""
    net = fastgd.MLP(2, 2, 1, activation="identity")
    X, Y, params = random_problem(net, 5)
    o, v = net.objective(X, Y), np.arange(9.0)
    calls = [
        o.residuals, o.jacobian, lambda p: o.hessian_vector(p, v), lambda p: net.input_gradient(p, X),
        lambda p: net.hessian_vector(p, X, Y, v),
    ]  # fmt: skip
    for call in calls:
        expected = call(params)
        kept = expected.copy()
        with np.errstate(all="raise"):
            call(np.full(9, 1e200))
        assert_refused(lambda call=call: call(np.full(9, np.nan)), ValueError, ["params", "finite", "nan"])
        assert np.array_equal(expected, kept)
        expected[:] = 7
        assert np.array_equal(call(params), kept)
        assert np.array_equal(call(params.tolist()), kept)
    again = pickle.loads(pickle.dumps(o))
    assert np.array_equal(again.jacobian(params), o.jacobian(params))


def test_other_rows_of_as_many():
    """What was kept for earlier rows is not theirs any more."""
    net = SQUARES[0]
    v = np.ones(net.n_params)
    for seed in range(3):
        X, Y, params = random_problem(net, 6, seed)
        assert_near(net.hessian_vector(params, X, Y, v), exact_product(net, params, X, Y, v), "float64")
        moved = central(lambda step, p=params, X=X: oracle.predict(net, p, X + step), np.zeros(3))
        assert_near(net.input_gradient(params, X), moved, "float64")


XOR = fastgd.MLP(2, 2, 1)
X, Y = fastgd.data.gate("xor")
PARAMS = XOR.init(rng=0)
CLASSES = fastgd.MLP(2, 3, 2, output="softmax", loss="cross_entropy")
V, T = ValueError, TypeError
REFUSED = {
    "residuals of classes": (
        lambda: CLASSES.objective(X, np.eye(2)[[0, 1, 1, 0]]).residuals(CLASSES.init(0)),
        V,
        ["cross_entropy", "loss"],
    ),
    "jacobian of classes": (lambda: CLASSES.objective(X, np.eye(2)[[0, 1, 1, 0]]).jacobian(CLASSES.init(0)), V, ["cross_entropy", "loss"]),
    "params of residuals": (lambda: XOR.objective(X, Y).residuals(PARAMS[:8]), V, ["params", "(9,)", "(8,)"]),
    "params of jacobian": (lambda: XOR.objective(X, Y).jacobian(PARAMS[:8]), V, ["params", "(9,)", "(8,)"]),
    "params of hessian_vector": (lambda: XOR.objective(X, Y).hessian_vector("some", PARAMS), T, ["params"]),
    "v": (lambda: XOR.objective(X, Y).hessian_vector(PARAMS, PARAMS[:8]), V, ["v must", "(9,)", "(8,)"]),
    "v of text": (lambda: XOR.hessian_vector(PARAMS, X, Y, "up"), T, ["v must", "up"]),
    "v of nan": (lambda: XOR.hessian_vector(PARAMS, X, Y, PARAMS * np.nan), V, ["v must", "finite", "nan"]),
    "params of the network's": (lambda: XOR.hessian_vector(PARAMS[:8], X, Y, PARAMS), V, ["params", "(9,)", "(8,)"]),
    "Y": (lambda: XOR.hessian_vector(PARAMS, X, X, PARAMS), V, ["Y", "(n, 1)"]),
    "rows": (lambda: XOR.hessian_vector(PARAMS, X[:3], Y, PARAMS), V, ["X and Y", "3", "4"]),
    "X": (lambda: XOR.input_gradient(PARAMS, Y), V, ["X", "(n, 2)"]),
    "params of input_gradient": (lambda: XOR.input_gradient(X, PARAMS), V, ["params come before X"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, no_compiled_code):
    call, error, words = REFUSED[name]
    assert_refused(call, error, words)
