"""A first layer of few units on many inputs, whose rows are read as they lie, and blocks of many inputs, against the oracle."""

import numpy as np
import oracle
import pytest
from conftest import random_problem
from row_order import order_of

import fastgd
from fastgd.kernels.codes import FEW_UNITS

NETS = {
    "linear": fastgd.MLP(20, 1, activation="identity"),
    "logistic": fastgd.MLP(20, 1, output="sigmoid", loss="binary_cross_entropy"),
    "one vector": fastgd.MLP(8, 2, activation="tanh"),
    "one too many": fastgd.MLP(9, 1, activation="tanh", bias=False),
    "one too few for three": fastgd.MLP(23, 1),
    "classes": fastgd.MLP(35, 3, output="softmax", loss="cross_entropy"),
    "a bottleneck": fastgd.MLP(40, 4, 20, 9, activation="tanh", output="softmax", loss="cross_entropy"),
    "one more than few": fastgd.MLP(20, FEW_UNITS + 1, 2, activation="tanh"),
    "fewer than a vector": fastgd.MLP(3, 1, activation="tanh"),
}
# rows and batches: whole vectors or not, one block or several, the last of them short
WORKS = [(16, None), (13, None), (600, None), (1031, None), (64, 16), (50, 20), (600, 300)]


def typed(net, dtype):
    return fastgd.MLP(*net.widths, activation=net.activations, loss=net.loss, bias=net.bias, dtype=dtype)


def assert_agree(ours, theirs, dtype="float64"):
    bound = 1e-11 if dtype == "float64" else 2e-4
    assert np.max(np.abs(ours.astype(float) - theirs) / (1 + np.abs(theirs))) < bound


def problem_of(net, n):
    X, Y, params = random_problem(net, n)
    return X, Y, params * params.dtype.type(0.4)


def train(net, X, Y, *arguments, **options):
    return fastgd.train(net, X, Y, *arguments, kernel="matrix", rng=6, **options)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(("n", "batch_size"), WORKS)
@pytest.mark.parametrize("name", NETS)
def test_against_the_oracle(name, n, batch_size, shuffle, dtype):
    net = typed(NETS[name], dtype)
    X, Y, params = problem_of(net, n)
    run = train(net, X, Y, 3, 0.1, params=params, batch_size=batch_size, shuffle=shuffle)
    order = (lambda epoch: order_of(n, 6, epoch)) if shuffle and batch_size else None
    expected, costs = oracle.train(net, params, X, Y, 3, 0.1, batch_size, order)
    assert_agree(run.params, expected, dtype)
    assert_agree(run.history.cost, costs, dtype)


@pytest.mark.parametrize("name", ["logistic", "classes", "a bottleneck"])
def test_rows_of_other_weights(name):
    net = NETS[name]
    X, Y, params = problem_of(net, 300)
    weights = np.random.default_rng(3).uniform(0, 3, 300)
    run = train(net, X, Y, 1, 0.1, params=params, sample_weight=weights)
    gradients = [oracle.gradient(net, params, X[[row]], Y[[row]]) for row in range(300)]
    assert_agree(run.params, params - 0.1 * np.average(gradients, axis=0, weights=weights))


@pytest.mark.parametrize("method", ["layerwise", "finite_difference", "central_difference"])
def test_methods(method):
    net = fastgd.MLP(20, 2, 3, activation="tanh")
    X, Y, params = problem_of(net, 37)
    run = train(net, X, Y, 1, 0.1, params=params, method=method, eps=1e-2)
    expected, _ = oracle.train(net, params, X, Y, 1, 0.1, gradient=oracle.gradient_by(method, 1e-2))
    assert_agree(run.params, expected)


@pytest.mark.parametrize("name", ["logistic", "a bottleneck"])
def test_costs_and_gradients(name):
    net = NETS[name]
    X, Y, params = problem_of(net, 300)
    objective = net.objective(X, Y)
    for p in (params, 2 * params):  # rows and what was gathered of them stay
        cost, gradient = objective(p)
        assert cost == pytest.approx(oracle.cost(net, p, X, Y), rel=1e-12)
        assert_agree(gradient, oracle.gradient(net, p, X, Y))
    assert net.cost(params, X, Y) == pytest.approx(oracle.cost(net, params, X, Y), rel=1e-12)


def test_nothing_beyond_the_rows_is_looked_at():
    """What lies before and behind X in memory has no say, even where it is no number."""
    net = NETS["one too many"]
    X, Y, params = problem_of(net, 16)
    memory = np.full(X.size + 64, np.nan)
    memory[32:-32] = X.ravel()
    apart = memory[32:-32].reshape(X.shape)
    assert np.array_equal(train(net, X, Y, 5, params=params).params, train(net, apart, Y, 5, params=params).params)


@pytest.mark.parametrize("batch_size", [None, 2048])
def test_threads_and_bits(batch_size):
    net = fastgd.MLP(100, 2, 1, activation="tanh")
    X, Y, params = problem_of(net, 4096)
    one, two = (train(net, X, Y, 3, params=params, batch_size=batch_size, threads=count) for count in (1, 2))
    assert np.array_equal(one.params, two.params)
    assert one.cost == two.cost


@pytest.mark.parametrize("batch_size", [None, 128, 256])
@pytest.mark.parametrize("widths", [(100, 6, 3), (49, 1), (9000, 2)])
def test_blocks_of_many_inputs(widths, batch_size, dtype):
    """Blocks of as many rows as have the inputs at the same places of a cache."""
    net = fastgd.MLP(*widths, activation="tanh", dtype=dtype)
    X, Y, params = problem_of(net, 512)
    rate = 10 / widths[0]
    run = train(net, X, Y, 2, rate, params=params, batch_size=batch_size, shuffle=False)
    expected, costs = oracle.train(net, params, X, Y, 2, rate, batch_size)
    assert_agree(run.params, expected, dtype)
    assert_agree(run.history.cost, costs, dtype)
    assert_agree(net.predict(params, X), oracle.predict(net, params, X), dtype)
    assert_agree(net.layer_costs(params, X, Y), oracle.layer_costs(net, params, X, Y), dtype)
