"""Every activation with every loss, by every kernel and method, against the oracle; and one's own."""

import math

import numpy as np
import oracle
import pytest
from conftest import assert_refused, random_problem

import fastgd
from fastgd.activations import ACTIVATIONS
from fastgd.losses import LOSSES
from fastgd.names import METHODS
from fastgd.training.own_functions import MissingError

UNITS = [name for name, each in ACTIVATIONS.items() if not each.whole_layer]
OF_VALUES = [name for name, each in LOSSES.items() if each.output is None]
OF_ONE = {name: each.output.name for name, each in LOSSES.items() if each.output is not None}
SMALL = {"exp": 0.3, "square": 0.5}  # by which parameters are made smaller, so that nothing explodes


def networks(dtype, widths=(2, 3, 2)):
    """Each activation hidden and at the output with each loss of values, and hidden with each other loss."""
    for hidden in UNITS:
        for loss in OF_VALUES:
            yield fastgd.MLP(*widths, activation=hidden, loss=loss, dtype=dtype)
        for loss, output in OF_ONE.items():
            yield fastgd.MLP(*widths, activation=hidden, output=output, loss=loss, dtype=dtype)
    for loss in OF_VALUES:
        yield fastgd.MLP(*widths, activation="tanh", output="softmax", loss=loss, dtype=dtype)


def methods_of(net):
    return [each for each in METHODS if each != "layerwise" or net.loss == "squared_error"]


def problem_of(net, n=7):
    X, Y, params = random_problem(net, n)
    return X, Y, params * net.dtype.type(min(SMALL.get(name, 1.0) for name in net.activations))


def assert_near(ours, theirs, bound, net):
    assert np.max(np.abs(np.asarray(ours, float) - theirs) / (1 + np.abs(theirs))) < bound, net


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
    given = {"rng": 0, "method": method, "eps": eps, "kernel": kernel}
    if kernel == "lanes":
        runs = fastgd.train_many(net, X, Y, 3, 0.1, params=np.stack([params] * 4), **given)
        trained, cost = runs.params[1], runs.cost[1]
    else:
        run = fastgd.train(net, X, Y, 3, 0.1, params=params, **given)
        trained, cost = run.params, run.cost
    assert_near(trained, expected, bound, (net, method))
    assert_near(cost, oracle.cost(net, expected, X, Y), bound, (net, method))


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


# -- one's own -----------------------------------------------------------------------------------------------------------------------------


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
    given = {"rng": 4, "batch_size": 4, "shuffle": False, "method": method, "eps": 1e-3, "kernel": kernel}
    expected, costs = own_oracle.train(net, params, X, Y, 4, 0.2, 4, gradient=own_oracle.gradient_by(method, 1e-3))
    bound = 1e-10 if dtype == "float64" else 5e-3
    if kernel == "lanes":
        runs = fastgd.train_many(net, X, Y, 4, 0.2, params=np.stack([params] * 5), **given)
        trained, cost = runs.params[3], runs.cost[3]
    else:
        run = fastgd.train(net, X, Y, 4, 0.2, params=params, **given)
        trained, cost = run.params, run.cost
        assert run.predict(X) == pytest.approx(own_oracle.predict(net, trained, X), rel=1e-5)
    assert_near(trained, expected, bound, net)
    assert_near(cost, costs[-1], bound, net)


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
