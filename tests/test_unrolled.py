"""The unrolled kernel: its equations against the oracle, its loop against the matrix kernel, and its text."""

import ast
import builtins

import numpy as np
import oracle
import pytest
from conftest import plan_of, random_problem
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import fastgd
from fastgd.activations import ACTIVATIONS
from fastgd.kernels.generated import equations, unrolled, vocabulary
from fastgd.kernels.generated.sample import lines_of_sample
from fastgd.losses import LOSSES
from fastgd.names import METHODS
from fastgd.training import loop

XOR = fastgd.MLP(2, 2, 1)
HIDDEN = [name for name in ACTIVATIONS if name not in ("softmax", "exp", "square")]  # of which some explode in chains
OF_ONE_OUTPUT = [name for name, each in LOSSES.items() if not each.of_pairs]
DIFFERENCES = ["finite_difference", "central_difference"]


def difference(ours, theirs):
    return np.max(np.abs(ours.astype(float) - theirs) / (1 + np.abs(theirs)))


def random_network(random, method, most_units=3):
    """At most three layers, any activations and losses that the method takes."""
    widths = [random.randint(1, most_units) for _ in range(random.randint(2, 4))]
    loss = "squared_error" if method == "layerwise" or widths[-1] == 1 else random.choice(OF_ONE_OUTPUT)
    any_output = random.choice([*HIDDEN, "softmax"])
    needed = LOSSES[loss].output
    last = needed.name if needed else any_output
    activations = [random.choice(HIDDEN) for _ in widths[2:]]
    widths[-1] += last == "softmax" and widths[-1] == 1  # which is refused
    return fastgd.MLP(*widths, activation=[*activations, last], loss=loss, bias=random.random() < 0.7)


# -- the equations of a sample: plain Python, so NumPy can run them ------------------------------------------------------


def spelled_out():
    """What the lines call, in NumPy."""
    functions = {"exp": np.exp, "log": np.log, "where_positive": lambda x, yes, no: np.where(x > 0, yes, no)}
    for name, (value, derivative) in oracle.LOSSES.items():
        functions[f"{name}_loss"] = lambda z, a, y, value=value: value(a, y)
        functions[f"{name}_loss_derivative"] = derivative
    for name in ["exp", *HIDDEN[1:]]:
        f, slope = oracle.ACTIVATIONS[name]
        functions |= {f"{name}_value": f, f"{name}_derivative": lambda z, a, slope=slope: slope(z)}
    return functions | {
        "sigmoid_parts": lambda z: (1, np.exp(-z)),
        "quotients": lambda x, first, second: (x / first, x / second),
        "residuals": lambda x, first, second, target: (x / first - target, x / second - target),
        "plus": lambda x, y: x + y,
        "poisson_loss_derivative": lambda a, y: a - y,  # by z
        "binary_cross_entropy_loss": lambda z, a, y: -y * np.log(a) - (1 - y) * np.log(1 - a),
        "binary_cross_entropy_loss_derivative": lambda a, y: a - y,
        "cross_entropy_loss": lambda z, log_sum_exp, y: y * (log_sum_exp - z),
        "cross_entropy_loss_derivative": lambda a, y, target: a * target - y,
    }


def run_lines(net, method, X, Y, params, weight, eps, weighted):
    """The cost and the gradient that the lines collect, each name holding all samples."""
    names = equations.parameter_names(net)
    values = spelled_out() | dict(zip(names, params, strict=True)) | {f"d{name}": np.zeros(len(X)) for name in names}
    values |= {f"x_{k}": column for k, column in enumerate(X.T)} | {f"y_{k}": column for k, column in enumerate(Y.T)}
    values |= {"costs": np.zeros(len(X)), "eps": eps, "weight": weight} if weighted else {"costs": 0, "eps": eps, "share": 1 / len(X)}
    for lines in lines_of_sample(net, method, weighted, in_halves=weighted):
        exec("\n".join(lines), values)
    gradient = np.array([values[f"d{name}"].sum() for name in names]) * (1 if weighted else 1 / len(X))
    return values["costs"].sum(), gradient / {"finite_difference": eps, "central_difference": 2 * eps}.get(method, 1)


@pytest.mark.parametrize("method", METHODS)
@given(random=st.randoms(use_true_random=True))
def test_equations(method, random):
    net, n = random_network(random, method), random.randint(1, 6)
    X, Y, params = random_problem(net, n, random.randint(0, 99))
    for weighted in (False, True):
        cost, gradient = run_lines(net, method, X, Y, params, np.full(n, 1 / n), 1e-2, weighted)
        assert cost == pytest.approx(oracle.cost(net, params, X, Y), rel=1e-12)
        assert difference(gradient, oracle.gradient_by(method, 1e-2)(net, params, X, Y)) < 1e-11


# sigmoids beyond what exponents can hold, or close to that, that a change of z brings back; inputs that are years, or incomes
@pytest.mark.parametrize(
    ("b", "x", "eps"),
    [
        (-90, 100, 1),
        (-800, 800, 1),
        (-720, 15, 1),
        (30, -20, 1),
        (60, -45, 1),
        (30, -2e4, 1e-3),
        (95, -15, 1),
        (-95, 8, 2),
        (700, -700, 20),
    ],
)
@pytest.mark.parametrize("method", DIFFERENCES)
def test_differences_of_saturated_sigmoids(method, b, x, eps, dtype):
    net = fastgd.MLP(1, 1, dtype=dtype)
    X, Y, params = np.array([[x]], float), np.array([[0.5]]), np.array([0.0, b], float)
    given = {"params": params.astype(dtype), "method": method, "eps": eps, "rng": 0}
    gradient = oracle.gradient_by(method, eps)(net, params, X, Y)
    tolerance = {"float64": 1e-11, "float32": 1e-5}[dtype] / eps  # of two costs of about 1
    for kernel in ("matrix", "unrolled"):
        run = fastgd.train(net, X, Y, 1, 1.0, kernel=kernel, **given)
        assert np.allclose(params - run.params, gradient, rtol=1e-4, atol=tolerance + 1e-4 * abs(b) * (dtype == "float32")), kernel
    runs = fastgd.train_many(net, X, Y, 1, 1.0, kernel="lanes", members=1, **given | {"params": given["params"][None]})
    assert np.allclose(params - runs.params[0], gradient, rtol=1e-4, atol=tolerance + 1e-4 * abs(b) * (dtype == "float32"))


# three changes of z, of both signs and as large as e^-z is used again for, or just larger; z from where a sigmoid is 0 to where it is 1
@pytest.mark.parametrize("b", [-95, -30, -3, 0, 2, 21, 25, 40, 90])
@pytest.mark.parametrize(
    ("x", "eps"), [((-490, 490), 1e-3), ((490, -490), 1e-3), ((-10000, 10000), 1e-3), ((4.9, -0.1), 0.1), ((-3, 3), 5)]
)
@pytest.mark.parametrize("method", DIFFERENCES)
def test_differences_of_three_changes(method, b, x, eps, dtype):
    net = fastgd.MLP(2, 1, dtype=dtype)
    X, Y, params = np.array([x], float), np.array([[0.5]]), np.array([1e-3, 1e-3, b], float)
    given = {"params": params.astype(dtype), "method": method, "eps": eps, "rng": 0}
    gradient = oracle.gradient_by(method, eps)(net, given["params"].astype(float), X, Y)
    run = fastgd.train(net, X, Y, 1, 1.0, kernel="unrolled", **given)
    tolerance = {"float64": 1e-11, "float32": 2e-6}[dtype] / eps + {"float64": 1e-14, "float32": 1e-6}[dtype] * abs(b)
    assert np.allclose(given["params"] - run.params, gradient, rtol=1e-5, atol=tolerance)


def test_samples_without_weight_do_not_count():
    net = fastgd.MLP(2, 3, 2, activation="tanh", output="softmax", loss="cross_entropy")
    X, Y, params = random_problem(net, 5)
    for method in ("backprop", "finite_difference", "central_difference"):
        cost, gradient = run_lines(net, method, X, Y, params, np.array([0.25, 0.25, 0, 0.25, 0.25]), 1e-2, True)
        kept = [0, 1, 3, 4]
        assert cost == pytest.approx(oracle.cost(net, params, X[kept], Y[kept]), rel=1e-12)
        assert difference(gradient, oracle.gradient_by(method, 1e-2)(net, params, X[kept], Y[kept])) < 1e-11


# -- unrolled and matrix -----------------------------------------------------------------------------------------------


def both(net, n, seed, epochs=50, **options):
    """The largest differences of the two kernels' parameters and cost histories."""
    X, Y, params = random_problem(net, n, seed)
    a, b = (fastgd.train(net, X, Y, epochs, params=params, rng=seed, kernel=kernel, **options) for kernel in ("unrolled", "matrix"))
    assert (a.kernel, b.kernel) == ("unrolled", "matrix")
    assert len(a.history.cost) == epochs + 1
    return difference(a.params, b.params), difference(a.history.cost, b.history.cost)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=2, phases=[Phase.generate])  # each is compiled, so they are few, and not made smaller where one fails
@given(random=st.randoms(use_true_random=True))
def test_kernels_agree(method, random):
    """Vectors that are padded or not, a constant or a run-time count of them, all rows at once or batches of which the last is short."""
    net = random_network(random, method, most_units=2 if method in DIFFERENCES else 3)
    n = random.choice([*range(1, 10), 17])
    batch_size = random.choice([None, random.randint(1, n)])
    options = {"method": method, "batch_size": batch_size, "shuffle": random.random() < 0.5, "eps": 1e-2}
    rate = 0.02 if method == "layerwise" else 0.1
    assert max(both(net, n, random.randint(0, 99), learning_rate=rate, **options)) < 1e-10


@pytest.mark.parametrize("method", ["layerwise", "finite_difference"])
def test_kernels_agree_on_a_short_last_batch(method):
    """Batches of 5 rows, padded to 8 in float64, and one of 2."""
    net = fastgd.MLP(2, 2, 1, activation="tanh", output="sigmoid")
    assert max(both(net, 17, 3, method=method, batch_size=5, eps=1e-2, learning_rate=0.3)) < 1e-10


@pytest.mark.parametrize("batch_size", [None, 5])
def test_kernels_agree_in_float32(batch_size):
    net = fastgd.MLP(2, 3, 2, activation="sin", output="softmax", loss="cross_entropy", dtype="float32")
    assert max(both(net, 9, 3, batch_size=batch_size, learning_rate=0.1)) < 5e-6


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_kernels_agree_on_one_row_at_a_time(optimizer, dtype):
    """Nine units, of which one is left beside those that fill vectors; rows without weight; rows that are only watched."""
    net, more = fastgd.MLP(2, 9, 3, activation="tanh", dtype=dtype), {}
    more["sample_weight"] = np.array([1, 0, 2, 0.5, 1, 3, 0])
    X, Y, _ = random_problem(net, 5, seed=8)
    more |= {"validation": (X, Y), "optimizer": optimizer, "learning_rate": 0.01}
    assert max(both(net, 7, 3, batch_size=1, **more)) < {"float64": 1e-10, "float32": 2e-5}[dtype]


def test_one_row_at_a_time_of_two_outputs_in_chunks(monkeypatch):
    """By whatever chunks, and going on from the middle of an epoch: the same bits, and what the matrix kernel comes to."""
    net = fastgd.MLP(2, 5, 4, activation="gelu", output="identity", loss="gaussian_nll")
    X, Y, params = random_problem(net, 7)
    weights = np.array([1, 2, 0, 1, 0.5, 1, 3])
    given = {"rng": 3, "batch_size": 1, "sample_weight": weights, "optimizer": "adam", "kernel": "unrolled", "patience": 9}
    whole = fastgd.train(net, X, Y, 6, 0.01, params=params, **given)
    by_matrix = fastgd.train(net, X, Y, 6, 0.01, params=params, **given | {"kernel": "matrix"})
    assert difference(whole.params, by_matrix.params) < 1e-10
    assert difference(whole.history.cost, by_matrix.history.cost) < 1e-10
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0.0)  # of one update
    assert fastgd.train(net, X, Y, 6, 0.01, params=params, **given) == whole
    updates = iter(range(1, 100))
    part = fastgd.train(net, X, Y, 6, 0.01, params=params, callback=lambda progress: next(updates) == 17, **given)
    assert (part.epochs, part.state.updates) == (2, 17)
    assert np.array_equal(fastgd.train(net, X, Y, 4, 0.01, params=part, **given | {"rng": None}).params, whole.params)


# -- the loop around them ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [3, 16, 17])
def test_padding_and_constant_counts(n):
    """Rows that fill up a vector do not count, and neither does whether the number of vectors is written into the code."""
    X, Y, params = random_problem(XOR, n, seed=n)
    run = fastgd.train(XOR, X, Y, 30, 0.5, params=params, kernel="unrolled")
    expected, costs = oracle.train(XOR, params, X, Y, 30, 0.5)
    assert difference(run.params, expected) < 1e-12
    assert difference(run.history.cost, costs) < 1e-12


@pytest.mark.parametrize(("dtype", "lanes"), [("float64", 4), ("float32", 8)])
def test_the_count_is_a_constant_up_to_four_vectors(dtype, lanes):
    net = fastgd.MLP(2, 2, 1, dtype=dtype)
    strides = {
        n: unrolled.source(plan_of(net, n)).split("stride = ")[1].split("\n")[0] for n in (1, lanes, lanes + 1, 4 * lanes, 4 * lanes + 1)
    }
    assert strides == {1: f"{lanes}", lanes: f"{lanes}", lanes + 1: f"{2 * lanes}", 4 * lanes: f"{4 * lanes}", 4 * lanes + 1: "work.block"}


@pytest.mark.parametrize("method", ["backprop", "finite_difference"])
def test_an_observed_epoch_changes_nothing(method):
    X, Y = fastgd.data.gate("xor")
    few, many = (fastgd.train(XOR, X, Y, 900, 1.0, rng=1, method=method, kernel="unrolled", record=record) for record in (2, 1000))
    assert len(few.history.cost) == 2
    assert len(many.history.cost) == 901
    assert few.params.tobytes() == many.params.tobytes()
    assert np.array_equal(few.history.cost, many.history.cost[[0, -1]])


# -- the text ------------------------------------------------------------------------------------------------------------------

NETS = [
    XOR,
    fastgd.MLP(2, 1),
    fastgd.MLP(1, 1, activation="identity", bias=False),
    fastgd.MLP(3, 2, 2, activation="leaky_relu", output="softmax", loss="cross_entropy"),
    fastgd.MLP(2, 2, 1, loss="binary_cross_entropy", bias=False, dtype="float32"),
]


@pytest.mark.parametrize("net", NETS, ids=str)
@pytest.mark.parametrize(("batch_size", "shuffle"), [(None, True), (3, True), (3, False), (1, True)])
@pytest.mark.parametrize("method", METHODS)
def test_the_text_is_plain_python(net, batch_size, shuffle, method):
    if method == "layerwise" and net.loss != "squared_error":
        return
    text = unrolled.source(plan_of(net, 10, batch_size, shuffle, method))
    tree = ast.parse(text)
    assert str(net) in ast.get_docstring(tree)
    assert method in ast.get_docstring(tree)
    (steps,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "steps")
    allowed = (ast.Assign, ast.AugAssign, ast.Break, ast.Continue, ast.Expr, ast.For, ast.If, ast.Return)
    assert all(isinstance(node, allowed) for node in ast.walk(steps) if isinstance(node, ast.stmt) and node is not steps)
    assert "notes 002" in text
    assert max(map(len, text.splitlines()[1:])) <= 140
    assert not any(line != line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("net", NETS, ids=str)
def test_every_name_comes_from_somewhere(net):
    """Imported, an argument or assigned to."""
    for method in ("backprop", "finite_difference"):
        for batch_size in (None, 3, 1):
            tree = ast.parse(unrolled.source(plan_of(net, 10, batch_size, method=method)))
            names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
            used = {node.id for node in names if isinstance(node.ctx, ast.Load)}
            known = {node.id for node in names if isinstance(node.ctx, ast.Store)} | {
                node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)
            }
            for node in ast.walk(tree):
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    known |= {alias.asname or alias.name for alias in node.names}
                elif isinstance(node, ast.FunctionDef):
                    known.add(node.name)
            assert used - known - set(dir(builtins)) - set(vars(vocabulary)) == set()


def test_names_of_the_notes():
    text = unrolled.source(plan_of(fastgd.MLP(2, 3, 2)))
    for name in [
        "x_1",
        "w1_0_0",
        "w1_2_1",
        "b1_2",
        "z1_2",
        "a1_2",
        "w2_1_2",
        "b2_1",
        "z2_1",
        "a2_1",
        "delta2_0",
        "delta1_2",
        "dw2_1_2",
        "db1_0",
    ]:
        assert f" {name} = " in text, name
    assert "z1_0 = (b1_0 + w1_0_0 * x_0) + w1_0_1 * x_1" in text
    assert "dw2_0_1 = delta2_0 * a1_1" in text
    for equation in ("(45)", "(50)", "(51)", "(52)"):
        assert equation in text


@pytest.mark.parametrize("net", NETS, ids=str)
def test_parameters_lie_as_in_the_flat_array(net):
    """Loaded from and stored to the place that `unpack` says, and updated once."""
    names = equations.parameter_names(net)
    places = dict(zip(names, range(net.n_params), strict=True))
    for l, (W, b) in enumerate(net.unpack(np.arange(net.n_params)), start=1):
        assert all(places.pop(f"w{l}_{j}_{k}") == W[j, k] for j, k in np.ndindex(W.shape))
        assert b is None or all(places.pop(f"b{l}_{j}") == b[j] for j in range(len(b)))
    assert places == {}
    lines = [line.strip() for line in unrolled.source(plan_of(net, 10)).splitlines()]
    for i, name in enumerate(names):
        assert lines.count(f"{name} = broadcast(params, params[{i}])") == 1
        assert lines.count(f"params[{i}] = first_lane({name})") == 1
        assert lines.count(f"{name} = sgd({name}, lane_total(d{name}), rate)") == 1


def test_sums_are_made_by_halves():
    """No chain of additions is longer than it must be, and none is lost."""
    for n in range(1, 40):
        tree = ast.parse(equations.total([f"t{i}" for i in range(n)]), mode="eval").body
        assert eval(equations.total(["1"] * n)) == n
        assert sorted(int(node.id[1:]) for node in ast.walk(tree) if isinstance(node, ast.Name)) == list(range(n))

        def depth(node):
            return 1 + max(depth(node.left), depth(node.right)) if isinstance(node, ast.BinOp) else 0

        assert depth(tree) == int(np.ceil(np.log2(n)))


# -- inputs that fill a vector ------------------------------------------------------------------------------------------

BATCHES_OF_WIDE_ROWS = """
import numpy as np, fastgd
net, rng = fastgd.MLP(9, 3, 1), np.random.default_rng(0)
X, Y = rng.normal(size=(64, 9)), rng.uniform(size=(64, 1))
runs = [fastgd.train(net, X, Y, 3, 0.1, rng=0, batch_size=24, kernel=kernel) for kernel in ("unrolled", "matrix")]
print(np.abs(runs[0].params - runs[1].params).max() < 1e-12)
"""


def test_batches_of_rows_that_fill_a_vector_stay_inside_their_arrays(python):
    assert python(BATCHES_OF_WIDE_ROWS, NUMBA_BOUNDSCHECK=1).split() == ["True"]
