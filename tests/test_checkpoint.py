"""Checkpoints: an interrupted run goes on to the bits of an uninterrupted one."""

import os
from pathlib import Path

import numpy as np
import pytest
from small_problem import EPOCHS, NET, OPTIMIZERS, PARAMS, X, Y, options_of, skip_some

import fastgd

WAYS = pytest.mark.parametrize(("optimizer", "batch_size"), [(name, size) for name in OPTIMIZERS for size in (None, 3)])


def at(update, action):
    """A callback that acts once, after so many updates of its run."""
    made = iter(range(1, 10**9))
    return lambda progress: action() if next(made) == update else None


def fail():
    raise ZeroDivisionError("in a callback")


# -- writing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("every", [0.0, 60.0])
@pytest.mark.parametrize("resume", [False, True])
def test_the_file_is_the_run(resume, every, train, path, single_updates):
    """Written now and then or only at the end; resuming without a file starts afresh."""
    run = train(NET, X, Y, EPOCHS, checkpoint=path, checkpoint_every=every, resume=resume, **options_of("sgd", 3))
    assert run == train(NET, X, Y, EPOCHS, **options_of("sgd", 3))
    assert fastgd.load_run(path) == run
    assert fastgd.load_run(path).seconds == run.seconds
    assert os.listdir(path.parent) == [path.name]


def test_it_is_written_on_the_way(train, path, single_updates):
    """Of every update but the last, which is told before it is written."""
    seen = []

    def look(progress):
        if path.exists():
            run = fastgd.load_run(path)
            seen.append(run.state.updates)
            assert run.stopped_by == "interrupt"

    train(NET, X, Y, 3, checkpoint=path, checkpoint_every=0, callback=look, **options_of("sgd", 3))
    assert seen == list(range(1, 12))


def test_it_is_written_every_so_often(train, path, single_updates):
    """Hardly ever in a minute, the time between being longer than the run."""
    there = []
    train(NET, X, Y, EPOCHS, checkpoint=path, callback=lambda progress: there.append(path.exists()), **options_of("sgd", 3))
    assert len(there) == 48
    assert not any(there)


def test_paths(train, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = train(NET, X, Y, 2, **options_of("sgd", None))
    for name in [str(tmp_path / "a.npz"), "b", Path("c.run")]:
        train(NET, X, Y, 2, checkpoint=name, **options_of("sgd", None))
        assert fastgd.load_run(name) == run
    assert sorted(os.listdir(tmp_path)) == ["a.npz", "b", "c.run"]


# -- resuming --------------------------------------------------------------------------------------------


@WAYS
@pytest.mark.parametrize("ends", ["callback", "exception"])
def test_resumed_is_uninterrupted(ends, optimizer, batch_size, train, kernel, path, single_updates):
    """Interrupted again and again, between and inside epochs."""
    skip_some(optimizer, batch_size, kernel)
    options = options_of(optimizer, batch_size)
    whole = train(NET, X, Y, EPOCHS, **options)
    action = fail if ends == "exception" else lambda: True
    updates = 0
    for step in [1, 2, 4, 3]:
        updates += step
        try:
            run = train(NET, X, Y, EPOCHS, checkpoint=path, resume=True, callback=at(step, action), **options)
            assert ends == "callback"
            assert run.stopped_by == "callback"
            assert run == fastgd.load_run(path)
        except ZeroDivisionError:
            assert ends == "exception"
            run = fastgd.load_run(path)
            assert run.stopped_by == "interrupt"
        assert run.state.updates == updates
        assert os.listdir(path.parent) == [path.name]
    assert train(NET, X, Y, EPOCHS, checkpoint=path, resume=True, **options) == whole
    assert fastgd.load_run(path) == whole


@WAYS
def test_more_epochs(optimizer, batch_size, train, kernel, path):
    """A run that was finished, or interrupted, goes on to more epochs than it was begun with."""
    skip_some(optimizer, batch_size, kernel)
    options = options_of(optimizer, batch_size)
    whole = train(NET, X, Y, 2 * EPOCHS, **options)
    train(NET, X, Y, EPOCHS, checkpoint=path, **options)
    assert train(NET, X, Y, 2 * EPOCHS, checkpoint=path, resume=True, **options) == whole
    path.unlink()
    train(NET, X, Y, EPOCHS, checkpoint=path, callback=lambda progress: True, **options)
    assert train(NET, X, Y, 2 * EPOCHS, checkpoint=path, resume=True, **options) == whole


@WAYS
def test_a_finished_run_is_returned(optimizer, batch_size, train, kernel, path):
    skip_some(optimizer, batch_size, kernel)
    options = options_of(optimizer, batch_size)
    run = train(NET, X, Y, EPOCHS, checkpoint=path, **options)
    again = train(NET, X, Y, EPOCHS, checkpoint=path, resume=True, callback=lambda progress: fail(), **options)
    assert again == run
    assert again.seconds == run.seconds


def test_a_run_that_a_rule_stopped_is_finished(train, path):
    options = {**options_of("sgd", 3), "patience": 2, "learning_rate": 0.3}
    run = train(NET, X, Y, 100, checkpoint=path, **options)
    assert run.stopped_by == "patience"
    assert train(NET, X, Y, 200, checkpoint=path, resume=True, **options) == run


def test_a_finished_run_with_weights_is_returned(train, path):
    """Its cost has the same bits when no update comes before it: the sum of the weights is always the same."""
    for seed in range(8):
        options = {"params": PARAMS, "rng": 5, "sample_weight": np.random.default_rng(seed).uniform(0.1, 2, 11)}
        run = train(NET, X, Y, 3, checkpoint=path, **options)
        assert train(NET, X, Y, 3, checkpoint=path, resume=True, **options) == run
        assert run.cost == train(NET, X, Y, 4, **options).history.cost[3]


def test_seed_and_kernel_need_not_be_given(path, single_updates):
    """They are the checkpoint's."""
    options = {**options_of("adam", 3), "validation": None, "params": None, "rng": None}
    first = fastgd.train(NET, X, Y, EPOCHS, checkpoint=path, kernel="matrix", callback=at(5, lambda: True), **options)
    both = fastgd.train(NET, X, Y, EPOCHS, checkpoint=path, kernel="auto", resume=True, **options)
    assert both == fastgd.train(NET, X, Y, EPOCHS, kernel="matrix", **{**options, "rng": first.seed})


def test_a_share_for_validation(path, single_updates):
    options = {**options_of("adam", 3), "validation": 0.3, "params": None}
    whole = fastgd.train(NET, X, Y, EPOCHS, kernel="matrix", **options)
    fastgd.train(NET, X, Y, EPOCHS, checkpoint=path, kernel="matrix", callback=at(6, lambda: True), **options)
    assert fastgd.train(NET, X, Y, EPOCHS, checkpoint=path, kernel="matrix", resume=True, **options) == whole


def test_after_a_run_the_epochs_are_further_ones(train, path, single_updates):
    """The same call twice: params=run and a checkpoint, interrupted, then resumed."""
    options = {name: value for name, value in options_of("sgd", 3).items() if name not in ("params", "rng")}
    first = train(NET, X, Y, 8, **options_of("sgd", 3))
    whole = train(NET, X, Y, EPOCHS, params=first, **options)
    train(NET, X, Y, EPOCHS, params=first, checkpoint=path, callback=at(5, lambda: True), **options)
    assert train(NET, X, Y, EPOCHS, params=first, checkpoint=path, resume=True, **options) == whole


def test_a_checkpoint_as_a_run_to_go_on_from(train, path, single_updates):
    """params=load_run(checkpoint), in the middle of an epoch."""
    options = {**options_of("sgd", 3), "record": 1000}
    whole = train(NET, X, Y, EPOCHS, **options)
    train(NET, X, Y, EPOCHS, checkpoint=path, callback=at(18, lambda: True), **options)
    first = fastgd.load_run(path)
    assert first.epochs == 4
    both = train(NET, X, Y, EPOCHS - 4, **{**options, "params": first})
    assert np.array_equal(both.params, whole.params)
    assert both.history == whole.history
