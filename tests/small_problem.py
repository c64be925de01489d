"""One small network with its rows, its trajectory by the oracle and ways to train it, which tests of long runs share."""

import functools
import math

import numpy as np
import oracle
import pytest
from conftest import random_problem

import fastgd

NET = fastgd.MLP(2, 2, 1, activation="tanh")
X, Y, PARAMS = random_problem(NET, 11)
HELD_OUT = random_problem(NET, 5, seed=1)[:2]
OPTIMIZERS = {"sgd": "sgd", "momentum": fastgd.SGD(momentum=0.9), "adam": "adam", "rprop": "rprop"}
RATES = {"sgd": 0.3, "momentum": 0.03, "adam": 0.05, "rprop": 0.01}
EPOCHS = 12
BOTH = pytest.mark.parametrize("batch_size", [None, 3])


@functools.cache
def trajectory(epochs, rate, batch_size=None):
    """The parameters after 0, 1, ... epochs, rows in order, and the training cost by which a stop rule judges each of them.

    In full batch that is their own cost; in mini-batches it is the mean over the batches of the epoch that ends in them.
    """
    params, costs = [PARAMS], [math.inf]
    for _ in range(epochs):
        after, (mean, _) = oracle.train(NET, params[-1], X, Y, 1, rate, batch_size)
        params.append(after)
        costs.append(mean)
    return params, np.array([oracle.cost(NET, each, X, Y) for each in params] if batch_size is None else costs)


def held_out_costs(params):
    return np.array([oracle.cost(NET, each, *HELD_OUT) for each in params])


def ends_by(costs, target=-math.inf, patience=math.inf, min_delta=0.0):
    """By what the rules end a run whose watched costs after 0, 1, ... epochs these are, when, and when the cost was least."""
    mark, marked = math.inf, 0
    for epoch, cost in enumerate(costs):
        if cost < mark - min_delta:
            mark, marked = cost, epoch
        if cost <= target or epoch - marked >= patience:
            return "target_cost" if cost <= target else "patience", epoch, int(np.argmin(costs[: epoch + 1]))
    return "epochs", len(costs) - 1, int(np.argmin(costs))


def assert_close(ours, theirs, bound=1e-10):
    assert np.max(np.abs(np.asarray(ours) - theirs) / (1 + np.abs(theirs))) < bound


def skip_some(name, batch_size, kernel):
    """Rprop is for full batches; some combinations are left to the matrix kernel, which need not be compiled for each."""
    if (name, batch_size) == ("rprop", 3) or (kernel == "unrolled" and (name, batch_size) in [("momentum", 3), ("adam", None)]):
        pytest.skip("left out")


def options_of(optimizer, batch_size):
    """Much of a run's state: slots, best parameters, a full history, validation costs, an order of rows."""
    return {
        "learning_rate": 0.05, "params": PARAMS, "rng": 5, "optimizer": OPTIMIZERS[optimizer], "batch_size": batch_size,
        "validation": HELD_OUT, "restore_best": True, "patience": 1000, "record": 7,
    }  # fmt: skip
