"""Activations and losses of one's own, by every kernel and method, against the oracle; in networks and in files."""

import math

import numpy as np
import oracle
import pytest
from by_kernel import trained_by
from conftest import assert_refused, random_problem
from every_network import assert_near

import fastgd
from fastgd.names import METHODS
from fastgd.training.own_functions import MissingError


def bent_identity(z, bend=1.0):
    return (math.sqrt(z * z + bend) - 1) / 2 + z


def cauchy(a, y):
    return math.log1p((a - y) ** 2)


BENT = fastgd.Activation(bent_identity)
CAUCHY = fastgd.Loss(cauchy, lambda a, y: 2 * (a - y) / (1 + (a - y) ** 2))


@pytest.fixture
def own_oracle(monkeypatch):
    """The oracle, which knows the two as well."""
    bent = lambda z: (np.sqrt(z**2 + 1) - 1) / 2 + z, lambda z: z / (2 * np.sqrt(z**2 + 1)) + 1
    cauchy = lambda a, y: np.log1p((a - y) ** 2), lambda a, y: 2 * (a - y) / (1 + (a - y) ** 2)
    monkeypatch.setattr(oracle, "ACTIVATIONS", oracle.ACTIVATIONS | {"bent_identity": bent})
    monkeypatch.setattr(oracle, "LOSSES", oracle.LOSSES | {"cauchy": cauchy})
    return oracle


@pytest.mark.parametrize("kernel", ["matrix", "unrolled", "lanes"])
@pytest.mark.parametrize("method", [name for name in METHODS if name != "layerwise"])
def test_ones_own_by_every_kernel(kernel, method, own_oracle, dtype):
    net = fastgd.MLP(2, 3, 1, activation=BENT, loss=CAUCHY, dtype=dtype)
    X, Y, params = random_problem(net, 11)
    given = {"rng": 4, "batch_size": 4, "shuffle": False, "method": method, "eps": 1e-3}
    expected, costs = own_oracle.train(net, params, X, Y, 4, 0.2, 4, gradient=own_oracle.gradient_by(method, 1e-3))
    bound = 1e-10 if dtype == "float64" else 5e-3
    run = trained_by(kernel, net, X, Y, 4, 0.2, params, **given)
    assert run.predict(X) == pytest.approx(own_oracle.predict(net, run.params, X), rel=1e-5)
    assert_near(run.params, expected, bound, net)
    assert_near(run.cost, costs[-1], bound, net)


def test_ones_own_is_as_good_as_ours():
    """tanh by another name gives the same bits, in blocks and slices of threads too."""
    mine = fastgd.Activation(fastgd.numeric.tanh, lambda z, a: fastgd.numeric.fma(-a, a, 1.0), "mine")
    for widths, batch_size in [((3, 5, 2), None), ((40, 70, 3), 300), ((64, 300, 200, 10), 32)]:
        runs, outputs = [], []
        for activation in ("tanh", mine):
            net = fastgd.MLP(*widths, activation=activation, output="identity")
            X, Y, params = random_problem(net, 600)
            given = {"params": params, "rng": 0, "batch_size": batch_size, "kernel": "matrix"}
            runs.append(fastgd.train(net, X, Y, 2, 0.1, **given))
            outputs.append([net.predict(params, rows) for rows in (X, X[:1])])
        assert np.array_equal(runs[0].params, runs[1].params)
        assert runs[0].cost == runs[1].cost
        assert all(np.array_equal(ours, theirs) for ours, theirs in zip(*outputs, strict=True))


def test_ones_own_in_a_network():
    net = fastgd.MLP(2, 3, 1, activation=BENT(2.0), loss=CAUCHY)
    assert net.activations == ("bent_identity(2)", "bent_identity(2)")
    assert net != fastgd.MLP(2, 3, 1, activation=BENT, loss=CAUCHY)
    assert net == fastgd.MLP(2, 3, 1, activation=fastgd.Activation(bent_identity)(2.0), loss=CAUCHY)
    with pytest.raises(ValueError, match="activation must not be called 'tanh', as a built-in one is"):
        fastgd.MLP(2, 1, activation=fastgd.Activation(bent_identity, name="tanh"))
    with pytest.raises(ValueError, match="loss must not be called 'huber', as a built-in one is"):
        fastgd.MLP(2, 1, loss=fastgd.Loss(cauchy, name="huber"))
    with pytest.raises(ValueError, match="activations must have names of their own; got two 'bent_identity'"):
        fastgd.MLP(2, 3, 1, activation=[BENT, fastgd.Activation(lambda z: z, name="bent_identity")])


def test_names_that_are_nearly_the_same():
    """Of functions beside each other, by which they are called in what is written out."""
    scaled = fastgd.Activation(lambda z, shift=0.0, scale=1.0: scale * (z + shift), name="scaled")
    names = [fastgd.Activation(lambda z: fastgd.numeric.tanh(z) / 2, name="sigmoid_"), "sigmoid", scaled(0.1, 2), scaled(0, 1.2)]
    net = fastgd.MLP(1, 1, 1, 1, 1, activation=names)
    X, Y, params = random_problem(net, 4)
    (w1, b1), (w2, b2), (w3, b3), (w4, b4) = [(W[0, 0], b[0]) for W, b in net.unpack(params)]
    middle = 2 * (w3 / (1 + np.exp(-w2 * np.tanh(w1 * X + b1) / 2 - b2)) + b3 + 0.1)
    expected = np.mean((1.2 * (w4 * middle + b4) - Y) ** 2)
    module = {}
    exec(net.derivation(to="python"), module)
    assert module["cost"](params, X, Y) == pytest.approx(expected, rel=1e-12)
    for kernel in ("matrix", "unrolled"):
        run = fastgd.train(net, X, Y, 1, 0.1, params=params, rng=0, kernel=kernel)
        assert run.history.cost[0] == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(run.params, params - 0.1 * net.gradient(params, X, Y), rtol=1e-12)
    mine = fastgd.Activation(lambda z: z, name="leaky_relu_0_2")
    with pytest.raises(ValueError, match=r"must have names of their own; got 'leaky_relu_0_2' and 'leaky_relu\(0.2\)'"):
        fastgd.MLP(1, 1, 1, activation=[mine, "leaky_relu(0.2)"])


def test_bare_functions_are_refused():
    for given, word in [
        ({"activation": math.tanh}, "of fastgd.Activation objects; got <built-in function tanh>"),
        ({"activation": [math.tanh, "tanh"]}, "activation must be a name or a fastgd.Activation; got"),
        ({"output": math.tanh}, "output must be a name or a fastgd.Activation; got"),
        ({"loss": cauchy}, "loss must be a name or a fastgd.Loss; got <function cauchy"),
    ]:
        assert_refused(lambda given=given: fastgd.MLP(2, 2, 1, **given), TypeError, [word])


def test_one_with_its_own_in_files(tmp_path):
    """By name and text, which are compared, and never run."""
    net = fastgd.MLP(2, 3, 1, activation=BENT(2.0), loss=CAUCHY)
    X, Y, _ = random_problem(net, 5)
    run, path = fastgd.train(net, X, Y, 5, 0.1, rng=0), tmp_path / "run.npz"
    run.save(path)
    own = {"activations": [BENT], "losses": [CAUCHY]}
    assert fastgd.load_run(path, **own) == run
    other = fastgd.Loss(lambda a, y: (a - y) ** 2, name="cauchy")
    for given, error, words in [
        ({}, MissingError, ["needs activation 'bent_identity(2)'", "give it as activations=[bent_identity]"]),
        ({"activations": [BENT]}, MissingError, ["needs loss 'cauchy'", "it was def cauchy(a, y): t0 = a - y; return log1p(t0 * t0)"]),
        (own | {"losses": [other]}, MissingError, ["loss 'cauchy' must compute what it did when", "was written"]),
        (
            {"activations": [fastgd.Activation(math.sin, name="bent_identity")]},
            MissingError,
            ["needs activation 'bent_identity(2)'", "0 numbers"],
        ),
        ({"activations": BENT}, TypeError, ["activations must be a list of fastgd.Activation objects"]),
    ]:
        assert_refused(lambda given=given: fastgd.load_run(path, **given), error, words)
    again = fastgd.train(net, X, Y, 10, 0.1, rng=0, checkpoint=path.with_name("c.npz"))
    more = fastgd.train(net, X, Y, 10, 0.1, rng=0, checkpoint=path.with_name("c.npz"), resume=True)
    assert more == again
    runs = fastgd.train_many(net, X, Y, 5, 0.1, members=4, rng=0)
    runs.save(path)
    assert np.array_equal(fastgd.load_runs(path, **own).params, runs.params)
