"""What happens between chunks ends a run, or leaves no trace: max_seconds, callbacks, chunk lengths, threads."""

import itertools
import time
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import assert_refused
from small_problem import BOTH, HELD_OUT, NET, OPTIMIZERS, PARAMS, RATES, X, Y, assert_close, skip_some, trajectory

import fastgd
from fastgd.arguments.checks import shown
from fastgd.training import loop, session
from fastgd.training.progress import Progress

# -- max_seconds, callback, chunks -----------------------------------------------------------------------


def test_max_seconds_by_a_clock(train, monkeypatch, single_updates):
    """A clock that goes on by a second whenever it is looked at: once at the start and after every chunk, here of one update."""
    seconds = itertools.count()
    monkeypatch.setattr(session, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))
    run = train(NET, X, Y, 1000, 0.3, params=PARAMS, max_seconds=7)
    assert (run.stopped_by, run.epochs) == ("max_seconds", 7)
    assert_close(run.params, trajectory(7, 0.3)[0][-1])


def test_max_seconds_by_the_clock(train):
    before = time.monotonic()
    run = train(NET, X, Y, 10**10, 0.3, params=PARAMS, rng=0, max_seconds=0.1)
    assert time.monotonic() - before >= 0.1
    assert run.stopped_by == "max_seconds"
    assert 0 < run.epochs < 10**10
    assert np.array_equal(run.params, train(NET, X, Y, run.epochs, 0.3, params=PARAMS, rng=0).params)


def test_max_seconds_of_zero(train, single_updates):
    """One chunk is trained in any case."""
    assert train(NET, X, Y, 1000, 0.3, params=PARAMS, max_seconds=0).epochs == 1


@pytest.mark.parametrize("answer", [True, np.True_])
def test_a_callback_ends_the_run(answer, train, single_updates):
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
    assert_close(run.params, trajectory(5, 0.3)[0][-1])


def test_a_callback_at_the_end_stops_nothing(train, single_updates):
    run = train(NET, X, Y, 5, 0.3, params=PARAMS, rng=0, callback=lambda progress: progress.epoch == 5)
    assert run == train(NET, X, Y, 5, 0.3, params=PARAMS, rng=0)


def test_a_callback_is_told_the_parameters(train, single_updates):
    told = []
    train(NET, X, Y, 5, 0.3, params=PARAMS, callback=lambda progress: told.append(progress.params))
    assert_close(told, trajectory(5, 0.3)[0][1:])


@pytest.mark.parametrize("answer", [None, False, np.False_], ids=repr)
def test_other_answers_do_not(answer, train, single_updates):
    run = train(NET, X, Y, 5, 0.3, params=PARAMS, callback=lambda progress: answer)
    assert (run.stopped_by, run.epochs) == ("epochs", 5)


@pytest.mark.parametrize("answer", [0, 1, 0.0, "x", [True], np.ones(2), np.int64(1), np.float64(0)], ids=repr)
def test_answers_that_are_no_truth_values_are_refused(answer, train, single_updates, path):
    """As any error of a callback: the run so far is in its checkpoint, which goes on to the bits of a run that was never ended."""

    def callback(progress):
        return answer if progress.epoch == 3 else None

    options = {"params": PARAMS, "rng": 0, "checkpoint": path}
    assert_refused(lambda: train(NET, X, Y, 5, 0.3, callback=callback, **options), TypeError, ["callback", "True", "None", shown(answer)])
    assert fastgd.load_run(path).epochs == 3
    assert train(NET, X, Y, 5, 0.3, resume=True, **options) == train(NET, X, Y, 5, 0.3, params=PARAMS, rng=0)


def test_the_last_answer_counts_too(train):
    assert_refused(lambda: train(NET, X, Y, 1, 0.3, params=PARAMS, callback=lambda progress: progress.cost), TypeError, ["callback"])


@pytest.mark.parametrize("kernel", ["lanes", "matrix"])
@pytest.mark.parametrize("answer", [0, "x", np.float64(0)], ids=repr)
def test_answers_to_train_many(answer, kernel, path, small_steps):

    def train_many(**more):
        return fastgd.train_many(NET, X, Y, 50, 0.3, members=3, rng=0, kernel=kernel, **more)

    words = ["callback", "True", "None", shown(answer)]
    assert_refused(lambda: train_many(callback=lambda progress: answer, checkpoint=path), TypeError, words)
    assert len(fastgd.load_runs(path)) == 3
    assert train_many(resume=True, checkpoint=path) == train_many()


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
