"""Stop rules by cost: a run ends at the epoch that the rule says in words, with the parameters of the epoch it should have."""

import itertools
import math

import numpy as np
import oracle
import pytest
from small_problem import BOTH, HELD_OUT, NET, PARAMS, X, Y, assert_close, ends_by, held_out_costs, trajectory

# -- target_cost -----------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("epoch", [1, 2, 9, 30])
def test_target_cost_ends_at_the_first_epoch_that_reaches_it(epoch, batch_size, train):
    """The target lies between the costs of this epoch and the one before; at 30 it is the last one, and reached all the same."""
    params, costs = trajectory(30, 0.1, batch_size)
    target = costs[epoch] * 1.001 if epoch == 1 else math.sqrt(costs[epoch] * costs[epoch - 1])
    assert ends_by(costs, target) == ("target_cost", epoch, epoch)
    run = train(NET, X, Y, 30, 0.1, params=PARAMS, rng=0, batch_size=batch_size, shuffle=False, target_cost=target)
    assert (run.stopped_by, run.epochs, run.best_epoch) == ("target_cost", epoch, epoch)
    assert_close(run.params, params[epoch])
    unruled = train(NET, X, Y, epoch, 0.1, params=PARAMS, rng=0, batch_size=batch_size, shuffle=False)
    assert np.array_equal(run.params, unruled.params)
    assert run.cost == unruled.cost == pytest.approx(oracle.cost(NET, params[epoch], X, Y), rel=1e-12)
    assert run.history == unruled.history


@BOTH
def test_a_target_that_is_not_reached(batch_size, train):
    params, costs = trajectory(30, 0.1, batch_size)
    run = train(NET, X, Y, 30, 0.1, params=PARAMS, batch_size=batch_size, shuffle=False, target_cost=costs[-1] * 0.999)
    assert (run.stopped_by, run.epochs) == ("epochs", 30)
    assert_close(run.params, params[-1])


def test_initial_parameters_may_do(train):
    run = train(NET, X, Y, 30, 0.1, params=PARAMS, target_cost=oracle.cost(NET, PARAMS, X, Y) * 1.001)
    assert (run.stopped_by, run.epochs) == ("target_cost", 0)
    assert np.array_equal(run.params, PARAMS)
    assert np.array_equal(run.history.epoch, [0])


def test_a_cost_equal_to_the_target_reaches_it(train):
    costs = train(NET, X, Y, 30, 0.1, params=PARAMS).history.cost
    assert train(NET, X, Y, 30, 0.1, params=PARAMS, target_cost=costs[17]).epochs == 17
    assert train(NET, X, Y, 30, 0.1, params=PARAMS, target_cost=np.nextafter(costs[17], 0)).epochs == 18


@BOTH
def test_going_on_after_a_target(batch_size, train):
    """A lower target after a higher one: as if there had been the lower one alone."""
    options = {"batch_size": batch_size, "shuffle": False}
    params, costs = trajectory(30, 0.1, batch_size)
    first = train(NET, X, Y, 30, 0.1, params=PARAMS, target_cost=costs[5] * 1.00001, **options)
    both = train(NET, X, Y, 30, 0.1, params=first, target_cost=costs[12] * 1.0001, **options)
    alone = train(NET, X, Y, 30, 0.1, params=PARAMS, target_cost=costs[12] * 1.0001, **options)
    assert (first.epochs, both.epochs, both.stopped_by) == (ends_by(costs, costs[5] * 1.00001)[1], 12, "target_cost")
    assert_close(both.params, params[12])
    assert np.array_equal(both.params, alone.params)
    assert both.history == alone.history
    assert train(NET, X, Y, 30, 0.1, params=first, target_cost=costs[5] * 1.0001, **options).epochs in (first.epochs, first.epochs + 1)


# -- patience --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("batch_size", "rate"), [(None, 2.0), (3, 1.0)])
@pytest.mark.parametrize("min_delta", [0.0, 1e-4, 2e-3, 1.0])
@pytest.mark.parametrize("patience", [1, 2, 3, 7])
def test_patience(patience, min_delta, batch_size, rate, train):
    """Rates at which the cost goes up and down."""
    params, costs = trajectory(40, rate, batch_size)
    stopped_by, epochs, best = ends_by(costs, patience=patience, min_delta=min_delta)
    run = train(
        NET, X, Y, 40, rate, params=PARAMS, batch_size=batch_size, shuffle=False, patience=patience, min_delta=min_delta
    )  # fmt: skip
    assert (run.stopped_by, run.epochs, run.best_epoch) == (stopped_by, epochs, best)
    assert run.best_cost == pytest.approx(costs[best], rel=1e-11)
    assert_close(run.params, params[epochs])


def test_patience_is_tried_at_many_epochs():
    """The cases above stop early, late and not at all."""
    ends = {
        ends_by(trajectory(40, rate, size)[1], patience=patience, min_delta=delta)[:2]
        for (size, rate), delta, patience in itertools.product([(None, 2.0), (3, 1.0)], [0.0, 1e-4, 2e-3, 1.0], [1, 2, 3, 7])
    }
    assert ("epochs", 40) in ends
    assert len(ends) > 10


def test_patience_begins_anew(train):
    """A run that patience ended goes on for as long again."""
    _, costs = trajectory(40, 2.0)
    first = train(NET, X, Y, 40, 2.0, params=PARAMS, patience=1)
    both = train(NET, X, Y, 30, 2.0, params=first, patience=2, min_delta=2e-3)
    assert first.epochs == ends_by(costs, patience=1)[1]
    assert both.stopped_by == "patience"
    assert both.epochs == first.epochs + ends_by(costs[first.epochs :], patience=2, min_delta=2e-3)[1]


@pytest.mark.parametrize(("batch_size", "rate"), [(None, 2.0), (3, 1.0)])
def test_patience_goes_on_counting_in_a_run_that_ended_by_epochs(batch_size, rate, train):
    rule = {"patience": 3, "min_delta": 2e-3}
    options = {"batch_size": batch_size, "shuffle": False, **rule}
    stopped_by, epochs, _ = ends_by(trajectory(40, rate, batch_size)[1], **rule)
    assert stopped_by == "patience"
    whole = train(NET, X, Y, 40, rate, params=PARAMS, rng=0, **options)
    first = train(NET, X, Y, epochs - 1, rate, params=PARAMS, rng=0, **options)
    assert first.stopped_by == "epochs"
    both = train(NET, X, Y, 40, rate, params=first, **options)
    assert both.epochs == epochs
    assert both == whole


# -- restore_best ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("batch_size", "rate", "epochs"), [(None, 2.0, 16), (None, 2.0, 38), (3, 1.0, 40)])
def test_restore_best(batch_size, rate, epochs, train):
    options = {"batch_size": batch_size, "shuffle": False}
    params, costs = trajectory(epochs, rate, batch_size)
    best = int(np.argmin(costs))
    assert best < epochs
    run = train(NET, X, Y, epochs, rate, params=PARAMS, rng=0, restore_best=True, **options)
    assert (run.stopped_by, run.epochs, run.best_epoch) == ("epochs", epochs, best)
    assert_close(run.params, params[best])
    assert np.array_equal(run.params, train(NET, X, Y, best, rate, params=PARAMS, **options).params)
    assert run.cost == pytest.approx(oracle.cost(NET, run.params, X, Y), rel=1e-13)
    assert run.history == train(NET, X, Y, epochs, rate, params=PARAMS, rng=0, **options).history


def test_after_restore_best_it_is_the_latest_that_goes_on(train):
    whole = train(NET, X, Y, 40, 2.0, params=PARAMS, rng=0, restore_best=True)
    first = train(NET, X, Y, 16, 2.0, params=PARAMS, rng=0, restore_best=True)
    assert first.best_epoch == 15
    assert train(NET, X, Y, 24, 2.0, params=first, restore_best=True) == whole


def test_the_best_of_a_part_of_the_whole_run(train):
    """Going on from a best that later epochs do not beat keeps it."""
    options = {"params": PARAMS, "validation": HELD_OUT, "restore_best": True}
    first = train(NET, X, Y, 20, 0.3, **options)
    both = train(NET, X, Y, 20, 0.3, **{**options, "params": first})
    assert first.best_epoch == both.best_epoch == np.argmin(held_out_costs(trajectory(40, 0.3)[0]))
    assert np.array_equal(first.params, both.params)
