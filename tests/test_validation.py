"""Validation rows: their costs, which rows a share draws, and stop rules that watch them."""

import itertools
import json

import numpy as np
import oracle
import pytest
from command_line import write
from conftest import assert_refused, random_problem
from sklearn.model_selection import train_test_split
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
    taken = []
    for seed in [0, 1, 2]:
        run = train(NET, *MANY, 20, 0.3, rng=seed, validation=4 / 15, **options)
        apart = np.isin(np.arange(15), held_out_rows(run, PARAMS, MANY))
        taken.append(tuple(apart))
        others = train(NET, MANY[0][~apart], MANY[1][~apart], 20, 0.3, rng=seed, **options)
        assert np.array_equal(run.params, others.params)
        assert np.array_equal(run.history.cost, others.history.cost)
        assert run.cost == others.cost
        assert run.history.validation[-1] == pytest.approx(oracle.cost(NET, run.params, MANY[0][apart], MANY[1][apart]), rel=1e-12)
        assert run == train(NET, *MANY, 20, 0.3, rng=seed, validation=4 / 15, **options)
    assert len(set(taken)) == 3


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


# -- a share of classes ----------------------------------------------------------------------------------


def numbered(counts, seed=0):
    """Rows of so many of each class, in any order: X is the row's number, Y one-hot, and the class of each."""
    classes = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    return np.arange(float(len(classes))), np.eye(len(counts))[classes], classes


def drawn_by(net, X, Y, share, seed, **options):
    """A (n,) mask of the rows held out: those without an influence on the training cost, found by weighing each of them more."""
    held_out = np.zeros(len(X), bool)
    base = fastgd.train(net, X, Y, 0, rng=seed, validation=share, kernel="matrix", **options).cost
    for row in range(len(X)):
        weights = np.where(np.arange(len(X)) == row, 2.0, 1.0)
        cost = fastgd.train(net, X, Y, 0, rng=seed, validation=share, kernel="matrix", sample_weight=weights, **options).cost
        held_out[row] = cost == base
    return held_out


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("counts", "share"), [((30, 12, 8), 0.26), ((5, 3, 30), 0.3), ((2, 40), 0.5), ((2, 2, 2), 0.5), ((11, 17), 0.4), ((25, 3), 0.1)]
)
def test_counts_of_each_class_are_scikit_learns(counts, share, seed):
    X, Y, classes = numbered(counts)
    net = fastgd.MLP(1, len(counts), output="softmax", loss="cross_entropy")
    options = {"params": np.random.default_rng(1).normal(size=net.n_params)}
    taken = drawn_by(net, X / len(X), Y, share, seed, **options)
    theirs = train_test_split(classes, test_size=round(share * len(X)), stratify=classes, random_state=seed)[1]
    assert np.array_equal(np.bincount(classes[taken]), np.bincount(theirs))


def test_one_column_of_classes():
    """0 and 1 in one column are two classes, for any loss and dtype; the seed decides which rows of them."""
    classes = numbered((24, 8))[2]
    for options in ({"loss": "binary_cross_entropy"}, {"dtype": "float32"}):
        net = fastgd.MLP(1, 1, **options)
        taken = [drawn_by(net, np.arange(32.0) / 32, classes, 0.25, seed, params=[1.0, 0.5]) for seed in (4, 5)]
        assert [np.bincount(classes[mask]).tolist() for mask in taken] == [[6, 2], [6, 2]]
        assert not np.array_equal(*taken)


@pytest.mark.parametrize(
    "Y",
    [
        np.linspace(0, 1, 20),
        np.r_[np.zeros(19), 1.0],  # a class of one row
        np.tile([[1.0, 1.0], [0.0, 1.0]], (10, 1)),  # several classes a row
        np.tile([[0.9, 0.1], [0.2, 0.8]], (10, 1)),  # soft targets
        np.ones(20),  # a class alone
    ],
    ids=["values", "one row", "several", "soft", "alone"],
)
def test_other_targets_are_drawn_as_ever(Y):
    """By the first rows of the seed's permutation."""
    net = fastgd.MLP(1, 1 if Y.ndim == 1 else 2)
    for seed in (0, 1):
        first = np.random.default_rng([seed, 1]).permutation(20)[:5]
        taken = drawn_by(net, np.arange(20.0) / 20, Y, 0.25, seed, params=np.linspace(0.5, 1, net.n_params))
        assert np.array_equal(np.flatnonzero(taken), np.sort(first))


def test_classes_are_the_same_after_going_on(tmp_path):
    X, Y, _ = numbered((9, 6))
    net = fastgd.MLP(1, 2, output="softmax", loss="cross_entropy")
    options = {"validation": 0.4, "batch_size": 3, "kernel": "matrix"}
    whole = fastgd.train(net, X / 15, Y, 20, 0.3, rng=0, **options)
    first = fastgd.train(net, X / 15, Y, 8, 0.3, rng=0, checkpoint=tmp_path / "run.npz", **options)
    assert fastgd.train(net, X / 15, Y, 12, 0.3, params=first, **options) == whole
    assert fastgd.train(net, X / 15, Y, 20, 0.3, rng=0, checkpoint=tmp_path / "run.npz", resume=True, **options) == whole


def test_a_checkpoint_of_other_held_out_rows_is_refused(tmp_path, monkeypatch):
    """Made when a share of classes was drawn as of any rows: to go on would be to train on rows that were held out."""
    X, Y, _ = numbered((9, 6))
    net = fastgd.MLP(1, 2, output="softmax", loss="cross_entropy")

    def train(Y, **options):
        return fastgd.train(net, X / 15, Y, 4, 0.3, rng=0, validation=0.4, checkpoint=tmp_path / "run.npz", kernel="matrix", **options)

    for module in ("training.checkpoint", "samples"):
        monkeypatch.setattr(f"fastgd.{module}.classes_of", lambda Y: None)
    train(Y)
    monkeypatch.undo()
    assert_refused(lambda: train(Y, resume=True), ValueError, ["checkpoint", "other data", "validation"])


def test_the_command_keeps_apart_the_rows_that_train_does(command):
    """Its scores are those of just these rows."""
    X, _, classes = numbered((24, 8))
    rows = [[x, f"class {c}"] for x, c in zip(X, classes, strict=True)]
    write("rows.csv", ["x", "kind"], rows)
    flags = ["rows.csv", "--target", "kind", "--layers", "1-1", "--validation", 0.25, "--seed", 5]
    facts = json.loads(command("train", *flags, "--epochs", 0, "--out", "run.npz", "--json"))
    assert facts["score"]["rows"] == 24
    assert facts["validation"]["rows"] == 8
    table, encoded, targets = fastgd.data.read_table("rows.csv", "kind", outputs=1, output="sigmoid")
    run = fastgd.load_run("run.npz")
    taken = drawn_by(run.net, encoded, targets, 0.25, 5, params=run.params)
    assert np.bincount(classes[taken]).tolist() == [6, 2]
    right = table.decode(run.predict(encoded))[:, 0] == [label for _, label in rows]
    assert facts["validation"]["right"] == right[taken].sum()
    assert facts["score"]["right"] == right[~taken].sum()
    assert facts["validation"]["cost"] == pytest.approx(run.net.cost(run.params, encoded[taken], targets[taken]), rel=1e-12)


def test_the_sweep_holds_out_the_same_rows(command):
    X, _, classes = numbered((24, 8))
    write("rows.csv", ["x", "kind"], [[x, f"class {c}"] for x, c in zip(X, classes, strict=True)])
    flags = ["rows.csv", "--target", "kind", "--layers", "1-1", "--validation", 0.25, "--seed", 3, "--epochs", 2]
    one = json.loads(command("train", *flags, "--learning-rate", 0.5, "--json"))
    many = json.loads(command("sweep", *flags, "--learning-rates", 0.5, "--seeds", 1, "--json"))
    assert many["best"]["validation"]["rows"] == one["validation"]["rows"] == 8
    assert many["best"]["validation"]["cost"] == pytest.approx(one["validation"]["cost"], rel=1e-9)
