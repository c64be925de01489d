"""Ctrl-C ends a run soon, whole and with its checkpoint written; and signals are otherwise as the program left them."""

import os
import signal
import threading

import numpy as np
import pytest
from conftest import random_problem
from interruptions import CtrlC
from small_problem import NET, PARAMS, X, Y

import fastgd
from fastgd.training import loop

pytestmark = pytest.mark.usefixtures("default_handler")

OPTIONS = {"params": PARAMS, "rng": 5}
SOON = 0.2  # seconds
UPDATE = 1e-4  # seconds that one takes by the clock of `chunks`


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


@pytest.fixture
def chunks(monkeypatch):
    """How many updates each chunk makes where an update takes 0.1 ms, by a clock of its own."""
    limits, advance = [], loop.Loop._advance

    def advance_by_the_clock(self, limit):
        advance(self, limit)
        limits.extend([limit] * (limit > 0))
        return limit * UPDATE

    monkeypatch.setattr(loop.Loop, "_advance", advance_by_the_clock)
    return limits


@pytest.mark.parametrize("batch_size", [None, 3])
def test_chunks_are_short(batch_size, train, chunks):
    """Ctrl-C is answered at the end of a chunk, of which none takes half as long as it may."""
    run = train(NET, X, Y, 10**10, callback=press(5), batch_size=batch_size, **OPTIONS)
    assert (run.stopped_by, run.state.updates) == ("interrupt", sum(chunks))
    assert chunks[:2] == [1, 100]
    assert chunks[2:] == pytest.approx([500] * 3, abs=1)
    assert max(chunks) * UPDATE < SOON / 2


def test_chunks_of_a_long_epoch_are_short(path, chunks):
    """One of many batches; one kernel, the slower one."""
    n = 5000
    X, Y, params = random_problem(NET, n)
    options = {"learning_rate": 0.01, "params": params, "rng": 5, "batch_size": 1, "kernel": "matrix", "method": "central_difference"}
    run = fastgd.train(NET, X, Y, 1, checkpoint=path, callback=press(4), **options)
    assert max(chunks) * UPDATE < SOON / 2
    assert_saved(run, path)
    assert (run.stopped_by, run.epochs, run.state.updates) == ("interrupt", 0, sum(chunks))
    assert 0 < run.state.updates < n
    assert fastgd.train(NET, X, Y, 1, checkpoint=path, resume=True, **options) == fastgd.train(NET, X, Y, 1, **options)


@pytest.mark.parametrize("batch_size", [None, 3])
def test_a_signal_in_the_midst_of_a_run(batch_size, train, path):
    """At whatever place it comes: the run would have no end."""
    ctrl_c = CtrlC()
    run = train(NET, X, Y, 10**10, checkpoint=path, callback=ctrl_c, batch_size=batch_size, **OPTIONS)
    ctrl_c.thread.join()
    assert_saved(run, path)
    assert run.stopped_by == "interrupt"
    assert 0 < run.epochs < 10**10
    more = run.epochs + 1000
    resumed = train(NET, X, Y, more, checkpoint=path, resume=True, batch_size=batch_size, **OPTIONS)
    assert resumed == train(NET, X, Y, more, batch_size=batch_size, **OPTIONS)


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
    ctrl_c = CtrlC()
    with pytest.raises(KeyboardInterrupt):
        train(NET, X, Y, 10**10, callback=ctrl_c, on_interrupt="raise", **OPTIONS)
    ctrl_c.thread.join()


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
        go_on.wait(600)

    thread = threading.Thread(target=lambda: runs.append(train(NET, X, Y, 10, checkpoint=path, callback=callback, **OPTIONS)))
    thread.start()
    assert started.wait(600)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    go_on.set()
    thread.join()
    assert set(handlers) == {signal.default_int_handler}
    assert runs == [train(NET, X, Y, 10, **OPTIONS)]
    assert_saved(runs[0], path)
    assert runs[0].stopped_by == "epochs"
