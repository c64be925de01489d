"""Ctrl-C ends a run soon, whole and with its checkpoint written; and signals are otherwise as the program left them."""

import os
import signal
import threading
import time

import numpy as np
import pytest
from conftest import random_problem
from small_problem import NET, PARAMS, X, Y

import fastgd
from fastgd import loop

OPTIONS = {"params": PARAMS, "rng": 5}
SOON = 0.2  # seconds
BUSY = 2.0  # what a busy machine may take on top


@pytest.fixture(autouse=True)
def default_handler():
    """Python's own, which a program started in the background does not have."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


class CtrlC:
    """A callback that has SIGINT sent to this process, so many seconds after the first chunk of a run."""

    def __init__(self, seconds):
        self.timer = threading.Timer(seconds, self.send)

    def __call__(self, progress):
        if self.timer.ident is None:
            self.timer.start()

    def send(self):
        self.sent = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)

    @property
    def ago(self):
        return time.monotonic() - self.sent


def press(update, times=1):
    """A callback during which Ctrl-C is pressed, after so many updates."""
    made = iter(range(1, 10**9))

    def callback(progress):
        if next(made) == update:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    return callback


def assert_saved(run, path):
    """The file holds the run, and its folder no other file."""
    assert fastgd.load_run(path) == run
    assert os.listdir(path.parent) == [path.name]


# -- it ends soon ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [None, 3])
def test_a_long_run_ends_soon(batch_size, train, path):
    ctrl_c = CtrlC(0.05)
    run = train(NET, X, Y, 10**10, checkpoint=path, callback=ctrl_c, batch_size=batch_size, **OPTIONS)
    assert ctrl_c.ago < SOON + BUSY
    assert_saved(run, path)
    assert run.stopped_by == "interrupt"
    assert 0 < run.epochs < 10**10
    more = run.epochs + 1000
    resumed = train(NET, X, Y, more, checkpoint=path, resume=True, batch_size=batch_size, **OPTIONS)
    assert resumed == train(NET, X, Y, more, batch_size=batch_size, **OPTIONS)


def test_a_long_epoch_ends_soon(path):
    """One of many batches, about half a second; one kernel, the slower one."""
    n = 200_000
    X, Y, params = random_problem(NET, n)
    options = {"learning_rate": 0.01, "params": params, "rng": 5, "batch_size": 1, "kernel": "matrix", "method": "central_difference"}
    ctrl_c = CtrlC(0.05)
    run = fastgd.train(NET, X, Y, 1, checkpoint=path, callback=ctrl_c, **options)
    assert ctrl_c.ago < SOON + BUSY
    assert_saved(run, path)
    assert run.stopped_by == "interrupt"
    assert run.epochs == 0
    assert 0 < run.state.updates < n
    assert fastgd.train(NET, X, Y, 1, checkpoint=path, resume=True, **options) == fastgd.train(NET, X, Y, 1, **options)


def test_while_compiling(train, path, monkeypatch):
    """Before the first update."""
    monkeypatch.setattr(loop.Loop, "compile", lambda self: signal.raise_signal(signal.SIGINT))
    run = train(NET, X, Y, 10, checkpoint=path, **OPTIONS)
    assert (run.stopped_by, run.epochs) == ("interrupt", 0)
    assert np.array_equal(run.params, PARAMS)
    assert_saved(run, path)
    monkeypatch.undo()
    assert train(NET, X, Y, 10, checkpoint=path, resume=True, **OPTIONS) == train(NET, X, Y, 10, **OPTIONS)


# -- what it leaves --------------------------------------------------------------------------------------


@pytest.mark.parametrize("update", [1, 4, 6, 30])
def test_resumed_is_uninterrupted(update, train, path, single_updates):
    """Between epochs of four batches and inside them."""
    run = train(NET, X, Y, 10, checkpoint=path, batch_size=3, callback=press(update), **OPTIONS)
    assert (run.stopped_by, run.state.updates) == ("interrupt", update)
    assert_saved(run, path)
    assert run.epochs == update // 4
    assert np.array_equal(run.params, run.state.params)
    assert train(NET, X, Y, 10, checkpoint=path, resume=True, batch_size=3, **OPTIONS) == train(NET, X, Y, 10, batch_size=3, **OPTIONS)


def test_it_is_the_run_so_far(train, single_updates):
    """Without a checkpoint: what a run of as many epochs leaves."""
    run = train(NET, X, Y, 10, callback=press(4), **OPTIONS)
    shorter = train(NET, X, Y, 4, **OPTIONS)
    assert (run.stopped_by, run.epochs) == ("interrupt", 4)
    assert np.array_equal(run.params, shorter.params)
    assert (run.cost, run.history) == (shorter.cost, shorter.history)


def test_it_can_be_raised(train, path, single_updates):
    """After the checkpoint is written."""
    with pytest.raises(KeyboardInterrupt):
        train(NET, X, Y, 10, checkpoint=path, batch_size=3, callback=press(6), on_interrupt="raise", **OPTIONS)
    run = fastgd.load_run(path)
    assert (run.stopped_by, run.state.updates) == ("interrupt", 6)
    assert train(NET, X, Y, 10, checkpoint=path, resume=True, batch_size=3, **OPTIONS) == train(NET, X, Y, 10, batch_size=3, **OPTIONS)


def test_it_can_be_raised_without_a_checkpoint(train):
    """The least delay of five is not the machine's."""
    delays = []
    for _ in range(5):
        ctrl_c = CtrlC(0.05)
        with pytest.raises(KeyboardInterrupt):
            train(NET, X, Y, 10**10, callback=ctrl_c, on_interrupt="raise", **OPTIONS)
        delays.append(ctrl_c.ago)
    assert min(delays) < SOON
    assert max(delays) < SOON + BUSY


@pytest.mark.parametrize("on_interrupt", ["return", "raise"])
def test_the_second_one_raises(on_interrupt, train, path, single_updates):
    """At once; the checkpoint is written all the same."""
    with pytest.raises(KeyboardInterrupt):
        train(NET, X, Y, 10, checkpoint=path, batch_size=3, callback=press(6, times=2), on_interrupt=on_interrupt, **OPTIONS)
    assert fastgd.load_run(path).state.updates == 6
    assert train(NET, X, Y, 10, checkpoint=path, resume=True, batch_size=3, **OPTIONS) == train(NET, X, Y, 10, batch_size=3, **OPTIONS)


def test_it_is_not_lost_in_the_last_chunk(train, single_updates):
    """A program that trains many short runs could not be ended."""
    with pytest.raises(KeyboardInterrupt):
        train(NET, X, Y, 3, callback=press(3), on_interrupt="raise", **OPTIONS)


# -- signals are left as they were -----------------------------------------------------------------------


def test_the_handler_is_restored(train, single_updates):
    """After a run that ends by itself, by Ctrl-C, by an error; meanwhile it is another."""
    seen = []
    train(NET, X, Y, 2, callback=lambda progress: seen.append(signal.getsignal(signal.SIGINT)), **OPTIONS)
    assert signal.default_int_handler not in seen
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    train(NET, X, Y, 10, callback=press(2), **OPTIONS)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(ZeroDivisionError):
        train(NET, X, Y, 10, callback=lambda progress: 1 // 0, **OPTIONS)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(fastgd.DivergedError):
        train(NET, X, Y * 1e200, 10, **OPTIONS)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("own", ["a function", "ignored"])
def test_a_handler_of_the_program_stays(own, train, single_updates):
    """It gets the signal, and the run goes on."""
    got = []
    handler = signal.SIG_IGN if own == "ignored" else lambda number, frame: got.append(number)
    signal.signal(signal.SIGINT, handler)
    try:
        run = train(NET, X, Y, 10, callback=press(4), **OPTIONS)
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    assert got == ([] if own == "ignored" else [signal.SIGINT])
    assert run == train(NET, X, Y, 10, **OPTIONS)


def test_training_in_a_thread(train, path, single_updates):
    """Where signals can't be handled: training goes on as anywhere else, and Ctrl-C is the main thread's."""
    runs, handlers = [], []
    started, go_on = threading.Event(), threading.Event()

    def callback(progress):
        handlers.append(signal.getsignal(signal.SIGINT))
        started.set()
        go_on.wait(10)

    thread = threading.Thread(target=lambda: runs.append(train(NET, X, Y, 10, checkpoint=path, callback=callback, **OPTIONS)))
    thread.start()
    assert started.wait(60)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    go_on.set()
    thread.join()
    assert set(handlers) == {signal.default_int_handler}
    assert runs == [train(NET, X, Y, 10, **OPTIONS)]
    assert_saved(runs[0], path)
    assert runs[0].stopped_by == "epochs"
