"""Every activation with every loss, by every kernel and method, against the oracle."""

import math

import numpy as np
import oracle
import pytest
from by_kernel import trained_by
from conftest import assert_refused, random_problem
from every_network import OF_ONE, OF_VALUES, SMALL, UNITS, assert_near, methods_of, networks, problem_of

import fastgd
from fastgd.losses import LOSSES


def test_matrix(dtype):
    """Costs and gradients by every method; finite differences of float32 are of few digits."""
    count = 0
    bounds = {"float64": {False: 1e-11, True: 1e-9}, "float32": {False: 2e-5, True: 2e-3}}[dtype]
    for net in networks(dtype):
        X, Y, params = problem_of(net)
        assert_near(net.cost(params, X, Y), oracle.cost(net, params, X, Y), bounds[False], net)
        for method in methods_of(net):
            eps = 1e-2 if dtype == "float32" else 1e-3
            expected = oracle.gradient_by(method, eps)(net, params, X, Y)
            ours = net.gradient(params, X, Y, method, eps)
            assert_near(ours, expected, bounds[method.endswith("difference")], (net, method))
            count += 1
    combinations = len(UNITS) * (len(OF_VALUES) + len(OF_ONE)) + len(OF_VALUES)
    assert count == 3 * combinations + len(UNITS) + 1
    print(f"{count} combinations of activation, loss and method by the matrix kernel in {dtype}")


def test_exact_gradients_are_those_of_central_differences():
    """The matrix kernel's own, without the oracle."""
    for net in networks("float64"):
        X, Y, params = problem_of(net)
        central = net.gradient(params, X, Y, "central_difference", 1e-6)
        assert_near(net.gradient(params, X, Y), central, 1e-7, net)


def written_out(dtype):
    """Chains that have each activation once, some of them in one, and each loss."""
    others = [name for name in UNITS if name not in SMALL]
    chains = [list(SMALL), *(others[i : i + 4] for i in range(0, len(others), 4))]
    for i in range(max(len(chains), len(OF_VALUES))):
        chain, loss = chains[i % len(chains)], OF_VALUES[i % len(OF_VALUES)]
        outputs = 2 if LOSSES[loss].of_pairs else 1
        yield fastgd.MLP(2, *[1] * (len(chain) - 1), outputs, activation=chain, loss=loss, dtype=dtype)
    for loss, output in OF_ONE.items():
        yield fastgd.MLP(2, 2, activation=output, loss=loss, dtype=dtype)


def check_written_out(kernel, net, method):
    """Three updates, beside the oracle's."""
    is_exact, eps = not method.endswith("difference"), 1e-2 if net.dtype == "float32" else 1e-3
    bound = {"float64": 1e-11 if is_exact else 1e-9, "float32": 2e-4 if is_exact else 5e-3}[net.dtype.name]
    X, Y, params = problem_of(net, 5)
    expected, _ = oracle.train(net, params, X, Y, 3, 0.1, gradient=oracle.gradient_by(method, eps))
    run = trained_by(kernel, net, X, Y, 3, 0.1, params, rng=0, method=method, eps=eps)
    assert_near(run.params, expected, bound, (net, method))
    assert_near(run.cost, oracle.cost(net, expected, X, Y), bound, (net, method))


@pytest.mark.parametrize(("kernel", "dtype"), [("unrolled", "float64"), ("lanes", "float32")])
def test_written_out(kernel, dtype):
    for net in written_out(dtype):
        check_written_out(kernel, net, "backprop")


@pytest.mark.parametrize("kernel", ["unrolled", "lanes"])
def test_every_one_written_out(kernel, dtype, request):
    if not request.config.getoption("every"):
        pytest.skip("takes half an hour: pytest --every")
    cases = [(net, method) for net in networks(dtype, (2, 1, 2)) for method in methods_of(net)]
    for net, method in cases:
        check_written_out(kernel, net, method)
    print(f"{len(cases)} combinations of activation, loss and method by the {kernel} kernel in {dtype}")


# -- numbers in brackets -------------------------------------------------------------------------------------------------------------------

WITH_NUMBERS = {
    "leaky_relu(0.2)": (lambda z: np.where(z > 0, z, 0.2 * z), lambda z: np.where(z > 0, 1, 0.2)),
    "elu(0.5)": (lambda z: oracle.elu(z, 0.5), lambda z: oracle.elu_slope(z, 0.5)),
    "softplus(3)": (lambda z: np.logaddexp(0, 3 * z) / 3, lambda z: 1 / (1 + np.exp(-3 * z))),
    "snake(2)": (lambda z: z + np.sin(2 * z) ** 2 / 2, lambda z: 1 + np.sin(4 * z)),
}
LOSSES_WITH_NUMBERS = {
    "huber(0.3)": (
        lambda a, y: np.where(np.abs(a - y) < 0.3, (a - y) ** 2 / 2, 0.3 * (np.abs(a - y) - 0.15)),
        lambda a, y: np.clip(a - y, -0.3, 0.3),
    ),
    "quantile(0.9)": (
        lambda a, y: np.maximum(0.9 * (y - a), -0.1 * (y - a)),
        lambda a, y: np.where(a < y, -0.9, 0.1),
    ),
}


@pytest.mark.parametrize("kernel", ["matrix", "unrolled"])
def test_numbers_in_brackets(kernel, monkeypatch):
    monkeypatch.setattr(oracle, "ACTIVATIONS", oracle.ACTIVATIONS | WITH_NUMBERS)
    monkeypatch.setattr(oracle, "LOSSES", oracle.LOSSES | LOSSES_WITH_NUMBERS)
    for loss in LOSSES_WITH_NUMBERS:
        net = fastgd.MLP(2, *[2] * len(WITH_NUMBERS), activation=list(WITH_NUMBERS), loss=loss)
        X, Y, params = random_problem(net, 6)
        expected, _ = oracle.train(net, params, X, Y, 3, 0.1)
        run = fastgd.train(net, X, Y, 3, 0.1, params=params, rng=0, kernel=kernel)
        assert_near(run.params, expected, 1e-11, net)


@pytest.mark.parametrize("kernel", ["matrix", "unrolled", "lanes"])
@pytest.mark.parametrize("method", ["backprop", "central_difference"])
@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
def test_smoothed_targets(loss, method, kernel):
    """Those of the smoothed loss are y (1 - s) + s / classes, of a sigmoid's two."""
    output, s = LOSSES[loss].output.name, 0.2
    smooth, plain = (fastgd.MLP(2, 3, activation=output, loss=name) for name in (f"{loss}({s})", loss))
    X, Y, params = random_problem(plain, 6)
    expected, _ = oracle.train(plain, params, X, Y * (1 - s) + s / (3 if loss == "cross_entropy" else 2), 3, 0.1)
    given = {"rng": 0, "method": method, "eps": 1e-4, "kernel": kernel}
    if kernel == "lanes":
        trained = fastgd.train_many(smooth, X, Y, 3, 0.1, params=np.stack([params] * 4), **given).params[2]
    else:
        trained = fastgd.train(smooth, X, Y, 3, 0.1, params=params, **given).params
    assert_near(trained, expected, 1e-11 if method == "backprop" else 1e-7, smooth)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"activation": "leaky_relu(x)"}, ["activation", "numbers in brackets", "'leaky_relu(x)'"]),
        ({"activation": "softplus(0)"}, ["beta of softplus", "above 0", "0"]),
        ({"activation": "snake(0)"}, ["frequency of snake", "not be 0"]),
        ({"activation": "leaky_relu()"}, ["activation", "numbers in brackets"]),
        ({"activation": "leaky_relu(nan)"}, ["number 1 of activation 'leaky_relu'", "finite"]),
        ({"activation": "tanh(2)"}, ["activation can't be 'tanh(2)'", "takes 0 numbers"]),
        ({"activation": "swish(2)"}, ["unknown activation 'swish'", "silu"]),
        ({"loss": "huber(0)"}, ["delta must be above 0; got 0"]),
        ({"loss": "quantile(1)"}, ["tau must be between 0 and 1; got 1"]),
        ({"loss": "cross_entropy(1)", "activation": "softmax"}, ["smoothing must be from 0 to below 1; got 1"]),
        ({"loss": "binary_cross_entropy(1)"}, ["smoothing must be from 0 to below 1; got 1"]),
        ({"loss": "poisson"}, ["loss 'poisson' needs output 'exp'; got output 'sigmoid'"]),
        ({"activation": "softmax(2)"}, ["activation can't be 'softmax(2)'"]),
    ],
)  # fmt: skip
def test_refused(given, words):
    assert_refused(lambda: fastgd.MLP(2, 2, **given), ValueError, words)


def test_targets_that_a_loss_is_not_for():
    for loss, output, Y in [("poisson", "exp", [[-1.0]]), ("hinge", "identity", [[2.0]])]:
        net = fastgd.MLP(1, 1, activation=output, loss=loss)
        with pytest.raises(ValueError, match=f"Y must lie .* for loss '{loss}'"):
            fastgd.train(net, [[1.0]], Y, 1)


# -- second derivatives --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("z", [0.0, 1e-40, -1e-12, 0.7])
def test_gelu_bends_where_its_derivative_is_a_quotient(z):
    """At 0 and close to it: (f(z + b))^2 by b twice is 2 f'^2 + 2 f f'', of f = z Phi(z)."""
    net = fastgd.MLP(1, 1, activation="gelu", loss="squared_error")
    bend = net.hessian_vector([1.0, z], [0.0], [0.0], [0.0, 1.0])[1]
    share, density = 0.5 * math.erfc(-z * math.sqrt(0.5)), math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    value, slope, second = z * share, share + z * density, (2 - z * z) * density
    assert bend == pytest.approx(2 * slope**2 + 2 * value * second, rel=1e-13)


def test_smoothed_targets_bend_as_gradients_do():
    net = fastgd.MLP(2, 3, activation="softmax", loss="cross_entropy(0.2)")
    X, Y, params = random_problem(net, 5)
    Y *= 0.5  # so that a row's targets do not sum to 1
    v, h = np.linspace(-1, 1, net.n_params), 1e-6
    central = (net.gradient(params + h * v, X, Y) - net.gradient(params - h * v, X, Y)) / (2 * h)
    assert net.hessian_vector(params, X, Y, v) == pytest.approx(central, rel=1e-7, abs=1e-9)
