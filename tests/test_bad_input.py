"""Bad input is refused before anything is compiled: the argument by name, what came, what was expected."""

from fractions import Fraction

import numpy as np
import pytest
from conftest import assert_refused

import fastgd
from fastgd import names, optimizers
from fastgd.activations import ACTIVATIONS
from fastgd.losses import LOSSES

pytestmark = pytest.mark.usefixtures("no_compiled_code")

NET = fastgd.MLP(2, 3, 1)
X, Y = fastgd.data.gate("xor")
PARAMS = np.zeros(NET.n_params)
NAN = [[0, 0], [1, np.nan], [0, 1], [1, 1]]
HUGE = 2**32
CLASSES = fastgd.MLP(2, 3, 2, output="softmax", loss="cross_entropy")


def train(net=NET, X=X, Y=Y, epochs=1, learning_rate=0.1, **options):
    return fastgd.train(net, X, Y, epochs, learning_rate, **options)


def mlp(*widths, **options):
    return fastgd.MLP(*(widths or (2, 1)), **options)


def many(net=NET, X=X, Y=Y, epochs=1, **options):
    return fastgd.train_many(net, X, Y, epochs, members=2, **options)


V, T = ValueError, TypeError
ARRAYS = [np.zeros((3, 2)), np.zeros(3), np.zeros((1, 3)), np.zeros(1)]
PAIRS = [(ARRAYS[0], ARRAYS[1]), (ARRAYS[2], ARRAYS[3])]
RUN = fastgd.Run(NET, PARAMS, 0.0, 0, 0.0, "matrix", 0, "epochs", fastgd.History(np.array([0]), np.zeros(1)), {})

NETWORKS = [
    (lambda: fastgd.MLP(), V, ["widths", "two", "()"]),
    (lambda: mlp(3), V, ["widths", "two", "(3,)"]),
    (lambda: mlp(2, 0), V, ["widths[1]", "at least 1", "0"]),
    (lambda: mlp(-2, 1), V, ["widths[0]", "at least 1", "-2"]),
    (lambda: mlp(2, 2.5, 1), V, ["widths[1]", "whole", "2.5"]),
    (lambda: mlp(2, np.nan), V, ["widths[1]", "whole", "nan"]),
    (lambda: mlp(2, np.inf), V, ["widths[1]", "whole", "inf"]),
    (lambda: mlp("2", 1), T, ["widths[0]", "whole", "'2'"]),
    (lambda: mlp(True, 1), T, ["widths[0]", "whole", "True"]),
    (lambda: mlp([2, 3, 1]), V, ["widths", "[2, 3, 1]", "MLP(2, 3, 1)", "MLP(*widths)"]),
    (lambda: mlp((2, 3, 1)), V, ["widths", "(2, 3, 1)", "MLP(2, 3, 1)", "MLP(*widths)"]),
    (lambda: mlp(np.array([2, 3, 1])), V, ["widths", "MLP(2, 3, 1)", "MLP(*widths)"]),
    (lambda: mlp(range(1, 4)), V, ["widths", "range(1, 4)", "MLP(1, 2, 3)"]),
    (lambda: mlp([2, 3], 1), T, ["widths[0]", "whole", "[2, 3]", "MLP(2, 3, 1)"]),
    (lambda: mlp(4, (8, 8), 3), T, ["widths[1]", "whole", "(8, 8)", "MLP(4, 8, 8, 3)"]),
    (lambda: mlp([]), V, ["widths", "two", "[]"]),
    (lambda: mlp("2-3-1"), V, ["widths", "two", "MLP(2, 2, 1)", "'2-3-1'"]),
    (lambda: mlp(2, None), T, ["widths[1]", "None"]),
    (lambda: mlp(Fraction(5, 2), 1), T, ["widths[0]", "whole"]),
    (lambda: mlp(HUGE, HUGE), V, ["widths", "2**32", str(HUGE)]),
    (lambda: mlp(10**30, 1), V, ["widths", "2**32"]),
    (lambda: mlp(activation="swish"), V, ["activation", "'swish'", *ACTIVATIONS]),
    (lambda: mlp(activation="Sigmoid"), V, ["activation", "'Sigmoid'", "sigmoid"]),
    (lambda: mlp(activation=["swish"]), V, ["activation", "'swish'", *ACTIVATIONS]),
    (lambda: mlp(activation=None), T, ["activation", "None"]),
    (lambda: mlp(activation=[1]), T, ["activation", "1", "sigmoid"]),
    (lambda: mlp(activation=["relu", "relu"]), V, ["activation", "1", "2"]),
    (lambda: mlp(2, 3, 1, activation=[]), V, ["activation", "2", "0"]),
    (lambda: mlp(output="swish"), V, ["output", "'swish'", *ACTIVATIONS]),
    (lambda: mlp(output=3), T, ["output", "3"]),
    (lambda: mlp(loss="mse"), V, ["loss", "'mse'", *LOSSES]),
    (lambda: mlp(loss=None), T, ["loss", "None"]),
    (lambda: mlp(dtype="float16"), V, ["dtype", "'float16'", *names.DTYPES]),
    (lambda: mlp(dtype=int), V, ["dtype", "int", *names.DTYPES]),
    (lambda: mlp(dtype=None), T, ["dtype", "None"]),
    (lambda: mlp(bias="yes"), T, ["bias", "'yes'"]),
    (lambda: mlp(2, 3, 1, activation="softmax"), V, ["softmax", "output", "layer 1"]),
    (lambda: mlp(2, 3, 1, activation=["softmax", "relu"]), V, ["softmax", "output"]),
    (lambda: mlp(2, 2, loss="cross_entropy"), V, ["cross_entropy", "softmax", "sigmoid"]),
    (lambda: mlp(2, 2, activation="tanh", loss="binary_cross_entropy"), V, ["binary_cross_entropy", "sigmoid", "tanh"]),
]

PARAMETERS = [
    (lambda: NET.init(scheme="xavier"), V, ["scheme", "'xavier'", *names.SCHEMES]),
    (lambda: NET.init(scheme=None), T, ["scheme", "None"]),
    (lambda: NET.init(rng="0"), T, ["rng", "'0'", "Generator"]),
    (lambda: NET.init(rng=0.5), T, ["rng", "0.5", "Generator"]),
    (lambda: NET.init(rng=True), T, ["rng", "True"]),
    (lambda: NET.init(rng=-1), V, ["rng", "-1"]),
    (lambda: NET.init(rng=2**64), V, ["rng", str(2**64)]),
    (lambda: NET.init(rng=np.random.RandomState(0)), T, ["rng", "Generator"]),
    (lambda: NET.unpack(np.zeros(12)), V, ["params", "(13,)", "(12,)"]),
    (lambda: NET.unpack(np.zeros((13, 1))), V, ["params", "(13,)", "(13, 1)"]),
    (lambda: NET.unpack(0.0), V, ["params", "(13,)", "()"]),
    (lambda: NET.predict(PARAMS * np.nan, X), V, ["params", "finite", "nan"]),
    (lambda: NET.cost(PARAMS + np.inf, X, Y), V, ["params", "finite", "inf"]),
    (lambda: NET.gradient(PARAMS.astype(complex), X, Y), T, ["params", "real", "complex"]),
    (lambda: NET.gradient(["a"] * 13, X, Y), T, ["params", "real", "U1"]),
    (lambda: NET.predict(None, X), T, ["params", "real", "object"]),
    (lambda: fastgd.MLP(2, 3, 1, dtype="float32").unpack(np.full(13, 1e300)), V, ["params", "float32", "1e+300"]),
    (lambda: NET.pack([]), V, ["layers", "2", "0"]),
    (lambda: NET.pack([(np.zeros((3, 2)), np.zeros(3))]), V, ["layers", "2", "1"]),
    (lambda: NET.pack([(np.zeros((2, 3)), np.zeros(3)), (np.zeros((1, 3)), [0])]), V, ["W of layers[0]", "(3, 2)", "(2, 3)"]),
    (lambda: NET.pack([(np.zeros((3, 2)), np.zeros(3)), (np.zeros(3), [0])]), V, ["W of layers[1]", "(1, 3)", "(3,)"]),
    (lambda: NET.pack([(np.zeros((3, 2)), np.zeros(2)), (np.zeros((1, 3)), [0])]), V, ["b of layers[0]", "(3,)", "(2,)"]),
    (lambda: NET.pack([(np.zeros((3, 2)), np.zeros((3, 1))), (np.zeros((1, 3)), [0])]), V, ["b of layers[0]", "(3,)", "(3, 1)"]),
    (lambda: NET.pack([(np.zeros((3, 2)), [np.nan] * 3), (np.zeros((1, 3)), [0])]), V, ["b of layers[0]", "finite", "nan"]),
    (lambda: NET.pack([np.zeros((3, 2)), np.zeros((1, 3))]), V, ["layers[0]", "(W, b)"]),
    (lambda: NET.pack([(np.zeros((3, 2)) * 1j, None), (np.zeros((1, 3)), [0])]), T, ["W of layers[0]", "complex"]),
    (lambda: fastgd.MLP(1, 1, bias=False).pack([([[1]], [0])]), V, ["b of layers[0]", "None"]),
    (lambda: NET.pack(dict(zip("abcd", ARRAYS, strict=True))), T, ["layers", "'a'", "[(W, b), ...]"]),
    (lambda: NET.pack(zip(ARRAYS[::2], ARRAYS[1::2], strict=True)), T, ["layers", "zip", "list(...)"]),
    (lambda: NET.pack(ARRAYS), V, ["layers", "2 pairs", "4", "list(zip(layers[::2], layers[1::2]))"]),
    (lambda: NET.pack(ARRAYS[::2]), V, ["layers[0]", "pair", "ndarray", "list(zip("]),
    (lambda: NET.pack([(ARRAYS[0].T, ARRAYS[1]), (ARRAYS[2].T, ARRAYS[3])]), V, ["W of layers[0]", "(3, 2)", "(2, 3)", "W.T"]),
    (lambda: NET.pack(np.eye(3)), T, ["layers", "shape (3, 3)"]),
    (lambda: NET.predict(ARRAYS, X), V, ["params", "(13,)", "list of 4", "net.pack([(W, b), ...])", "(outputs, inputs)"]),
    (lambda: train(params=ARRAYS), V, ["params", "list of 4", "net.pack([(W, b), ...])"]),
    (lambda: train(params=PAIRS), V, ["params", "list of 2", "net.pack([(W, b), ...])"]),
    (lambda: train(params=ARRAYS[::2]), V, ["params", "list of 2", "net.pack([(W, b), ...])"]),  # coefs_ of scikit-learn
    (lambda: train(params=dict(zip("abcd", ARRAYS, strict=True))), T, ["params", "dict of 4", "net.pack([(W, b), ...])"]),  # a state dict
    (lambda: many(params=ARRAYS), V, ["params", "(13,) or (2, 13)", "list of 4", "net.pack([(W, b), ...])"]),
    (lambda: NET.cost(NET, X, Y), T, ["params", "MLP(2, 3, 1", "net.init(rng)"]),
    (lambda: train(params=NET), T, ["params", "MLP(2, 3, 1", "net.init(rng)"]),
    (lambda: NET.predict(RUN, X), T, ["params", "Run(", "run.params"]),
    (lambda: many(params=RUN), T, ["params", "Run(", "run.params"]),
    (lambda: NET.predict(X, PARAMS), V, ["params", "(13,)", "(4, 2)", "params come before X"]),
    (lambda: NET.pack(None), T, ["layers", "None"]),
    (lambda: NET.pack(3), T, ["layers", "3"]),
]

DATA = [  # (X, Y, error, words)
    (X[:, :1], Y, V, ["X", "(n, 2)", "(4, 1)"]),
    (X[:, 0], Y, V, ["X", "(n, 2)", "(4,)"]),
    (X[None], Y, V, ["X", "(n, 2)", "(1, 4, 2)"]),
    (3.0, Y, V, ["X", "(n, 2)", "()"]),
    (X, np.zeros((4, 2)), V, ["Y", "(n, 1)", "(4, 2)"]),
    (X, np.zeros((4, 1, 1)), V, ["Y", "(n, 1)", "(4, 1, 1)"]),
    (X[:3], Y, V, ["X", "Y", "3", "4"]),
    (X, Y[:3], V, ["X", "Y", "4", "3"]),
    (np.zeros((0, 2)), np.zeros((0, 1)), V, ["X", "at least one row", "(0, 2)"]),
    (X, np.zeros(0), V, ["Y", "at least one row", "(0,)"]),
    ([], [], V, ["X", "(0,)"]),
    (NAN, Y, V, ["X", "finite", "nan", "1, 1"]),
    (X, [0, np.inf, 0, 0], V, ["Y", "finite", "inf", "1"]),
    (X, [[-np.inf]] * 4, V, ["Y", "finite", "-inf", "0, 0"]),
    (X + 1j, Y, T, ["X", "real", "complex128"]),
    (X, Y.astype(str), T, ["Y", "real", "<U"]),
    (X.astype(object), Y, T, ["X", "real", "object"]),
    ("data.csv", Y, T, ["X", "real"]),
    (None, Y, T, ["X", "real", "object"]),
    (X, None, T, ["Y", "real", "object"]),
    (X.astype("datetime64[s]"), Y, T, ["X", "real", "datetime64"]),
    ([[0, 0], [1], [0, 1], [1, 1]], Y, V, ["X", "different lengths"]),
    (X, [[0], [1, 2], [0], [1]], V, ["Y", "different lengths"]),
]


@pytest.mark.parametrize(("call", "error", "words"), NETWORKS)
def test_networks(call, error, words):
    assert_refused(call, error, words)


@pytest.mark.parametrize(("call", "error", "words"), PARAMETERS)
def test_parameters(call, error, words):
    assert_refused(call, error, words)


@pytest.mark.parametrize(("X", "Y", "error", "words"), DATA)
@pytest.mark.parametrize("use", ["train", "cost", "gradient", "layer_costs", "cost_and_gradient"])
def test_data(use, X, Y, error, words):
    assert_refused((lambda: train(X=X, Y=Y)) if use == "train" else (lambda: getattr(NET, use)(PARAMS, X, Y)), error, words)


@pytest.mark.parametrize(
    ("X", "error", "words"), [(x, error, words) for x, y, error, words in DATA if words[0] == "X" and "Y" not in words]
)
def test_data_to_predict(X, error, words):
    assert_refused(lambda: NET.predict(PARAMS, X), error, words)


TRAINING = [
    (lambda: train(net="MLP"), T, ["net", "MLP", "'MLP'"]),
    (lambda: train(net=(2, 2, 1)), T, ["net", "(2, 2, 1)"]),
    (lambda: train(X, Y, NET), T, ["net", "shape (4, 2)", "train(net, X, Y, epochs)"]),
    (lambda: many(X, Y, NET), T, ["net", "shape (4, 2)", "train_many(net, X, Y, epochs)"]),
    (lambda: train(fastgd.MLP), T, ["net", "MLP", "train(net, X, Y, epochs)"]),
    (lambda: train(RUN), T, ["net", "Run(", "train(run.net, X, Y, epochs, params=run)"]),
    (lambda: many(RUN), T, ["net", "Run(", "run.net", "params=run"]),
    (lambda: train(epochs=X), T, ["epochs", "whole", "shape (4, 2)"]),
    (lambda: train(shuffle=X), T, ["shuffle", "True or False", "shape (4, 2)"]),
    (lambda: train(rng=X), T, ["rng", "Generator", "shape (4, 2)"]),
    (lambda: train(callback=X), T, ["callback", "function", "shape (4, 2)"]),
    (lambda: train(progress=X), T, ["progress", "True", "shape (4, 2)"]),
    (lambda: train(optimizer=X), T, ["optimizer", "adam", "shape (4, 2)"]),
    (lambda: train(method=X), T, ["method", "backprop", "shape (4, 2)"]),
    (lambda: train(checkpoint=X), T, ["checkpoint", "path", "shape (4, 2)"]),
    (lambda: many(client=X), T, ["client", "Client", "shape (4, 2)"]),
    (lambda: train(epochs=-1), V, ["epochs", "whole", "-1"]),
    (lambda: train(epochs=2.5), V, ["epochs", "whole", "2.5"]),
    (lambda: train(epochs=np.nan), V, ["epochs", "whole", "nan"]),
    (lambda: train(epochs=np.inf), V, ["epochs", "whole", "inf"]),
    (lambda: train(epochs="10"), T, ["epochs", "whole", "'10'"]),
    (lambda: train(epochs=None), T, ["epochs", "None"]),
    (lambda: train(epochs=True), T, ["epochs", "True"]),
    (lambda: train(epochs=2**63), V, ["epochs", str(2**63)]),
    (lambda: train(learning_rate=np.nan), V, ["learning_rate", "finite", "nan"]),
    (lambda: train(learning_rate=-np.inf), V, ["learning_rate", "finite", "-inf"]),
    (lambda: train(learning_rate="0.1"), T, ["learning_rate", "number", "'0.1'"]),
    (lambda: train(learning_rate=None), T, ["learning_rate", "number", "None"]),
    (lambda: train(learning_rate=True), T, ["learning_rate", "number", "True"]),
    (lambda: train(learning_rate=0.1j), T, ["learning_rate", "number", "0.1j"]),
    (lambda: train(learning_rate=np.complex64(0.1)), T, ["learning_rate", "number"]),
    (lambda: train(learning_rate=np.array("0.1")), T, ["learning_rate", "number", "0.1"]),
    (lambda: train(learning_rate=np.array(True)), T, ["learning_rate", "number"]),
    (lambda: train(learning_rate=[0.1]), T, ["learning_rate", "number", "[0.1]"]),
    (lambda: train(learning_rate=[[1], [1, 2]]), T, ["learning_rate", "number"]),
    (lambda: train(learning_rate=10**400), T, ["learning_rate", "finite"]),
    (lambda: train(eps=0), V, ["eps", "positive", "0"]),
    (lambda: train(eps=-1e-3), V, ["eps", "positive", "-0.001"]),
    (lambda: train(eps=np.inf), V, ["eps", "finite", "inf"]),
    (lambda: train(eps=np.nan), V, ["eps", "finite", "nan"]),
    (lambda: train(eps="1e-3"), T, ["eps", "number", "'1e-3'"]),
    (lambda: NET.gradient(PARAMS, X, Y, eps=0.0), V, ["eps", "positive", "0.0"]),
    (lambda: NET.gradient(PARAMS, X, Y, eps=None), T, ["eps", "number", "None"]),
    (lambda: train(batch_size=0), V, ["batch_size", "from 1 to 4", "0"]),
    (lambda: train(batch_size=5), V, ["batch_size", "from 1 to 4", "5"]),
    (lambda: train(batch_size=-1), V, ["batch_size", "from 1 to 4", "-1"]),
    (lambda: train(batch_size=1.5), V, ["batch_size", "whole", "1.5"]),
    (lambda: train(batch_size="all"), T, ["batch_size", "whole", "'all'"]),
    (lambda: train(shuffle="no"), T, ["shuffle", "True or False", "'no'"]),
    (lambda: train(shuffle=None), T, ["shuffle", "None"]),
    (lambda: train(record=1), V, ["record", "at least 2", "1"]),
    (lambda: train(record=None), T, ["record", "None"]),
    (lambda: train(progress="yes"), T, ["progress", "True", "'yes'"]),
    (lambda: train(method="newton"), V, ["method", "'newton'", *names.METHODS]),
    (lambda: train(method=None), T, ["method", "None", *names.METHODS]),
    (lambda: NET.gradient(PARAMS, X, Y, method="newton"), V, ["method", "'newton'", *names.METHODS]),
    (lambda: train(optimizer="adamax"), V, ["optimizer", "'adamax'", *optimizers.KINDS]),
    (lambda: train(optimizer=None), T, ["optimizer", "None"]),
    (lambda: train(kernel="cuda"), V, ["kernel", "'cuda'", *names.KERNELS]),
    (lambda: train(kernel=None), T, ["kernel", "None"]),
    (lambda: fastgd.data.gate("nadn"), V, ["gate", "'nadn'", *names.GATES]),
    (lambda: fastgd.data.gate(None), T, ["gate", "None"]),
    (lambda: train(rng="0"), T, ["rng", "'0'", "Generator"]),
    (lambda: train(rng=1.0), T, ["rng", "1.0", "Generator"]),
    (lambda: train(rng=-1), V, ["rng", "-1"]),
    (lambda: train(params=np.zeros(12)), V, ["params", "(13,)", "(12,)"]),
    (lambda: train(params=PARAMS * np.nan), V, ["params", "finite", "nan"]),
    (lambda: train(params="zeros"), T, ["params", "real"]),
    (lambda: train(CLASSES, X, np.eye(2)[[0, 1, 1, 0]], method="layerwise"), V, ["layerwise", "squared_error", "cross_entropy"]),
    (lambda: CLASSES.gradient(np.zeros(17), X, X, method="layerwise"), V, ["layerwise", "squared_error", "cross_entropy"]),
    (lambda: CLASSES.layer_costs(np.zeros(17), X, X), V, ["squared_error", "cross_entropy"]),
    (lambda: train(CLASSES, X, X * 2), V, ["Y", "between 0 and 1", "2.0", "cross_entropy"]),
    (lambda: train(CLASSES, X, -X), V, ["Y", "between 0 and 1", "-1.0", "cross_entropy"]),
]


@pytest.mark.parametrize(("call", "error", "words"), TRAINING)
def test_training(call, error, words):
    assert_refused(call, error, words)


def test_a_run_of_another_network():
    assert_refused(lambda: train(fastgd.MLP(2, 4, 1), params=RUN), V, ["params", "MLP(2, 4, 1", "MLP(2, 3, 1"])
