"""Networks from PyTorch and scikit-learn, and to PyTorch: the same bits, and what they predict."""

import copy
import os
import pickle
import re
import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from conftest import assert_refused
from exported_networks import CLASSES, networks, table_of_classes, table_of_values
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import fastgd
import fastgd.sklearn
from fastgd.from_others import Imported

X = np.random.default_rng(3).normal(size=(25, 3))


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="no PyTorch")


def run_of(net, params):
    return fastgd.train(net, np.zeros((1, net.widths[0])), np.full((1, net.widths[-1]), 1 / net.widths[-1]), 0, params=params)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_200_networks_to_torch_and_back(torch, dtype):
    rng = np.random.default_rng(0)
    for net, params in networks(dtype):
        rows = rng.normal(size=(20, net.widths[0])).astype(dtype)
        sequential = run_of(net, params).to_torch()
        with torch.no_grad():
            outputs = sequential(torch.from_numpy(rows)).numpy()
        expected = net.predict(params, rows)
        assert outputs.dtype == dtype
        bound = 1e-6 if dtype == "float32" else 1e-7  # which softplus of more than 20 takes as linear
        assert np.max(np.abs(outputs - expected)) <= bound * max(1, np.max(np.abs(expected))), net
        again, same = fastgd.from_torch(sequential)
        assert (again.widths, again.activations, again.bias, again.dtype) == (net.widths, net.activations, net.bias, net.dtype)
        assert again.layers == net.layers
        np.testing.assert_array_equal(same, params)


def test_from_torch(torch):
    """A Sequential with one inside, modules that do nothing, biases here and there."""
    nn = torch.nn
    inner = nn.Sequential(nn.Linear(4, 5, bias=False), nn.Dropout(0.3), nn.LeakyReLU(0.2))
    sequential = nn.Sequential(nn.Linear(3, 4), nn.Identity(), nn.ELU(0.5), inner, nn.Linear(5, 2), nn.Softmax(dim=1)).eval()
    net, params = imported = fastgd.from_torch(sequential)
    assert (net.widths, net.activations) == ((3, 4, 5, 2), ("elu(0.5)", "leaky_relu(0.2)", "softmax"))
    assert (net.loss, net.dtype) == ("cross_entropy", "float32")
    for linear, (W, b) in zip([sequential[0], inner[0], sequential[4]], net.unpack(params), strict=True):
        np.testing.assert_array_equal(W, linear.weight.detach().numpy())
        np.testing.assert_array_equal(b, 0 if linear.bias is None else linear.bias.detach().numpy())
    with torch.no_grad():
        expected = sequential(torch.from_numpy(X.astype("float32"))).numpy()
    np.testing.assert_allclose(imported.predict(X), expected, atol=1e-6)
    assert fastgd.from_torch(nn.Sequential(nn.Linear(2, 2)), loss="huber").net.loss == "huber"


def test_a_module_that_stands_twice_is_there_twice(torch):
    nn = torch.nn
    relu, linear = nn.ReLU(), nn.Linear(3, 3)
    sequential = nn.Sequential(linear, relu, linear, relu, nn.Linear(3, 1))
    imported = fastgd.from_torch(sequential)
    assert (imported.net.widths, imported.net.activations) == ((3, 3, 3, 1), ("relu", "relu", "identity"))
    with torch.no_grad():
        expected = sequential(torch.from_numpy(X.astype("float32"))).numpy()
    np.testing.assert_allclose(imported.predict(X), expected, atol=1e-6)


def test_modules_pickle_and_draw_nothing(torch):
    net, params = networks("float64")[11]
    state = torch.get_rng_state()
    sequential = run_of(net, params).to_torch()
    assert torch.equal(torch.get_rng_state(), state)
    rows = torch.zeros(2, net.widths[0], dtype=torch.float64)
    for again in (copy.deepcopy(sequential), pickle.loads(pickle.dumps(sequential))):
        assert torch.equal(again(rows), sequential(rows))


def test_gradients_go_through(torch):
    """Of each activation, which modules of our own compute."""
    for name in ("sin", "gaussian", "elliot", "snake(2)", "square"):
        net = fastgd.MLP(3, 4, 2, activation=name)
        params = net.init(rng=0)
        rows = torch.from_numpy(X[:1].copy()).requires_grad_()
        sequential = run_of(net, params).to_torch()
        ours = net.input_gradient(params, X[:1])[0]
        for i in range(2):
            (theirs,) = torch.autograd.grad(sequential(rows)[0, i], rows)
            np.testing.assert_allclose(ours[i], theirs[0].numpy(), rtol=1e-9)


@pytest.mark.parametrize("kind", ["values", *CLASSES])
def test_units_of_a_table(torch, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run, columns, table = table_of_values("float32") if kind == "values" else table_of_classes(kind)
    rows = np.column_stack([columns.numbers(name) for name in table.inputs])
    expected = run.predict(table.encode(columns))
    expected = table.decode(expected) if kind == "values" else expected
    sequential = run.to_torch()
    with torch.no_grad():
        outputs = sequential(torch.from_numpy(rows)).numpy()
    np.testing.assert_allclose(outputs, expected, rtol=1e-5 if kind == "values" else 1e-12)
    net, params = imported = fastgd.from_torch(sequential)
    assert net.layers == run.net.layers
    np.testing.assert_array_equal(params, run.params)
    np.testing.assert_array_equal(imported.input_scaling, (table.input_shift, table.input_scale))
    if kind == "values":
        np.testing.assert_array_equal(imported.target_scaling, (table.target_shift, table.target_scale))
    else:
        assert imported.target_scaling is None
    for again in (imported, pickle.loads(pickle.dumps(imported)), copy.deepcopy(imported)):
        np.testing.assert_allclose(again.predict(rows), outputs, rtol=1e-6 if kind == "values" else 1e-12)


def test_rows_in_units_of_their_own_are_checked():
    net = fastgd.MLP(2, 1)
    imported = Imported(net, net.init(0), (np.array([1.0, 2.0]), np.array([3.0, 4.0])))
    for rows, error, words in [
        (np.zeros((5, 1)), ValueError, ["X must have shape (n, 2)", "(5, 1)"]),  # which NumPy would spread over both columns
        ([["a", "b"]], TypeError, ["X must be an array of real numbers"]),
        ([[0.0, np.nan]], ValueError, ["X must be finite", "nan at index 0, 1"]),
    ]:
        assert_refused(lambda rows=rows: imported.predict(rows), error, words)


def test_scaling_elsewhere_is_refused(torch, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, *inner, last = table_of_values("float64")[0].to_torch()
    for modules, words in [
        ([*inner, first, last], ["module 3", "first", "scale back"]),
        ([first, last, *inner], ["module 2", "what scales back"]),
        ([first, first, *inner], ["module 1", "first"]),
    ]:
        assert_refused(lambda modules=modules: fastgd.from_torch(torch.nn.Sequential(*modules)), ValueError, ["sequential", *words])


def test_what_is_no_such_sequential_is_refused(torch):
    nn = torch.nn
    linear = nn.Linear(2, 2)
    for given, words in [
        (nn.Sequential(linear, nn.GLU()), ["module 1", "GLU", "LeakyReLU"]),
        (nn.Sequential(linear, nn.Sequential(nn.Tanh(), nn.PReLU())), ["module 1.1", "PReLU"]),
        (nn.Sequential(nn.Tanh(), linear), ["module 0", "Linear", "Tanh"]),
        (nn.Sequential(linear, nn.Tanh(), nn.Tanh()), ["module 2", "Linear", "Tanh"]),
        (nn.Sequential(linear, nn.Hardtanh(0, 6)), ["module 1", "Hardtanh"]),
        (nn.Sequential(linear, nn.Softmax(dim=0)), ["module 1", "Softmax"]),
        (nn.Sequential(linear, nn.Softplus(1, 2)), ["module 1", "Softplus"]),
        (nn.Sequential(), ["Linear", "none"]),
        (nn.Sequential(linear, nn.Linear(2, 2, dtype=torch.bfloat16)), ["module 1", "float32", "torch.bfloat16"]),
    ]:
        assert_refused(lambda given=given: fastgd.from_torch(given), ValueError, ["sequential", *words])
    assert_refused(lambda: fastgd.from_torch(linear), TypeError, ["sequential", "torch.nn.Sequential"])


def test_what_is_no_module_is_refused():
    assert_refused(lambda: fastgd.from_torch([1, 2]), TypeError, ["sequential", "torch.nn.Sequential", "[1, 2]"])


def test_without_torch_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "fastgd.export.torch_modules", raising=False)
    run = run_of(fastgd.MLP(2, 1), np.zeros(3))
    assert_refused(run.to_torch, ImportError, ["pip install 'fastgd[torch]'"])


# -- Keras ---------------------------------------------------------------------------------------------------------------------------------

_OF_KERAS = """
import keras, numpy as np, fastgd

keras.utils.set_random_seed(3)
dense = keras.layers.Dense
model = keras.Sequential([keras.Input((3,)), dense(5, "tanh", bias_initializer="normal"), dense(2, "softmax", bias_initializer="normal")])
net = fastgd.MLP(3, 5, 2, activation="tanh", output="softmax", loss="cross_entropy", dtype="float32")
{lines}
X = np.random.default_rng(3).normal(size=(25, 3)).astype("float32")
for (W, b), given in zip(net.unpack(params), np.array_split(np.array(model.get_weights(), object), 2), strict=True):
    assert np.array_equal(W.T, given[0]) and np.array_equal(b, given[1]) and b.any()
assert np.abs(net.predict(params, X) - model.predict(X, verbose=0)).max() < 1e-6
"""


def test_weights_of_keras_by_the_documented_lines():
    """In a process of its own, where other libraries may warn."""
    backend = next((each for each in ("jax", "torch", "tensorflow") if find_spec(each)), None)
    if find_spec("keras") is None or backend is None:
        pytest.skip("no Keras with a backend")
    text = (Path(__file__).parents[1] / "docs" / "do" / "elsewhere.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"needs a model of Keras -->\n```python\n(.*?)```", text, re.DOTALL)
    place = os.environ | {"KERAS_BACKEND": backend, "PYTHONWARNINGS": "ignore"}
    subprocess.run([sys.executable, "-c", _OF_KERAS.format(lines=lines)], env=place, check=True)


# -- scikit-learn --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore", category=ConvergenceWarning)
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("outputs", ["values", "two classes", "three classes", "labels"])
def test_from_sklearn(activation, outputs):
    settings = {"hidden_layer_sizes": (5, 4), "activation": activation, "max_iter": 3, "random_state": 0}
    if outputs == "values":
        theirs = MLPRegressor(**settings).fit(X, X[:, :2])
        expected = theirs.predict(X)
    else:
        rows, y = make_classification(25, 3, n_informative=3, n_redundant=0, n_classes=2, random_state=0)
        y = {"two classes": y, "three classes": np.arange(25) % 3, "labels": np.column_stack([y, np.arange(25) % 2])}[outputs]
        theirs = MLPClassifier(**settings).fit(rows, y)
        expected = theirs.predict_proba(X)
        expected = expected[:, 1:] if outputs == "two classes" else expected
    net, params = imported = fastgd.from_sklearn(theirs)
    for (W, b), coef, intercept in zip(net.unpack(params), theirs.coefs_, theirs.intercepts_, strict=True):
        np.testing.assert_array_equal(W, coef.T)
        np.testing.assert_array_equal(b, intercept)
    np.testing.assert_allclose(imported.predict(X), expected.reshape(len(X), -1), rtol=1e-12, atol=1e-15)
    losses = {"values": "squared_error", "three classes": "cross_entropy"}
    assert net.loss == losses.get(outputs, "binary_cross_entropy")


@pytest.mark.filterwarnings("ignore", category=ConvergenceWarning)
@pytest.mark.parametrize("scaler", [StandardScaler(), StandardScaler(with_mean=False), StandardScaler(with_std=False)], ids=str)
def test_from_a_pipeline(scaler):
    rows = 100 + 5 * X
    mlp = MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, random_state=0)
    pipeline = make_pipeline(scaler, mlp).fit(rows, X[:, 0])
    imported = fastgd.from_sklearn(pipeline)
    np.testing.assert_allclose(imported.predict(rows)[:, 0], pipeline.predict(rows), rtol=1e-12)
    for given, words in [
        (make_pipeline(MinMaxScaler(), mlp), ["StandardScaler", "got MinMaxScaler, MLPRegressor"]),
        (make_pipeline(StandardScaler(), MLPRegressor()), ["fitted", "StandardScaler()"]),
    ]:
        assert_refused(lambda given=given: fastgd.from_sklearn(given), ValueError, ["mlp", *words])


def test_from_estimators_of_our_own():
    settings = {"hidden_layer_sizes": (5, 4), "activation": ["silu", "logistic"], "max_iter": 3, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        ours = fastgd.sklearn.MLPRegressor(**settings).fit(X, X[:, 0])
    imported = fastgd.from_sklearn(ours)
    assert imported.net.activations == ("silu", "sigmoid", "identity")
    np.testing.assert_allclose(imported.predict(X)[:, 0], ours.predict(X), rtol=1e-12)


@pytest.mark.filterwarnings("ignore", category=ConvergenceWarning)
def test_losses_of_estimators():
    own = fastgd.Loss(lambda a, y: (a - y) ** 4, name="quartic")
    for loss in ("poisson", "huber(0.5)", own):
        ours = fastgd.sklearn.MLPRegressor(loss, (3,), max_iter=2, random_state=0).fit(X, np.abs(X[:, 0]))
        assert fastgd.from_sklearn(ours).net.layers == ours.run_.net.layers
        assert fastgd.from_sklearn(ours).net.loss_function == ours.run_.net.loss_function
    theirs = MLPRegressor("poisson", hidden_layer_sizes=(3,), max_iter=2, random_state=0).fit(X, np.abs(X[:, 0]))
    assert fastgd.from_sklearn(theirs).net.loss == "poisson"


@pytest.mark.filterwarnings("ignore", category=ConvergenceWarning)
def test_several_members_are_refused():
    ours = fastgd.sklearn.MLPRegressor(hidden_layer_sizes=(3,), max_iter=2, n_members=3, random_state=0).fit(X, X[:, 0])
    assert_refused(lambda: fastgd.from_sklearn(ours), ValueError, ["mlp", "3 members", "runs_"])


def test_what_is_no_fitted_mlp_is_refused():
    assert_refused(lambda: fastgd.from_sklearn(3), TypeError, ["mlp", "MLPClassifier", "3"])
    assert_refused(lambda: fastgd.from_sklearn(MLPRegressor()), ValueError, ["mlp", "fitted", "MLPRegressor()"])
