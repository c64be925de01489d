"""sample_weight and l2 against repeated rows, the oracle and Algorithm 1 written by hand."""

import numpy as np
import oracle
import pytest
from row_order import order_of
from small_problem import BOTH, NET, PARAMS, X, Y, assert_close

# -- sample weights --------------------------------------------------------------------------------------


def by_weights(epochs, rate, batch_size, weights, order=lambda epoch: np.arange(11)):
    """Algorithm 1 of notes 004 with weighted means, row by row. The parameters, and the mean over the batches of every epoch."""
    params, costs = PARAMS, []
    for epoch in range(epochs):
        batch_costs = []
        for start in range(0, 11, batch_size or 11):
            total, cost, gradient = 0.0, 0.0, np.zeros_like(params)
            for row in order(epoch)[start : start + (batch_size or 11)]:
                total += weights[row]
                cost += weights[row] * oracle.cost(NET, params, X[[row]], Y[[row]])
                gradient += weights[row] * oracle.gradient(NET, params, X[[row]], Y[[row]])
            batch_costs.append(cost / total)
            params = params - rate * gradient / total
        costs.append(np.mean(batch_costs))
    return params, costs


def test_whole_weights_are_repeated_rows(train):
    weights = np.array([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2])
    params, costs = oracle.train(NET, PARAMS, np.repeat(X, weights, axis=0), np.repeat(Y, weights, axis=0), 20, 0.3)
    run = train(NET, X, Y, 20, 0.3, params=PARAMS, sample_weight=weights)
    assert_close(run.params, params)
    assert run.history.cost == pytest.approx(costs, rel=1e-11)
    assert run.cost == run.history.cost[-1]


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [None, 3, 4])
def test_weights_in_batches(batch_size, shuffle, train):
    weights = np.random.default_rng(4).uniform(0.1, 3, 11)
    shuffled = shuffle and batch_size is not None
    params, costs = by_weights(
        10, 0.3, batch_size, weights, (lambda epoch: order_of(11, 6, epoch)) if shuffled else lambda epoch: np.arange(11)
    )
    run = train(NET, X, Y, 10, 0.3, params=PARAMS, rng=6, batch_size=batch_size, shuffle=shuffle, sample_weight=weights)
    assert_close(run.params, params)
    assert run.history.cost[:-1] == pytest.approx(costs, rel=1e-11)
    losses = [oracle.cost(NET, params, X[[row]], Y[[row]]) for row in range(11)]
    assert run.cost == run.history.cost[-1] == pytest.approx(np.average(losses, weights=weights), rel=1e-11)


def test_a_batch_without_weight_changes_nothing(train, single_updates):
    """Rows 3 to 5, the second batch, are left out: what the first batch made of the parameters stays until the third."""
    told = []
    weights = np.where(np.isin(np.arange(11), [3, 4, 5]), 0.0, 1.5)
    train(NET, X, Y, 1, 0.3, params=PARAMS, batch_size=3, shuffle=False, sample_weight=weights, callback=lambda p: told.append(p.params))
    expected = [PARAMS]
    for rows in [slice(0, 3), slice(6, 9), slice(9, 11)]:
        expected.append(expected[-1] - 0.3 * oracle.gradient(NET, expected[-1], X[rows], Y[rows]))
    assert_close(told, [expected[1], expected[1], expected[2], expected[3]])
    assert np.array_equal(told[0], told[1])


@BOTH
def test_only_the_ratio_of_weights_counts(batch_size, train):
    weights = np.random.default_rng(5).uniform(0.1, 3, 11)
    one, seven, eight = (
        train(NET, X, Y, 20, 0.3, params=PARAMS, rng=0, batch_size=batch_size, sample_weight=factor * weights) for factor in (1, 7, 8)
    )
    assert_close(seven.params, one.params, 1e-12)
    assert_close(seven.history.cost, one.history.cost, 1e-12)
    assert eight == one  # a power of two is no rounding
    equal = train(NET, X, Y, 20, 0.3, params=PARAMS, rng=0, batch_size=batch_size, sample_weight=np.full(11, 7.0))
    assert_close(equal.params, train(NET, X, Y, 20, 0.3, params=PARAMS, rng=0, batch_size=batch_size).params, 1e-12)


# -- l2 --------------------------------------------------------------------------------------------------


def test_l2_pulls_at_weights_alone(train):
    """And reported costs are those of the data."""
    weights = np.array([1, 1, 1, 1, 0, 0, 1, 1, 0])  # W (2, 2), b (2,), W (1, 2), b (1,)
    params, costs = PARAMS, []
    for _ in range(20):
        costs.append(oracle.cost(NET, params, X, Y))
        params = params - 0.3 * (oracle.gradient(NET, params, X, Y) + 0.2 * weights * params)
    run = train(NET, X, Y, 20, 0.3, params=PARAMS, l2=0.2)
    assert_close(run.params, params)
    assert run.history.cost == pytest.approx([*costs, oracle.cost(NET, params, X, Y)], rel=1e-11)
