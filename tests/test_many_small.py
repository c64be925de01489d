"""Many members that take little: no thread is started for them, and nothing that is seen from outside is another."""

import signal
import threading

import numpy as np
import pytest
from many_problem import MEMBERS, NET, RATES, WAYS, X, Y, train_many

import fastgd
from fastgd.ensemble import on_threads, side_by_side

pytestmark = pytest.mark.usefixtures("default_handler")

KERNELS = ["auto", "lanes", "matrix", "unrolled"]
OWN = {
    "nothing of their own": {},
    "diverging": {"learning_rate": np.where(np.arange(MEMBERS) % 3 == 1, 1e200, RATES), "net": fastgd.MLP(2, 2, 1, activation="identity")},
    "drawn seeds": {"rng": None},
    "one epoch of batches": {"epochs": 1, "batch_size": 3},
    "some are at their end": {"epochs": np.arange(MEMBERS)},
    "rows of their own": {"X": X + np.linspace(0, 1, MEMBERS)[:, None, None]},
    "weights of their own": {"sample_weight": np.random.default_rng(0).random((MEMBERS, len(X)))},
    "kinds": {"l2": np.arange(MEMBERS) % 2 * 0.01, "clip_norm": np.where(np.arange(MEMBERS) % 3 == 0, np.inf, 1.0), "target_cost": 0.3},
    "a step of its own": {"optimizer": "rprop"},
    "differences": {"method": "central_difference"},
}


@pytest.fixture
def no_threads(monkeypatch):
    """Starting one is an error."""

    def fail(*arguments, **named):
        raise AssertionError("a thread was started")

    monkeypatch.setattr(threading.Thread, "start", fail)


def by_threads(monkeypatch, *arguments, count, **options):
    """The same as if it took long: each member has a loop of its own, or lanes, on so many threads."""
    with monkeypatch.context() as patch:
        patch.setattr(side_by_side.SideBySide, "small_seconds", 0.0)
        return train_many(*arguments, threads=count, **options)


@pytest.mark.parametrize("kernel", KERNELS)
def test_no_thread_is_started(kernel, no_threads):
    assert len(fastgd.train_many(NET, X, Y, 1, members=8, rng=0, kernel=kernel)) == 8


def test_a_thread_is_started_for_more(no_threads):
    with pytest.raises(AssertionError, match="a thread was started"):
        fastgd.train_many(NET, X, Y, 10**5, members=8, rng=0, kernel="matrix")


@pytest.mark.parametrize("kernel", ["lanes", "matrix", "unrolled"])
@pytest.mark.parametrize("way", [*WAYS, *OWN])
def test_results_are_those_of_threads(way, kernel, monkeypatch):
    options = OWN.get(way, {}) | ({"rng": 11} if way == "drawn seeds" else {})
    given = kernel, way if way in WAYS else "full batch"
    runs = train_many(*given, **options)
    for count in (1, 2, 3):
        assert by_threads(monkeypatch, *given, count=count, **options) == runs


@pytest.mark.parametrize("together", [1, 3])
@pytest.mark.parametrize("way", WAYS)
def test_several_at_a_time(way, together, monkeypatch):
    """However many are trained between two looks."""
    runs = train_many("matrix", way)
    monkeypatch.setattr(on_threads, "_MOST_IN_TURN", together)
    assert train_many("matrix", way) == runs


@pytest.mark.parametrize("kernel", ["matrix", "unrolled"])
@pytest.mark.parametrize("way", [way for way in WAYS if "float32" not in way])
def test_each_is_that_of_train(way, kernel):
    """Whose loop is another one."""
    runs = train_many(kernel, way, record=4)
    for i, run in enumerate(runs):
        own = runs.options.to_dict() | runs.settings.arguments(i, runs.options)
        alone = fastgd.train(NET, X, Y, kernel=kernel, **own)
        assert (alone.epochs, alone.stopped_by, alone.cost, alone.history) == (run.epochs, run.stopped_by, run.cost, run.history)
        assert alone.params.tobytes() == run.params.tobytes()


@pytest.mark.parametrize("kernel", ["matrix", "unrolled"])
@pytest.mark.parametrize("epochs", [0, 1, 2])
def test_rows_are_in_the_order_of_each_seed(epochs, kernel):
    """Not in that of the member before, which ended in the epoch in which this one begins."""
    runs = train_many(kernel, epochs=epochs, batch_size=3)
    further = train_many(kernel, epochs=1, batch_size=3, params=runs)
    for i in range(MEMBERS):
        alone = fastgd.train(NET, X, Y, epochs + 1, RATES[i], rng=3 + i, kernel=kernel, batch_size=3)
        assert alone.params.tobytes() == further.params[i].tobytes()


# -- what is seen from outside -----------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", ["lanes", "matrix"])
def test_what_is_told(kernel, no_threads):
    """Once, when all have ended."""
    told = []
    runs = train_many(kernel, progress=told.append)
    assert [(one.epoch, one.epochs, one.ended, one.members) for one in told] == [(runs.epochs.sum(), runs.epochs.sum(), MEMBERS, MEMBERS)]
    assert told[0].cost == runs.cost.min()


@pytest.fixture
def a_look_after_each(monkeypatch):
    """One member, or one chunk of them, is trained between two looks."""
    monkeypatch.setattr(side_by_side, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(on_threads, "_MOST_IN_TURN", 1)
    monkeypatch.setattr(side_by_side, "_FIRST_LIMIT", 1)


def ctrl_c(progress):
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("kernel", ["lanes", "matrix"])
@pytest.mark.parametrize(("reason", "options"), [("callback", {"callback": lambda progress: True}), ("interrupt", {"callback": ctrl_c})])
def test_ended_by(reason, options, kernel, path, no_threads, a_look_after_each):
    """Before all have been trained; the file goes on to the same bits."""
    runs = train_many(kernel, checkpoint=path, **options)
    assert reason in runs.stopped_by
    assert 0 < runs.epochs.sum() < runs.settings.epochs.sum()
    assert np.isfinite(runs.cost).all()
    assert fastgd.load_runs(path) == runs
    assert train_many(kernel, checkpoint=path, resume=True) == train_many(kernel)


@pytest.mark.parametrize("kernel", ["lanes", "matrix"])
def test_the_second_ctrl_c_raises(kernel, path, no_threads, a_look_after_each):
    def twice(progress):
        ctrl_c(progress)
        ctrl_c(progress)

    with pytest.raises(KeyboardInterrupt):
        train_many(kernel, checkpoint=path, callback=twice)
    assert fastgd.load_runs(path).epochs.sum() > 0
    assert train_many(kernel, checkpoint=path, resume=True) == train_many(kernel)


def test_a_file_is_written_on_the_way(path, no_threads, a_look_after_each):
    """At every look, where it is due."""
    ended = []

    def look(progress):
        if path.exists():
            ended.append(int(np.isfinite(fastgd.load_runs(path).cost).sum()))

    runs = train_many("matrix", checkpoint=path, checkpoint_every=0, callback=look)
    assert ended[:3] == [1, 2, 3]
    assert runs == train_many("matrix")


def test_an_error_in_a_callback_keeps_what_there_is(path, no_threads, a_look_after_each):
    with pytest.raises(ZeroDivisionError):
        train_many("matrix", checkpoint=path, callback=lambda progress: 1 / 0)
    assert np.isfinite(fastgd.load_runs(path).cost).sum() == 1
    assert train_many("matrix", checkpoint=path, resume=True) == train_many("matrix")
