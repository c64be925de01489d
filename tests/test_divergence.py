"""A run that stops being finite ends with DivergedError, and what it carries is the last good state, however it was found."""

import copy
import pickle

import numpy as np
import oracle
import pytest
from row_order import order_of

import fastgd
from fastgd.training import loop

LINEAR = fastgd.MLP(1, 1, activation="identity", bias=False)


def assert_diverges(train, *arguments, **options):
    """The error, whose run has nothing but finite numbers."""
    with pytest.raises(fastgd.DivergedError) as caught:
        train(*arguments, **options)
    run = caught.value.run
    assert np.isfinite(run.params).all()
    assert np.isfinite(run.cost)
    assert np.isfinite(run.history.cost).all()
    return caught.value


def last_good(net, params, X, Y, learning_rate, updates):
    """Parameters after the last update at which they and the cost of all rows are finite; `updates` gives each one's rows."""
    params = np.array(params, float)
    with np.errstate(all="ignore"):
        for number, rows in enumerate(updates):
            moved = params - learning_rate * oracle.gradient(net, params, X[rows], Y[rows])
            if not (np.isfinite(moved).all() and np.isfinite(oracle.cost(net, moved, X, Y))):
                return params, number
            params = moved
    raise AssertionError("did not diverge")


def test_last_good_run_in_full_batch(train):
    """y = x w on "twice" at rate 1 grows elevenfold a step, its cost 121-fold, until the cost overflows."""
    X, Y = fastgd.data.twice()
    error = assert_diverges(train, LINEAR, X, Y, 10_000, 1.0, params=[1.0])
    params, epochs = last_good(LINEAR, [1.0], X, Y, 1.0, [range(5)] * 10_000)
    assert error.run.params == pytest.approx(params, rel=1e-12)
    assert error.run.epochs == epochs
    assert error.run.cost == pytest.approx(oracle.cost(LINEAR, error.run.params, X, Y), rel=1e-14)
    assert error.run.history.epoch[-1] == epochs
    assert f"epoch {epochs + 1}" in str(error)
    assert "learning_rate" in str(error)


def growing():
    """Data on which every update at rate 1 multiplies w of y = x w by 1 - 2 x^2, by what depends on the batch's rows."""
    rows = np.random.default_rng(0).uniform(1.2, 3.0, (10, 1))
    return rows, np.zeros((10, 1))


@pytest.mark.parametrize("batch_size", [1, 3, 10])
@pytest.mark.parametrize("shuffle", [False, True])
def test_last_good_run_in_mini_batches(batch_size, shuffle, train):
    X, Y = growing()
    error = assert_diverges(train, LINEAR, X, Y, 10_000, 1.0, params=[1.0], rng=3, batch_size=batch_size, shuffle=shuffle)
    orders = (order_of(10, 3, epoch) if shuffle else np.arange(10) for epoch in range(1000))
    batches = [order[start : start + batch_size] for order in orders for start in range(0, 10, batch_size)]
    expected, updates = last_good(LINEAR, [1.0], X, Y, 1.0, batches)
    assert error.run.epochs == updates // -(-10 // batch_size)
    assert error.run.params == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seconds", [0.0, 1e-5, 1e-4, 1e-3, 1e3])
@pytest.mark.parametrize(("batch_size", "shuffle"), [(None, False), (3, False), (3, True)])
def test_chunk_lengths_leave_no_trace(seconds, batch_size, shuffle, train, monkeypatch):
    X, Y = growing()
    options = {"params": [1.0], "rng": 3, "batch_size": batch_size, "shuffle": shuffle}
    usual = assert_diverges(train, LINEAR, X, Y, 10_000, 1.0, **options)
    monkeypatch.setattr(loop, "CHUNK_SECONDS", seconds)
    error = assert_diverges(train, LINEAR, X, Y, 10_000, 1.0, **options)
    assert error.run == usual.run
    assert str(error) == str(usual)


def test_a_cost_that_overflows_on_the_way(train, monkeypatch):
    """Update 2 of every epoch makes the float32 cost of all rows overflow, update 3 heals it: the verdict is the same for all chunks."""
    net = fastgd.MLP(1, 1, activation="identity", bias=False, dtype="float32")
    X, Y = [1.0, 1e8, 1.0], [1.0, 0.0, 1.0]
    verdicts = []
    for seconds in (0.0, 1e-4, 1e3):
        monkeypatch.setattr(loop, "CHUNK_SECONDS", seconds)
        try:
            verdicts.append(train(net, X, Y, 100, 0.5, params=[1.0], rng=0, batch_size=1, shuffle=False))
        except fastgd.DivergedError as error:
            verdicts.append(error.run)
    assert verdicts[0] == verdicts[1] == verdicts[2]


def test_float32(train):
    X, Y = fastgd.data.twice()
    net = fastgd.MLP(1, 1, activation="identity", bias=False, dtype="float32")
    error = assert_diverges(train, net, X, Y, 10_000, 1.0, params=[1.0])
    assert 1e35 < error.run.cost < 3.4e38
    assert error.run.params.dtype == np.float32


def test_initial_cost(train):
    """Parameters whose cost is not finite: refused before the first update, by name."""
    X, Y = [1e200, 2.0], [0.0, 1.0]
    with pytest.raises(fastgd.DivergedError, match="initial") as caught:
        train(LINEAR, X, Y, 10, params=[1.0])
    assert np.array_equal(caught.value.run.params, [1.0])
    assert caught.value.run.epochs == 0


def test_a_good_run_goes_on(train):
    """The carried run is a run: it saves, predicts and trains further at a smaller rate."""
    X, Y = fastgd.data.twice()
    run = assert_diverges(train, LINEAR, X, Y, 10_000, 1.0, params=[1.0]).run
    assert train(LINEAR, X, Y, 3000, 0.1, params=run).params == pytest.approx([2.0])
    assert run.predict(X).shape == (5, 1)


def test_it_pickles_and_copies(train):
    X, Y = fastgd.data.twice()
    error = assert_diverges(train, LINEAR, X, Y, 10_000, 1.0, params=[1.0])
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(other) is fastgd.DivergedError
        assert str(other) == str(error)
        assert other.run == error.run
    assert isinstance(error, ArithmeticError)


def test_options_of_the_run_are_kept(train):
    X, Y = fastgd.data.twice()
    run = assert_diverges(train, LINEAR, X, Y, 10_000, 1.0, params=[1.0], rng=5).run
    assert run.seed == 5
    assert run.options["learning_rate"] == 1.0


def test_why_it_ended(train):
    X, Y = fastgd.data.twice()
    assert assert_diverges(train, LINEAR, X, Y, 10_000, 1.0, params=[1.0]).run.stopped_by == "diverged"


def test_data_that_goes_bad_during_training(train):
    """Many are not copied; should they change under way to what was never finite, that ends in an error, not in a search without end."""
    X, Y = (np.tile(rows, (1000, 1)) for rows in fastgd.data.twice())
    with pytest.raises(fastgd.DivergedError):
        train(LINEAR, X, Y, 100_000_000, 0.01, params=[1.0], batch_size=2, progress=lambda record: X.fill(np.nan))


# -- validation rows -------------------------------------------------------------------------------------

ONES = np.ones((2, 1)), np.ones((2, 1))  # y = x w: w rises from 0 to 1
FAR = [2.68e154], [0.0]  # its cost, (2.68e154 w)^2, overflows when w is above 0.5
WATCHED = [{"patience": 1000}, {"target_cost": -1.0}, {"restore_best": True}]


def last_weight():
    """The last weight whose cost on the far row is finite, and after how many updates at rate 0.1."""
    weight, made = 0.0, 0
    with np.errstate(over="ignore"):
        while np.isfinite(np.square(2.68e154 * (weight + 0.2 * (1 - weight)))):
            weight, made = weight + 0.2 * (1 - weight), made + 1
    return weight, made


@pytest.mark.parametrize("rule", WATCHED, ids=lambda rule: next(iter(rule)))
@pytest.mark.parametrize("batch_size", [None, 1])
@pytest.mark.parametrize("more", [1, 2, 50])
def test_a_watched_validation_cost(more, batch_size, rule, train):
    """It overflows in the last epoch or before: the last good run is the same."""
    weight, updates = last_weight()
    batches = 1 if batch_size is None else 2
    epochs = updates // batches + more
    options = {"params": [0.0], "rng": 0, "batch_size": batch_size, "validation": FAR, **rule}
    error = assert_diverges(train, LINEAR, *ONES, epochs, 0.1, **options)
    assert error.run.params == pytest.approx([weight], rel=1e-14)
    assert error.run.state.updates == updates
    assert np.isfinite(error.run.history.validation).all()
    assert f"epoch {updates // batches + 1} " in str(error)


def test_a_validation_cost_that_nothing_watches(train):
    """Training goes on without it."""
    options = {"params": [0.0], "rng": 0}
    run = train(LINEAR, *ONES, 50, 0.1, validation=FAR, **options)
    assert np.isfinite(run.history.validation).tolist() == [epoch <= last_weight()[1] for epoch in range(51)]
    assert np.array_equal(run.params, train(LINEAR, *ONES, 50, 0.1, **options).params)


def test_initial_validation_cost(train):
    with pytest.raises(fastgd.DivergedError, match="validation cost of the initial") as caught:
        train(LINEAR, *ONES, 50, 0.1, params=[0.6], validation=FAR, patience=3)
    assert caught.value.run.epochs == 0


@pytest.mark.parametrize("cause", ["training", "validation"])
def test_a_checkpoint_keeps_a_good_state(cause, train, path, single_updates):
    """Written after every update but those that lead to the error: to resume is to get the same error."""
    data, rate, options = (ONES, 0.1, {"validation": FAR}) if cause == "validation" else (fastgd.data.twice(), 1.0, {})
    options |= {"params": [0.0], "rng": 0, "restore_best": True, "checkpoint": path, "checkpoint_every": 0}
    error = assert_diverges(train, LINEAR, *data, 10_000, rate, **options)
    assert fastgd.load_run(path).state == error.run.state
    again = assert_diverges(train, LINEAR, *data, 10_000, rate, resume=True, **options)
    assert again.run == error.run
