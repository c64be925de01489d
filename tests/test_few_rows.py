"""Batches of fewer rows than a vector has lanes, against the oracle by every form of update; one stretch leaves nothing to the next."""

import numpy as np
import oracle
import pytest
from conftest import random_problem
from row_order import order_of

import fastgd
from fastgd import kernels
from fastgd.kernels.few_memory import few_rows_of, few_rule_of
from fastgd.kernels.to_structs import rule_of
from fastgd.options import Options

FEW = range(1, 8)
NETS = {
    "uneven": fastgd.MLP(20, 33, 10, activation="tanh"),
    "deep": fastgd.MLP(7, 64, 31, 3, activation=["relu", "sigmoid", "identity"]),
    "softmax": fastgd.MLP(16, 40, 5, activation="leaky_relu", output="softmax", loss="cross_entropy"),
    "many classes": fastgd.MLP(5, 3, 35, activation="tanh", output="softmax", loss="cross_entropy"),
    "sigmoids": fastgd.MLP(16, 40, 5, activation="tanh", output="sigmoid", loss="binary_cross_entropy", bias=False),
    "softmax, squared": fastgd.MLP(12, 16, 18, activation="sin", output="softmax"),
    "one": fastgd.MLP(1, 64, 1, activation="tanh"),
    "linear": fastgd.MLP(100, 1, activation="identity"),
    "called": fastgd.MLP(9, 20, 11, 3, activation=["gelu", "elu", "softplus"]),  # which the kernel does not hold
}
SHAPE, ROWS = NETS["uneven"], 23  # the last batch is short of all but 1
CHUNKED = fastgd.MLP(90, 50, 2, activation="tanh")  # a gradient of more than one chunk


def typed(net, dtype):
    return fastgd.MLP(*net.widths, activation=net.activations, loss=net.loss, bias=net.bias, dtype=dtype)


def assert_agree(ours, theirs, dtype="float64"):
    bound = 1e-11 if dtype == "float64" else 2e-4
    assert np.max(np.abs(ours.astype(float) - theirs) / (1 + np.abs(theirs))) < bound


def train(net, X, Y, *arguments, **options):
    return fastgd.train(net, X, Y, *arguments, kernel="matrix", **options)


def plan_of(net, n, batch_size, kernel="matrix", **options):
    return kernels.make_plan(net, n, Options(batch_size=batch_size, **options), kernel)


# -- which batches ---------------------------------------------------------------------------------------


def test_it_depends_on_the_plan_alone():
    assert [size for size in (1, 2, 7, 8, 9, 20) if plan_of(SHAPE, 20, size).few_rows] == [1, 2, 7]
    assert not plan_of(SHAPE, 5, 5).few_rows  # full batch
    assert not plan_of(SHAPE, 20, 2, method="central_difference").few_rows
    assert not plan_of(fastgd.MLP(2, 2, 1), 20, 2, kernel="unrolled").few_rows
    assert not plan_of(fastgd.MLP(2, 2, 1, loss="huber"), 20, 2).few_rows  # whose code has samples for lanes


# -- Algorithm 1 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", FEW)
@pytest.mark.parametrize("name", NETS)
def test_against_the_oracle(name, batch_size, dtype):
    net = typed(NETS[name], dtype)
    X, Y, params = random_problem(net, ROWS)
    params *= np.dtype(dtype).type(0.4)
    run = train(net, X, Y, 3, 0.01, params=params, rng=6, batch_size=batch_size)
    expected, costs = oracle.train(net, params, X, Y, 3, 0.01, batch_size, lambda epoch: order_of(ROWS, 6, epoch))
    assert_agree(run.params, expected, dtype)
    assert_agree(run.history.cost, costs, dtype)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_layerwise(batch_size):
    X, Y, params = random_problem(SHAPE, ROWS)
    run = train(SHAPE, X, Y, 3, 0.01, params=params * 0.4, batch_size=batch_size, shuffle=False, method="layerwise")
    expected, _ = oracle.train(SHAPE, params * 0.4, X, Y, 3, 0.01, batch_size, gradient=oracle.layerwise_gradient)
    assert_agree(run.params, expected)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_weights(batch_size):
    """A batch's mean is by its weights; one without weight changes nothing."""
    X, Y, params = random_problem(SHAPE, 12)
    weights = np.random.default_rng(3).uniform(0.1, 3, 12)
    weights[4:8] = 0
    run = train(SHAPE, X, Y, 1, 0.1, params=params * 0.4, batch_size=batch_size, shuffle=False, sample_weight=weights)
    expected = params * 0.4
    for start in range(0, 12, batch_size):
        rows = slice(start, start + batch_size)
        gradients = [oracle.gradient(SHAPE, expected, X[[row]], Y[[row]]) for row in range(12)[rows]]
        if weights[rows].sum() > 0:
            expected = expected - 0.1 * np.average(gradients, axis=0, weights=weights[rows])
    assert_agree(run.params, expected)
    losses = [oracle.cost(SHAPE, run.params, X[[row]], Y[[row]]) for row in range(12)]
    assert run.cost == pytest.approx(np.average(losses, weights=weights), rel=1e-11)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_smoothed_targets(batch_size):
    """The same as targets that are smoothed beforehand."""
    net = NETS["softmax"]
    X, Y, params = random_problem(net, ROWS)
    given = {"params": params * 0.4, "rng": 1, "batch_size": batch_size}
    smoothing = fastgd.MLP(*net.widths, activation=net.activations, loss="cross_entropy(0.2)")
    ours, theirs = train(smoothing, X, Y, 3, 0.05, **given), train(net, X, 0.8 * Y + 0.2 / 5, 3, 0.05, **given)
    assert_agree(ours.params, theirs.params)
    assert_agree(ours.history.cost, theirs.history.cost)


# -- every form of update --------------------------------------------------------------------------------


def updated(kind, numbers, w, g, slots, t, rate):
    """Parameters after one update, that t - 1 others came before; slots change in place. PyTorch's formulas."""
    if kind == "SGD":
        slots[0] = numbers.get("momentum", 0) * slots[0] + g
        return w - rate * (g + numbers["momentum"] * slots[0] if numbers.get("nesterov") else slots[0])
    if kind == "Adagrad":
        slots[0] += g * g
        return w - rate * g / (np.sqrt(slots[0]) + 1e-10)
    if kind == "RMSprop":
        slots[0] += (1 - 0.99) * (g * g - slots[0])
        return w - rate * g / (np.sqrt(slots[0]) + 1e-8)
    w = w - rate * numbers.get("weight_decay", 0) * w
    slots[0] += (1 - 0.9) * (g - slots[0])
    slots[1] += (1 - 0.999) * (g * g - slots[1])
    return w - rate * slots[0] / (1 - 0.9**t) / (np.sqrt(slots[1] / (1 - 0.999**t)) + 1e-8)


UPDATES = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "nesterov": ("SGD", {"momentum": 0.5, "nesterov": True}),
    "adagrad": ("Adagrad", {}),
    "rmsprop": ("RMSprop", {}),
    "adam": ("Adam", {}),
    "adamw": ("AdamW", {"weight_decay": 0.1}),
}
CHANGES = {
    "as it is": {},
    "l1": {"l1": 0.02},
    "l2": {"l2": 0.1},
    "clipped": {"clip_norm": 0.3},
    "all": {"l1": 0.02, "l2": 0.1, "clip_norm": 0.3},
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", UPDATES)
def test_every_update(name, change):
    """In batches of 1 and 3, the last one short; the gradient is clipped, then decayed."""
    (kind, numbers), changed = UPDATES[name], CHANGES[change]
    X, Y, params = random_problem(CHUNKED, 10)
    is_weight = np.zeros(CHUNKED.n_params)
    for layer in CHUNKED.layers:
        is_weight[layer.weights] = 1
    for size in (1, 3):
        run = train(
            CHUNKED, X, Y, 2, fastgd.schedules.Exponential(0.01, 0.9), params=params * 0.2, batch_size=size, shuffle=False,
            optimizer=getattr(fastgd, kind)(**numbers), **changed,
        )  # fmt: skip
        w, slots = params * 0.2, np.zeros((2, CHUNKED.n_params))
        for t, start in enumerate([*range(0, 10, size)] * 2):
            g = oracle.gradient(CHUNKED, w, X[start : start + size], Y[start : start + size])
            g *= min(1, changed.get("clip_norm", np.inf) / (np.linalg.norm(g) + 1e-6))
            g += is_weight * (changed.get("l2", 0) * w + changed.get("l1", 0) * np.sign(w))
            w = updated(kind, numbers, w, g, slots, t + 1, 0.01 * 0.9**t)
        assert_agree(run.params, w)


# -- threads ---------------------------------------------------------------------------------------------

SHARED = fastgd.MLP(300, 250, 120, 3, activation="tanh")
SHARES = {
    "plain": {},
    "adam": {"optimizer": "adam", "learning_rate": 1e-4, "validation": 0.3},
    "clipped": {"optimizer": fastgd.SGD(0.9), "clip_norm": 0.1, "l2": 0.01},
}


@pytest.mark.parametrize("name", SHARES)
@pytest.mark.parametrize("batch_size", [3, 7])
def test_any_number_of_threads_gives_the_same_bits(name, batch_size):
    """The first layer is cut into parts, the second of them in some cases, the last one never."""
    X, Y, params = random_problem(SHARED, 24)
    given = {"params": params * 0.1, "rng": 1, "batch_size": batch_size, "epochs": 3, "learning_rate": 1e-3} | SHARES[name]
    parts = [plan_of(SHARED, 24, batch_size, optimizer=SHARES[name].get("optimizer", "sgd")).few_parts(l) for l in range(3)]
    assert parts[0] > 1
    assert parts[2] == 1
    alone, *others = [train(SHARED, X, Y, **given, threads=threads) for threads in (1, 2, 5)]
    assert all(run == alone for run in others)


def test_parts_add_up_to_the_step():
    for batch_size in (1, 4, 7):
        X, Y, params = random_problem(SHARED, ROWS)
        run = train(SHARED, X, Y, 2, 0.01, params=params * 0.1, rng=6, batch_size=batch_size, threads=2)
        expected, costs = oracle.train(SHARED, params * 0.1, X, Y, 2, 0.01, batch_size, lambda epoch: order_of(ROWS, 6, epoch))
        assert_agree(run.params, expected)
        assert_agree(run.history.cost, costs)


# -- stretches -------------------------------------------------------------------------------------------

OPTIONS = {
    "plain": {},
    "adam": {"optimizer": "adam"},
    "clipped": {"optimizer": fastgd.SGD(0.9), "clip_norm": 0.1, "l2": 0.01},
    "watched": {"patience": 3, "restore_best": True, "validation": 0.3},
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("batch_size", [1, 4])
def test_chunks_leave_no_trace(name, batch_size, path, monkeypatch, dtype):
    """In one go, update by update on other numbers of threads, and ended in the middle of an epoch and resumed: the same bits."""
    net = typed(CHUNKED, dtype)
    X, Y, params = random_problem(net, 21)
    given = {"params": params * np.dtype(dtype).type(0.3), "rng": 1, "batch_size": batch_size, **OPTIONS[name]}
    whole = train(net, X, Y, 6, 0.01, threads=1, **given)
    monkeypatch.setattr("fastgd.training.loop.CHUNK_SECONDS", 0.0)
    assert train(net, X, Y, 6, 0.01, threads=2, **given) == whole
    looks = iter(range(1000))
    ended = train(net, X, Y, 6, 0.01, checkpoint=path, callback=lambda progress: next(looks) == 13, **given)
    assert ended.epochs < 6
    assert train(net, X, Y, 6, 0.01, threads=3, checkpoint=path, resume=True, **given) == whole


@pytest.mark.parametrize("name", OPTIONS)
def test_nothing_is_left_of_a_training_that_diverged(name):
    """Its memory is used again: what was infinite beyond the rows of weights is 0 again."""
    X, Y, params = random_problem(SHAPE, ROWS)
    given = {"params": params, "rng": 1, "batch_size": 2, **OPTIONS[name]}
    before = train(SHAPE, X, Y, 3, 0.01, **given)
    with pytest.raises(fastgd.DivergedError):
        train(SHAPE, 1e200 * X, 1e200 * Y, 3, 0.01, **given)
    assert train(SHAPE, X, Y, 3, 0.01, **given) == before


def test_members_in_turn():
    """Several members have one kernel, whose memory is that of whoever is trained."""
    X, Y, _ = random_problem(SHAPE, ROWS)
    params = np.random.default_rng(2).normal(size=(3, SHAPE.n_params)) * 0.3
    rates, decays, given = [0.01, 0.02, 0.03], [0.1, 0.2, 0.3], {"batch_size": 3, "optimizer": "adam", "shuffle": False}
    runs = fastgd.train_many(SHAPE, X, Y, 4, rates, params=params, l2=decays, kernel="matrix", **given)
    for run, initial, rate, l2 in zip(runs, params, rates, decays, strict=True):
        assert np.array_equal(run.params, train(SHAPE, X, Y, 4, rate, params=initial, l2=l2, **given).params)


# -- memory ----------------------------------------------------------------------------------------------


def test_layout(dtype):
    """Rows of weights are whole vectors, without overlap, and clear of the biases before them."""
    net = typed(NETS["deep"], dtype)
    plan, options = plan_of(net, 20, 3, l2=0.1), Options(l2=0.1)
    few = few_rows_of(plan, options)
    flat = rule_of(net, options, few.params[:0], np.ones(2), net.n_params)
    rule = few_rule_of(flat, few, plan, options)
    lanes = 64 // net.dtype.itemsize
    assert [width % lanes for width in few.widths] == [0, 0, 0, 0]
    taken = np.zeros(rule.size, int)
    for l, units in enumerate(net.widths[1:]):
        start = few.weights[l]
        taken[start - few.widths[l + 1] : start + -(-units // 8) * 8 * few.widths[l]] += 1
        rows = rule.is_weight[start : start + units * few.widths[l]].reshape(units, -1)
        assert (rows[:, : net.widths[l]] == 1).all()
    assert (taken == 1).all()
    assert rule.is_weight.sum() == sum(a * b for a, b in zip(net.widths, net.widths[1:], strict=False))
    assert np.array_equal(np.diff(few.starts), 3 * few.widths[:-1])
