"""Dropout, noise on inputs, l1 and l2 by layer, and largest norms, against NumPy versions of them."""

import subprocess
import sys

import chance
import numpy as np
import oracle
import pytest
from conftest import assert_refused, random_problem
from row_order import order_of
from small_problem import assert_close

import fastgd
from fastgd.kernels import make_plan
from fastgd.options import Options

SMALL = fastgd.MLP(3, 5, 4, 2, activation="tanh", output="sigmoid")
WIDE = fastgd.MLP(40, 30, 5, activation="sigmoid", output="identity")  # whose layers are products, and which threads share
SHARES = (0.4, 0.25)


def problem(net, n):
    return random_problem(net, n)


# -- dropout and noise -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("batch_size", [None, 4])
@pytest.mark.parametrize(("shares", "deviation"), [(SHARES, 0.0), ((0.0, 0.0), 0.3), (SHARES, 0.3)], ids=str)
def test_as_numpy_has_it(shares, deviation, batch_size, dtype):
    net = fastgd.MLP(3, 5, 4, 2, activation="tanh", output="sigmoid", dtype=dtype)
    X, Y, params = problem(net, 11)
    options = {"dropout": shares, "input_noise": deviation, "batch_size": batch_size, "rng": 7}
    run = fastgd.train(net, X, Y, 6, 0.5, params=params, **options)
    assert run.kernel == "matrix"
    order = None if batch_size is None else lambda epoch: order_of(11, 7, epoch)
    expected, costs = chance.train(net, params, X, Y, 6, 0.5, 7, shares, deviation, batch_size, order)
    bound = 1e-11 if dtype == "float64" else 1e-5
    assert_close(run.params, expected, bound)
    assert_close(run.cost, oracle.cost(net, expected, X, Y), bound)
    if batch_size is not None:  # what updates were made by
        assert_close(run.history.cost[:-1], costs, bound)


@pytest.mark.parametrize("n", [300, 600])
def test_wide_layers_blocks_and_parts(n):
    """Several blocks of 256 rows; 600 rows are cut for threads."""
    X, Y, params = problem(WIDE, n)
    run = fastgd.train(WIDE, X, Y, 3, 0.2, params=params, rng=5, dropout=0.3, input_noise=0.1)
    expected, _ = chance.train(WIDE, params, X, Y, 3, 0.2, 5, (0.3,), 0.1)
    assert_close(run.params, expected, 1e-11)


def test_weights_and_the_layerwise_method():
    X, Y, params = problem(SMALL, 11)
    weights = np.arange(11) % 3
    options = {"dropout": SHARES, "sample_weight": weights, "method": "layerwise", "rng": 7}
    run = fastgd.train(SMALL, X, Y, 5, 0.1, params=params, **options)
    expected, _ = chance.train(SMALL, params, X, Y, 5, 0.1, 7, SHARES, weights=weights, factor=2.0)
    assert_close(run.params, expected, 1e-11)


def test_the_gradient_is_that_of_the_network_that_is_left():
    """By differences of the NumPy version, whose masks stay."""
    X, Y, params = problem(SMALL, 11)
    masks = chance.masks_of(SMALL, 7, 0, np.arange(11), SHARES)
    numeric = []
    for i in range(len(params)):
        step = np.zeros(len(params))
        step[i] = 1e-5
        high, low = (chance.cost(SMALL, params + sign * step, X, Y, masks) for sign in (1, -1))
        numeric.append((high - low) / 2e-5)
    run = fastgd.train(SMALL, X, Y, 1, 1.0, params=params, rng=7, dropout=SHARES)
    assert np.max(np.abs(params - run.params - numeric)) < 1e-9


@pytest.mark.parametrize("method", ["finite_difference", "central_difference"])
@pytest.mark.parametrize("batch_size", [None, 4])
def test_difference_methods_have_the_same_masks(method, batch_size):
    X, Y, params = problem(SMALL, 11)
    options = {"params": params, "rng": 7, "dropout": SHARES, "input_noise": 0.1, "batch_size": batch_size}
    exact = fastgd.train(SMALL, X, Y, 3, 0.5, **options)
    close = fastgd.train(SMALL, X, Y, 3, 0.5, method=method, eps=1e-6, **options)
    assert_close(close.params, exact.params, 1e-5 if method == "finite_difference" else 1e-8)


def test_masks_of_the_numpy_version():
    """Which are those of compiled code, as above: their share, and that rows, units and epochs do not tell of each other."""
    net, rows = fastgd.MLP(2, 40, 30, 1), np.arange(500)
    first, second = ([mask > 0 for mask in chance.masks_of(net, 3, epoch, rows, (0.3, 0.5))] for epoch in (0, 1))
    for mask, share in zip(first, (0.3, 0.5), strict=True):
        spread = np.sqrt(share * (1 - share) / mask.size)
        assert abs(mask.mean() - (1 - share)) < 4 * spread
        assert np.abs(mask.mean(axis=0) - (1 - share)).max() < 4.5 * np.sqrt(share * (1 - share) / 500)
        units = np.corrcoef(mask.T) - np.eye(mask.shape[1])
        assert np.abs(units).max() < 5 / np.sqrt(500)
        neighbours = (mask[1:] == mask[:-1]).mean() - (share**2 + (1 - share) ** 2)
        assert abs(neighbours) < 5 / np.sqrt(mask.size)
    for mask, later in zip(first, second, strict=True):
        assert abs(np.corrcoef(mask.ravel(), later.ravel())[0, 1]) < 5 / np.sqrt(mask.size)
    other_seed = chance.masks_of(net, 4, 0, rows, (0.3, 0.5))[0] > 0
    assert abs(np.corrcoef(first[0].ravel(), other_seed.ravel())[0, 1]) < 5 / np.sqrt(other_seed.size)
    noise = chance.noise_of(net, 3, 0, np.arange(20_000))
    assert np.abs(noise.mean(axis=0)).max() < 0.03
    assert np.abs(noise.var(axis=0) - 1).max() < 0.05
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.03
    assert abs((noise**4).mean() - 3) < 0.3


# -- what does not change it ------------------------------------------------------------------------------------------------------------

ALL = {"dropout": 0.3, "input_noise": 0.1, "max_norm": 0.8, "l1": 1e-3, "rng": 5}


@pytest.mark.parametrize("batch_size", [None, 512])
def test_threads_change_no_bit(batch_size):
    X, Y, params = problem(WIDE, 600)
    runs = [fastgd.train(WIDE, X, Y, 6, 0.2, params=params, threads=n, batch_size=batch_size, **ALL) for n in (1, 2)]
    assert make_plan(WIDE, 600, Options(dropout=0.3), "matrix").row_parts(600) > 1
    assert runs[0] == runs[1]


@pytest.mark.parametrize("batch_size", [None, 4])
def test_chunks_change_no_bit(batch_size, request):
    X, Y, params = problem(SMALL, 11)
    options = ALL | {"params": params, "batch_size": batch_size, "validation": (X[:3], Y[:3]), "patience": 50, "optimizer": "adam"}
    whole = fastgd.train(SMALL, X, Y, 30, 0.05, **options)
    request.getfixturevalue("single_updates")
    assert fastgd.train(SMALL, X, Y, 30, 0.05, **options) == whole


@pytest.mark.parametrize("batch_size", [None, 4])
def test_going_on_changes_no_bit(batch_size, path, tmp_path):
    X, Y, params = problem(SMALL, 11)
    options = ALL | {"dropout": SHARES, "l2": (0.0, 0.01, 0.02), "batch_size": batch_size}
    whole = fastgd.train(SMALL, X, Y, 20, 0.2, params=params, **options)
    part = fastgd.train(SMALL, X, Y, 7, 0.2, params=params, **options)
    part.save(path)
    again = fastgd.load_run(path)
    assert again == part
    assert again.options["dropout"] == SHARES
    assert fastgd.train(SMALL, X, Y, 13, 0.2, params=again, **options) == whole
    file = {"checkpoint": tmp_path / "c.npz", "resume": True}
    fastgd.train(SMALL, X, Y, 9, 0.2, params=params, **options, **file)
    assert fastgd.train(SMALL, X, Y, 20, 0.2, params=params, **options, **file) == whole
    with pytest.raises(ValueError, match=r"made with dropout \(0.4, 0.25\)"):
        fastgd.train(SMALL, X, Y, 20, 0.2, params=params, **options | {"dropout": 0.4}, **file)


def test_rows_and_validation_are_whole_where_costs_are_told():
    """In full batch: the history, and what the stop rule sees."""
    X, Y, params = problem(SMALL, 11)
    options = {"params": params, "dropout": SHARES, "rng": 7}
    run = fastgd.train(SMALL, X, Y, 8, 0.5, validation=(X[:4], Y[:4]), **options)
    after = [chance.train(SMALL, params, X, Y, epoch, 0.5, 7, SHARES)[0] for epoch in range(9)]
    costs = np.array([oracle.cost(SMALL, each, X, Y) for each in after])
    assert_close(run.history.cost, costs, 1e-11)
    assert_close(run.history.validation, [oracle.cost(SMALL, each, X[:4], Y[:4]) for each in after], 1e-11)
    watched = fastgd.train(SMALL, X, Y, 8, 0.5, target_cost=costs[5] * (1 + 1e-9), **options)
    first = int(np.argmax(costs <= costs[5] * (1 + 1e-9)))
    assert (watched.epochs, watched.stopped_by) == (first, "target_cost")
    best = fastgd.train(SMALL, X, Y, 8, 0.5, restore_best=True, **options)
    assert best.best_epoch == int(np.argmin(costs))
    assert_close(best.cost, costs.min(), 1e-11)


def test_one_that_diverges_tells_its_last_good_parameters():
    X, Y, _ = problem(SMALL, 11)
    net = fastgd.MLP(3, 5, 2, activation="identity")
    options = {"params": net.init(0), "dropout": 0.5, "rng": 7}
    with pytest.raises(fastgd.DivergedError) as at_once:
        fastgd.train(net, X, Y, 100_000, 5.0, **options)
    run = at_once.value.run
    assert fastgd.train(net, X, Y, run.epochs, 5.0, **options).params.tolist() == run.params.tolist()


def test_nothing_asked_for_is_what_it_was():
    X, Y, params = problem(SMALL, 11)
    plain = fastgd.train(SMALL, X, Y, 5, 0.5, params=params, kernel="matrix", rng=1)
    off = fastgd.train(SMALL, X, Y, 5, 0.5, params=params, kernel="matrix", rng=1, dropout=(0, 0), l1=0, input_noise=0, max_norm=None)
    assert (plain.params == off.params).all()
    far = fastgd.train(SMALL, X, Y, 5, 0.5, params=params, kernel="matrix", rng=1, max_norm=1e9)
    assert_close(far.params, plain.params, 1e-14)


# -- decays and norms -------------------------------------------------------------------------------------------------------------------

NET = fastgd.MLP(2, 2, 1, activation="tanh")


def decayed(net, params, l1, l2):
    """What l1 and l2, one for each layer, add to the gradient."""
    parts = []
    for (W, b), steep, square in zip(oracle.layers_of(net, params), l1, l2, strict=True):
        parts += [(steep * np.sign(W) + square * W).ravel(), 0 * b]
    return np.concatenate(parts)


def by_numpy(net, params, X, Y, epochs, rate, l1=0.0, l2=0.0, max_norm=np.inf, batch_size=None):
    layers, size = len(net.widths) - 1, batch_size or len(X)
    l1, l2 = (np.broadcast_to(each, layers) for each in (l1, l2))
    for t in range(epochs * -(-len(X) // size)):
        start = t * size % (-(-len(X) // size) * size)
        rows = slice(start, start + size)
        params = params - rate * (oracle.gradient(net, params, X[rows], Y[rows]) + decayed(net, params, l1, l2))
        parts = []
        for W, b in oracle.layers_of(net, params):
            norm = np.sqrt((W**2).sum(axis=1, keepdims=True))
            parts += [(W * np.minimum(1, max_norm / norm)).ravel(), b]
        params = np.concatenate(parts)
    return params


@pytest.mark.parametrize("batch_size", [None, 4])
@pytest.mark.parametrize(
    ("l1", "l2"), [(0.02, 0.0), (0.02, 0.1), ((0.05, 0.0), 0.1), (0.0, (0.0, 0.2)), ((0.01, 0.02), (0.3, 0.1))], ids=str
)
def test_l1_and_l2_by_layer(l1, l2, batch_size, train):
    X, Y, params = problem(NET, 11)
    run = train(NET, X, Y, 10, 0.3, params=params, l1=l1, l2=l2, batch_size=batch_size, shuffle=False)
    assert_close(run.params, by_numpy(NET, params, X, Y, 10, 0.3, l1, l2, batch_size=batch_size), 1e-11)
    assert_close(run.cost, oracle.cost(NET, run.params, X, Y), 1e-12)  # of the data alone


@pytest.mark.parametrize("batch_size", [None, 4])
@pytest.mark.parametrize("net", [NET, WIDE], ids=str)
def test_largest_norms(net, batch_size):
    X, Y, params = problem(net, 11)
    most = 0.7 * max(np.sqrt((W**2).sum(axis=1)).max() for W, _ in oracle.layers_of(net, params))
    options = {"params": params, "max_norm": most, "l2": 0.01, "batch_size": batch_size, "shuffle": False}
    run = fastgd.train(net, X, Y, 10, 0.05, **options)
    assert_close(run.params, by_numpy(net, params, X, Y, 10, 0.05, l2=0.01, max_norm=most, batch_size=batch_size), 1e-11)
    norms = np.concatenate([np.sqrt((W**2).sum(axis=1)) for W, _ in oracle.layers_of(net, run.params)])
    assert norms.max() <= most * (1 + 1e-12)


# -- many -------------------------------------------------------------------------------------------------------------------------------


def test_members_have_their_own():
    """The same as `train`, to the bits, whatever those beside ask for."""
    X, Y, params = problem(SMALL, 11)
    own = {
        "dropout": [0.0, 0.3, 0.5, 0.0, 0.0], "input_noise": [0.0, 0.0, 0.1, 0.0, 0.2], "max_norm": [np.inf, 1.0, np.inf, 0.5, np.inf],
        "l1": [0.0, 0.01, 0.0, 0.0, 0.02],
    }  # fmt: skip
    options = {"params": params, "batch_size": 4}
    runs = fastgd.train_many(SMALL, X, Y, 8, 0.3, rng=3, record=5, **own, **options)
    assert runs.kernel == "matrix"
    for i, run in enumerate(runs):
        given = {name: values[i] for name, values in own.items()}
        given["max_norm"] = None if given["max_norm"] == np.inf else given["max_norm"]
        one = fastgd.train(SMALL, X, Y, 8, 0.3, rng=3 + i, record=5, kernel="matrix", **given, **options)
        assert (run.params == one.params).all()
        assert run.options == one.options | {"record": 5}
        assert run.cost == one.cost


OF_LAYERS = {  # of three members
    "l2": [[0.0, 0.1, 0.3], [0.2, 0.0, 0.0], [0.0, 0.0, 0.0]], "l1": [[0.01, 0.0, 0.02]] * 3,
    "dropout": [[0.2, 0.5], [0.0, 0.0], [0.5, 0.0]],
}  # fmt: skip


@pytest.mark.parametrize("kernel", ["auto", "unrolled"])
@pytest.mark.parametrize("names", [("l2",), ("l2", "l1", "dropout")], ids=str)
def test_members_have_their_own_by_layer(names, kernel, tmp_path):
    """As each alone; from a file and from a checkpoint too."""
    own, (X, Y, _) = {name: np.array(OF_LAYERS[name]) for name in names}, problem(SMALL, 11)
    if kernel == "unrolled" and "dropout" in names:
        return
    given = {"rng": 3, "kernel": kernel, "batch_size": 4}
    runs = fastgd.train_many(SMALL, X, Y, 8, 0.3, **own, **given)
    for i, member in enumerate(runs):
        one = {name: values[i] for name, values in own.items()}
        alone = fastgd.train(SMALL, X, Y, 8, 0.3, rng=3 + i, kernel=runs.kernel, batch_size=4, **one)
        assert np.array_equal(member.params, alone.params)
        assert member.cost == alone.cost
        assert member.options == alone.options | {"record": 0}
    runs.save(tmp_path / "runs.npz")
    assert fastgd.load_runs(tmp_path / "runs.npz") == runs
    part = fastgd.train_many(SMALL, X, Y, 5, 0.3, **own, **given, checkpoint=tmp_path / "part.npz")
    assert part.epochs.tolist() == [5, 5, 5]
    whole = fastgd.train_many(SMALL, X, Y, 8, 0.3, **own, **given, checkpoint=tmp_path / "part.npz", resume=True)
    assert np.array_equal(whole.params, runs.params)
    other = {name: 2 * values for name, values in own.items() if name != "dropout"}
    with pytest.raises(ValueError, match="was made with l2"):
        fastgd.train_many(SMALL, X, Y, 9, 0.3, **(own | other), **given, checkpoint=tmp_path / "part.npz", resume=True)


@pytest.mark.parametrize(("name", "none", "some"), [("dropout", 0.0, 0.4), ("input_noise", 0.0, 0.5), ("max_norm", np.inf, 0.1)])
def test_members_that_ask_for_nothing_get_nothing(name, none, some):
    X, Y, params = problem(SMALL, 11)
    options = {"params": params, "batch_size": 4, "kernel": "matrix"}
    runs = fastgd.train_many(SMALL, X, Y, 8, 0.3, rng=3, **{name: [none, some, none]}, **options)
    for i, own in enumerate([{}, {name: some}, {}]):
        one = fastgd.train(SMALL, X, Y, 8, 0.3, rng=3 + i, **own, **options)
        assert (runs.params[i] == one.params).all()


@pytest.mark.parametrize("kernel", ["lanes", "matrix", "unrolled"])
def test_l1_of_members(kernel, path):
    X, Y, params = problem(NET, 11)
    l1 = np.array([0.0, 0.01, 0.05])
    runs = fastgd.train_many(NET, X, Y, 10, 0.3, params=params, l1=l1, l2=0.02, kernel=kernel, rng=0)
    for each, steep in zip(runs.params, l1, strict=True):
        assert_close(each, by_numpy(NET, params, X, Y, 10, 0.3, steep, 0.02), 1e-11)
    runs.save(path)
    assert fastgd.load_runs(path) == runs


# -- arguments --------------------------------------------------------------------------------------------------------------------------

V, T = ValueError, TypeError
BAD = [
    ({"dropout": 1.0}, V, ["dropout", "from 0 to below 1", "1.0"]),
    ({"dropout": -0.1}, V, ["dropout", "from 0", "-0.1"]),
    ({"dropout": "half"}, T, ["dropout", "number", "'half'"]),
    ({"dropout": (0.1, 0.2, 0.3)}, V, ["dropout", "each of 2 hidden layers", "3"]),
    ({"dropout": (0.1, 1.2)}, V, ["dropout", "below 1", "1.2"]),
    ({"dropout": [[0.1]]}, V, ["dropout", "one a layer", "[[0.1]]"]),
    ({"l1": -1}, V, ["l1", "at least 0", "-1"]),
    ({"l1": [0.1, [0.2], 0.3]}, V, ["l1", "one a layer", "[0.1, [0.2], 0.3]"]),
    ({"l1": (0.1,)}, V, ["l1", "each of 3 layers", "1"]),
    ({"l2": (0.1, 0.2)}, V, ["l2", "each of 3 layers", "2"]),
    ({"max_norm": 0}, V, ["max_norm", "positive", "0"]),
    ({"input_noise": -1}, V, ["input_noise", "at least 0", "-1"]),
    ({"input_noise": np.nan}, V, ["input_noise", "finite", "nan"]),
    ({"dropout": 0.1, "kernel": "unrolled"}, V, ["unrolled", "dropout", "matrix"]),
    ({"input_noise": 0.1, "kernel": "unrolled"}, V, ["unrolled", "input_noise", "matrix"]),
    ({"max_norm": 1.0, "kernel": "unrolled"}, V, ["unrolled", "max_norm", "matrix"]),
]


@pytest.mark.parametrize(("options", "error", "words"), BAD, ids=str)
def test_refused(options, error, words, no_compiled_code):
    X, Y, _ = problem(SMALL, 11)
    assert_refused(lambda: fastgd.train(SMALL, X, Y, 10, **options), error, words)


def test_dropout_is_for_hidden_layers(no_compiled_code):
    net = fastgd.MLP(3, 2)
    X, Y, _ = problem(net, 11)
    assert_refused(lambda: fastgd.train(net, X, Y, 10, dropout=0.1), V, ["dropout", "hidden layers", "MLP(3, 2"])
    assert_refused(lambda: fastgd.train_many(net, X, Y, 10, dropout=[0.1, 0.0]), V, ["dropout", "hidden layers"])


def test_auto_is_the_matrix_kernel_where_it_must_be():
    net, options = fastgd.MLP(2, 2, 1), {"members": 100}
    assert make_plan(net, 4, Options(), "auto", 10**7).kernel == "unrolled"
    assert make_plan(net, 4, Options(), "auto", 10**7, **options).kernel == "lanes"
    assert make_plan(net, 4, Options(l1=0.1), "auto", 10**7, **options).kernel == "lanes"
    for name in ("dropout", "max_norm", "input_noise"):
        own = Options(**{name: 0.5})
        assert [make_plan(net, 4, own, "auto", 10**7, **each).kernel for each in ({}, options)] == ["matrix", "matrix"]


def test_calls_of_a_long_stretch_take_no_stack():
    """In a thread with little of it, a process of its own, since what overflows ends that."""
    program = """
import threading
import fastgd

def train():
    X, Y = fastgd.data.gate("xor")
    print(fastgd.train(fastgd.MLP(2, 2, 1), X, Y, 300_000, 0.1, rng=0, max_norm=5.0, record=2).epochs)

threading.stack_size(2**18)
thread = threading.Thread(target=train)
thread.start()
thread.join()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "300000"), done.stderr
