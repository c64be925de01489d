"""Losses of two outputs for each target: that of a normal distribution, and one's own."""

import numpy as np
import oracle
import pytest
from conftest import assert_refused, random_problem
from every_network import assert_near

import fastgd
from fastgd.numeric import exp
from fastgd.page.pictures import Scene
from fastgd.samples import check_data
from fastgd.sklearn import MLPRegressor


def laplace(mean, log_scale, y, share=1.0):
    return share * abs(mean - y) * exp(-log_scale) + log_scale


LAPLACE = fastgd.Loss(laplace)


def value_of_laplace(a, y):
    mean, log_scale = np.hsplit(a, 2)
    return np.hstack([0.7 * np.abs(mean - y) * np.exp(-log_scale) + log_scale, 0 * y])


def slope_of_laplace(a, y):
    mean, log_scale = np.hsplit(a, 2)
    return np.hstack([0.7 * np.sign(mean - y) * np.exp(-log_scale), 1 - 0.7 * np.abs(mean - y) * np.exp(-log_scale)])


@pytest.fixture(params=["gaussian_nll", LAPLACE(0.7)], ids=str)
def loss(request, monkeypatch):
    monkeypatch.setattr(oracle, "LOSSES", oracle.LOSSES | {"laplace(0.7)": (value_of_laplace, slope_of_laplace)})
    return request.param


@pytest.mark.parametrize("method", ["backprop", "central_difference"])
@pytest.mark.parametrize("kernel", ["matrix", "unrolled", "lanes"])
def test_training(kernel, method, loss):
    """Of two targets a row, in batches of few rows and of many, beside the oracle."""
    net = fastgd.MLP(1, 2, 4, activation=["tanh", "identity"], loss=loss)
    X, Y, params = random_problem(net, 22)
    assert Y.shape == (22, 2)
    for batch_size in (4, 11):
        given = {"rng": 4, "batch_size": batch_size, "shuffle": False, "method": method, "eps": 1e-4, "kernel": kernel}
        gradient = oracle.gradient_by(method, 1e-4)
        expected, costs = oracle.train(net, params, X, Y, 3, 0.05, batch_size, gradient=gradient)
        if kernel == "lanes":
            runs = fastgd.train_many(net, X, np.stack([Y, 2 * Y, Y]), 3, 0.05, params=np.stack([params] * 3), **given)
            trained, cost = runs.params[2], runs.cost[2]
            assert not np.array_equal(runs.params[1], trained)
        else:
            run = fastgd.train(net, X, Y, 3, 0.05, params=params, **given)
            trained, cost = run.params, run.cost
        assert_near(trained, expected, 1e-8, net)
        assert_near(cost, costs[-1], 1e-8, net)


def test_what_has_one_cost_and_gradient(loss):
    net = fastgd.MLP(2, 3, 4, activation=["tanh", "identity"], loss=loss)
    X, Y, params = random_problem(net, 6)
    weights = np.arange(6.0)
    cost, gradient = net.objective(X, Y, sample_weight=weights)(params)
    rows = [(net.cost(params, X[i : i + 1], Y[i : i + 1]), net.gradient(params, X[i : i + 1], Y[i : i + 1])) for i in range(6)]
    assert cost == pytest.approx(np.average([each for each, _ in rows], weights=weights))
    assert gradient == pytest.approx(np.average([each for _, each in rows], weights=weights, axis=0))
    assert gradient == pytest.approx(net.objective(X, Y, sample_weight=weights).gradient(params))
    ours = np.empty(net.n_params)
    assert net.jitted.cost_and_gradient(params, X[3], Y[3], ours) == pytest.approx(rows[3][0])
    assert ours == pytest.approx(rows[3][1])
    run = fastgd.train(net, X, Y, 5, 0.01, params=params, rng=0, validation=(X[:2], Y[:2]))
    assert run.predict(X).shape == (6, 4)
    assert run.history.validation[-1] == pytest.approx(net.cost(run.params, X[:2], Y[:2]))
    again = fastgd.train(net, X, Y, 5, 0.01, params=run)
    assert np.array_equal(again.params, fastgd.train(net, X, Y, 10, 0.01, params=params, rng=0).params)


def test_a_spread_is_found():
    """Noise that grows with x, by outputs of the most likely normal distributions."""
    rng = np.random.default_rng(0)
    X = rng.uniform(0, 1, (400, 1))
    Y = 2 * X + rng.normal(size=(400, 1)) * np.exp(X - 2)
    net = fastgd.MLP(1, 2, activation="identity", loss="gaussian_nll")
    run = fastgd.train(net, X, Y, 3000, 0.02, rng=0, optimizer="adam")
    mean, log_variance = run.predict([[0.0], [1.0]]).T
    assert mean == pytest.approx([0, 2], abs=0.1)
    assert log_variance / 2 == pytest.approx([-2, -1], abs=0.15)
    at_least = net.cost([0, 0, 0, -99.0], [0.0], [0.1])  # a variance of 1e-6
    assert at_least == pytest.approx(0.5 * (np.log(1e-6) + 0.01 / 1e-6))
    assert net.gradient([0, 0, 0, -99.0], [0.0], [0.1])[3] == 0


def test_targets_of_ones_own_bounds():
    """Those alone must lie between them, and not what fills up for the other outputs."""
    mine = fastgd.Loss(lambda a, b, y: (a - y) ** 2 + b**2, name="mine", targets=(0.5, 2.0))
    net = fastgd.MLP(2, 2, activation="identity", loss=mine)
    assert net.cost(np.zeros(6), X, Y + 2) == 4
    assert_refused(lambda: net.cost(np.zeros(6), X, Y), ValueError, ["Y must lie between 0.5 and 2", "'mine'", "from 0.0 to 0.0"])
    net = fastgd.MLP(2, 1, activation="identity", loss=fastgd.Loss(lambda a, y: (a - y) ** 2, name="below", targets=(-np.inf, 2.0)))
    assert net.cost(np.zeros(3), X, Y - 9) == 81
    assert_refused(lambda: net.cost(np.zeros(3), X, Y + 3), ValueError, ["Y must lie at 2 or below", "'below'", "from 3.0 to 3.0"])


def test_on_a_page():
    """What has no target has none there."""
    padded = check_data(NET, X, Y + 1)[1]
    scene = Scene.of(NET, X, padded)
    assert padded.shape == (4, 2)
    assert scene.told()["Y"] == [[1.0, None]] * 4
    assert scene.told()["levels"] == [0.5, 1.5]
    assert scene.table(NET.init(0)) == {"outputs": [[0.0, 0.0]] * 4, "right": None}


X, Y = np.zeros((4, 2)), np.zeros((4, 1))
NET = fastgd.MLP(2, 2, activation="identity", loss="gaussian_nll")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fastgd.MLP(2, 3, activation="identity", loss="gaussian_nll"), ["widths must end with an even", "(2, 3)"]),
        (lambda: fastgd.train(NET, X, np.zeros((4, 2)), 1), ["Y must have shape (n, 1)", "(4, 2)"]),
        (lambda: fastgd.train(NET, X, Y, 1, method="layerwise"), ["'layerwise' needs loss 'squared_error'", "'gaussian_nll'"]),
        (lambda: NET.layer_costs(NET.init(0), X, Y), ["loss 'squared_error'"]),
        (lambda: NET.objective(X, Y).residuals(NET.init(0)), ["loss 'squared_error'"]),
        (lambda: NET.hessian_vector(NET.init(0), X, Y, NET.init(0)), ["hessian_vector", "one output for each target", "'gaussian_nll'"]),
        (lambda: NET.to_c(NET.init(0), train=True), ["train", "one output for each target", "'gaussian_nll'"]),
        (lambda: MLPRegressor(loss="gaussian_nll").fit(X, np.arange(8.0).reshape(4, 2)), ["loss must be of one output", "'gaussian_nll'"]),
        (lambda: fastgd.Loss(laplace, lambda a, b, y: a), ["derivative and output must be None", "two outputs"]),
        (lambda: fastgd.MLP(2, 2, loss="gaussian_nll(0)"), ["eps must be above 0; got 0"]),
    ],
)  # fmt: skip
def test_refused(call, words):
    assert_refused(call, ValueError, words)
