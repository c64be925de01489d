"""train(): the notes' models learn, histories mean what they say, seeds, chunks and going on."""

from dataclasses import replace

import numpy as np
import oracle
import pytest
from conftest import random_problem

import fastgd
from fastgd.training import loop

# -- the notes' models -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["backprop", "finite_difference", "central_difference"])
def test_twice(method, train):
    """y = x w reaches w = 2, notes 002 (2)-(7); forward differences stop eps / 2 short of it."""
    X, Y = fastgd.data.twice()
    net = fastgd.MLP(1, 1, activation="identity", bias=False)
    run = train(net, X, Y, 500, 0.1, rng=0, method=method, eps=1e-3)
    assert run.params == pytest.approx([2.0 - (5e-4 if method == "finite_difference" else 0)], abs=1e-9)


@pytest.mark.parametrize("gate", ["and", "or", "nand", "nor"])
def test_gates(gate, train, dtype):
    """One sigmoid neuron, notes 002 (8)-(22), from the uniform values of the notes' programs."""
    X, Y = fastgd.data.gate(gate)
    net = fastgd.MLP(2, 1, dtype=dtype)
    run = train(net, X, Y, 100_000, 0.1, params=net.init(rng=0, scheme="uniform"))
    assert run.cost < 2e-3
    assert np.array_equal(run.predict(X).round(), Y)


def test_gate_by_finite_differences(train):
    X, Y = fastgd.data.gate("nand")
    run = train(fastgd.MLP(2, 1), X, Y, 100_000, 0.1, rng=0, method="finite_difference", eps=0.1)
    assert np.array_equal(run.predict(X).round(), Y)


@pytest.mark.parametrize("method", ["backprop", "layerwise"])
@pytest.mark.parametrize("layers", [2, 4])
def test_chain(layers, method, train):
    """A chain of m neurons, notes 002 (23)-(52), learns to tell two numbers apart."""
    net = fastgd.MLP(*[1] * (layers + 1))
    X, Y = [0.0, 1.0], [1.0, 0.0]
    params = net.pack([([[4.0 * (-1) ** (l == 0)]], [2.0 * (-1) ** (l > 0)]) for l in range(layers)])
    run = train(net, X, Y, 20_000, 0.5, params=params, method=method)
    assert run.cost < 1e-3


@pytest.mark.parametrize("seed", [1, 2, 3, 5])
def test_xor(seed, train):
    """2-2-1, notes 004."""
    X, Y = fastgd.data.gate("xor")
    run = train(fastgd.MLP(2, 2, 1), X, Y, 100_000, 1.0, rng=seed)
    assert run.cost < 1e-3
    assert np.array_equal(run.predict(X).round(), Y)


def test_xor_by_mini_batches(train):
    X, Y = fastgd.data.gate("xor")
    run = train(fastgd.MLP(2, 4, 1, activation="tanh"), X, Y, 20_000, 0.1, rng=0, batch_size=2)
    assert run.cost < 1e-3


# -- history ---------------------------------------------------------------------------------------------


def problem(n=10, **options):
    net = fastgd.MLP(2, 3, 2, activation="tanh", **options)
    return net, *random_problem(net, n)


@pytest.mark.parametrize("batch_size", [None, 3])
def test_history(batch_size, train):
    """Epoch 0 is the initial cost in full batch, the mean over the first epoch's batches otherwise; the last is a full pass."""
    net, X, Y, params = problem()
    run = train(net, X, Y, 40, 0.2, params=params, batch_size=batch_size, shuffle=False)
    _, costs = oracle.train(net, params, X, Y, 40, 0.2, batch_size)
    assert np.array_equal(run.history.epoch, np.arange(41))
    assert run.history.epoch.dtype.kind == "i"
    assert run.history.cost == pytest.approx(costs, rel=1e-11)
    assert run.cost == run.history.cost[-1] == pytest.approx(net.cost(run.params, X, Y), rel=1e-14)
    if batch_size is None:
        assert run.history.cost[0] == pytest.approx(net.cost(params, X, Y), rel=1e-14)


@pytest.mark.parametrize("record", [2, 3, 7, 40, 41, 1000])
@pytest.mark.parametrize("batch_size", [None, 3])
def test_record(record, batch_size, train):
    """Few points are some of all points: the first and the last, and those a power of two epochs apart."""
    net, X, Y, params = problem()
    every = train(net, X, Y, 40, 0.2, params=params, batch_size=batch_size, shuffle=False)
    some = train(net, X, Y, 40, 0.2, params=params, batch_size=batch_size, shuffle=False, record=record)
    stride = 1
    while len(range(0, 40, stride)) >= record:
        stride *= 2
    assert np.array_equal(some.history.epoch, [*range(0, 40, stride), 40])
    assert np.array_equal(some.history.cost, every.history.cost[some.history.epoch])
    assert np.array_equal(some.params, every.params)


@pytest.mark.parametrize("record", [2, 3, 7, 1000])
@pytest.mark.parametrize("spacing", ["even", "log"])
def test_record_while_the_cost_is_watched(record, spacing, train):
    """Every epoch is looked at, few are written down; the points are the same as without stop rules."""
    net, X, Y, params = problem()
    for epochs in (40, 3000):
        options = {"params": params, "rng": 0, "record": record, "spacing": spacing}
        monitored = train(net, X, Y, epochs, 0.2, **options, target_cost=0.0)
        assert monitored.history == train(net, X, Y, epochs, 0.2, **options).history
        assert len(monitored.history.epoch) <= record


def test_no_epochs(train):
    net, X, Y, params = problem()
    run = train(net, X, Y, 0, params=params)
    assert np.array_equal(run.params, params)
    assert run.epochs == 0
    assert np.array_equal(run.history.epoch, [0])
    assert run.history.cost == run.cost == pytest.approx(oracle.cost(net, params, X, Y), rel=1e-14)


def test_rates_of_zero_and_below(train):
    net, X, Y, params = problem()
    assert np.array_equal(train(net, X, Y, 5, 0.0, params=params).params, params)
    up = train(net, X, Y, 1, -0.1, params=params).params
    assert up == pytest.approx(params + 0.1 * oracle.gradient(net, params, X, Y), rel=1e-12)


def test_run_says_what_was_done(train, kernel):
    net, X, Y, params = problem()
    run = train(net, X, Y, 5, 0.2, params=params, rng=3, method="layerwise", eps=0.5, batch_size=4, shuffle=False)
    assert run.net == net
    assert run.epochs == 5
    assert run.seed == 3
    assert run.kernel == kernel
    assert run.stopped_by == "epochs"
    assert run.seconds >= 0
    expected = {"method": "layerwise", "learning_rate": 0.2, "eps": 0.5, "batch_size": 4, "shuffle": False, "optimizer": fastgd.SGD()}
    assert expected.items() <= run.options.items()


# -- seeds -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [None, 3])
def test_same_seed_same_bits(batch_size, train, dtype):
    net, X, Y, _ = problem(dtype=dtype)
    runs = [train(net, X, Y, 30, 0.2, rng=5, batch_size=batch_size) for _ in range(2)]
    assert runs[0] == runs[1]
    assert runs[0] != train(net, X, Y, 30, 0.2, rng=6, batch_size=batch_size)
    explicit = train(net, X, Y, 30, 0.2, params=net.init(rng=5), rng=5, batch_size=batch_size)
    assert explicit == runs[0]


def test_generator_and_none(train):
    net, X, Y, _ = problem()
    runs = [train(net, X, Y, 10, rng=np.random.default_rng(8), batch_size=3) for _ in range(2)]
    assert runs[0] == runs[1]
    generator = np.random.default_rng(8)
    assert train(net, X, Y, 10, rng=generator, batch_size=3) == runs[0]
    assert train(net, X, Y, 10, rng=generator, batch_size=3) != runs[0]
    taken = train(net, X, Y, 10, batch_size=3)
    assert train(net, X, Y, 10, rng=taken.seed, batch_size=3) == taken
    assert train(net, X, Y, 10, batch_size=3).seed != taken.seed


def test_global_random_state_is_left_alone(train):
    np.random.seed(0)
    expected = np.random.random()
    np.random.seed(0)
    net, X, Y, _ = problem()
    train(net, X, Y, 10, batch_size=3)
    assert np.random.random() == expected


# -- chunks and going on ---------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("seconds", [0.0, 1e-6, 1e-4, 1e3])
def test_chunk_lengths_leave_no_trace(seconds, batch_size, train, monkeypatch):
    net, X, Y, params = problem()
    usual = train(net, X, Y, 300, 0.2, params=params, rng=0, batch_size=batch_size, record=50)
    monkeypatch.setattr(loop, "CHUNK_SECONDS", seconds)
    assert train(net, X, Y, 300, 0.2, params=params, rng=0, batch_size=batch_size, record=50) == usual


def test_wide_networks_too(monkeypatch):
    net = fastgd.MLP(20, 40, 10, activation="tanh")
    X, Y, params = random_problem(net, 300)
    usual = fastgd.train(net, X, Y, 20, 0.05, params=params * 0.3, rng=0, batch_size=64)
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0.0)
    assert fastgd.train(net, X, Y, 20, 0.05, params=params * 0.3, rng=0, batch_size=64) == usual


@pytest.mark.parametrize("batch_size", [None, 3])
def test_going_on(batch_size, train, dtype):
    """20 epochs and 30 further ones are 50, to the bit: the order of rows goes on too."""
    net, X, Y, params = problem(dtype=dtype)
    whole = train(net, X, Y, 50, 0.2, params=params, rng=1, batch_size=batch_size)
    first = train(net, X, Y, 20, 0.2, params=params, rng=1, batch_size=batch_size)
    both = train(net, X, Y, 30, 0.2, params=first, batch_size=batch_size)
    assert np.array_equal(both.params, whole.params)
    assert both == whole
    assert both.seconds >= first.seconds
    assert first.epochs == 20


def test_going_on_with_a_loaded_run(train, tmp_path):
    net, X, Y, params = problem()
    whole = train(net, X, Y, 50, 0.2, params=params, rng=1, batch_size=3)
    train(net, X, Y, 20, 0.2, params=params, rng=1, batch_size=3).save(tmp_path / "run.npz")
    assert train(net, X, Y, 30, 0.2, params=fastgd.load_run(tmp_path / "run.npz"), batch_size=3) == whole


def test_going_on_keeps_few_points(train):
    net, X, Y, params = problem()
    first = train(net, X, Y, 300, 0.2, params=params, rng=1, record=20)
    both = train(net, X, Y, 700, 0.2, params=first, record=20)
    assert both.epochs == 1000
    assert len(both.history.epoch) <= 20
    assert both.history.epoch[0] == 0
    assert both.history.epoch[-1] == 1000
    assert np.all(np.diff(both.history.epoch) > 0)
    every = train(net, X, Y, 1000, 0.2, params=params, rng=1, record=1001)
    assert np.array_equal(both.history.cost, every.history.cost[both.history.epoch])


def test_progress(train):
    net, X, Y, params = problem()
    seen = []
    run = train(net, X, Y, 2000, 0.1, params=params, progress=seen.append, record=2002)
    assert seen[-1].epoch == seen[-1].epochs == 2000
    assert [p.epoch for p in seen] == sorted(p.epoch for p in seen)
    assert all(p.cost in run.history.cost for p in seen)
    assert seen[-1].seconds == run.seconds
    assert np.array_equal(seen[-1].params, run.params)
    assert run == train(net, X, Y, 2000, 0.1, params=params, rng=run.seed, record=2002)


def test_an_error_in_progress_is_the_callers(train):
    def fail(progress):
        raise RuntimeError("enough")

    net, X, Y, params = problem()
    with pytest.raises(RuntimeError, match="enough"):
        train(net, X, Y, 2000, 0.1, params=params, progress=fail)


def test_a_batch_whose_gradient_overflows_does_not_spoil_the_cost():
    """The cost takes no updates, so one row of 1e200 at w = 1e-60 is what arithmetic makes of it."""
    net = fastgd.MLP(1, 1, activation="identity")
    run = fastgd.train(net, [1e200, 1.0], [0.0, 0.0], 0, params=[1e-60, 0.0], batch_size=1, rng=0)
    assert run.cost == pytest.approx(1e280 / 2)


def test_a_run_of_one_kernel_goes_on_where_only_another_serves():
    net = fastgd.MLP(8, 10, 4)
    X, Y = np.full((4, 8), 0.5), np.full((4, 4), 0.25)
    run = fastgd.train(net, X, Y, 2, rng=0, kernel="matrix")
    run = replace(run, kernel="unrolled")
    assert fastgd.train(net, X, Y, 1, params=run, method="finite_difference").kernel == "matrix"


def test_too_many_epochs_after_a_run():
    net = fastgd.MLP(1, 1)
    run = replace(fastgd.train(net, [0.0], [0.5], 0, rng=0), epochs=2**62, state=None)
    with pytest.raises(ValueError, match="epochs"):
        fastgd.train(net, [0.0], [0.5], 1, params=run)
