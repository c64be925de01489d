"""MLP: the description, the layout of the flat array, initial values."""

import copy
import dataclasses
import itertools
import pickle

import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgd

widths = st.lists(st.integers(1, 7), min_size=2, max_size=5)


def test_defaults_are_the_notes():
    net = fastgd.MLP(2, 2, 1)
    assert net.widths == (2, 2, 1)
    assert net.activations == ("sigmoid", "sigmoid")
    assert net.loss == "squared_error"
    assert net.bias is True
    assert net.dtype == np.float64
    assert net.n_params == 9


@pytest.mark.parametrize(
    ("options", "activations"),
    [
        ({"activation": "relu"}, ("relu", "relu", "relu")),
        ({"activation": "relu", "output": "softmax"}, ("relu", "relu", "softmax")),
        ({"output": "identity"}, ("sigmoid", "sigmoid", "identity")),
        ({"activation": ["tanh", "relu", "sin"]}, ("tanh", "relu", "sin")),
        ({"activation": ("tanh", "relu"), "output": "sigmoid"}, ("tanh", "relu", "sigmoid")),
        ({"activation": ["tanh", "relu", "sin"], "output": "sigmoid"}, ("tanh", "relu", "sigmoid")),
    ],
)
def test_one_activation_a_layer(options, activations):
    assert fastgd.MLP(3, 5, 4, 2, **options).activations == activations


@given(widths, st.booleans())
def test_pack_and_unpack(widths, bias):
    """Layers in order, W row by row, then b, no gaps."""
    net = fastgd.MLP(*widths, bias=bias)
    count = sum(i * o + bias * o for i, o in itertools.pairwise(widths))
    assert net.n_params == count
    params = np.arange(float(count))
    layers = net.unpack(params)
    for (W, b), (expected_W, expected_b) in zip(layers, oracle.layers_of(net, params), strict=True):
        assert np.array_equal(W, expected_W)
        assert np.array_equal(b, expected_b) if bias else b is None
    assert np.array_equal(net.pack(layers), params)


def test_unpack_gives_views():
    net = fastgd.MLP(2, 3, 1)
    params = np.zeros(net.n_params)
    (W, b), _ = net.unpack(params)
    W[1, 0] = 5.0
    b[2] = 7.0
    assert np.array_equal(np.flatnonzero(params), [2, 8])
    assert params[2] == 5.0
    assert params[8] == 7.0


def test_pack_copies_converts_and_fills_in():
    net = fastgd.MLP(2, 2, 1, dtype="float32")
    W = np.ones((2, 2))
    params = net.pack([(W, None), ([[3, 4]], [5])])
    assert params.dtype == np.float32
    assert np.array_equal(params, [1, 1, 1, 1, 0, 0, 3, 4, 5])
    params[:] = 9
    assert np.all(W == 1)


def test_equality_hash_and_copies():
    net = fastgd.MLP(3, 4, 2, activation=["tanh", "identity"], bias=False, dtype="float32")
    same = fastgd.MLP(3, 4, 2, activation="tanh", output="identity", bias=False, dtype=np.float32)
    assert net == same
    assert hash(net) == hash(same)
    for other in [copy.copy(net), copy.deepcopy(net), pickle.loads(pickle.dumps(net)), eval(repr(net), {"MLP": fastgd.MLP})]:
        assert other == net
        assert other.layers == net.layers
        assert other.unpack(np.ones(20))[1][0].shape == (2, 4)
    for other in [
        fastgd.MLP(3, 4, 2, activation=["tanh", "identity"], bias=False),
        fastgd.MLP(3, 4, 2, activation=["tanh", "identity"], dtype="float32"),
        fastgd.MLP(3, 4, 2, activation="tanh", bias=False, dtype="float32"),
        fastgd.MLP(3, 5, 2, activation=["tanh", "identity"], bias=False, dtype="float32"),
    ]:
        assert other != net


def test_immutable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        fastgd.MLP(2, 1).loss = "cross_entropy"


# -- initial values --------------------------------------------------------------------------------------

WIDE = (40, 300, 200, 30)


def layers_of(scheme, **options):
    net = fastgd.MLP(*WIDE, **options)
    return net, net.unpack(net.init(rng=3, scheme=scheme))


@pytest.mark.parametrize(
    ("scheme", "activation", "variance"),
    [
        ("glorot", "relu", lambda inputs, outputs: 2 / (inputs + outputs)),
        ("he", "sigmoid", lambda inputs, outputs: 2 / inputs),
        ("auto", "relu", lambda inputs, outputs: 2 / inputs),
        ("auto", "leaky_relu", lambda inputs, outputs: 2 / inputs),
        ("auto", "tanh", lambda inputs, outputs: 2 / (inputs + outputs)),
        ("auto", "sigmoid", lambda inputs, outputs: 2 / (inputs + outputs)),
    ],
)
def test_schemes(scheme, activation, variance):
    """Uniform between -sqrt(3 variance) and sqrt(3 variance), biases 0."""
    net, layers = layers_of(scheme, activation=activation)
    for (W, b), place in zip(layers, net.layers, strict=True):
        expected = variance(place.inputs, place.outputs)
        bound = np.sqrt(3 * expected)
        assert np.abs(W).max() <= bound
        assert np.abs(W).max() > 0.98 * bound
        sigmas = 5 / np.sqrt(W.size)
        assert abs(W.mean()) < sigmas * np.sqrt(expected)
        assert W.var() == pytest.approx(expected, rel=sigmas)
        assert np.all(b == 0)


def test_uniform_is_the_notes():
    """Weights and biases from [0, 1)."""
    net, _ = layers_of("uniform")
    params = net.init(rng=3, scheme="uniform")
    assert params.min() >= 0
    assert params.max() < 1
    assert params.mean() == pytest.approx(1 / 2, abs=5 / np.sqrt(12 * params.size))
    assert params.var() == pytest.approx(1 / 12, rel=5 / np.sqrt(params.size))


def test_zeros():
    assert np.array_equal(fastgd.MLP(2, 3, 1).init(rng=0, scheme="zeros"), np.zeros(13))


def test_same_seed_same_parameters(dtype):
    net = fastgd.MLP(5, 4, 3, dtype=dtype)
    assert net.init(rng=7).dtype == dtype
    assert np.array_equal(net.init(rng=7), net.init(rng=np.int64(7)))
    assert not np.array_equal(net.init(rng=7), net.init(rng=8))
    assert not np.array_equal(net.init(), net.init())
    first, second = np.random.default_rng(1), np.random.default_rng(1)
    assert np.array_equal(net.init(rng=first), net.init(rng=second))
    assert not np.array_equal(net.init(rng=first), fastgd.MLP(5, 4, 3, dtype=dtype).init(rng=np.random.default_rng(1)))


def test_weights_are_drawn_layer_by_layer(dtype):
    """By NumPy's generator of the seed, between the bounds of each; so are those of many seeds."""
    net = fastgd.MLP(5, 4, 3, dtype=dtype)
    for seed, params in zip([7, 2**63 - 1], net.drawn([7, 2**63 - 1]), strict=True):
        assert params.tobytes() == net.init(seed).tobytes()
        generator = np.random.default_rng(seed)
        for weights, biases in net.unpack(params):
            bound = np.sqrt(6 / sum(weights.shape))
            assert np.array_equal(weights.ravel(), generator.uniform(-bound, bound, weights.size).astype(dtype))
            assert not biases.any()
    assert np.array_equal(net.init(7, scheme="uniform"), np.random.default_rng(7).random(net.n_params).astype(dtype))


# -- arrays of a user's ----------------------------------------------------------------------------------


def test_arrays_are_converted(dtype):
    """Lists, integers, other floats, other orders and strides, bools: the same numbers."""
    net = fastgd.MLP(2, 3, 1, dtype=dtype)
    params = net.init(rng=0)
    X, Y = np.array([[0, 1], [1, 1], [1, 0]]), np.array([[1], [0], [1]])
    cost, outputs = net.cost(params, X, Y), net.predict(params, X)
    assert outputs.dtype == dtype
    assert outputs.shape == (3, 1)
    wide = np.zeros((6, 4))
    wide[::2, ::2] = X
    for other in [X.tolist(), X.astype("float32"), X.astype(bool), np.asfortranarray(X.astype(float)), wide[::2, ::2], X.astype(">f8")]:
        assert net.cost(params, other, Y) == cost
        assert np.array_equal(net.predict(params, other), outputs)
    for other in [Y.tolist(), Y[:, 0], Y.astype("uint8"), Y[:, 0].astype(bool)]:
        assert net.cost(params, X, other) == cost
    for other in [list(params), params.astype(">f8"), np.repeat(params, 2)[::2]]:
        assert net.cost(other, X, Y) == cost


def test_one_column_may_be_flat():
    net = fastgd.MLP(1, 3, 1)
    params, x, y = net.init(rng=0), np.linspace(-1, 1, 7), np.linspace(0, 1, 7)
    assert net.predict(params, x).shape == (7, 1)
    assert net.cost(params, x, y) == net.cost(params, x.reshape(-1, 1), y.reshape(-1, 1))
    assert np.array_equal(net.gradient(params, x, y), net.gradient(params, x.reshape(-1, 1), y.reshape(-1, 1)))


def test_nothing_of_the_callers_changes(dtype):
    net = fastgd.MLP(2, 3, 1, dtype=dtype)
    X, Y = (array.astype(dtype) for array in fastgd.data.gate("xor"))
    params = net.init(rng=0)
    for array in (X, Y, params):
        array.setflags(write=False)
    before = params.copy()
    net.gradient(params, X, Y, method="central_difference")
    run = fastgd.train(net, X, Y, 10, 1.0, params=params)
    assert np.array_equal(params, before)
    assert not np.array_equal(run.params, before)
    run.params[0] = 0.0  # is the run's own
    assert np.array_equal(params, before)
