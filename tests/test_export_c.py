"""Networks as C: compiled by what compilers there are, beside predict, finite differences and train."""

import ctypes
import functools

import numpy as np
import oracle
import pytest
from conftest import assert_refused, random_problem
from exported_networks import CLASSES, HIDDEN, networks, table_of_classes, table_of_values
from in_c import called, library, missing

import fastgd
from fastgd.losses import LOSSES

COMPILERS = ["gcc", "clang"]
REAL = {"float64": "double", "float32": "float"}


def wrapper(i, real, name=""):
    return f"void f{i}(const {real} *x, {real} *y);\nvoid f{i}(const {real} *x, {real} *y) {{ n{i}{name}(x, y); }}\n"


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("compiler", COMPILERS)
def test_200_networks_as_predict(compiler, dtype, tmp_path):
    if missing(compiler):
        pytest.skip(missing(compiler))
    headers = [net.to_c(params, name=f"n{i}") for i, (net, params) in enumerate(networks(dtype))]
    made = library(tmp_path, compiler, headers, [wrapper(i, REAL[dtype]) for i in range(200)])
    rng = np.random.default_rng(0)
    for i, (net, params) in enumerate(networks(dtype)):
        X = rng.normal(size=(20, net.widths[0])).astype(dtype)
        ours, expected = called(getattr(made, f"f{i}"), X, net.widths[-1], dtype), net.predict(params, X)
        bound = {"float64": 1e-14, "float32": 1e-6}[dtype]
        assert np.max(np.abs(ours - expected)) <= bound * max(1, np.max(np.abs(expected))), net


def called_with(function, *arguments):
    """A call with arrays, and numbers of ctypes."""
    return function(*(ctypes.c_void_p(each.ctypes.data) if isinstance(each, np.ndarray) else each for each in arguments))


@pytest.fixture
def compiled(tmp_path):
    """A library of headers, by gcc as C."""
    if missing("gcc"):
        pytest.skip(missing("gcc"))
    return functools.partial(library, tmp_path, "gcc")


def is_smooth(name):
    """Whether what it makes of a number near 1e30 does not turn with that number's last bit."""
    return not str(name).startswith(("sin", "snake"))


@pytest.mark.parametrize("dtype", REAL)
def test_large_inputs_as_predict(compiled, dtype):
    """And what predict refuses, NaN and infinities, as outputs that are all NaN."""
    some = [(net, params) for net, params in networks(dtype) if all(map(is_smooth, net.activations))][:60]
    made = compiled([net.to_c(params, name=f"n{i}") for i, (net, params) in enumerate(some)], [wrapper(i, REAL[dtype]) for i in range(60)])
    # by an exponential output the error of z counts up to 700 times
    close = {"rtol": {"float64": 1e-12, "float32": 2e-5}[dtype], "atol": {"float64": 1e-14, "float32": 1e-6}[dtype]}
    for i, (net, params) in enumerate(some):
        X = np.random.default_rng(i).normal(size=(12, net.widths[0]))
        X[np.arange(12), np.arange(12) % net.widths[0]] = [1e30, -1e30, 1e8, -1e8, 0, 1e4] + 2 * [np.inf, -np.inf, np.nan]
        ours = called(getattr(made, f"f{i}"), X, net.widths[-1], dtype)
        np.testing.assert_allclose(ours[:6], net.predict(params, X[:6].astype(dtype)), **close, err_msg=str(net))
        assert_refused(lambda net=net, params=params, X=X: net.predict(params, X[6:]), ValueError, ["X", "finite"])
        assert np.isnan(ours[6:]).all()


LOSSES_OF = [
    ("tanh", "identity", "squared_error"), ("silu", "sigmoid", "squared_error"), ("gelu", "softmax", "squared_error"),
    ("sigmoid", "sigmoid", "binary_cross_entropy"), ("mish", "softmax", "cross_entropy"), ("softplus", "exp", "poisson"),
    ("elu", "tanh", "huber"), ("sin", "identity", "log_cosh"), ("gelu_tanh", "softplus", "absolute"), ("snake", "square", "quantile"),
    ("gaussian", "identity", "hinge"), ("softsign", "tanh", "squared_hinge"),
]  # fmt: skip


def trainable(bias=True):
    for hidden, output, loss in LOSSES_OF:
        yield fastgd.MLP(3, 4, 2, activation=hidden, output=output, loss=loss, bias=bias)
    yield fastgd.MLP(2, 2, activation="identity", bias=bias)
    yield fastgd.MLP(2, 3, 5, 4, 1, activation=["tanh", "selu", "elliot", "sigmoid"], bias=bias)


def test_every_loss_is_stepped_down():
    assert {loss for _, _, loss in LOSSES_OF} == {name for name, each in LOSSES.items() if not each.of_pairs}


@pytest.mark.parametrize("bias", [True, False])
def test_jacobian_and_steps(compiled, bias):
    """The Jacobian beside central differences of the oracle, steps beside its gradient descent, row by row."""
    nets, problems = list(trainable(bias)), []
    headers, calls = [], []
    for i, net in enumerate(nets):
        X, Y, params = random_problem(net, 6, seed=i)
        problems.append((X, Y, params))
        headers.append(net.to_c(params, name=f"n{i}", gradient=True, train=True))
        m, n = net.widths[-1], net.widths[0]
        calls.append(
            f"void j{i}(const double *x, double *y, double J[{m}][{n}]);\ndouble s{i}(const double *x, const double *y, double rate);\n"
            f"void j{i}(const double *x, double *y, double J[{m}][{n}]) {{ n{i}_jacobian(x, y, J); }}\n"
            f"double s{i}(const double *x, const double *y, double rate) {{ return n{i}_step(x, y, rate); }}\n{wrapper(i, 'double')}"
        )
    made = compiled(headers, calls)
    for i, (net, (X, Y, params)) in enumerate(zip(nets, problems, strict=True)):
        for x in X:
            y, jacobian = np.empty(net.widths[-1]), np.empty((net.widths[-1], net.widths[0]))
            called_with(getattr(made, f"j{i}"), x, y, jacobian)
            np.testing.assert_allclose(y, oracle.predict(net, params, x[None])[0], rtol=1e-11)
            moved = 1e-5 * np.eye(len(x))
            differences = (oracle.predict(net, params, x + moved) - oracle.predict(net, params, x - moved)) / 2e-5
            np.testing.assert_allclose(jacobian, differences.T, rtol=1e-6, atol=1e-8, err_msg=str(net))
        step = getattr(made, f"s{i}")
        step.restype = ctypes.c_double
        for x, y in zip(X, Y, strict=True):
            loss = called_with(step, x, y, ctypes.c_double(0.05))
            assert loss == pytest.approx(oracle.cost(net, params, x[None], y[None]), rel=1e-10)
            params = params - 0.05 * oracle.gradient(net, params, x[None], y[None])
        for value in (np.nan, np.inf, -np.inf):  # of which there are no derivatives, and no step
            x, y, jacobian = X[0].copy(), np.zeros(net.widths[-1]), np.zeros((net.widths[-1], net.widths[0]))
            x[-1] = value
            called_with(getattr(made, f"j{i}"), x, y, jacobian)
            assert np.isnan(y).all()
            assert np.isnan(jacobian).all()
            assert np.isnan(called_with(step, x, Y[0], ctypes.c_double(0.05)))
            y[:] = Y[0]
            y[-1] = value
            assert np.isnan(called_with(step, X[0], y, ctypes.c_double(0.05)))
        outputs = called(getattr(made, f"f{i}"), X, net.widths[-1], "float64")
        np.testing.assert_allclose(outputs, oracle.predict(net, params, X), rtol=1e-10, err_msg=str(net))


def test_smoothed_labels_are_stepped_by(compiled):
    """As training in batches of one row does it."""
    nets = [
        fastgd.MLP(3, 4, 2, output="softmax", loss="cross_entropy(0.1)"),
        fastgd.MLP(3, 4, 1, output="sigmoid", loss="binary_cross_entropy(0.2)"),
    ]
    step = "(const double *x, const double *y, double rate)"
    step = f"double s{{0}}{step};\ndouble s{{0}}{step} {{{{ return n{{0}}_step(x, y, rate); }}}}\n"
    problems = [random_problem(net, 6) for net in nets]
    problems[0][1][:] = np.eye(2)[[0, 1, 1, 0, 0, 1]]
    headers = [net.to_c(params, name=f"n{i}", train=True) for i, (net, (_, _, params)) in enumerate(zip(nets, problems, strict=True))]
    made = compiled(headers, [step.format(i) + wrapper(i, "double") for i in range(2)])
    for i, (net, (X, Y, params)) in enumerate(zip(nets, problems, strict=True)):
        getattr(made, f"s{i}").restype = ctypes.c_double
        for x, y in zip(X, Y, strict=True):
            assert called_with(getattr(made, f"s{i}"), x, y, ctypes.c_double(0.3)) > 0
        run = fastgd.train(net, X, Y, 1, 0.3, params=params, batch_size=1, shuffle=False)
        np.testing.assert_allclose(called(getattr(made, f"f{i}"), X, net.widths[-1], "float64"), run.predict(X), rtol=1e-12)


# -- of a table ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", REAL)
def test_units_of_a_table(compiled, dtype, tmp_path, monkeypatch):
    """Columns as they are go in, values in their own units come out; derivatives and steps likewise. Floats stand a large shift."""
    monkeypatch.chdir(tmp_path)
    run, columns, table = table_of_values(dtype)
    real, header = REAL[dtype], run.to_c("n0.h", name="n0", gradient=True, train=True)
    assert (tmp_path / "n0.h").read_text() == header
    taken = f"(const {real} *x, {real} *y, {real} J[1][2])", f"(const {real} *x, const {real} *y)"
    extra = f"void j0{taken[0]};\nvoid j0{taken[0]} {{ n0_jacobian(x, y, J); }}\n"
    extra += f"{real} s0{taken[1]};\n{real} s0{taken[1]} {{ return n0_step(x, y, ({real})0.1); }}\n"
    made = compiled([header], [wrapper(0, real) + extra])
    X = np.column_stack([columns.numbers(name) for name in table.inputs]).astype(dtype)
    expected = table.decode(run.predict((X.astype(float) - table.input_shift) / table.input_scale))
    np.testing.assert_allclose(called(made.f0, X, 1, dtype), expected, rtol={"float64": 1e-13, "float32": 1e-6}[dtype])
    if dtype == "float32":
        return

    def outputs(x):
        scaled = (x - np.array(table.input_shift)) / np.array(table.input_scale)
        return oracle.predict(run.net, run.params, scaled) * table.target_scale[0] + table.target_shift[0]

    moved, jacobian, y = 1e-4 * np.diag(table.input_scale), np.empty((1, 2)), np.empty(1)
    called_with(made.j0, X[0], y, jacobian)
    np.testing.assert_allclose(y, expected[0], rtol=1e-13)
    differences = (outputs(X[0] + moved) - outputs(X[0] - moved)) / (2 * np.diag(moved)[:, None])
    np.testing.assert_allclose(jacobian, differences.T, rtol=1e-6)
    made.s0.restype = ctypes.c_double
    for row in range(5):
        called_with(made.s0, X[row], columns.numbers("c")[row : row + 1].copy())
    first = slice(0, 5)
    encoded = table.encode(columns)[first], table.encode_targets(columns)[first]
    after = fastgd.train(run.net, *encoded, 1, 0.1, params=run.params, batch_size=1, shuffle=False)
    np.testing.assert_allclose(called(made.f0, X, 1, dtype), table.decode(after.predict(table.encode(columns))), rtol=1e-12)


@pytest.mark.parametrize("kind", CLASSES)
def test_labels_of_a_table(compiled, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run, columns, table = table_of_classes(kind)
    labelled = (
        "const char *l0(const double *x);\n"
        f"const char *l0(const double *x) {{ double y[{table.outputs}]; n0(x, y); return n0_label(n0_class(y)); }}\n"
    )
    labelled += "const char *m0(int i);\nconst char *m0(int i) { return n0_label(i); }\n"
    made = compiled([run.to_c(name="n0")], [labelled])
    made.l0.restype = made.m0.restype = ctypes.c_char_p
    X = np.column_stack([columns.numbers(name) for name in table.inputs])
    ours = [called_with(made.l0, x).decode("utf-8") for x in X]
    expected = table.decode(run.predict(table.encode(columns)))[:, 0]
    assert ours == list(map(str, expected))
    assert len(set(ours)) > 1
    assert called_with(made.l0, np.array([0.0, np.nan])) == b""
    labels = [made.m0(i).decode("utf-8") for i in range(-1, len(table.classes) + 1)]
    assert labels == ["", *map(str, table.classes), ""]


# -- other compilers, and what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("compiler", ["gcc", "g++", "clang", "clang++"])
def test_no_warning_in_c_or_c_plus_plus(compiler, dtype, tmp_path):
    """Every activation and loss, with all that there is, in one header each; and where nothing of it is called."""
    if missing(compiler):
        pytest.skip(missing(compiler))
    nets = [fastgd.MLP(*net.widths, activation=net.activations, loss=net.loss, dtype=dtype) for net in trainable()]
    nets += [fastgd.MLP(3, 2, activation=each, dtype=dtype) for each in HIDDEN]
    headers = [net.to_c(net.init(rng=0), name=f"n{i}", gradient=True, train=True) for i, net in enumerate(nets)]
    made = library(tmp_path, compiler, headers, [wrapper(i, REAL[dtype]) if i % 2 else "" for i in range(len(nets))])
    assert all(hasattr(made, f"f{i}") == (i % 2 == 1) for i in range(len(nets)))  # compiled, where a warning is an error


def test_a_file_of_c_is_linked_with(compiled, tmp_path):
    net = fastgd.MLP(2, 2, 1)
    net.to_c(net.init(rng=0), tmp_path / "net.c", name="net")
    declared = "void net(const double x[2], double y[1]);\nvoid f0(const double *x, double *y);\n"
    made = compiled([declared], ["void f0(const double *x, double *y) { net(x, y); }\n"], tmp_path / "net.c")
    X = np.array([[0.3, -1.0]])
    np.testing.assert_allclose(called(made.f0, X, 1, "float64"), net.predict(net.init(rng=0), X), rtol=1e-14)


@pytest.mark.parametrize(("options", "error", "words"), [
    ({"name": "two words"}, ValueError, ["name", "'two words'"]),
    ({"name": "exp"}, ValueError, ["name", "'exp'"]),
    ({"name": "tanhf"}, ValueError, ["name", "'tanhf'"]),
    ({"name": "_net"}, ValueError, ["name", "'_net'"]),
    ({"name": "class"}, ValueError, ["name", "'class'"]),
    ({"name": "exit"}, ValueError, ["name", "'exit'"]),
    ({"name": "NAN"}, ValueError, ["name", "'NAN'"]),
    ({"name": "int16_t"}, ValueError, ["name", "'int16_t'"]),
    ({"name": "M_PI"}, ValueError, ["name", "'M_PI'"]),
    ({"name": "std"}, ValueError, ["name", "'std'"]),
    ({"name": 3}, TypeError, ["name", "3"]),
    ({"dtype": "double"}, ValueError, ["dtype", "'double'", "float64"]),
    ({"gradient": 1}, TypeError, ["gradient", "True or False", "1"]),
    ({"train": "yes"}, TypeError, ["train", "True or False", "'yes'"]),
])  # fmt: skip
def test_refused(options, error, words, tmp_path):
    net = fastgd.MLP(2, 2, 1)
    assert_refused(lambda: net.to_c(net.init(rng=0), tmp_path / "net.h", **options), error, words)
    assert list(tmp_path.iterdir()) == []


def test_parameters_that_are_no_numbers_are_refused():
    net = fastgd.MLP(2, 1)
    assert_refused(lambda: net.to_c([1.0, np.inf, 0.0]), ValueError, ["params", "finite", "inf", "index 1"])
    assert_refused(lambda: net.to_c([1.0, 0.0]), ValueError, ["params", "(3,)", "(2,)"])


def test_a_table_of_another_network_is_refused():
    run = fastgd.train(fastgd.MLP(2, 1), *fastgd.data.gate("or"), 0)
    table = fastgd.data.Table(("a",), ("b",), None, 1, (0.0,), (1.0,), (0.0,), (1.0,))
    assert_refused(run.with_values(table=table.to_dict()).to_c, ValueError, ["table", "2 inputs", "got 1"])
