"""Whatever happens to the file of a checkpoint, the disk or the process, no run is lost and no other one is read."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from interruptions import wait_until
from small_problem import EPOCHS, NET, X, Y, options_of

import fastgd


def test_mutations_are_refused_or_harmless(path):
    """1,000 files with bits flipped, bytes overwritten, parts cut off, left out, repeated or exchanged."""
    rng = np.random.default_rng(0)
    run = fastgd.train(NET, X, Y, 5, checkpoint=path, kernel="matrix", **options_of("momentum", 3))
    whole = path.read_bytes()
    refused = 0
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
    assert sorted(os.listdir(tmp_path)) == ["file", "locked"]


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
    """One warning, the last file that was whole, and the run; where the last one is whole too, a second one that says where."""
    options = options_of("momentum", 3)
    expected = train(NET, X, Y, EPOCHS, **options)
    disk.fills(step)

    def fill(progress):
        disk.full = progress.epoch >= 5

    with pytest.warns(RuntimeWarning, match=r"run\.npz.*No space left") as warned:
        run = train(NET, X, Y, EPOCHS, checkpoint=path, checkpoint_every=0, callback=fill, **options)
    kept = [path.parent / name for name in os.listdir(path.parent) if name != path.name]
    assert len(warned) == 1 + len(kept)
    assert Path(warned[0].filename).parent == Path(__file__).parent  # not a line of the package
    assert disk.refusals > 20
    assert run == expected
    assert fastgd.load_run(path).state.updates == 19
    assert [fastgd.load_run(each) for each in kept] == ([run] if step == "replacing" else [])
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
    assert set(os.listdir(path.parent)) == {path.name, "notes.tmp", *kept}
    assert not set(stale) & set(os.listdir(path.parent))


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
    assert len(os.listdir(path.parent)) == 1
    run = fastgd.train(NET, X, Y, 1, checkpoint=path, kernel="matrix", resume=True)
    assert fastgd.load_run(path) == run
    assert os.listdir(path.parent) == [path.name]


TRAIN_XOR = """
import sys
import fastgd
from fastgd.training import loop

loop.CHUNK_SECONDS = 0.0
X, Y = fastgd.data.gate("xor")
net = fastgd.MLP(2, 2, 1, activation="tanh")
options = {"rng": 3, "batch_size": 3, "optimizer": "adam", "record": 50, "kernel": "matrix"}
fastgd.train(net, X, Y, 10**9, 0.01, checkpoint=sys.argv[1], checkpoint_every=0.02, resume=True, **options)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9")
def test_kill_9(path):
    """Killed four times in a training without end, and four times resumed; then it is cut short where it stands."""
    rng = np.random.default_rng(7)
    X, Y = fastgd.data.gate("xor")
    net = fastgd.MLP(2, 2, 1, activation="tanh")
    options = {"rng": 3, "batch_size": 3, "optimizer": "adam", "record": 50, "kernel": "matrix"}
    reached = [0]
    for delay in rng.uniform(0.05, 0.4, size=4):
        program = [sys.executable, "-W", "error", "-c", TRAIN_XOR, str(path)]
        with subprocess.Popen(program, cwd=Path(fastgd.__file__).parent.parent) as process:
            wait_until(lambda: (path.exists() and fastgd.load_run(path).state.updates > reached[-1]) or process.poll() is not None)
            time.sleep(delay)
            process.kill()
        assert process.returncode == -signal.SIGKILL
        assert len(os.listdir(path.parent)) <= 2  # the file, and what was being written
        reached.append(fastgd.load_run(path).state.updates)
    assert reached == sorted(set(reached))
    epochs = reached[-1] // 2 + 100
    run = fastgd.train(net, X, Y, epochs, 0.01, checkpoint=path, resume=True, **options)
    assert run == fastgd.train(net, X, Y, epochs, 0.01, **options)
    assert os.listdir(path.parent) == [path.name]
