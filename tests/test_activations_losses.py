"""Each activation and loss where it is hard: far out, at its kinks, where exp overflows and log(0) would appear."""

import json
from pathlib import Path

import numpy as np
import oracle
import pytest
from scipy.special import expit, log_softmax, softmax

import fastgd
from fastgd.activations import ACTIVATIONS

HARD = np.array([-1e4, -1000, -745, -710, -100, -37, -20, -1, -1e-8, 0, 1e-8, 1, 20, 37, 88, 100, 710, 745, 1000, 1e4])


def one_unit(name, dtype, loss="squared_error"):
    """A network that is f(z) itself, with the parameters that make it so."""
    return fastgd.MLP(1, 1, activation=name, loss=loss, bias=False, dtype=dtype), np.ones(1, dtype)


def identity_into(outputs, output, loss, dtype):
    """A network whose pre-activations are its inputs, with the parameters that make it so."""
    net = fastgd.MLP(outputs, outputs, activation=output, loss=loss, bias=False, dtype=dtype)
    return net, net.pack([(np.eye(outputs), None)])


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "softmax"])
def test_values_and_slopes(name, dtype):
    """f(z) and f'(z) against NumPy; the slope is read off the gradient by w of (f(w z) - y)^2 at w = 1."""
    net, params = one_unit(name, dtype)
    z = HARD.astype(dtype)
    f, derivative = oracle.ACTIVATIONS[name]
    eps = float(np.finfo(dtype).eps)
    outputs = net.predict(params, z)[:, 0]
    with np.errstate(over="ignore"):
        expected = f(z.astype(float)).astype(dtype).astype(float)
    assert outputs.astype(float) == pytest.approx(expected, rel=4 * eps, abs=1e-37)
    for value, output in zip(z, outputs, strict=True):
        if abs(value) > 1000 or output > 2e6:
            continue
        slope = net.gradient(params, [value], [output - 0.5])[0]  # 2 (a - y) = 1
        with np.errstate(over="ignore"):
            expected = derivative(np.array([float(value)]))[0] * float(value)
        assert slope == pytest.approx(expected, rel=64 * eps, abs=64 * eps)


def test_at_the_kinks(dtype):
    """relu'(0) = 0 and leaky_relu'(0) = 0.01: the side of the negative numbers."""
    for name, slope in [("relu", 0.0), ("leaky_relu", 0.01)]:
        net = fastgd.MLP(1, 1, activation=name, dtype=dtype)
        gradient = net.gradient([1.0, 0.0], [0.0], [-0.5])  # z = 0, by the bias: 2 (a - y) f'(0) = f'(0)
        assert gradient[1] == np.dtype(dtype).type(slope)


@pytest.mark.parametrize("z", [1000.0, -1000.0, 30000.0, -30000.0])
@pytest.mark.parametrize("y", [0.0, 1.0, 0.25])
def test_binary_cross_entropy_far_out_is_linear(z, y, dtype):
    """max(z, 0) - y z: where -y log a - (1 - y) log(1 - a) is log of 0."""
    net, params = one_unit("sigmoid", dtype, "binary_cross_entropy")
    assert net.cost(params, [z], [y]) == pytest.approx(max(z, 0) - y * z, rel=1e-6)
    assert net.gradient(params, [z], [y])[0] == pytest.approx(((z > 0) - y) * z, rel=1e-6)


def test_binary_cross_entropy(dtype):
    net, params = one_unit("sigmoid", dtype, "binary_cross_entropy")
    rel = 1e-13 if dtype == "float64" else 2e-6
    for z in HARD.astype(dtype):
        for y in (0.0, 1.0, 0.3):
            target = float(np.dtype(dtype).type(y))
            expected = target * np.logaddexp(0, -float(z)) + (1 - target) * np.logaddexp(0, float(z))
            assert net.cost(params, [z], [y]) == pytest.approx(expected, rel=rel, abs=1e-37)


def test_certain_and_right_costs_next_to_nothing(dtype):
    """log(1 + e^-z) for large z, which 1 - a would round to 0."""
    net, params = one_unit("sigmoid", dtype, "binary_cross_entropy")
    assert net.cost(params, [40.0], [1.0]) == pytest.approx(np.exp(-40.0), rel=1e-5)
    assert net.cost(params, [-40.0], [0.0]) == pytest.approx(np.exp(-40.0), rel=1e-5)


@pytest.mark.parametrize("z", [[1000.0, 0.0, -1000.0], [-1000.0, -1000.0, -999.0], [30000.0, 30000.0, 29990.0], [1.0, -2.0, 0.5]])
@pytest.mark.parametrize("y", [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.2, 0.3, 0.5], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
def test_cross_entropy_far_out(z, y, dtype):
    net, params = identity_into(3, "softmax", "cross_entropy", dtype)
    rel = 1e-13 if dtype == "float64" else 1e-6
    expected = -np.dot(y, log_softmax(z))
    assert net.cost(params, [z], [y]) == pytest.approx(expected, rel=rel, abs=1e-12 if dtype == "float64" else 1e-5)
    assert net.predict(params, [z])[0].astype(float) == pytest.approx(softmax(z), rel=rel * 10, abs=1e-37)
    dz = np.sum(y) * softmax(z) - y
    expected = np.outer(dz, z).ravel()
    assert net.gradient(params, [z], [y]) == pytest.approx(expected, rel=1e-5, abs=1e-2 if dtype == "float32" else 1e-9)


def test_softmax_with_squared_error(dtype):
    net, params = identity_into(3, "softmax", "squared_error", dtype)
    z, y = np.array([[1000.0, -1000.0, 3.0], [0.3, -1.0, 0.5]]), np.array([[0.0, 1.0, 0.0], [0.2, 0.2, 0.6]])
    assert net.cost(params, z, y) == pytest.approx(oracle.cost(net, params, z, y), rel=1e-6)
    assert net.gradient(params, z, y) == pytest.approx(oracle.gradient(net, params, z, y), rel=1e-5, abs=1e-6)


def test_sigmoid_is_the_libraries(dtype):
    net, params = one_unit("sigmoid", dtype)
    z = np.linspace(-80, 80, 4001).astype(dtype)
    assert net.predict(params, z)[:, 0] == pytest.approx(expit(z), rel=3 * float(np.finfo(dtype).eps))


# -- PyTorch's, as recorded by scripts/record_functions.py -------------------------------------------------

RECORDED = json.loads((Path(__file__).parent / "data" / "functions.json").read_text())


@pytest.mark.parametrize("name", RECORDED["activations"])
def test_activations_are_pytorchs(name):
    """The slope is read off the gradient by the bias of (f(z + b) - y)^2 at b = 0, where 2 (a - y) = 1."""
    net = fastgd.MLP(1, 1, activation=name)
    bound = 1e-7 if name == "hard_sigmoid" else 1e-12  # whose slope is a sixth in float32
    for z, value, slope in zip(RECORDED["z"], *RECORDED["activations"][name].values(), strict=True):
        output = net.predict([1.0, 0.0], [z])[0, 0]
        assert output == pytest.approx(value, rel=1e-13, abs=1e-15)
        assert net.gradient([1.0, 0.0], [z], [0.0])[1] == pytest.approx(2 * output * slope, rel=bound, abs=1e-14)


@pytest.mark.parametrize("name", RECORDED["losses"])
def test_losses_are_pytorchs(name):
    output = fastgd.losses.loss(name).output or "identity"
    net = fastgd.MLP(1, 1, activation=output, loss=name)
    for z, y, value, slope in zip(RECORDED["z"], RECORDED["y"], *RECORDED["losses"][name].values(), strict=True):
        assert net.cost([1.0, 0.0], [z], [y]) == pytest.approx(value, rel=1e-13, abs=1e-14)
        assert net.gradient([1.0, 0.0], [z], [y])[1] == pytest.approx(slope, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("name", RECORDED["losses_of_pairs"])
def test_losses_of_pairs_are_pytorchs(name):
    net = fastgd.MLP(2, 2, activation="identity", loss=name)
    params = net.pack([(np.eye(2), None)])
    inputs = zip(RECORDED["z"], RECORDED["log_variances"], RECORDED["y"], strict=True)
    for (a, b, y), value, *slopes in zip(inputs, *RECORDED["losses_of_pairs"][name].values(), strict=True):
        assert net.cost(params, [[a, b]], [y]) == pytest.approx(value, rel=1e-13)
        assert net.gradient(params, [[a, b]], [y])[4:] == pytest.approx(slopes, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("name", RECORDED["losses_of_rows"])
def test_losses_of_rows_are_pytorchs(name):
    net = fastgd.MLP(3, 3, activation="softmax", loss=name)
    params = net.pack([(np.eye(3), None)])
    for row, shares, value, slope in zip(RECORDED["rows"], RECORDED["shares"], *RECORDED["losses_of_rows"][name].values(), strict=True):
        assert net.cost(params, [row], [shares]) == pytest.approx(value, rel=1e-13)
        assert net.gradient(params, [row], [shares])[9:] == pytest.approx(slope, rel=1e-12, abs=1e-14)
