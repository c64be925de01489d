"""Checkpoints: an interrupted run goes on to the bits of an uninterrupted one, whatever happens to the process, the file or the disk."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import random_problem
from small_problem import skip_some

import fastgd
from fastgd import loop
from fastgd.kernels.store import Entry

NET = fastgd.MLP(2, 2, 1, activation="tanh")
X, Y, PARAMS = random_problem(NET, 11)
HELD_OUT = random_problem(NET, 5, seed=1)[:2]
OPTIMIZERS = {"sgd": "sgd", "momentum": fastgd.SGD(momentum=0.9), "adam": "adam", "rprop": "rprop"}
EPOCHS = 12
WAYS = pytest.mark.parametrize(("optimizer", "batch_size"), [(name, size) for name in OPTIMIZERS for size in (None, 3)])


def options_of(optimizer, batch_size):
    """Much of a run's state: slots, best parameters, a full history, validation costs, an order of rows."""
    return {
        "learning_rate": 0.05, "params": PARAMS, "rng": 5, "optimizer": OPTIMIZERS[optimizer], "batch_size": batch_size,
        "validation": HELD_OUT, "restore_best": True, "patience": 1000, "record": 7,
    }  # fmt: skip


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.npz"


@pytest.fixture
def single_updates(monkeypatch):
    """Chunks of one update."""
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0.0)


def at(update, action):
    """A callback that acts once, after so many updates of its run."""
    made = iter(range(1, 10**9))
    return lambda progress: action() if next(made) == update else None


def fail():
    raise ZeroDivisionError("in a callback")


def names(folder):
    return sorted(os.listdir(folder))


# -- writing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("every", [0.0, 60.0])
@pytest.mark.parametrize("resume", [False, True])
def test_the_file_is_the_run(resume, every, train, path, single_updates):
    """Written now and then or only at the end; resuming without a file starts afresh."""
    run = train(NET, X, Y, EPOCHS, checkpoint=path, checkpoint_every=every, resume=resume, **options_of("sgd", 3))
    assert run == train(NET, X, Y, EPOCHS, **options_of("sgd", 3))
    assert fastgd.load_run(path) == run
    assert fastgd.load_run(path).seconds == run.seconds
    assert names(path.parent) == [path.name]


def test_it_is_written_on_the_way(train, path, single_updates):
    """Of every update but the last, which is told before it is written."""
    seen = []

    def look(progress):
        if path.exists():
            run = fastgd.load_run(path)
            seen.append(run.state.updates(4))
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
    assert names(tmp_path) == ["a.npz", "b", "c.run"]


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
        assert run.state.updates(1 if batch_size is None else 4) == updates
        assert names(path.parent) == [path.name]
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


# -- refusals --------------------------------------------------------------------------------------------

MOVED = X + np.where(np.arange(22).reshape(11, 2) == 13, 1e-9, 0)
REFUSED = [
    ({"net": fastgd.MLP(2, 3, 1, activation="tanh"), "params": None}, ["MLP(2, 3, 1", "MLP(2, 2, 1"]),
    ({"net": fastgd.MLP(2, 2, 1, activation="sin")}, ["sin", "tanh"]),
    ({"X": MOVED}, ["other data", "X, Y"]),
    ({"X": X[:10], "Y": Y[:10]}, ["other data"]),
    ({"Y": Y + 1e-9}, ["other data"]),
    ({"sample_weight": np.ones(11)}, ["other data", "sample_weight"]),
    ({"validation": None}, ["other data", "validation"]),
    ({"validation": 0.3}, ["other data", "validation"]),
    ({"validation": (HELD_OUT[0], HELD_OUT[1] + 1e-9)}, ["other data", "validation"]),
    ({"learning_rate": 0.1}, ["learning_rate", "0.05", "0.1"]),
    ({"learning_rate": fastgd.schedules.Constant(0.05)}, ["learning_rate", "0.05", "Constant"]),
    ({"optimizer": "adam"}, ["optimizer", "SGD", "Adam"]),
    ({"optimizer": fastgd.SGD(momentum=0.5)}, ["optimizer", "momentum=0.5", "momentum=0.9"]),
    ({"batch_size": 4}, ["batch_size", "3", "4"]),
    ({"batch_size": None}, ["batch_size", "3", "None"]),
    ({"shuffle": False}, ["shuffle", "True", "False"]),
    ({"kernel": "unrolled"}, ["kernel", "matrix", "unrolled"]),
    ({"method": "layerwise"}, ["method", "backprop", "layerwise"]),
    ({"rng": 6}, ["rng", "5", "6"]),
    ({"l2": 0.1}, ["l2", "0.0", "0.1"]),
    ({"clip_norm": 1.0}, ["clip_norm", "None", "1.0"]),
    ({"target_cost": 0.1}, ["target_cost", "None", "0.1"]),
    ({"patience": 2}, ["patience", "1000", "2"]),
    ({"min_delta": 0.1}, ["min_delta", "0.0", "0.1"]),
    ({"restore_best": False}, ["restore_best", "True", "False"]),
    ({"record": 8}, ["record", "7", "8"]),
    ({"spacing": "log"}, ["spacing", "even", "log"]),
    ({"epochs": 4}, ["epochs", "at least 5", "4"]),
]


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """A checkpoint of 5 epochs."""
    path = tmp_path_factory.mktemp("interrupted") / "run.npz"
    fastgd.train(NET, X, Y, 5, checkpoint=path, kernel="matrix", **options_of("momentum", 3))
    return path


@pytest.fixture
def no_compiled_code(monkeypatch):
    def fail(*arguments):
        raise AssertionError("compiled code was called")

    monkeypatch.setattr(Entry, "__call__", fail)


@pytest.mark.parametrize(("changed", "words"), REFUSED, ids=lambda case: "-".join(case) if isinstance(case, dict) else "")
def test_another_training_is_refused(changed, words, interrupted, no_compiled_code):
    """The message names what differs and the file, which stays what it is."""
    before = interrupted.read_bytes()
    arguments = {"net": NET, "X": X, "Y": Y, "epochs": EPOCHS, "kernel": "matrix", **options_of("momentum", 3), **changed}
    with pytest.raises(ValueError, match=r"run\.npz") as caught:
        fastgd.train(checkpoint=interrupted, resume=True, **arguments)
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)
    assert interrupted.read_bytes() == before
    assert names(interrupted.parent) == [interrupted.name]


@pytest.mark.parametrize("kind", ["a saved run", "another npz", "text", "nothing"])
def test_other_files_are_refused(kind, path, no_compiled_code, interrupted):
    if kind == "a saved run":
        fastgd.load_run(interrupted).save(path)
    elif kind == "another npz":
        np.savez(path, params=PARAMS)
    else:
        path.write_text("hello" if kind == "text" else "")
    with pytest.raises(ValueError, match=r"run\.npz.*(no checkpoint|no whole fastgd run)"):
        fastgd.train(NET, X, Y, EPOCHS, checkpoint=path, resume=True, kernel="matrix", **options_of("momentum", 3))


def test_without_resuming_it_is_replaced(interrupted, path):
    """Whatever it was."""
    path.write_bytes(interrupted.read_bytes())
    run = fastgd.train(NET, X, Y, 3, kernel="matrix", checkpoint=path, **options_of("sgd", 3))
    assert run.epochs == 3
    assert fastgd.load_run(path) == run


def test_mutations_are_refused_or_harmless(path, interrupted):
    """1,000 files with bits flipped, bytes overwritten, parts cut off, left out, repeated or exchanged."""
    rng = np.random.default_rng(0)
    run, whole = fastgd.load_run(interrupted), interrupted.read_bytes()
    refused, began = 0, time.monotonic()
    for number in range(1000):
        data = bytearray(whole)
        first, second = np.sort(rng.integers(len(data), size=2))
        size = int(rng.integers(1, 400))
        kind = number % 6
        if kind == 0:
            for place in rng.integers(len(data), size=1 + number % 5):
                data[place] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            data[first : first + size] = rng.bytes(len(data[first : first + size]))
        elif kind == 2:
            del data[first:]
        elif kind == 3:
            del data[first : first + size]
        elif kind == 4:
            data[second:second] = data[first : first + size]
        else:
            piece, other = data[first : first + size], data[second : second + size]
            data[second : second + size], data[first : first + size] = piece, other
        path.write_bytes(data)
        try:
            loaded = fastgd.load_run(path)
        except (ValueError, OSError):
            refused += 1
        else:
            assert loaded == run, number
    assert refused > 700
    assert time.monotonic() - began < 20


# -- places that can't be written to ---------------------------------------------------------------------


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("place", ["a missing folder", "a folder", "a file as folder", "a read-only folder"])
def test_refused_before_training(place, resume, tmp_path, no_compiled_code):
    path = {"a missing folder": tmp_path / "no" / "run.npz", "a folder": tmp_path, "a file as folder": tmp_path / "file" / "run.npz"}.get(
        place, tmp_path / "locked" / "run.npz"
    )
    (tmp_path / "file").write_text("")
    (tmp_path / "locked").mkdir(mode=0o500)
    if place == "a read-only folder" and os.access(tmp_path / "locked", os.W_OK):
        pytest.skip("root may write anywhere")
    with pytest.raises(OSError, match=r"run|folder|directory") as caught:
        fastgd.train(NET, X, Y, EPOCHS, checkpoint=path, resume=resume, kernel="matrix")
    assert str(path.parent) in str(caught.value.filename)
    assert names(tmp_path) == ["file", "locked"]


@pytest.fixture
def disk(path, monkeypatch):
    """The disk: full as long as `disk.full`, at one step of writing to the checkpoint."""

    class Disk:
        full, refusals = False, 0

        def fills(self, step):
            module, name = {"writing": (np, "savez"), "flushing": (os, "fsync"), "replacing": (os, "replace")}[step]
            real = getattr(module, name)

            def limited(*arguments, **keywords):
                if self.full:
                    self.refusals += 1
                    raise OSError(28, "No space left on device")
                return real(*arguments, **keywords)

            monkeypatch.setattr(module, name, limited)

    return Disk()


@pytest.mark.parametrize("step", ["writing", "flushing", "replacing"])
def test_a_disk_that_fills_later(step, disk, path, train, single_updates):
    """One warning, the last file that was whole, and the run."""
    options = options_of("momentum", 3)
    expected = train(NET, X, Y, EPOCHS, **options)
    disk.fills(step)

    def fill(progress):
        disk.full = progress.epoch >= 5

    with pytest.warns(RuntimeWarning, match=r"run\.npz.*No space left") as warned:
        run = train(NET, X, Y, EPOCHS, checkpoint=path, checkpoint_every=0, callback=fill, **options)
    assert len(warned) == 1
    assert disk.refusals > 20
    assert run == expected
    assert fastgd.load_run(path).state.updates(4) == 19
    assert names(path.parent) == [path.name]
    disk.full = False
    assert train(NET, X, Y, EPOCHS, checkpoint=path, resume=True, **options) == expected


def test_a_disk_that_has_room_again(disk, path, train, single_updates):
    options = options_of("momentum", 3)
    disk.fills("writing")

    def fill(progress):
        disk.full = progress.epoch in (3, 4)

    with pytest.warns(RuntimeWarning, match=r"run\.npz.*No space left") as warned:
        run = train(NET, X, Y, EPOCHS, checkpoint=path, checkpoint_every=0, callback=fill, **options)
    assert len(warned) == 1
    assert fastgd.load_run(path) == run


# -- killed processes ------------------------------------------------------------------------------------


def left_behind(path, process):
    """A temporary file that a process was writing when it was killed."""
    temporary = path.with_name(f".{path.name}.{process}-0123abcd.tmp")
    temporary.write_bytes(b"PK\x03\x04 half")
    return temporary.name


@pytest.fixture(scope="module")
def dead():
    """The number of a process that is gone."""
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    return process.pid


def test_what_dead_processes_left_is_removed(path, dead):
    """What living ones are writing is not, nor what is another file's."""
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as alive:
        stale = [left_behind(path, dead), left_behind(path, os.getpid())]
        kept = [
            left_behind(path, alive.pid),
            left_behind(path.with_name("other.npz"), dead),
            left_behind(path.with_name("my run.npz"), dead),
            left_behind(path, "backup"),
        ]
        (path.parent / "notes.tmp").touch()
        fastgd.train(NET, X, Y, 1, checkpoint=path, kernel="matrix")
        alive.communicate(b"\n")
    assert set(names(path.parent)) == {path.name, "notes.tmp", *kept}
    assert not set(stale) & set(names(path.parent))


DIE_WRITING = """
import os, signal, sys
import numpy as np
import fastgd

def die(file, **arrays):
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)

np.savez = die
fastgd.train(fastgd.MLP(2, 2, 1, activation="tanh"), [[0, 1]], [1], 1, checkpoint=sys.argv[1], kernel="matrix")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9")
def test_killed_in_the_first_write(path):
    """The trial write before training; what it leaves goes the next time."""
    program = [sys.executable, "-W", "error", "-c", DIE_WRITING, str(path)]
    assert subprocess.run(program, cwd=Path(fastgd.__file__).parent.parent, check=False).returncode == -signal.SIGKILL
    assert len(names(path.parent)) == 1
    run = fastgd.train(NET, X, Y, 1, checkpoint=path, kernel="matrix", resume=True)
    assert fastgd.load_run(path) == run
    assert names(path.parent) == [path.name]


TRAIN_XOR = """
import sys, time
import fastgd
from fastgd import loop

loop.CHUNK_SECONDS = 0.0
X, Y = fastgd.data.gate("xor")
net = fastgd.MLP(2, 2, 1, activation="tanh")
options = {"rng": 3, "batch_size": 3, "optimizer": "adam", "record": 50, "kernel": "matrix"}
fastgd.train(
    net, X, Y, int(sys.argv[2]), 0.01, checkpoint=sys.argv[1], checkpoint_every=0.02, resume=True,
    callback=lambda progress: time.sleep(0.001), **options,
)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9")
def test_kill_9(path):
    """Killed four times, and four times resumed. A process makes an update a millisecond at most, so that it is never done before."""
    epochs, rng = 3000, np.random.default_rng(7)
    X, Y = fastgd.data.gate("xor")
    net = fastgd.MLP(2, 2, 1, activation="tanh")
    options = {"rng": 3, "batch_size": 3, "optimizer": "adam", "record": 50, "kernel": "matrix"}
    whole = fastgd.train(net, X, Y, epochs, 0.01, **options)
    reached = []
    for delay in rng.uniform(0.05, 0.4, size=4):
        before = written(path)
        program = [sys.executable, "-W", "error", "-c", TRAIN_XOR, str(path), str(epochs)]
        with subprocess.Popen(program, cwd=Path(fastgd.__file__).parent.parent) as process:
            while written(path) == before:
                assert process.poll() is None
                time.sleep(0.002)
            time.sleep(delay)
            process.kill()
        assert process.returncode == -signal.SIGKILL
        assert len(names(path.parent)) <= 2  # the file, and what was being written
        reached.append(fastgd.load_run(path).state.updates(2))
    assert 0 < reached[0] < reached[1] < reached[2] < reached[3] < 2 * epochs
    assert fastgd.train(net, X, Y, epochs, 0.01, checkpoint=path, resume=True, **options) == whole
    assert names(path.parent) == [path.name]


def written(path):
    """What tells one file at this path from the next."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns
