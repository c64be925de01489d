"""Stop rules of float32 members in lanes: a target between two numbers of float32 is the one, not its neighbour."""

import numpy as np
import pytest

import fastgd

NET = fastgd.MLP(2, 2, 1, dtype="float32")
X, Y = fastgd.data.gate("xor")
MEMBERS, EPOCHS = 3, 40


def train_many(**rules):
    return fastgd.train_many(NET, X, Y, EPOCHS, 1.0, members=MEMBERS, rng=0, record=EPOCHS + 1, kernel="lanes", **rules)


def test_a_target_is_not_reached_by_what_is_above_it():
    """Costs fall in these epochs; a target just under one of them, nearer to it than to the next float32, is reached by a later one."""
    epoch = 20
    costs = np.stack([run.history.cost for run in train_many(target_cost=0.0)])
    assert costs.shape == (MEMBERS, EPOCHS + 1)
    assert (np.diff(costs) < 0).all()
    reached = costs[:, epoch]
    under = np.nextafter(reached, 0.0)
    assert np.array_equal(under.astype(np.float32), reached)  # rounded to nearest, it would be the cost itself
    assert train_many(target_cost=reached).epochs.tolist() == [epoch] * MEMBERS
    assert train_many(target_cost=under).epochs.tolist() == [epoch + 1] * MEMBERS


@pytest.mark.parametrize("kernel", ["matrix", "unrolled"])
def test_one_network_likewise(kernel):
    given = {"rng": 0, "kernel": kernel, "record": EPOCHS + 1}
    costs = fastgd.train(NET, X, Y, EPOCHS, 1.0, target_cost=0.0, **given).history.cost
    assert (np.diff(costs[:21]) < 0).all()
    for target, epochs in ((costs[20], 20), (np.nextafter(costs[20], 0.0), 21)):
        assert fastgd.train(NET, X, Y, EPOCHS, 1.0, target_cost=target, **given).epochs == epochs
