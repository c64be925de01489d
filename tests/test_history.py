"""Histories of few points, and runs whose updates have become too small to count."""

import itertools

import numpy as np
import oracle
import pytest
from conftest import random_problem
from small_problem import BOTH, HELD_OUT, NET, PARAMS, X, Y, trajectory

import fastgd
from fastgd.training import loop

# -- histories -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def every_point(train):
    """A run of 10,000 epochs with the cost of each."""
    return train(NET, X, Y, 10_000, 0.1, params=PARAMS, rng=0, record=10_001)


@pytest.mark.parametrize("spacing", ["even", "log"])
@pytest.mark.parametrize("record", [2, 5, 50, 1000])
@pytest.mark.parametrize("epochs", [10, 1000, 10_000])
def test_points(epochs, record, spacing, train, every_point):
    """No more than asked for, the first and the last epoch among them, and each what a run with all of them has there."""
    run = train(NET, X, Y, epochs, 0.1, params=PARAMS, rng=0, record=record, spacing=spacing)
    assert len(run.history.epoch) <= record
    assert (run.history.epoch[0], run.history.epoch[-1]) == (0, epochs)
    assert np.all(np.diff(run.history.epoch) > 0)
    assert run.history.cost == pytest.approx(every_point.history.cost[run.history.epoch], rel=1e-13)
    if spacing == "even":
        assert len(run.history.epoch) > min(record, epochs) / 2
    else:
        gaps = np.diff(run.history.epoch[:-1])
        assert np.all(np.diff(gaps) >= 0)
        if len(run.history.epoch) > 10 and epochs > record:
            assert gaps[-1] > 5 * gaps[0]


def test_points_do_not_change_the_parameters(train, every_point):
    for spacing in ["even", "log"]:
        assert np.array_equal(train(NET, X, Y, 10_000, 0.1, params=PARAMS, record=30, spacing=spacing).params, every_point.params)


@pytest.mark.parametrize(("batch_size", "seconds"), [(None, 0.0), (None, 1e3), (3, 0.0), (3, 1e3)])
def test_points_of_a_run_that_a_rule_stops(batch_size, seconds, train, monkeypatch):
    """As many as there is room for, also where the history was full just then. In full batch the last cost is looked at beforehand."""
    monkeypatch.setattr(loop, "CHUNK_SECONDS", seconds)
    _, costs = trajectory(20, 0.1, batch_size)
    for epochs, record in itertools.product(range(1, 13), [2, 3, 5]):
        stride = 1
        while len(range(0, epochs + (batch_size is None), stride)) >= record:
            stride *= 2
        options = {"params": PARAMS, "batch_size": batch_size, "shuffle": False, "record": record}
        run = train(NET, X, Y, 20, 0.1, target_cost=costs[epochs] * 1.0001, **options)
        assert run.epochs == epochs
        assert np.array_equal(run.history.epoch, [*range(0, epochs, stride), epochs])


@pytest.mark.parametrize("spacing", ["even", "log"])
@pytest.mark.parametrize("record", [2, 3, 20])
@BOTH
@pytest.mark.parametrize("rules", [{"restore_best": True}, {"patience": 10**6}, {"target_cost": 1e-9, "validation": HELD_OUT}])
def test_points_of_a_run_that_is_watched(rules, batch_size, record, spacing, train):
    """They are those of one that is not, of which there are more than the history holds."""
    options = {"params": PARAMS, "rng": 0, "batch_size": batch_size, "record": record, "spacing": spacing}
    monitored = train(NET, X, Y, 200, 0.1, **rules, **options)
    unwatched = train(NET, X, Y, 200, 0.1, **options)
    assert np.array_equal(monitored.history.epoch, unwatched.history.epoch)
    assert np.array_equal(monitored.history.cost, unwatched.history.cost)
    assert len(monitored.history.epoch) <= record
    if "validation" in rules:
        every = train(NET, X, Y, 200, 0.1, **rules, **{**options, "record": 1000, "spacing": "even"})
        assert np.array_equal(monitored.history.validation, every.history.validation[monitored.history.epoch])


# -- stalled ---------------------------------------------------------------------------------------------

LINE = fastgd.MLP(1, 1, activation="identity", bias=False, dtype="float32")
ON_LINE = np.array([0.3, 0.7, 1.1, 1.9])
NEARLY = 2 * ON_LINE + np.array([0.01, -0.02, 0.01, 0.03])  # so that the best w is no float32


def move(params):
    """The update of w at rate 0.1, in units in the last place of w."""
    w = params.astype(float)
    update = 0.1 * oracle.gradient(LINE, w, ON_LINE[:, None].astype(np.float32), NEARLY[:, None].astype(np.float32))
    return np.abs(update[0]) / np.spacing(params[0])


def test_stalled():
    """One kernel: of float32, the other one would take long to compile."""
    stalled = []
    for epochs in [0, 1, 10, 20, 500, 501]:
        run = fastgd.train(LINE, ON_LINE, NEARLY, epochs, 0.1, params=[0.5], kernel="unrolled")
        after = fastgd.train(LINE, ON_LINE, NEARLY, 1, 0.1, params=run, kernel="unrolled")
        assert run.stalled == (np.array_equal(after.params, run.params) and epochs > 0)
        assert (move(run.params) < 0.6) if run.stalled else (move(run.params) > 0.4)
        stalled.append(run.stalled)
    assert stalled == [False, False, False, False, True, True]
    assert move(run.params) > 1e-3  # it is rounding that holds it, no zero gradient


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("batch_size", [None, 3])
def test_looking_ahead_leaves_the_state_and_its_cost_alone(batch_size, optimizer):
    """After the last update the next one is made elsewhere: the run and what goes on from it are as if it were not."""
    net = fastgd.MLP(2, 3, 1, activation="tanh")
    rows, targets, params = random_problem(net, 11)
    options = {"batch_size": batch_size, "optimizer": optimizer, "kernel": "matrix", "rng": 4}
    once = fastgd.train(net, rows, targets, 7, 0.05, params=params, **options)
    half = fastgd.train(net, rows, targets, 3, 0.05, params=params, **options)
    twice = fastgd.train(net, rows, targets, 4, 0.05, params=half, **options)
    assert half.cost == pytest.approx(oracle.cost(net, half.params, rows, targets), rel=1e-12)
    assert once.cost == pytest.approx(oracle.cost(net, once.params, rows, targets), rel=1e-12)
    assert np.array_equal(once.params, twice.params)
    assert once.state == twice.state
