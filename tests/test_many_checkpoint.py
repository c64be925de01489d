"""Checkpoints of many members, and going on from runs: to the bits of an uninterrupted training, whatever ended it."""

import copy
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import assert_refused, random_problem

import fastgd
from fastgd import loop, side_by_side, watch
from fastgd.archive import _digest
from fastgd.checkpoint import Checkpoint
from fastgd.kernels import Lanes
from fastgd.kernels.store import Entry

NET = fastgd.MLP(2, 2, 1, activation="tanh")
X, Y, _ = random_problem(NET, 11)
MEMBERS = 10  # more than one vector of lanes, and the last is not full
EPOCHS = np.arange(10, 10 + MEMBERS)
RATES = np.linspace(0.05, 0.5, MEMBERS)
WAYS = {
    "full batch": {},
    "Adam, batches": {"optimizer": "adam", "batch_size": 3},
    "rules": {"patience": np.arange(1, 11), "min_delta": 1e-3, "target_cost": 0.03, "optimizer": fastgd.SGD(momentum=0.9)},
    "rules, batches": {"patience": np.arange(1, 11), "min_delta": 1e-3, "batch_size": 4, "learning_rate": np.linspace(0.1, 4, MEMBERS)},
    "schedule, float32": {
        "net": fastgd.MLP(2, 2, 1, activation="tanh", dtype="float32"),
        "learning_rate": fastgd.schedules.Cosine(0.2, steps=40, warmup=5),
        "batch_size": 5,
        "patience": 3,
    },
}


EACH = [(way, kernel) for way in WAYS for kernel in ("lanes", "matrix")] + [("Adam, batches", "unrolled")]


@pytest.fixture(params=["lanes", "matrix"])
def kernel(request):
    return request.param


@pytest.fixture
def small_steps(monkeypatch):
    """Chunks of one epoch in lanes, of one update otherwise; after each a thread waits until the main one has looked."""
    looked, reason = threading.Event(), watch.Watch._reason

    def look(self, progress):
        try:
            return reason(self, progress)
        finally:
            looked.set()

    def followed_by_a_look(advance):
        def one(self, *arguments):
            result = advance(self, *arguments)
            if arguments[-1] > 0 and threading.current_thread() is not threading.main_thread():
                looked.clear()
                looked.wait(0.5)
            return result

        return one

    monkeypatch.setattr(watch.Watch, "_reason", look)
    monkeypatch.setattr(Lanes, "advance", followed_by_a_look(Lanes.advance))
    monkeypatch.setattr(loop.Loop, "_advance", followed_by_a_look(loop.Loop._advance))
    for module in (watch, side_by_side):
        monkeypatch.setattr(module, "LOOK_SECONDS", 0.0005)
    monkeypatch.setattr(side_by_side, "_FIRST_LIMIT", 1)
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0.0)


@pytest.fixture
def saves(monkeypatch):
    """What is written to checkpoints."""
    written, save = [], Checkpoint.save

    def keep(self, runs):
        written.append(copy.deepcopy(runs))
        save(self, runs)

    monkeypatch.setattr(Checkpoint, "save", keep)
    return written


def train_many(kernel, way="full batch", epochs=EPOCHS, **options):
    given = {"net": NET, "X": X, "Y": Y, "epochs": epochs, "learning_rate": RATES, "rng": 3, "members": MEMBERS}
    return fastgd.train_many(**given | {"kernel": kernel, "threads": 2} | WAYS[way] | options)


def when(condition, action=lambda: True):
    """A callback that acts as soon as the condition holds for what it is told."""
    return lambda progress: action() if condition(progress) else None


def fail():
    raise ZeroDivisionError("in a callback")


# -- writing ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("way", "kernel"), EACH)
def test_rounds_leave_no_trace(way, kernel, path, small_steps, saves):
    told = []
    every = 0 if kernel == "lanes" else 0.01
    runs = train_many(kernel, way, checkpoint=path, checkpoint_every=every, progress=told.append)
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
    runs = train_many(kernel, checkpoint=path)
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
import test_many_checkpoint as test
from fastgd.archive import _digest
from fastgd import loop, side_by_side, watch

watch.LOOK_SECONDS = side_by_side.LOOK_SECONDS = loop.CHUNK_SECONDS = 0.001
test.train_many(sys.argv[2], "Adam, batches", 10**9, checkpoint=sys.argv[1], checkpoint_every=0.02, resume=True)
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


# -- going on from runs ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("way", "kernel"), EACH)
def test_after_runs_the_epochs_are_further_ones(way, kernel):
    """Where no rule has ended one, after which rules begin anew."""
    options = {"patience": 1000, "target_cost": None} if "patience" in WAYS[way] else {}
    first = train_many(kernel, way, **options)
    both = train_many("auto", way, 5, params=first, rng=None, members=None, **options)
    whole = train_many(kernel, way, EPOCHS + 5, **options)
    assert both.standing.params.tobytes() == whole.params.tobytes()
    assert both.kernel == kernel
    assert [run == other for run, other in zip(both, whole, strict=True)] == [True] * MEMBERS
    assert first.epochs.tolist() == EPOCHS.tolist()


def test_rules_begin_anew_after_runs_that_they_ended():
    first = train_many("matrix", "rules", patience=2, epochs=100)
    both = train_many("matrix", "rules", 7, params=first, patience=3)
    for i in np.flatnonzero(first.stopped_by == "patience"):
        one = fastgd.train(
            NET, X, Y, 7, RATES[i], params=first[i], patience=3, min_delta=1e-3, target_cost=0.03, optimizer=first.options.optimizer
        )
        assert both[i].params.tobytes() == one.params.tobytes()
        assert (both.epochs[i], both.stopped_by[i]) == (one.epochs, one.stopped_by)
    assert "patience" in first.stopped_by


def test_in_the_middle_of_an_epoch(path, small_steps):
    """From runs, one of them, or either's file."""
    way = "Adam, batches"
    first = train_many("matrix", way, callback=when(lambda progress: progress.epoch > 40))
    inside = np.flatnonzero(first.standing.batch)
    assert len(inside)
    whole = train_many("matrix", way)
    first.save(path)
    assert fastgd.load_runs(path) == first
    rest = EPOCHS - first.epochs
    assert train_many("matrix", way, rest, params=fastgd.load_runs(path)).params.tobytes() == whole.params.tobytes()
    for i in inside:
        first[i].save(path)
        one = fastgd.train(NET, X, Y, rest[i], RATES[i], params=fastgd.load_run(path), optimizer="adam", batch_size=3)
        assert one.params.tobytes() == whole.params[i].tobytes()


def test_other_options_after_runs():
    """As `train` does it: slots stay with their optimizer."""
    first = train_many("matrix", "Adam, batches")
    for options in ({"optimizer": "adam"}, {"optimizer": "rprop"}, {"optimizer": "adamw", "batch_size": 4}):
        runs = train_many("matrix", epochs=4, params=first, **options)
        for i in (0, 7):
            one = fastgd.train(NET, X, Y, 4, RATES[i], params=first[i], kernel="matrix", **options)
            assert runs.params[i].tobytes() == one.params.tobytes()
    other = fastgd.train_many(NET, X, Y, 4, RATES, params=first, kernel="lanes", optimizer="adam")
    assert other.params == pytest.approx(train_many("matrix", epochs=4, params=first, optimizer="adam").params, rel=1e-9)


# -- what is refused -------------------------------------------------------------------------------------------------------------------

V, T = ValueError, TypeError


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """A checkpoint in lanes."""
    path = tmp_path_factory.mktemp("interrupted") / "c.npz"
    train_many("lanes", checkpoint=path)
    return path


MOVED = X + np.where(np.arange(22).reshape(11, 2) == 13, 1e-9, 0)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"net": fastgd.MLP(2, 3, 1, activation="tanh")}, ["MLP(2, 3, 1", "MLP(2, 2, 1"]),
        ({"X": MOVED}, ["other data", "X, Y"]),
        ({"sample_weight": np.ones(11)}, ["other data", "sample_weight"]),
        ({"members": 9, "learning_rate": 0.1, "epochs": 20}, ["10", "9", "members"]),
        ({"rng": 4}, ["rng 3", "member 0", "4"]),
        ({"learning_rate": np.where(np.arange(MEMBERS) == 4, 7, RATES)}, ["learning_rate", "member 4", "0.25", "7"]),
        ({"params": np.ones(9)}, ["params", "member 0"]),
        ({"optimizer": "adam"}, ["optimizer", "SGD", "Adam"]),
        ({"batch_size": 4}, ["batch_size", "None", "4"]),
        ({"kernel": "matrix"}, ["kernel", "lanes", "matrix"]),
        ({"method": "layerwise"}, ["method", "layerwise"]),
        ({"l2": 0.1}, ["l2", "0.1"]),
        ({"target_cost": 0.1}, ["target_cost", "None", "0.1"]),
        ({"patience": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}, ["patience", "None", "1"]),
        ({"epochs": EPOCHS - 3 * (np.arange(MEMBERS) == 2)}, ["epochs", "member 2", "12", "9"]),
    ],
    ids=lambda case: "-".join(case) if isinstance(case, dict) else "",
)
def test_another_training_is_refused(changed, words, interrupted, no_compiled_code):
    before = interrupted.read_bytes()
    assert_refused(lambda: train_many(**{"kernel": "lanes", "checkpoint": interrupted, "resume": True} | changed), V, ["c.npz", *words])
    assert interrupted.read_bytes() == before
    assert os.listdir(interrupted.parent) == [interrupted.name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("standing_batch", np.full(MEMBERS, 1)), ("standing_batch", np.full(MEMBERS, -1)), ("standing_epochs", np.full(MEMBERS, -1)),
        ("standing_slots", np.zeros((MEMBERS, 1, 9))), ("standing_marks", np.zeros(MEMBERS, np.int64)),
        ("standing_powers", np.zeros((MEMBERS, 2), np.float32)), ("standing_mark_epochs", np.full(MEMBERS, -1)),
    ],
)  # fmt: skip
def test_compiled_code_does_not_go_on_from_what_can_not_be(name, value, interrupted, path, no_compiled_code):
    """Be the digest right."""
    with np.load(interrupted) as archive:
        arrays = {each: archive[each] for each in archive.files if each != "digest"} | {name: value}
    np.savez(path, digest=np.array(_digest(arrays)), **arrays)
    assert_refused(lambda: train_many("lanes", checkpoint=path, resume=True), V, ["run.npz", "can't be gone on from"])


def test_places_and_arguments(tmp_path, path, no_compiled_code):
    assert_refused(lambda: train_many("lanes", resume=True), V, ["resume", "checkpoint="])
    assert_refused(lambda: train_many("lanes", resume=1, checkpoint=path), T, ["resume", "1"])
    assert_refused(lambda: train_many("lanes", checkpoint=3), T, ["checkpoint", "3"])
    assert_refused(lambda: train_many("lanes", checkpoint=path, checkpoint_every=-1), V, ["checkpoint_every", "-1"])
    with pytest.raises(FileNotFoundError):
        train_many("lanes", checkpoint=tmp_path / "no" / "runs.npz")
    with pytest.raises(IsADirectoryError):
        train_many("matrix", checkpoint=tmp_path)


def test_runs_that_do_not_fit(interrupted, no_compiled_code):
    first = fastgd.load_runs(interrupted)
    assert_refused(lambda: train_many("matrix", params=first, members=9), V, ["members", "10", "9"])
    other = fastgd.MLP(2, 3, 1)
    assert_refused(lambda: train_many("matrix", params=first, net=other), V, ["params", "MLP(2, 3, 1", "MLP(2, 2, 1"])
    assert_refused(lambda: train_many("matrix", params=first, epochs=2**62), V, ["epochs", str(2**62)])


def test_other_files_are_refused(interrupted, path, no_compiled_code):
    go_on = {"kernel": "matrix", "checkpoint": path, "resume": True}
    runs = fastgd.load_runs(interrupted)
    runs.save(path)
    assert_refused(lambda: train_many(**go_on), V, ["run.npz", "no checkpoint", "fastgd.load_runs"])
    runs[0].save(path)
    assert_refused(lambda: train_many(**go_on), V, ["run.npz", "fastgd.load_run reads"])
    path.write_text("hello")
    assert_refused(lambda: train_many(**go_on), V, ["run.npz", "no whole"])
