"""Checkpoints of many members: resumed is uninterrupted, whatever ended it."""

import copy
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from many_problem import EACH, EPOCHS, train_many, when

import fastgd
from fastgd.machine.cache import Entry
from fastgd.training import loop
from fastgd.training.checkpoint import Checkpoint


@pytest.fixture(params=["lanes", "matrix"])
def kernel(request):
    return request.param


@pytest.fixture
def saves(monkeypatch):
    """What is written to checkpoints."""
    written, save = [], Checkpoint.save

    def keep(self, runs):
        written.append(copy.deepcopy(runs))
        save(self, runs)

    monkeypatch.setattr(Checkpoint, "save", keep)
    return written


def fail():
    raise ZeroDivisionError("in a callback")


# -- writing ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("way", "kernel"), EACH)
def test_rounds_leave_no_trace(way, kernel, path, small_steps, saves, monkeypatch):
    """Of which one ends whenever the file is due, here at every look or at every fifth."""
    told, looks, every = [], itertools.count(1), 1 if kernel == "lanes" else 5
    monkeypatch.setattr(Checkpoint, "is_due", property(lambda self: next(looks) % every == 0))
    runs = train_many(kernel, way, checkpoint=path, progress=told.append)
    assert runs == train_many(kernel, way)
    assert fastgd.load_runs(path) == runs
    assert fastgd.load_runs(path).seconds == runs.seconds > 0
    assert os.listdir(path.parent) == [path.name]
    assert len(saves) > 3
    assert any(np.isnan(some.cost).any() and (some.epochs > 0).any() for some in saves)
    assert [one.epoch for one in told] == sorted(one.epoch for one in told)
    assert [one.ended for one in told] == sorted(one.ended for one in told)
    assert {one.epochs for one in told} == {EPOCHS.sum()}


def test_it_is_written_every_so_often(kernel, path, small_steps, saves):
    """Once, the time between being longer than the training."""
    runs = train_many(kernel, checkpoint=path, checkpoint_every=1e6)
    assert saves == [runs]


def test_on_the_way(kernel, path, small_steps):
    """Those that have not ended have no cost yet."""
    seen = []

    def look(progress):
        if path.exists():
            seen.append(fastgd.load_runs(path))

    train_many(kernel, checkpoint=path, checkpoint_every=0, callback=look)
    assert len(seen) > 3
    for runs in seen:
        assert ((runs.stopped_by == "interrupt") | (runs.epochs == EPOCHS)).all()
        assert np.isnan(runs.cost[runs.stopped_by == "interrupt"]).all()
        assert "least cost" in repr(runs)


# -- resuming --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("way", "kernel"), EACH)
@pytest.mark.parametrize("ends", ["callback", "exception"])
def test_resumed_is_uninterrupted(ends, way, kernel, path, small_steps):
    """Again and again, on one thread and on two."""
    whole, epochs, part = train_many(kernel, way), [], 0
    for threads in (1, 2, 1, 2, 2):
        part += 0.15
        action = fail if ends == "exception" else lambda: True
        callback = when(lambda progress, part=part: progress.epoch > part * EPOCHS.sum(), action)
        try:
            runs = train_many(kernel, way, checkpoint=path, resume=True, callback=callback, threads=threads)
            assert runs == fastgd.load_runs(path)
            assert not np.isnan(runs.cost).any()
        except ZeroDivisionError:
            assert ends == "exception"
            runs = fastgd.load_runs(path)
        epochs.append(int(runs.epochs.sum()))
        assert os.listdir(path.parent) == [path.name]
    assert 0 < epochs[0] < whole.epochs.sum()
    assert epochs == sorted(epochs)
    runs = train_many(kernel, way, checkpoint=path, resume=True)
    assert runs == whole == fastgd.load_runs(path)


@pytest.mark.parametrize(("way", "kernel"), EACH)
def test_more_epochs(way, kernel, path, small_steps):
    """Members that a rule stopped stay; the others go on."""
    whole = train_many(kernel, way, 2 * EPOCHS)
    train_many(kernel, way, checkpoint=path)
    assert train_many(kernel, way, 2 * EPOCHS, checkpoint=path, resume=True) == whole
    path.unlink()
    train_many(kernel, way, checkpoint=path, callback=when(lambda progress: progress.ended > 1))
    assert train_many(kernel, way, 2 * EPOCHS, checkpoint=path, resume=True) == whole


def test_finished_runs_are_returned(kernel, path, monkeypatch):
    runs = train_many(kernel, checkpoint=path)
    monkeypatch.setattr(Entry, "__call__", fail)
    again = train_many(kernel, checkpoint=path, resume=True)
    assert again == runs
    assert again.seconds == runs.seconds


def test_seeds_parameters_and_kernel_need_not_be_given(path, small_steps):
    first = train_many("lanes", checkpoint=path, rng=None, callback=when(lambda progress: progress.epoch > 20))
    both = train_many("auto", checkpoint=path, rng=None, resume=True)
    assert both == train_many("lanes", rng=first.seeds)


def test_an_error_on_a_thread_leaves_members_where_they_were(path, small_steps, monkeypatch):
    """In the middle of one that has been told to be further."""
    calls, advance = itertools.count(), loop.Loop._advance

    def fails(self, limit):
        if next(calls) == 25:
            raise MemoryError
        return advance(self, limit)

    monkeypatch.setattr(loop.Loop, "_advance", fails)
    with pytest.raises(MemoryError):
        train_many("matrix", checkpoint=path)
    monkeypatch.undo()
    assert 0 < fastgd.load_runs(path).epochs.sum() < EPOCHS.sum()
    assert train_many("matrix", checkpoint=path, resume=True) == train_many("matrix")


def test_divergence(kernel, path, small_steps):
    """Of a line whose rate is too large, at the same epoch whatever the rounds."""
    options = {"net": fastgd.MLP(1, 1, activation="identity"), "X": [1.0, 2.0], "Y": [2.0, 4.0], "learning_rate": [0.1, 3.0, 40.0, 1e200]}
    options |= {"members": 4, "epochs": 120}
    whole = train_many(kernel, **options)
    assert whole.stopped_by.tolist() == ["epochs", "diverged", "diverged", "diverged"]
    assert train_many(kernel, checkpoint=path, checkpoint_every=0, **options) == whole
    for part in (20, 50, 100, 150):
        train_many(kernel, checkpoint=path, resume=True, callback=when(lambda progress, part=part: progress.epoch > part), **options)
    assert train_many(kernel, checkpoint=path, resume=True, **options) == whole


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("presses", [1, 2])
@pytest.mark.parametrize("on_interrupt", ["return", "raise"])
def test_ctrl_c(on_interrupt, presses, kernel, path, small_steps):
    """The file is written first, be it the second one, which raises at once."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def press():
        for _ in range(presses):
            signal.raise_signal(signal.SIGINT)

    options = {"checkpoint": path, "on_interrupt": on_interrupt, "callback": when(lambda progress: progress.epoch > 30, press)}
    try:
        if presses == 1 and on_interrupt == "return":
            assert "interrupt" in train_many(kernel, **options).stopped_by
        else:
            with pytest.raises(KeyboardInterrupt):
                train_many(kernel, **options)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert fastgd.load_runs(path).epochs.sum() > 30
    assert train_many(kernel, checkpoint=path, resume=True) == train_many(kernel)


KILLED = """
import sys
import many_problem as problem
from fastgd.training.archive import _digest
from fastgd.training import loop
from fastgd.ensemble import side_by_side

side_by_side.LOOK_SECONDS = loop.CHUNK_SECONDS = 0.001
problem.train_many(sys.argv[2], "Adam, batches", 10**9, checkpoint=sys.argv[1], checkpoint_every=0.02, resume=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9")
@pytest.mark.parametrize("kernel", ["lanes", "matrix"])
def test_kill_9(kernel, path):
    """Killed twice in a training without end, which then is cut short where it stands."""
    here = Path(__file__).parent
    reached = []
    for _ in range(2):
        files = set()
        program = [sys.executable, "-W", "error", "-c", KILLED, str(path), kernel]
        paths = os.pathsep.join([str(Path(fastgd.__file__).parent.parent), str(here)])
        with subprocess.Popen(program, env={**os.environ, "PYTHONPATH": paths}) as process:
            while len(files) < 4:  # written, at least three times by this process
                assert process.poll() is None
                time.sleep(0.002)
                files |= {path.stat().st_mtime_ns} if path.exists() else set()
            process.kill()
        assert len(os.listdir(path.parent)) <= 2  # the file, and what was being written
        reached.append(fastgd.load_runs(path).epochs)
    assert reached[0].sum() < reached[1].sum()
    epochs = reached[1] + 2
    runs = train_many(kernel, "Adam, batches", epochs, checkpoint=path, resume=True)
    assert runs == train_many(kernel, "Adam, batches", epochs)
    assert os.listdir(path.parent) == [path.name]
