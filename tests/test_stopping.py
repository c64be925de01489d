"""What ends a run, what it is judged by and what it leaves: stop rules, validation rows, weights, histories; against the oracle."""

import functools
import itertools
import math
import time
from types import SimpleNamespace

import numpy as np
import oracle
import pytest
from conftest import random_problem
from test_bad_input import check
from test_kernels import order_of

import fastgd
from fastgd import loop, training
from fastgd.kernels.store import Entry
from fastgd.progress import Progress

NET = fastgd.MLP(2, 2, 1, activation="tanh")
X, Y, PARAMS = random_problem(NET, 11)
HELD_OUT = random_problem(NET, 5, seed=1)[:2]
OPTIMIZERS = {"sgd": "sgd", "momentum": fastgd.SGD(momentum=0.9), "adam": "adam", "rprop": "rprop"}
RATES = {"sgd": 0.3, "momentum": 0.03, "adam": 0.05, "rprop": 0.01}
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


def close(ours, theirs, bound=1e-10):
    assert np.max(np.abs(np.asarray(ours) - theirs) / (1 + np.abs(theirs))) < bound


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
    close(run.params, params[epoch])
    unruled = train(NET, X, Y, epoch, 0.1, params=PARAMS, rng=0, batch_size=batch_size, shuffle=False)
    assert np.array_equal(run.params, unruled.params)
    assert run.cost == unruled.cost == pytest.approx(oracle.cost(NET, params[epoch], X, Y), rel=1e-12)
    assert run.history == unruled.history


@BOTH
def test_a_target_that_is_not_reached(batch_size, train):
    params, costs = trajectory(30, 0.1, batch_size)
    run = train(NET, X, Y, 30, 0.1, params=PARAMS, batch_size=batch_size, shuffle=False, target_cost=costs[-1] * 0.999)
    assert (run.stopped_by, run.epochs) == ("epochs", 30)
    close(run.params, params[-1])


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
    first = train(NET, X, Y, 30, 0.1, params=PARAMS, target_cost=costs[5], **options)
    both = train(NET, X, Y, 30, 0.1, params=first, target_cost=costs[12] * 1.0001, **options)
    alone = train(NET, X, Y, 30, 0.1, params=PARAMS, target_cost=costs[12] * 1.0001, **options)
    assert (first.epochs, both.epochs, both.stopped_by) == (ends_by(costs, costs[5])[1], 12, "target_cost")
    close(both.params, params[12])
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
    close(run.params, params[epochs])


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
    close(run.params, params[best])
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
    close(run.params, params[best])
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


# -- max_seconds, callback, chunks -----------------------------------------------------------------------


def test_max_seconds_by_a_clock(train, monkeypatch):
    """A clock that goes on by a second whenever it is looked at: once at the start and after every chunk, here of one update."""
    seconds = itertools.count()
    monkeypatch.setattr(training, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0.0)
    run = train(NET, X, Y, 1000, 0.3, params=PARAMS, max_seconds=7)
    assert (run.stopped_by, run.epochs) == ("max_seconds", 7)
    close(run.params, trajectory(7, 0.3)[0][-1])


def test_max_seconds_by_the_clock(train):
    before = time.monotonic()
    run = train(NET, X, Y, 10**10, 0.3, params=PARAMS, rng=0, max_seconds=0.1)
    assert 0.1 <= time.monotonic() - before < 1.0  # a tenth of a second more, and what a busy machine takes
    assert run.stopped_by == "max_seconds"
    assert run.epochs > 1000
    assert np.array_equal(run.params, train(NET, X, Y, run.epochs, 0.3, params=PARAMS, rng=0).params)


def test_max_seconds_of_zero(train, monkeypatch):
    """One chunk is trained in any case."""
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0.0)
    assert train(NET, X, Y, 1000, 0.3, params=PARAMS, max_seconds=0).epochs == 1


@pytest.mark.parametrize("answer", [True, np.True_])
def test_a_callback_ends_the_run(answer, train, monkeypatch):
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0.0)
    told = []

    def callback(progress):
        told.append(progress)
        progress.params[:] = np.nan  # a copy
        return answer if progress.epoch == 5 else None

    run = train(NET, X, Y, 20, 0.3, params=PARAMS, callback=callback, record=21)
    _, costs = trajectory(5, 0.3)
    assert (run.stopped_by, run.epochs) == ("callback", 5)
    assert [type(each) for each in told] == [Progress] * 5
    assert [(each.epoch, each.epochs) for each in told] == [(epoch, 20) for epoch in range(1, 6)]
    assert [each.cost for each in told] == pytest.approx(costs[:5], rel=1e-11)
    assert [each.seconds for each in told] == sorted(each.seconds for each in told)
    close(run.params, trajectory(5, 0.3)[0][-1])


def test_a_callback_at_the_end_stops_nothing(train, monkeypatch):
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0.0)
    run = train(NET, X, Y, 5, 0.3, params=PARAMS, rng=0, callback=lambda progress: progress.epoch == 5)
    assert run == train(NET, X, Y, 5, 0.3, params=PARAMS, rng=0)


def test_a_callback_is_told_the_parameters(train, monkeypatch):
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0.0)
    told = []
    train(NET, X, Y, 5, 0.3, params=PARAMS, callback=lambda progress: told.append(progress.params))
    close(told, trajectory(5, 0.3)[0][1:])


@pytest.mark.parametrize("answer", [None, False, 0, 1, "x", [True], np.ones(2)], ids=repr)
def test_other_answers_do_not(answer, train, monkeypatch):
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0.0)
    run = train(NET, X, Y, 5, 0.3, params=PARAMS, callback=lambda progress: answer)
    assert (run.stopped_by, run.epochs) == ("epochs", 5)


def skip_some(name, batch_size, kernel):
    """Rprop is for full batches; some combinations are left to the matrix kernel, which need not be compiled for each."""
    if (name, batch_size) == ("rprop", 3) or (kernel == "unrolled" and (name, batch_size) in [("momentum", 3), ("adam", None)]):
        pytest.skip("left out")


RULES = {"validation": HELD_OUT, "target_cost": 1e-6, "min_delta": 1e-5, "restore_best": True, "max_seconds": 1e9, "record": 20}


@pytest.mark.parametrize("patience", [4, 1000])
@BOTH
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_chunk_lengths_leave_no_trace(name, batch_size, patience, train, kernel, monkeypatch):
    """Chunks of one update, of 7 epochs, of 5 updates and the usual ones, by any number of threads; with every rule on."""
    skip_some(name, batch_size, kernel)

    def result(**options):
        return train(
            NET, X, Y, 40, RATES[name], params=PARAMS, rng=0, optimizer=OPTIMIZERS[name], batch_size=batch_size, patience=patience,
            **RULES, **options,
        )  # fmt: skip

    usual = result()
    assert usual.stopped_by == ("patience" if patience == 4 else "epochs")
    assert 0 < usual.best_epoch < usual.epochs
    assert result(threads=1) == result(threads=2) == usual
    advance = loop.Loop._advance
    for updates in [1, 5, 7 * (1 if batch_size is None else 4)]:
        monkeypatch.setattr(loop, "CHUNK_SECONDS", 0.0)
        monkeypatch.setattr(loop.Loop, "_advance", lambda self, limit, updates=updates: advance(self, updates if limit else 0))
        chunks = []
        assert result(callback=chunks.append) == usual
        assert len(chunks) > usual.epochs / 7


@BOTH
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_epoch_by_epoch(name, batch_size, train, kernel):
    """Runs of one epoch, each after the other, are one run."""
    skip_some(name, batch_size, kernel)
    options = {"optimizer": OPTIMIZERS[name], "batch_size": batch_size, "validation": HELD_OUT, "patience": 1000, "restore_best": True}
    run = train(NET, X, Y, 0, RATES[name], params=PARAMS, rng=0, **options)
    for _ in range(25):
        run = train(NET, X, Y, 1, RATES[name], params=run, **options)
    assert run == train(NET, X, Y, 25, RATES[name], params=PARAMS, rng=0, **options)


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
    close(run.params, params)
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
    close(run.params, params)
    assert run.history.cost[:-1] == pytest.approx(costs, rel=1e-11)
    losses = [oracle.cost(NET, params, X[[row]], Y[[row]]) for row in range(11)]
    assert run.cost == run.history.cost[-1] == pytest.approx(np.average(losses, weights=weights), rel=1e-11)


def test_a_batch_without_weight_changes_nothing(train, monkeypatch):
    """Rows 3 to 5, the second batch, are left out: what the first batch made of the parameters stays until the third."""
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0.0)
    told = []
    weights = np.where(np.isin(np.arange(11), [3, 4, 5]), 0.0, 1.5)
    train(NET, X, Y, 1, 0.3, params=PARAMS, batch_size=3, shuffle=False, sample_weight=weights, callback=lambda p: told.append(p.params))
    expected = [PARAMS]
    for rows in [slice(0, 3), slice(6, 9), slice(9, 11)]:
        expected.append(expected[-1] - 0.3 * oracle.gradient(NET, expected[-1], X[rows], Y[rows]))
    close(told, [expected[1], expected[1], expected[2], expected[3]])
    assert np.array_equal(told[0], told[1])


@BOTH
def test_only_the_ratio_of_weights_counts(batch_size, train):
    weights = np.random.default_rng(5).uniform(0.1, 3, 11)
    one, seven, eight = (
        train(NET, X, Y, 20, 0.3, params=PARAMS, rng=0, batch_size=batch_size, sample_weight=factor * weights) for factor in (1, 7, 8)
    )
    close(seven.params, one.params, 1e-12)
    close(seven.history.cost, one.history.cost, 1e-12)
    assert eight == one  # a power of two is no rounding
    equal = train(NET, X, Y, 20, 0.3, params=PARAMS, rng=0, batch_size=batch_size, sample_weight=np.full(11, 7.0))
    close(equal.params, train(NET, X, Y, 20, 0.3, params=PARAMS, rng=0, batch_size=batch_size).params, 1e-12)


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
    watched = train(NET, X, Y, 200, 0.1, **rules, **options)
    unwatched = train(NET, X, Y, 200, 0.1, **options)
    assert np.array_equal(watched.history.epoch, unwatched.history.epoch)
    assert np.array_equal(watched.history.cost, unwatched.history.cost)
    assert len(watched.history.epoch) <= record
    if "validation" in rules:
        every = train(NET, X, Y, 200, 0.1, **rules, **{**options, "record": 1000, "spacing": "even"})
        assert np.array_equal(watched.history.validation, every.history.validation[watched.history.epoch])


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


# -- l2 --------------------------------------------------------------------------------------------------


def test_l2_pulls_at_weights_alone(train):
    """And reported costs are those of the data."""
    weights = np.array([1, 1, 1, 1, 0, 0, 1, 1, 0])  # W (2, 2), b (2,), W (1, 2), b (1,)
    params, costs = PARAMS, []
    for _ in range(20):
        costs.append(oracle.cost(NET, params, X, Y))
        params = params - 0.3 * (oracle.gradient(NET, params, X, Y) + 0.2 * weights * params)
    run = train(NET, X, Y, 20, 0.3, params=PARAMS, l2=0.2)
    close(run.params, params)
    assert run.history.cost == pytest.approx([*costs, oracle.cost(NET, params, X, Y)], rel=1e-11)


# -- bad arguments ---------------------------------------------------------------------------------------

V, T = ValueError, TypeError
BAD = [
    ({"target_cost": np.nan}, V, ["target_cost", "finite", "nan"]),
    ({"target_cost": -np.inf}, V, ["target_cost", "finite", "-inf"]),
    ({"target_cost": "0.1"}, T, ["target_cost", "number", "'0.1'"]),
    ({"patience": 0}, V, ["patience", "from 1", "0"]),
    ({"patience": 1.5}, V, ["patience", "whole", "1.5"]),
    ({"patience": True}, T, ["patience", "whole", "True"]),
    ({"min_delta": -1}, V, ["min_delta", "at least 0", "-1"]),
    ({"min_delta": None}, T, ["min_delta", "number", "None"]),
    ({"restore_best": 1}, T, ["restore_best", "True or False", "1"]),
    ({"max_seconds": -1}, V, ["max_seconds", "at least 0", "-1"]),
    ({"max_seconds": np.inf}, V, ["max_seconds", "finite", "inf"]),
    ({"max_seconds": "1"}, T, ["max_seconds", "number", "'1'"]),
    ({"validation": 1.5}, V, ["validation", "(X, Y)", "share", "1.5", "11 rows"]),
    ({"validation": 1.0}, V, ["validation", "share", "1 of 11 rows"]),
    ({"validation": 0.01}, V, ["validation", "share", "0.01"]),
    ({"validation": 0}, V, ["validation", "positive", "0"]),
    ({"validation": -0.5}, V, ["validation", "positive", "-0.5"]),
    ({"validation": True}, T, ["validation", "number", "True"]),
    ({"validation": "0.2"}, T, ["validation", "number", "'0.2'"]),
    ({"validation": X}, T, ["validation", "number"]),
    ({"validation": (X,)}, V, ["validation", "(X, Y)", "1 values"]),
    ({"validation": (X, Y, Y)}, V, ["validation", "(X, Y)", "3 values"]),
    ({"validation": (X[:, :1], Y)}, V, ["validation", "X", "(n, 2)", "(11, 1)"]),
    ({"validation": (X, Y[:4])}, V, ["validation", "rows", "11", "4"]),
    ({"validation": (X, np.zeros((11, 2)))}, V, ["validation", "Y", "(n, 1)", "(11, 2)"]),
    ({"validation": (X[:0], Y[:0])}, V, ["validation", "X", "at least one row"]),
    ({"validation": (X * np.nan, Y)}, V, ["validation", "X", "finite", "nan"]),
    ({"validation": (X, None)}, T, ["validation", "Y", "real"]),
    ({"validation": 0.5, "batch_size": 6}, V, ["batch_size", "from 1 to 5", "6"]),
    ({"record": 1}, V, ["record", "at least 2", "1"]),
    ({"spacing": "x"}, V, ["spacing", "'x'", "even", "log"]),
    ({"spacing": None}, T, ["spacing", "None", "even", "log"]),
    ({"on_interrupt": "x"}, V, ["on_interrupt", "'x'", "return", "raise"]),
    ({"on_interrupt": True}, T, ["on_interrupt", "True", "return", "raise"]),
    ({"threads": 0}, V, ["threads", "at least 1", "0"]),
    ({"threads": 1.5}, V, ["threads", "whole", "1.5"]),
    ({"callback": 3}, T, ["callback", "function", "3"]),
    ({"callback": True}, T, ["callback", "function", "True"]),
    ({"resume": True}, V, ["resume", "checkpoint="]),
    ({"resume": "yes"}, T, ["resume", "True or False", "'yes'"]),
    ({"checkpoint_every": -1}, V, ["checkpoint_every", "at least 0", "-1"]),
    ({"checkpoint_every": None}, T, ["checkpoint_every", "number", "None"]),
    ({"l2": -1}, V, ["l2", "at least 0", "-1"]),
    ({"l2": None}, T, ["l2", "number", "None"]),
    ({"clip_norm": 0}, V, ["clip_norm", "positive", "0"]),
    ({"clip_norm": np.inf}, V, ["clip_norm", "finite", "inf"]),
    ({"sample_weight": np.ones(10)}, V, ["sample_weight", "(11,)", "(10,)"]),
    ({"sample_weight": np.ones((11, 1))}, V, ["sample_weight", "(11,)", "(11, 1)"]),
    ({"sample_weight": 1.0}, V, ["sample_weight", "(11,)", "()"]),
    ({"sample_weight": np.zeros(11)}, V, ["sample_weight", "above 0", "0.0 to 0.0"]),
    ({"sample_weight": np.arange(11) - 1}, V, ["sample_weight", "at least 0", "-1.0"]),
    ({"sample_weight": np.full(11, np.nan)}, V, ["sample_weight", "finite", "nan"]),
    ({"sample_weight": ["1"] * 11}, T, ["sample_weight", "real", "U1"]),
    ({"optimizer": "rprop", "batch_size": 3}, V, ["Rprop", "batch_size", "None", "3"]),
    ({"optimizer": "rprop", "learning_rate": 0.0}, V, ["Rprop", "learning_rate", "above 0", "0"]),
    ({"optimizer": "rprop", "learning_rate": fastgd.schedules.Exponential(0.1, 0.9)}, V, ["Rprop", "learning_rate", "Exponential"]),
    ({"optimizer": "rprop", "learning_rate": fastgd.schedules.Constant(0.1, warmup=3)}, V, ["Rprop", "learning_rate", "Constant"]),
    ({"optimizer": fastgd.Adam}, T, ["optimizer", "fastgd.Adam()", "Adam"]),
    ({"learning_rate": fastgd.schedules.Cosine}, T, ["learning_rate", "number", "Cosine"]),
]


@pytest.fixture
def no_compiled_code(monkeypatch):
    def fail(*arguments):
        raise AssertionError("compiled code was called")

    monkeypatch.setattr(Entry, "__call__", fail)


@pytest.mark.parametrize(("options", "error", "words"), BAD, ids=lambda case: "-".join(case) if isinstance(case, dict) else "")
def test_bad_arguments(options, error, words, no_compiled_code):
    check(lambda: fastgd.train(NET, X, Y, 10, **options), error, words)


def schedule(name, *numbers, **named):
    return lambda: getattr(fastgd.schedules, name)(*numbers, **named)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: fastgd.SGD(momentum=-1), V, ["momentum of SGD", "from 0 to below 1", "-1"]),
        (lambda: fastgd.SGD(momentum=1.0), V, ["momentum of SGD", "below 1", "1.0"]),
        (lambda: fastgd.SGD(momentum="0.9"), T, ["momentum of SGD", "number", "'0.9'"]),
        (lambda: fastgd.SGD(nesterov=True), V, ["nesterov of SGD", "momentum above 0", "0"]),
        (lambda: fastgd.SGD(momentum=0.9, nesterov=1), T, ["nesterov of SGD", "True or False", "1"]),
        (lambda: fastgd.Adagrad(eps=0), V, ["eps of Adagrad", "positive", "0"]),
        (lambda: fastgd.RMSprop(rho=1), V, ["rho of RMSprop", "below 1", "1"]),
        (lambda: fastgd.Adam(beta1=1.0), V, ["beta1 of Adam", "from 0 to below 1", "1.0"]),
        (lambda: fastgd.Adam(beta2=np.nan), V, ["beta2 of Adam", "finite", "nan"]),
        (lambda: fastgd.AdamW(weight_decay=-0.1), V, ["weight_decay of AdamW", "at least 0", "-0.1"]),
        (lambda: fastgd.Rprop(eta_minus=2), V, ["eta_minus", "Rprop", "below", "2.0"]),
        (lambda: fastgd.Rprop(eta_plus=0.5), V, ["eta_plus", "Rprop", "above 1", "0.5"]),
        (lambda: fastgd.Rprop(eta_minus=0), V, ["eta_minus of Rprop", "positive", "0"]),
        (lambda: fastgd.Rprop(step_min=10, step_max=1), V, ["step_min of Rprop", "step_max", "10.0", "1.0"]),
        (schedule("Constant", np.nan), V, ["rate of Constant", "finite", "nan"]),
        (schedule("Constant", 0.1, warmup=-1), V, ["warmup of Constant", "from 0", "-1"]),
        (schedule("Step", 0.1, 0), V, ["every of Step", "from 1", "0"]),
        (schedule("Step", 0.1, 10, factor=0), V, ["factor of Step", "positive", "0"]),
        (schedule("Step", 0.1, 2.5), V, ["every of Step", "whole", "2.5"]),
        (schedule("Exponential", 0.1, -0.5), V, ["factor of Exponential", "positive", "-0.5"]),
        (schedule("Exponential", "0.1", 0.5), T, ["rate of Exponential", "number", "'0.1'"]),
        (schedule("InverseTime", 0.1, -1), V, ["decay of InverseTime", "at least 0", "-1"]),
        (schedule("Cosine", 0.1, 0), V, ["steps of Cosine", "from 1", "0"]),
        (schedule("Cosine", 0.1, None), T, ["steps of Cosine", "whole", "None"]),
        (schedule("Cosine", 0.1, 10, least=np.inf), V, ["least of Cosine", "finite", "inf"]),
    ],
)
def test_bad_numbers_of_optimizers_and_schedules(make, error, words):
    check(make, error, words)
