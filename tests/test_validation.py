"""Validation rows: their costs, which rows a share draws, and stop rules that watch them."""

import itertools

import numpy as np
import oracle
import pytest
from conftest import random_problem
from small_problem import BOTH, HELD_OUT, NET, PARAMS, X, Y, assert_close, ends_by, held_out_costs, trajectory

import fastgd

# -- validation ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", [1000, 10])
@BOTH
def test_validation_rows(batch_size, record, train):
    params, _ = trajectory(40, 0.3, batch_size)
    options = {"params": PARAMS, "rng": 0, "batch_size": batch_size, "shuffle": False, "record": record}
    run = train(NET, X, Y, 40, 0.3, validation=HELD_OUT, **options)
    assert run.history.validation == pytest.approx(held_out_costs(params)[run.history.epoch], rel=1e-11)
    without = train(NET, X, Y, 40, 0.3, **options)
    assert without.history.validation is None
    assert np.array_equal(run.params, without.params)
    assert np.array_equal(run.history.epoch, without.history.epoch)
    assert np.array_equal(run.history.cost, without.history.cost)


@BOTH
@pytest.mark.parametrize("rule", [{"target": 0.0333}, {"patience": 1}, {"patience": 4, "min_delta": 1e-3}, {"target": 0.01, "patience": 9}])
def test_rules_watch_validation_rows(rule, batch_size, train):
    params, _ = trajectory(40, 0.1, batch_size)
    costs = held_out_costs(params)
    stopped_by, epochs, best = ends_by(costs, **rule)
    assert stopped_by != "epochs"
    options = {"target_cost" if name == "target" else name: value for name, value in rule.items()}
    run = train(
        NET, X, Y, 40, 0.1, params=PARAMS, batch_size=batch_size, shuffle=False, validation=HELD_OUT, restore_best=True, **options
    )  # fmt: skip
    assert (run.stopped_by, run.epochs, run.best_epoch) == (stopped_by, epochs, best)
    assert_close(run.params, params[best])
    assert run.cost == pytest.approx(oracle.cost(NET, params[best], X, Y), rel=1e-11)
    assert run.best_cost == pytest.approx(costs[best], rel=1e-11)
    assert run.history.validation == pytest.approx(costs[: epochs + 1], rel=1e-11)


def test_the_end_is_watched_too(train):
    """Validation cost after the last epoch: the least one, one that reaches the target, one that tries patience."""
    costs = held_out_costs(trajectory(40, 0.1)[0])
    best = int(np.argmin(costs))
    options = {"params": PARAMS, "validation": HELD_OUT}
    assert train(NET, X, Y, best, 0.1, restore_best=True, **options).best_epoch == best
    assert train(NET, X, Y, best, 0.1, target_cost=costs[best] * (1 + 1e-9), **options).stopped_by == "target_cost"
    assert train(NET, X, Y, best + 3, 0.1, patience=3, **options).stopped_by == "patience"
    assert train(NET, X, Y, best + 2, 0.1, patience=3, **options).stopped_by == "epochs"


MANY = random_problem(NET, 15, seed=2)[:2]  # of which 4/15 leave 11


def held_out_rows(run, params, data, weights=None):
    """The 4 of 15 rows whose cost for the initial parameters is the one that the run began with."""
    losses = np.array([oracle.cost(NET, params, data[0][[i]], data[1][[i]]) for i in range(15)])
    weights = np.ones(15) if weights is None else weights
    choices = np.array(list(itertools.combinations(range(15), 4)))
    costs = (weights * losses)[choices].sum(axis=1) / weights[choices].sum(axis=1)
    (fitting,) = np.flatnonzero(np.abs(costs / run.history.validation[0] - 1) < 1e-12)
    return choices[fitting]


@BOTH
def test_a_share_of_the_rows(batch_size, train):
    """They are not trained on: training is that of the other rows, in their order."""
    options = {"params": PARAMS, "batch_size": batch_size}
    drawn = []
    for seed in [0, 1, 2]:
        run = train(NET, *MANY, 20, 0.3, rng=seed, validation=4 / 15, **options)
        apart = np.isin(np.arange(15), held_out_rows(run, PARAMS, MANY))
        drawn.append(tuple(apart))
        others = train(NET, MANY[0][~apart], MANY[1][~apart], 20, 0.3, rng=seed, **options)
        assert np.array_equal(run.params, others.params)
        assert np.array_equal(run.history.cost, others.history.cost)
        assert run.cost == others.cost
        assert run.history.validation[-1] == pytest.approx(oracle.cost(NET, run.params, MANY[0][apart], MANY[1][apart]), rel=1e-12)
        assert run == train(NET, *MANY, 20, 0.3, rng=seed, validation=4 / 15, **options)
    assert len(set(drawn)) == 3


def test_a_share_is_the_same_after_going_on(train):
    whole = train(NET, *MANY, 20, 0.3, rng=0, validation=4 / 15, batch_size=3)
    first = train(NET, *MANY, 8, 0.3, rng=0, validation=4 / 15, batch_size=3)
    assert train(NET, *MANY, 12, 0.3, params=first, validation=4 / 15, batch_size=3) == whole


def test_weights_go_with_their_rows():
    """One kernel: both get the same rows. Rows held out are weighed as well."""
    weights = np.random.default_rng(3).uniform(0.1, 2, 15)
    run = fastgd.train(NET, *MANY, 20, 0.3, params=PARAMS, rng=0, validation=4 / 15, sample_weight=weights, kernel="matrix")
    apart = np.isin(np.arange(15), held_out_rows(run, PARAMS, MANY, weights))
    others = fastgd.train(
        NET, MANY[0][~apart], MANY[1][~apart], 20, 0.3, params=PARAMS, rng=0, sample_weight=weights[~apart], kernel="matrix"
    )  # fmt: skip
    assert np.array_equal(run.params, others.params)


def test_a_share_that_leaves_no_weight():
    weights = np.where(np.arange(15) == 7, 1.0, 0.0)
    for seed in range(10):  # row 7 is on one side or the other
        with pytest.raises(ValueError, match="sample_weight"):
            fastgd.train(NET, *MANY, 1, rng=seed, validation=4 / 15, sample_weight=weights, kernel="matrix")


def test_going_on_between_two_points(train):
    """Where no validation cost is due any more."""
    options = {"validation": HELD_OUT, "record": 3}
    whole = train(NET, X, Y, 60, 0.3, params=PARAMS, rng=0, **options)
    first = train(NET, X, Y, 40, 0.3, params=PARAMS, rng=0, **options)
    assert train(NET, X, Y, 20, 0.3, params=first, **options) == whole


def test_validation_from_some_epoch_on(train, tmp_path):
    first = train(NET, X, Y, 5, 0.3, params=PARAMS, rng=0)
    both = train(NET, X, Y, 5, 0.3, params=first, validation=HELD_OUT)
    assert both.history.validation[5:] == pytest.approx(held_out_costs(trajectory(10, 0.3)[0])[5:], rel=1e-11)
    assert np.isnan(both.history.validation[:5]).all()
    both.save(tmp_path / "run.npz")
    assert fastgd.load_run(tmp_path / "run.npz") == both
