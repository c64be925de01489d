"""Cost, outputs and the four gradients against differences, the oracle, SciPy and the notes' equations written out."""

import numpy as np
import oracle
import pytest
from conftest import random_problem
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad, minimize

import fastgd

SMOOTH = ["identity", "sigmoid", "tanh", "sin"]
KINKED = ["relu", "leaky_relu"]
NETWORKS = [
    *(fastgd.MLP(3, 4, 2, activation=name) for name in SMOOTH + KINKED),
    fastgd.MLP(2, 1),
    fastgd.MLP(1, 1, activation="identity", bias=False),
    fastgd.MLP(3, 5, 4, 2, activation=["tanh", "relu", "sigmoid"]),
    fastgd.MLP(3, 5, 4, 2, activation=["sin", "leaky_relu", "identity"], bias=False),
    fastgd.MLP(4, 3, 3, activation="tanh", output="softmax"),
    fastgd.MLP(4, 3, 3, activation="tanh", output="softmax", bias=False),
    fastgd.MLP(4, 6, 3, activation="relu", output="softmax", loss="cross_entropy"),
    fastgd.MLP(2, 4, 2, activation="tanh", output="sigmoid", loss="binary_cross_entropy"),
    fastgd.MLP(5, 17, 9, 3, activation="tanh"),
    fastgd.MLP(6, 3, activation="softmax", loss="cross_entropy", bias=False),
]
IDS = [str(net) for net in NETWORKS]


def relative(ours, theirs):
    return np.linalg.norm(ours - theirs) / max(np.linalg.norm(theirs), 1e-8)


def away_from_kinks(net, params, X):
    """Whether no relu of these samples changes sides within a finite-difference step."""
    zs = oracle.forward(net, params, X)[0][1:]
    return all(np.abs(z).min() > 1e-3 for z, name in zip(zs, net.activations, strict=True) if name in KINKED)


@st.composite
def problems(take):
    """A network of any activations and loss, with data and parameters at which its cost is smooth."""
    widths = take(st.lists(st.integers(1, 6), min_size=2, max_size=5))
    layers = len(widths) - 1
    names = take(st.lists(st.sampled_from(SMOOTH + KINKED), min_size=layers, max_size=layers))
    loss, output = take(
        st.sampled_from(
            [
                ("squared_error", names[-1]),
                ("squared_error", "softmax"),
                ("binary_cross_entropy", "sigmoid"),
                ("cross_entropy", "softmax"),
            ]
        )
    )
    widths[-1] += output == "softmax" and widths[-1] == 1  # which is refused
    net = fastgd.MLP(*widths, activation=names, output=output, loss=loss, bias=take(st.booleans()))
    n = take(st.integers(1, 12))
    start = take(st.integers(0, 1000))
    for seed in range(start, start + 50):
        X, Y, params = random_problem(net, n, seed)
        if away_from_kinks(net, params, X):
            return net, X, Y, params
    raise AssertionError("no smooth point")


@given(problems())
def test_backprop_is_the_slope(problem):
    net, X, Y, params = problem
    exact = net.gradient(params, X, Y)
    slopes = oracle.central_difference(net, params, X, Y, eps=6e-6)
    assert np.linalg.norm(exact - slopes) <= 1e-7 * np.linalg.norm(slopes) + 1e-9
    assert exact == pytest.approx(oracle.gradient(net, params, X, Y), rel=1e-11, abs=1e-13)


@given(problems())
def test_outputs_and_cost(problem):
    net, X, Y, params = problem
    assert net.predict(params, X) == pytest.approx(oracle.predict(net, params, X), rel=1e-12, abs=1e-14)
    assert net.cost(params, X, Y) == pytest.approx(oracle.cost(net, params, X, Y), rel=1e-12)


@pytest.mark.parametrize("method", ["backprop", "layerwise", "finite_difference", "central_difference"])
@pytest.mark.parametrize("net", NETWORKS, ids=IDS)
def test_methods_against_the_oracle(net, method):
    if method == "layerwise" and net.loss != "squared_error":
        return  # refused, see test_bad_input.py
    X, Y, params = random_problem(net, 11, seed=3)
    ours = net.gradient(params, X, Y, method=method, eps=1e-2)
    assert relative(ours, oracle.gradient_by(method, 1e-2)(net, params, X, Y)) < 1e-11


@pytest.mark.parametrize("net", NETWORKS, ids=IDS)
def test_float32_gradient(net):
    net = fastgd.MLP(*net.widths, activation=net.activations, loss=net.loss, bias=net.bias, dtype="float32")
    X, Y, params = random_problem(net, 11, seed=3)
    for ours, theirs, bound in [
        (net.gradient(params, X, Y), oracle.gradient(net, params, X, Y), 2e-6),
        (net.gradient(params, X, Y, "finite_difference", 1e-2), oracle.finite_difference(net, params, X, Y, 1e-2), 1e-3),
        (net.predict(params, X), oracle.predict(net, params, X), 1e-6),
    ]:
        assert ours.dtype == np.float32
        assert relative(ours.astype(float), theirs) < bound


@pytest.mark.parametrize("net", [net for net in NETWORKS if net.n_params < 100], ids=str)
def test_gradient_of_one_step(net, train):
    """What training subtracts in one epoch at rate 1 is the gradient, by every kernel."""
    X, Y, params = random_problem(net, 11, seed=5)
    run = train(net, X, Y, 1, 1.0, params=params)
    assert relative(params - run.params, oracle.gradient(net, params, X, Y)) < 1e-11


@pytest.mark.parametrize("widths", [(2, 1), (1, 1, 1), (3, 5, 4, 2), (2, 3, 3, 3, 3, 1), (20, 16, 9, 4)])
def test_layerwise_doubles_at_every_layer(widths):
    """2^(m - l) times the exact gradient at layer l of m, to the last bit: a factor 2 never rounds."""
    net = fastgd.MLP(*widths, activation="tanh")
    X, Y, params = random_problem(net, 40)
    exact, layerwise = net.gradient(params, X, Y), net.gradient(params, X, Y, method="layerwise")
    m = len(net.layers)
    for l, ((dW, db), (doubled_W, doubled_b)) in enumerate(zip(net.unpack(exact), net.unpack(layerwise), strict=True), 1):
        assert np.array_equal(doubled_W, 2.0 ** (m - l) * dW)
        assert np.array_equal(doubled_b, 2.0 ** (m - l) * db)
    assert np.any(exact)


def test_finite_difference_approaches_the_derivative():
    """Notes 002 (1): the error of the forward difference falls with eps, that of the central one with its square."""
    net = fastgd.MLP(2, 3, 1)
    X, Y, params = random_problem(net, 7)
    exact = oracle.gradient(net, params, X, Y)

    def error(method, eps):
        return np.linalg.norm(net.gradient(params, X, Y, method=method, eps=eps) - exact)

    assert error("finite_difference", 1e-3) / error("finite_difference", 1e-2) == pytest.approx(0.1, rel=0.05)
    assert error("central_difference", 1e-3) / error("central_difference", 1e-2) == pytest.approx(0.01, rel=0.05)


def test_with_scipy():
    net = fastgd.MLP(2, 4, 1, activation="tanh", output="sigmoid", loss="binary_cross_entropy")
    X, Y = fastgd.data.gate("xor")
    start = net.init(rng=1)
    assert check_grad(lambda p: net.cost(p, X, Y), lambda p: net.gradient(p, X, Y), start) < 1e-6
    found = minimize(lambda p: net.cost_and_gradient(p, X, Y), start, jac=True, method="BFGS")
    assert found.fun < 1e-4
    assert np.array_equal(net.predict(found.x, X).round(), Y)


def test_cost_and_gradient_agree_with_the_parts(dtype):
    net = fastgd.MLP(3, 4, 2, dtype=dtype)
    X, Y, params = random_problem(net, 300)
    cost, gradient = net.cost_and_gradient(params, X, Y)
    bound = 1e-12 if dtype == "float64" else 1e-6
    assert isinstance(cost, float)
    assert cost == pytest.approx(oracle.cost(net, params, X, Y), rel=bound)
    assert relative(gradient, oracle.gradient(net, params, X, Y)) < bound


@pytest.mark.parametrize("net", [net for net in NETWORKS if net.loss == "squared_error"], ids=str)
@pytest.mark.parametrize("n", [1, 11, 300])
def test_layer_costs(net, n):
    X, Y, params = random_problem(net, n)
    ours = net.layer_costs(params, X, Y)
    assert ours.shape == (len(net.layers),)
    assert ours == pytest.approx(oracle.layer_costs(net, params, X, Y), rel=1e-11)
    assert ours[-1] == net.cost(params, X, Y)


def test_layer_costs_of_two_neurons_by_hand():
    """Notes 002 (25)-(44), one line an equation."""
    net = fastgd.MLP(1, 1, 1)
    x, y = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.0, 0.25])
    w1, b1, w2, b2 = params = np.array([0.7, -0.2, 1.3, 0.4])
    a1 = 1 / (1 + np.exp(-(x * w1 + b1)))  # (25)
    a2 = 1 / (1 + np.exp(-(a1 * w2 + b2)))  # (28)
    c2 = np.mean((a2 - y) ** 2)  # (32)
    dw2 = np.mean(2 * (a2 - y) * a2 * (1 - a2) * a1)  # (35)
    db2 = np.mean(2 * (a2 - y) * a2 * (1 - a2))  # (36)
    da1 = 2 * (a2 - y) * a2 * (1 - a2) * w2  # (37), one sample's
    e = a1 - da1  # (38)
    c1 = np.mean((a1 - e) ** 2)  # (39)
    dw1 = np.mean(2 * da1 * a1 * (1 - a1) * x)  # (43)
    db1 = np.mean(2 * da1 * a1 * (1 - a1))  # (44)
    assert net.layer_costs(params, x, y) == pytest.approx([c1, c2], rel=1e-13)
    assert net.gradient(params, x, y, method="layerwise") == pytest.approx([dw1, db1, dw2, db2], rel=1e-13)
    assert net.gradient(params, x, y) == pytest.approx([dw1 / 2, db1 / 2, dw2, db2], rel=1e-13)


def test_linear_model_by_hand():
    """Notes 002 (3), (7)."""
    X, Y = fastgd.data.twice()
    net = fastgd.MLP(1, 1, activation="identity", bias=False)
    x, y = X[:, 0], Y[:, 0]
    assert net.cost([0.7], X, Y) == pytest.approx(np.mean((x * 0.7 - y) ** 2), rel=1e-14)
    assert net.gradient([0.7], X, Y) == pytest.approx([np.mean(2 * (x * 0.7 - y) * x)], rel=1e-14)


def test_one_neuron_by_hand():
    """Notes 002 (11), (20)-(22); its second input is called y, its target z."""
    X, Y = fastgd.data.gate("nand")
    x, y, z = X[:, 0], X[:, 1], Y[:, 0]
    w1, w2, b = params = [0.3, 0.6, 0.1]
    a = 1 / (1 + np.exp(-(x * w1 + y * w2 + b)))
    slope = 2 * (a - z) * a * (1 - a)
    assert fastgd.MLP(2, 1).gradient(params, X, Y) == pytest.approx([np.mean(slope * x), np.mean(slope * y), np.mean(slope)], rel=1e-13)
