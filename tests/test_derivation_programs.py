"""`net.derivation` as a program: in Python, SymPy and C, each the gradient or its proof."""

import ctypes
import importlib.util
import shutil
import subprocess

import numpy as np
import oracle
import pytest
from conftest import random_problem
from derived_networks import SHAPES, ids, own_network
from every_network import networks, problem_of

import fastgd
from fastgd import numeric
from fastgd.activations import ACTIVATIONS
from fastgd.derivation.derived import derived
from fastgd.losses import LOSSES


def module_of(net):
    """What the text in Python defines."""
    names = {}
    exec(net.derivation(to="python"), names)
    return names


def central(cost, params, X, Y):
    """The gradient by central differences."""
    return np.array([cost(params + row, X, Y) - cost(params - row, X, Y) for row in 1e-6 * np.eye(len(params))]) / 2e-6


# -- python ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("net", [*SHAPES, own_network()], ids=ids)
def test_python_is_the_gradient(net):
    """By the kernel to 1e-12, and by central differences of its own cost."""
    X, Y, params = random_problem(net, 6)
    module = module_of(net)
    ours = module["gradient"](params, X, Y)
    np.testing.assert_allclose(ours, net.gradient(params, X, Y), rtol=1e-12, atol=1e-12)
    assert module["cost"](params, X, Y) == pytest.approx(net.cost(params, X, Y), rel=1e-12)
    np.testing.assert_allclose(ours, central(module["cost"], params, X, Y), atol=1e-7)
    assert ("layerwise_gradient" in module) == (net.loss == "squared_error")
    if net.loss == "squared_error":
        layerwise = module["layerwise_gradient"](params, X, Y)
        np.testing.assert_allclose(layerwise, net.gradient(params, X, Y, method="layerwise"), rtol=1e-12, atol=1e-12)


def test_python_by_every_activation_and_loss():
    count = 0
    for net in networks("float64"):
        X, Y, params = problem_of(net)
        ours = module_of(net)["gradient"](params, X, Y)
        np.testing.assert_allclose(ours, oracle.gradient(net, params, X, Y), rtol=1e-10, atol=1e-12, err_msg=str(net))
        np.testing.assert_allclose(ours, net.gradient(params, X, Y), rtol=1e-12, atol=1e-12, err_msg=str(net))
        count += 1
    assert count > 200


def test_python_of_layers_of_a_chain():
    """Each layer's gradient is 2^(m-l) times the exact one."""
    net = fastgd.MLP(1, 1, 1, 1, 1)
    X, Y, params = random_problem(net, 5)
    module = module_of(net)
    factors = np.repeat([8.0, 4.0, 2.0, 1.0], 2)
    np.testing.assert_allclose(module["layerwise_gradient"](params, X, Y), factors * module["gradient"](params, X, Y), rtol=1e-12)


def test_python_takes_columns_and_refuses_others():
    module = module_of(fastgd.MLP(1, 2, 1))
    params, x, y = np.linspace(-1, 1, 7), np.linspace(0, 1, 4), np.linspace(1, 2, 4)
    one, other = module["gradient"](params, x, y), module["gradient"](params, x[:, None], y[:, None])
    np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="unpack"):
        module["gradient"](params[:-1], x, y)
    with pytest.raises(ValueError, match="unpack"):
        module["gradient"](params, np.ones((4, 2)), y)


# -- sympy -----------------------------------------------------------------------------------------


def confirmed(text):
    """What the text says of itself after all steps are confirmed."""
    names = {"__name__": "derivation"}
    exec(text, names)
    return names


def nets_for_sympy():
    """Small ones of every activation and of every loss."""
    yield from (SHAPES[0], SHAPES[1], SHAPES[2], SHAPES[4], own_network())
    yield fastgd.MLP(1, 1, 2, activation="tanh", output="softmax")
    yield fastgd.MLP(1, 2, 2, activation="relu", output="softmax", loss="cross_entropy(0.1)")
    for name in ACTIVATIONS:
        if name != "softmax":
            yield fastgd.MLP(1, 1, 1, activation=name, output="identity")
    for name, loss in LOSSES.items():
        if not loss.whole_layer:
            outputs, activation = 1 + loss.of_pairs, "tanh" if loss.output is None else loss.output.name
            yield fastgd.MLP(1, outputs, activation=activation, loss=name)


def test_sympy_confirms_each_step():
    """All but those that define something."""
    pytest.importorskip("sympy")
    for net in nets_for_sympy():
        names = confirmed(net.derivation(to="sympy"))
        confirmed_lines = {*names["exact"], *names["numeric"]}
        said = {each.number for each in derived(net).equations if each.left is None}
        assert said <= confirmed_lines, net
        assert names["exact"], net


@pytest.mark.parametrize(
    ("step", "spoilt"),
    [
        ("delta2_0 * a1_1", "delta2_0 * a1_0"),  # the gradient of another weight
        ("fma(-a, a, a)", "fma(-a, a, 1)"),  # the derivative of another function
        ("2 * partial(C, w1_0_1)", "4 * partial(C, w1_0_1)"),  # what a layer's own cost is to the whole
        ("w2_0_1 * delta2_0", "w2_0_0 * delta2_0"),  # 004 with its indices transposed
        ("layerwise_da1_0 * 2 * ", "layerwise_da1_0 * "),  # 001 (1.7.3) without a factor
        ("partial(loss, a2_0) * partial(a2_0, b2_0)", "partial(loss, a2_0) * partial(a2_0, w2_0_0)"),  # the chain rule
    ],
)
def test_sympy_finds_a_step_that_is_spoilt(step, spoilt):
    pytest.importorskip("sympy")
    text = fastgd.MLP(2, 2, 1).derivation(to="sympy")
    assert step in text
    with pytest.raises(AssertionError, match=r"^\(\d+\): "):
        confirmed(text.replace(step, spoilt, 1))


def own_activation(name):
    """z and a function of numbers together."""
    of = getattr(numeric, name)
    written = {
        "fma": lambda z: of(z, 2, z),
        "where": lambda z: of((z < 1) & ~(z <= 0) | (z == 3), z, 2 * z),
        "maximum": lambda z: of(z, 0.5 * z),
        "minimum": lambda z: of(z, 0.5 * z),
        "log": lambda z: z + of(z * z + 1),
        "log1p": lambda z: z + of(z * z),
        "sqrt": lambda z: z + of(z * z + 1),
    }
    return fastgd.Activation(written.get(name, lambda z: z + of(z)), name=f"mine_{name}")


def test_every_function_of_numbers_is_known():
    for name in numeric.__all__:
        net = fastgd.MLP(1, 1, activation=own_activation(name))
        X, Y, params = random_problem(net, 6)
        module = module_of(net)
        np.testing.assert_allclose(module["gradient"](params, X, Y), central(module["cost"], params, X, Y), atol=1e-7, err_msg=name)
        if importlib.util.find_spec("sympy"):
            confirmed(net.derivation(to="sympy"))


# -- c ---------------------------------------------------------------------------------------------


def in_c(net, folder, compiler, X, Y, params):
    """What each function of the text in C returns."""
    text = net.derivation(to="c")
    (folder / "network.c").write_text(text, encoding="utf-8")
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, "-o", folder / "network.so", folder / "network.c", "-lm"], check=True)
    library = ctypes.CDLL(str(folder / "network.so"))
    library.cost.restype = ctypes.c_double
    arrays = [np.ascontiguousarray(each, float) for each in (params, X, Y)]
    taken = [*(ctypes.c_void_p(each.ctypes.data) for each in arrays), ctypes.c_size_t(len(X))]
    found = {"cost": library.cost(*taken)}
    for name in ("gradient", "layerwise_gradient"):
        if f"void {name}(" in text:
            result = np.full(len(params), -7.0)
            getattr(library, name)(*taken, ctypes.c_void_p(result.ctypes.data))
            found[name] = result
    return found


def nets_in_c():
    """Each activation and each loss once, and each shape."""
    yield from (*SHAPES, own_network())
    yield from (fastgd.MLP(2, 3, 2, activation=name) for name in ACTIVATIONS if name != "softmax")
    for name, loss in LOSSES.items():
        output = "tanh" if loss.output is None else loss.output.name
        yield fastgd.MLP(2, 3, 2, activation="tanh", output=output, loss=name)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_c_is_the_gradient(compiler, tmp_path):
    """To 1e-12, without a warning."""
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler}")
    for i, net in enumerate(nets_in_c() if compiler == "gcc" else SHAPES):
        X, Y, params = problem_of(net)
        folder = tmp_path / str(i)
        folder.mkdir()
        found = in_c(net, folder, compiler, X, Y, params)
        assert found["cost"] == pytest.approx(net.cost(params, X, Y), rel=1e-12)
        np.testing.assert_allclose(found["gradient"], net.gradient(params, X, Y), rtol=1e-12, atol=1e-12, err_msg=str(net))
        assert ("layerwise_gradient" in found) == (net.loss == "squared_error")
        if net.loss == "squared_error":
            expected = net.gradient(params, X, Y, method="layerwise")
            np.testing.assert_allclose(found["layerwise_gradient"], expected, rtol=1e-12, atol=1e-12)
