"""Networks in whole numbers: compiled, beside predict, within the error that they state."""

import ctypes
import re

import numpy as np
import pytest
from conftest import assert_refused
from exported_networks import CLASSES, HIDDEN, table_of_classes, table_of_values
from in_c import called, library, missing

import fastgd

KINDS = {"q15": "int16", "q31": "int32"}


def networks():
    """Every activation, and softmax, with and without biases."""
    rng = np.random.default_rng(5)
    for i, hidden in enumerate(HIDDEN):
        output = ["identity", "sigmoid", "softmax"][i % 3]
        net = fastgd.MLP(2 + i % 4, 6, 5, 3, activation=[hidden, "tanh"], output=output, bias=i % 4 != 0)
        yield net, rng.normal(size=net.n_params) * 0.7


def wrapper(i, kind, n, m):
    head = f"void f{i}(const double *x, double *y)"
    return f"{head};\n{head} {{ {kind}_t q[{n}], r[{m}]; n{i}_inputs(x, q); n{i}(q, r); n{i}_outputs(r, y); }}\n"


def stated(header):
    return float(re.search(r"_ERROR (\S+)", header).group(1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("compiler", ["gcc", "g++", "clang", "clang++"])
def test_within_the_stated_error(compiler, kind, tmp_path):
    if missing(compiler):
        pytest.skip(missing(compiler))
    nets = list(networks())
    headers = [net.to_c(params, name=f"n{i}", fixed_point=kind) for i, (net, params) in enumerate(nets)]
    made = library(tmp_path, compiler, headers, [wrapper(i, KINDS[kind], net.widths[0], 3) for i, (net, _) in enumerate(nets)])
    rng = np.random.default_rng(6)
    for i, (net, params) in enumerate(nets):
        X = rng.uniform(-4, 4, size=(200, net.widths[0]))
        expected, error = net.predict(params, X), stated(headers[i])
        assert np.max(np.abs(called(getattr(made, f"f{i}"), X, 3, "float64") - expected)) <= error, net
        if net.activations[0] != "exp":  # whose values no format of fixed point holds, from 1e-5 to 1e5
            assert error < 2e-2 * max(1, np.abs(expected).max()), net


def test_smooth_networks_are_near():
    """Of 8 units of tanh: to some last places of 16 bits, and a thousand times nearer by 32."""
    net = fastgd.MLP(2, 8, 1, activation="tanh", output="identity")
    errors = {kind: stated(net.to_c(net.init(rng=0), fixed_point=kind)) for kind in KINDS}
    assert errors["q15"] < 3e-3
    assert errors["q31"] < 3e-5


@pytest.fixture
def compiled(tmp_path, monkeypatch):
    if missing("gcc"):
        pytest.skip(missing("gcc"))
    monkeypatch.chdir(tmp_path)
    return lambda header, text: library(tmp_path, "gcc", [header], [text])


def test_units_of_a_table(compiled):
    run, columns, table = table_of_values("float64")
    header = run.to_c(name="n0", fixed_point="q31")
    X = np.column_stack([columns.numbers(name) for name in table.inputs])
    expected = table.decode(run.predict(table.encode(columns)))
    ours = called(compiled(header, wrapper(0, "int32", 2, 1)).f0, X, 1, "float64")
    assert np.max(np.abs(ours - expected)) <= stated(header) * table.target_scale[0]


@pytest.mark.parametrize("kind", CLASSES)
def test_labels_of_a_table(compiled, kind):
    run, columns, table = table_of_classes(kind)
    head = "const char *l0(const double *x)"
    text = f"{head};\n{head} {{ int16_t q[2], r[{table.outputs}]; n0_inputs(x, q); n0(q, r); return n0_label(n0_class(r)); }}\n"
    header = run.to_c(name="n0", fixed_point="q15")
    made = compiled(header, text)
    made.l0.restype = ctypes.c_char_p
    X = np.column_stack([columns.numbers(name) for name in table.inputs])
    outputs = run.predict(table.encode(columns))
    p = np.sort(np.column_stack([1 - outputs, outputs]) if table.outputs == 1 else outputs)
    sure = (p[:, -1] - p[:, -2]) > 2 * stated(header)
    assert sure.sum() > 20
    for x, label in zip(X[sure], table.decode(outputs)[sure, 0], strict=True):
        assert made.l0(ctypes.c_void_p(x.ctypes.data)).decode("utf-8") == str(label)


def test_a_class_by_one_large_output(compiled):
    """Whose format has no bits behind the point: 0.5 of it is the first number above 0."""
    run, columns, table = table_of_classes("one output")
    net = fastgd.MLP(2, 1, activation="identity")
    run = run.with_values(net=net, params=np.array([1e6, -1e6, 0.0]))
    head = "int l0(const double *x)"
    text = f"{head};\n{head} {{ int16_t q[2], r[1]; n0_inputs(x, q); n0(q, r); return n0_class(r); }}\n"
    header = run.to_c(name="n0", fixed_point="q15")
    made = compiled(header, text)
    X = np.column_stack([columns.numbers(name) for name in table.inputs])
    outputs = run.predict(table.encode(columns))[:, 0]
    sure = np.abs(outputs) > stated(header)
    assert sure.sum() > 20
    for x, output in zip(X[sure], outputs[sure], strict=True):
        assert made.l0(ctypes.c_void_p(x.ctypes.data)) == (output > 0)


def test_what_is_beyond_stays_at_the_end(compiled):
    """Inputs past the format count as its last number, and NaN as its first."""
    net = fastgd.MLP(1, 1, activation="identity")
    header = net.to_c([0.5, 0.0], name="n0", fixed_point="q15")
    ours = called(compiled(header, wrapper(0, "int16", 1, 1)).f0, np.array([[1e30], [-np.inf], [np.nan], [3.0]]), 1, "float64")
    np.testing.assert_allclose(ours[:, 0], [2.0, -2.0, -2.0, 1.5], atol=1e-3)


@pytest.mark.parametrize("largest", [2.0**-8, 0.5, 100.0, 65535.0])
def test_inputs_of_another_size(compiled, largest):
    """The error that is stated holds over all of it, and is smaller for smaller inputs."""
    net = fastgd.MLP(2, 8, 1, activation="tanh", output="identity")
    params = net.init(rng=0)
    params[net.layers[0].weights] /= largest
    headers = {kind: net.to_c(params, name="n0", fixed_point=kind, input_range=largest) for kind in KINDS}
    X = np.random.default_rng(8).uniform(-largest, largest, size=(200, 2))
    ours = called(compiled(headers["q15"], wrapper(0, "int16", 2, 1)).f0, X, 1, "float64")
    error = stated(headers["q15"])
    assert np.max(np.abs(ours - net.predict(params, X))) <= error < 5e-3
    assert stated(headers["q31"]) < error / 10
    assert f"inputs of up to {largest:g} in size" in headers["q15"]


def test_smaller_inputs_are_more_exact():
    net = fastgd.MLP(2, 1, activation="identity")
    of_4, of_1 = (stated(net.to_c([0.7, 0.3, 0.1], fixed_point="q15", input_range=each)) for each in (None, 1.0))
    assert of_1 < of_4 / 2


@pytest.mark.parametrize(("activation", "params"), [("exp", [300.0, 300.0, 0.0]), ("identity", [1e308, 1e308, 0.0])])
def test_layers_that_are_not_finite_are_refused(activation, params):
    net = fastgd.MLP(2, 1, activation=activation)
    assert_refused(lambda: net.to_c(params, fixed_point="q15"), ValueError, ["fixed_point", "finite"])


@pytest.mark.parametrize(("options", "words"), [
    ({"input_range": 2.0}, ["input_range", "fixed_point", "2.0"]),
    ({"fixed_point": "q15", "input_range": 0.0}, ["input_range", "0.00390625", "0.0"]),
    ({"fixed_point": "q15", "input_range": 1e9}, ["input_range", "65536", "1000000000.0"]),
    ({"fixed_point": "q7"}, ["fixed_point", "'q7'", "q15, q31"]),
    ({"fixed_point": "q15", "train": True}, ["fixed_point", "dtype, gradient or train"]),
    ({"fixed_point": "q15", "dtype": "float32"}, ["fixed_point", "dtype, gradient or train"]),
])  # fmt: skip
def test_refused(options, words):
    net = fastgd.MLP(2, 1)
    assert_refused(lambda: net.to_c(net.init(rng=0), **options), ValueError, words)
