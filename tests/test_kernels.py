"""Every kernel against the oracle: Algorithm 1 in order, blocks of rows, wide layers; and the results do not depend on the chunks."""

import numpy as np
import oracle
import pytest
from conftest import random_problem
from row_order import order_of

import fastgd
from fastgd import kernels
from fastgd.losses import LOSSES
from fastgd.options import Options
from fastgd.samples import Samples


def assert_agree(ours, theirs, dtype="float64"):
    bound = 1e-11 if dtype == "float64" else 2e-4
    assert np.max(np.abs(ours.astype(float) - theirs) / (1 + np.abs(theirs))) < bound


# -- the order of rows -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 10, 257])
def test_every_row_once_an_epoch(n):
    for epoch in range(20):
        assert np.array_equal(np.sort(order_of(n, 5, epoch)), np.arange(n))


def test_order_is_a_function_of_seed_and_epoch():
    orders = {(seed, epoch): tuple(order_of(20, seed, epoch)) for seed in [0, 1, 2, 2**63 - 1] for epoch in [0, 1, 2, 10**12]}
    assert len(set(orders.values())) == 16
    for (seed, epoch), order in orders.items():
        assert tuple(order_of(20, seed, epoch)) == order


def test_every_order_is_as_likely():
    """Of 4 rows there are 24 orders; chi squared with 23 degrees of freedom is under 60 but for one time in 30,000."""
    for epochs, seeds in [(24_000, 1), (1, 24_000)]:
        seen = [tuple(order_of(4, seed, epoch)) for epoch in range(epochs) for seed in range(seeds)]
        counts = np.unique(seen, axis=0, return_counts=True)[1]
        assert len(counts) == 24
        assert np.sum((counts - 1000.0) ** 2 / 1000) < 60


def test_training_takes_that_order(train):
    net = fastgd.MLP(3, 2, 1, activation="tanh")
    X, Y, params = random_problem(net, 10)
    run = train(net, X, Y, 5, 0.3, params=params, rng=11, batch_size=1)
    assert_agree(run.params, oracle.train(net, params, X, Y, 5, 0.3, 1, lambda epoch: order_of(10, 11, epoch))[0])


# -- Algorithm 1 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["backprop", "layerwise", "finite_difference", "central_difference"])
@pytest.mark.parametrize("batch_size", [None, 1, 3, 4, 10, 11])
@pytest.mark.parametrize("shuffle", [False, True])
def test_algorithm_1(method, batch_size, shuffle, train, dtype):
    """11 rows: the last batch is short for 3, 4 and 10."""
    net = fastgd.MLP(2, 2, 1, activation="tanh", dtype=dtype)
    X, Y, params = random_problem(net, 11)
    eps = 1e-2
    run = train(net, X, Y, 6, 0.2, params=params, rng=4, method=method, eps=eps, batch_size=batch_size, shuffle=shuffle)
    order = (lambda epoch: order_of(11, 4, epoch)) if shuffle and batch_size else None
    expected, costs = oracle.train(net, params, X, Y, 6, 0.2, batch_size, order, oracle.gradient_by(method, eps))
    if dtype == "float32" and "difference" in method:
        assert np.abs(run.params - expected).max() < 5e-3
    else:
        assert_agree(run.params, expected, dtype)
    assert np.array_equal(run.history.epoch, np.arange(7))
    assert run.history.cost == pytest.approx(costs, rel=1e-10 if dtype == "float64" else 5e-3)
    assert run.cost == run.history.cost[-1]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("bias", [True, False])
def test_losses(loss, bias, train):
    net = fastgd.MLP(2, 3, 2, activation="leaky_relu", output=LOSSES[loss].output or "identity", loss=loss, bias=bias)
    X, Y, params = random_problem(net, 13)
    for batch_size in (None, 5):
        run = train(net, X, Y, 5, 0.1, params=params, batch_size=batch_size, shuffle=False)
        expected, costs = oracle.train(net, params, X, Y, 5, 0.1, batch_size)
        assert_agree(run.params, expected)
        assert_agree(run.history.cost, costs)


def test_a_batch_of_all_rows_is_full_batch(train):
    net = fastgd.MLP(2, 3, 1)
    X, Y, params = random_problem(net, 9)
    whole = train(net, X, Y, 20, 0.5, params=params, rng=0)
    ordered = train(net, X, Y, 20, 0.5, params=params, rng=0, batch_size=9, shuffle=False)
    shuffled = train(net, X, Y, 20, 0.5, params=params, rng=0, batch_size=9)
    assert np.array_equal(whole.params, ordered.params)
    assert_agree(shuffled.params, whole.params)


# -- several blocks, and wide layers ---------------------------------------------------------------------


@pytest.mark.parametrize("n", [255, 256, 257, 511, 512, 513, 700])
@pytest.mark.parametrize("batch_size", [None, 255, 256, 257, 300])
def test_blocks(n, batch_size, dtype):
    """The matrix kernel passes over 256 rows at a time; 300 of 700 rows leave blocks of 256, 44, 256, 44, 100."""
    if batch_size is not None and batch_size > n:
        return
    net = fastgd.MLP(3, 4, 2, activation="tanh", dtype=dtype)
    X, Y, params = random_problem(net, n)
    run = fastgd.train(net, X, Y, 4, 0.3, params=params, rng=2, batch_size=batch_size, kernel="matrix")
    order = None if batch_size is None else (lambda epoch: order_of(n, 2, epoch))
    expected, costs = oracle.train(net, params, X, Y, 4, 0.3, batch_size, order)
    assert_agree(run.params, expected, dtype)
    assert_agree(run.history.cost, costs, dtype)
    assert_agree(net.predict(params, X), oracle.predict(net, params, X), dtype)


@pytest.mark.parametrize("method", ["layerwise", "finite_difference", "central_difference"])
def test_methods_over_blocks(method):
    for width in (4, 9):
        net = fastgd.MLP(3, width, 2, activation="tanh")
        X, Y, params = random_problem(net, 700)
        run = fastgd.train(net, X, Y, 2, 0.3, params=params, method=method, eps=1e-2, kernel="matrix")
        assert_agree(run.params, oracle.train(net, params, X, Y, 2, 0.3, gradient=oracle.gradient_by(method, 1e-2))[0])


WIDE = [
    fastgd.MLP(20, 33, 10, activation="tanh"),
    fastgd.MLP(7, 64, 31, 3, activation=["relu", "sigmoid", "identity"]),
    fastgd.MLP(16, 40, 5, activation="leaky_relu", output="softmax", loss="cross_entropy"),
    fastgd.MLP(16, 40, 5, activation="tanh", output="sigmoid", loss="binary_cross_entropy", bias=False),
    fastgd.MLP(12, 16, 4, activation="sin", output="softmax"),
    fastgd.MLP(1, 64, 1, activation="tanh"),
]


@pytest.mark.parametrize("net", WIDE, ids=str)
@pytest.mark.parametrize(("n", "batch_size"), [(70, None), (600, None), (600, 300), (130, 64)])
def test_wide_networks(net, n, batch_size, dtype):
    """Widths from which layers are products of matrices, with and without columns that are left over."""
    net = fastgd.MLP(*net.widths, activation=net.activations, loss=net.loss, bias=net.bias, dtype=dtype)
    X, Y, params = random_problem(net, n)
    params *= np.dtype(dtype).type(0.4)
    run = fastgd.train(net, X, Y, 3, 0.1, params=params, rng=6, batch_size=batch_size, kernel="matrix")
    order = None if batch_size is None else (lambda epoch: order_of(n, 6, epoch))
    expected, costs = oracle.train(net, params, X, Y, 3, 0.1, batch_size, order)
    assert_agree(run.params, expected, dtype)
    assert_agree(run.history.cost, costs, dtype)
    assert_agree(run.predict(X), oracle.predict(net, expected, X), dtype)


def test_wide_layer_costs():
    net = fastgd.MLP(20, 33, 10, activation="tanh")
    X, Y, params = random_problem(net, 600)
    assert net.layer_costs(params * 0.4, X, Y) == pytest.approx(oracle.layer_costs(net, params * 0.4, X, Y), rel=1e-11)


# -- chunks ----------------------------------------------------------------------------------------------


def loop_of(kernel, net, X, Y, **options):
    """The kernel bound to these rows, and its options; skipped where only others serve the network."""
    options = Options(learning_rate=0.3, **options)
    try:
        plan = kernels.make_plan(net, len(X), options, kernel)
    except ValueError as error:
        if kernel == "matrix":
            raise
        pytest.skip(str(error))
    return kernels.load(plan, options, Samples.alike(X, Y))


def advanced(loop, params, epochs, limit):
    """The state after `epochs` in calls of at most `limit` updates."""
    state = loop.start(params)
    while state.epoch < epochs:
        before = state.cursor.copy()
        loop.advance(state, 9, epochs, limit)
        assert not np.array_equal(state.cursor, before)
    return state


@pytest.mark.parametrize("batch_size", [None, 1, 3, 10])
@pytest.mark.parametrize("method", ["backprop", "finite_difference"])
def test_chunks_leave_no_trace(kernel, batch_size, method, dtype):
    """One update at a time, seven, or all in one call: the same bits, history included."""
    net = fastgd.MLP(2, 2, 1, activation="tanh", dtype=dtype)
    X, Y, params = random_problem(net, 10)
    loop = loop_of(kernel, net, X, Y, method=method, batch_size=batch_size, record=9)
    states = [advanced(loop, params, 30, limit) for limit in (1, 7, 10**9)]
    assert states[0] == states[1] == states[2]
    assert np.array_equal(states[0].points[: states[0].recorded], np.arange(0, 30, 4))
    assert np.isfinite(states[0].costs[: states[0].recorded]).all()


def test_recording_leaves_no_trace(kernel, dtype):
    """The cost is observed on the way: parameters do not depend on how often."""
    net = fastgd.MLP(2, 2, 1, activation="tanh", dtype=dtype)
    X, Y, params = random_problem(net, 10)
    for batch_size in (None, 3):
        states = [advanced(loop_of(kernel, net, X, Y, batch_size=batch_size, record=n), params, 30, 10**9) for n in (2, 7, 100)]
        assert [state.recorded for state in states] == [1, 4, 30]
        assert all(np.array_equal(state.params, states[0].params) for state in states)


def test_no_updates_of_no_limit(kernel):
    """A limit of 0 compiles and changes nothing."""
    net = fastgd.MLP(3, 4, 2)
    X, Y, params = random_problem(net, 10)
    loop = loop_of(kernel, net, X, Y)
    state = loop.start(params)
    before = state.copy()
    loop.advance(state, 9, 5, 0)
    assert state == before
    assert state.epoch == 0
    assert state.recorded == 0
