"""Networks and settings that can't learn: refused where nothing else is possible, warned about where it is likely a mistake."""

import warnings

import numpy as np
import oracle
import pytest
from conftest import assert_refused
from sklearn.metrics import r2_score

import fastgd

V = ValueError
X, XOR = fastgd.data.gate("xor")
CLASSES = fastgd.MLP(2, 3, 3, activation="tanh", output="softmax", loss="cross_entropy")
ONE_HOT = np.eye(3)[[0, 1, 2, 1]]
EMPTY = ONE_HOT * np.array([1, 1, 0, 0])[:, None]
SEVERAL = np.maximum(ONE_HOT, [0, 1, 0])
KERNEL = {"kernel": "matrix", "rng": 0}


def train(net, Y, epochs=3, rate=0.1, **options):
    return fastgd.train(net, X, Y, epochs, rate, **KERNEL | options)


def train_many(net, Y, epochs=3, rate=0.1, **options):
    return fastgd.train_many(net, X, Y, epochs, rate, **KERNEL | {"members": 3} | options)


BOTH = pytest.mark.parametrize("train", [train, train_many])


# -- refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
@pytest.mark.parametrize("widths", [(2, 1), (4, 8, 1)])
def test_softmax_over_one_unit(widths, loss):
    words = ["softmax", str(widths), "single unit", "output='sigmoid'", "loss='binary_cross_entropy'"]
    assert_refused(lambda: fastgd.MLP(*widths, output="softmax", loss=loss), V, words)
    assert_refused(lambda: fastgd.MLP(*widths, activation=["relu"] * (len(widths) - 2) + ["softmax"], loss=loss), V, words)


@pytest.mark.usefixtures("no_compiled_code")
def test_rows_of_no_class():
    words = ["Y", "cross_entropy", "row 2 ", "above 0"]
    assert_refused(lambda: train(CLASSES, EMPTY), V, words)
    assert_refused(lambda: train(CLASSES, np.zeros((4, 3))), V, ["Y", "row 0 "])
    assert_refused(lambda: train_many(CLASSES, EMPTY), V, words)
    assert_refused(lambda: train_many(CLASSES, np.stack([ONE_HOT, ONE_HOT, EMPTY])), V, ["row 2 of member 2"])
    assert_refused(lambda: train(CLASSES, ONE_HOT, validation=(X, EMPTY)), V, ["validation", *words])
    assert_refused(lambda: train(CLASSES, EMPTY, sample_weight=[1, 1, 0, 0.5]), V, ["row 3 "])
    weights = [[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0]]
    assert_refused(lambda: train_many(CLASSES, EMPTY, sample_weight=weights), V, ["row 2 of member 2"])


def test_rows_of_no_class_may_weigh_nothing():
    run = train(CLASSES, EMPTY, sample_weight=[1, 1, 0, 0])
    expected, _ = oracle.train(CLASSES, CLASSES.init(0), X[:2], ONE_HOT[:2], 3, 0.1)
    assert run.params == pytest.approx(expected, rel=1e-12)
    runs = train_many(CLASSES, EMPTY, sample_weight=[1, 1, 0, 0])
    assert runs.params[0] == pytest.approx(expected, rel=1e-12)


# -- warned about ----------------------------------------------------------------------------------------


def mlp(output, loss="squared_error"):
    return fastgd.MLP(2, 3, 1, activation="tanh", output=output, loss=loss)


def warned(call):
    """The warnings of a call, all of them on the caller's own line."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert [each.filename for each in caught] == [__file__] * len(caught)
    assert all(each.category is RuntimeWarning for each in caught)
    return [str(each.message) for each in caught]


def assert_warned(call, *words):
    (message,) = warned(call)
    assert [word for word in words if word not in message] == [], message


@BOTH
@pytest.mark.parametrize(
    ("output", "Y", "words"),
    [
        ("sigmoid", [0, 5, 1, 2], ["0 to 5", "'sigmoid'", "between 0 and 1"]),
        ("sigmoid", [1, 2, 1, 2], ["1 to 2"]),
        ("sigmoid", [5, 5, 5, 5], ["5 to 5"]),
        ("sigmoid", np.array([1e8, 1e8 + 1, 1e8, 1e8]), ["1e+08"]),
        ("tanh", [3, -4, -3, 40], ["-4 to 40", "'tanh'", "between -1 and 1"]),
        ("sin", [0, 0, 0, 255], ["0 to 255", "'sin'", "between -1 and 1"]),
        ("relu", [-1, -3, 0, -2], ["-3 to 0", "'relu'", "between 0 and inf"]),
    ],
)
def test_targets_out_of_reach(train, output, Y, words):
    """The best that outputs could be has an R2 below 0."""
    low, high = {"sigmoid": (0, 1), "relu": (0, np.inf)}.get(output, (-1, 1))
    if np.std(Y):
        assert r2_score(Y, np.clip(Y, low, high)) < 0
    assert_warned(lambda: train(mlp(output), Y), "Y", "output='identity'", *words)


@BOTH
@pytest.mark.parametrize(
    ("output", "Y"),
    [
        ("sigmoid", [0, 1, 1, 0]),
        ("sigmoid", [-0.05, 1.05, 0.9, 0.1]),  # noise
        ("sigmoid", [-1, 1, 1, -1]),  # half of which is learned
        ("tanh", [-1, 1, 1, -1]),
        ("tanh", [-1.1, 1, 1, -1]),
        ("tanh", [-0.5, 0.1, 0.8, 1.6]),  # standardized values
        ("relu", [-1, 1, 0, 2]),
        ("relu", [0, 1e6, 3, 0]),
        ("relu", [-1e-9, 1, 3, 0]),
        ("leaky_relu", [-5, 5, 0, 0]),
        ("identity", [-5, 5, 1e9, 0]),
    ],
)
def test_targets_within_reach(train, output, Y):
    low, high = {"sigmoid": (0, 1), "relu": (0, np.inf), "tanh": (-1, 1)}.get(output, (-np.inf, np.inf))
    assert r2_score(Y, np.clip(Y, low, high)) > 0
    assert warned(lambda: train(mlp(output), Y)) == []


MARGIN = fastgd.Loss(lambda a, y: fastgd.numeric.softplus(-y * a), name="margin")  # log(2) where y is 0


@BOTH
@pytest.mark.parametrize("loss", ["hinge", "squared_hinge", MARGIN])
def test_classes_of_margins(train, loss):
    net = fastgd.MLP(2, 3, 1, activation="tanh", loss=loss)
    for Y in ([0, 1, 1, 0], [0, 0.5, 1, 0]):
        assert_warned(lambda Y=Y: train(net, Y), "Y has values of 0", f"loss {net.loss!r} learns nothing", "-1 and 1")
    for Y in ([-1, 1, 1, -1], [-1, 1, 0, 0], [1, 1, 0.5, 1]):
        assert warned(lambda Y=Y: train(net, Y)) == []


@BOTH
def test_several_classes_a_row(train):
    assert_warned(lambda: train(CLASSES, SEVERAL), "Y", "row 0", "sums to 2", "softmax", "sigmoid", "binary_cross_entropy")
    assert_warned(lambda: train(CLASSES, ONE_HOT * 0.25), "sums to 0.25")


@BOTH
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_soft_targets_are_classes(train, dtype):
    net = fastgd.MLP(2, 3, 3, output="softmax", loss="cross_entropy", dtype=dtype)
    soft = np.random.default_rng(0).dirichlet([0.3, 1, 2], size=4)
    assert warned(lambda: train(net, soft)) == []
    assert warned(lambda: train(net, 0.9 * ONE_HOT + 0.1 / 3)) == []


def alike(params, net):
    """Whether all units of the first hidden layer have the same weights and biases."""
    (W, b), *_ = net.unpack(params)
    return bool(np.all(W[0] == W) and np.all(b == b[0]))


DEEP = fastgd.MLP(2, 3, 2, 1, activation=["tanh", "relu", "sigmoid"])
EQUAL = {"zeros": DEEP.init(scheme="zeros"), "ones": np.ones(DEEP.n_params), "halves": np.full(DEEP.n_params, 0.5)}


@BOTH
@pytest.mark.parametrize("values", EQUAL)
def test_units_that_stay_equal(train, values):
    """Equal they remain, whatever the rows: the oracle's too."""
    found = []
    assert_warned(lambda: found.append(train(DEEP, XOR, 50, 0.5, params=EQUAL[values])), "params", "all 3 units", "hidden layer 1", "init")
    assert all(alike(params, DEEP) for params in np.atleast_2d(found[0].params))
    assert alike(oracle.train(DEEP, EQUAL[values], X, XOR, 50, 0.5)[0], DEEP)


@BOTH
def test_rows_that_are_left_out_raise_no_doubt(train):
    assert warned(lambda: train(mlp("sigmoid"), [0, 1, 1, 1e9], sample_weight=[1, 1, 1, 0])) == []
    assert warned(lambda: train(CLASSES, SEVERAL, sample_weight=[0, 1, 0, 1])) == []


def test_members_with_units_that_stay_equal():
    params = np.stack([DEEP.init(0), DEEP.init(1), np.zeros(DEEP.n_params)])
    assert_warned(lambda: train_many(DEEP, XOR, params=params), "params", "hidden layer 1")


@BOTH
def test_units_that_differ_somewhere(train):
    """By what goes in, or by what comes out; and a layer of one unit has none to differ from."""
    W, V = np.random.default_rng(0).normal(size=(2, 3, 2))
    one = fastgd.MLP(2, 3, 2, activation="tanh")
    Y = np.full((4, 2), 0.25)
    assert warned(lambda: train(one, Y, params=one.pack([(np.ones((3, 2)), None), (V.T, None)]))) == []
    assert warned(lambda: train(one, Y, params=one.pack([(W, None), (np.ones((2, 3)), None)]))) == []
    assert warned(lambda: train(one, Y, params=one.pack([(np.ones((3, 2)), [0, 0, 1]), (np.ones((2, 3)), None)]))) == []
    assert warned(lambda: train(fastgd.MLP(2, 1, 1), XOR, params=np.zeros(5))) == []
    assert warned(lambda: train(fastgd.MLP(2, 1), XOR, params=np.zeros(3))) == []


@BOTH
def test_nothing_is_said_again(train):
    """Of a training without epochs, or one that goes on."""
    net, Y = mlp("sigmoid"), [0, 5, 1, 2]
    assert warned(lambda: train(net, Y, 0)) == []
    begun = []
    assert len(warned(lambda: begun.append(train(net, Y, 2)))) == 1
    assert warned(lambda: train(net, Y, 2, params=begun[0])) == []


@BOTH
def test_a_warning_changes_no_number(train):
    net, Y = mlp("sigmoid"), np.array([0.0, 5, 1, 2])
    with pytest.warns(RuntimeWarning, match="values from 0 to 5"):
        found = train(net, Y, 20, 0.3)
    expected, _ = oracle.train(net, net.init(0), X, Y.reshape(-1, 1), 20, 0.3)
    assert np.atleast_2d(found.params)[0] == pytest.approx(expected, rel=1e-11)


@pytest.mark.filterwarnings("default")  # which the command makes lines of
def test_the_command(command):
    stderr = (
        "fastgd: warning: params are the same for all 2 units of hidden layer 1, which then learn as one unit does: "
        "draw them, as net.init(rng) does\n"
    )
    out = command("train", "--gate", "xor", "--layers", "2-2-1", "--init", "zeros", "--epochs", "5", stderr=stderr)
    assert "stopped     at epoch 5: " in out  # it is trained all the same
