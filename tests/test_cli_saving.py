"""What a command has worked for is saved before it is printed, and elsewhere where there is no room for it."""

import errno
import os
import signal
import tempfile

import pytest
from command_line import printed

import fastgd
from fastgd.cli import main
from fastgd.ensemble import train_many as module
from fastgd.training.run import Run

XOR = ("train", "--gate", "xor", "--epochs", 10, "--kernel", "matrix")


@pytest.fixture
def no_room(folder, monkeypatch):
    """No file can be filled in the folder of the test, though it could be when the command began; temporary files have another one."""
    elsewhere = folder / "temporary"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    fsync = os.fsync

    def full(descriptor):
        place = os.readlink(f"/proc/self/fd/{descriptor}")
        if os.path.isfile(place) and os.path.dirname(place) == str(folder):
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    if not os.path.exists("/proc/self/fd"):
        pytest.skip("open files have no names")
    monkeypatch.setattr(os, "fsync", full)
    return elsewhere


def saved_elsewhere(name, no_room, capsys, said):
    """The file in the other folder, its path being all that is on stderr; and what was printed."""
    out, err = capsys.readouterr()
    (place,) = no_room.glob(f"fastgd-*/{name}")
    assert err.replace(str(place), "PLACE") == said
    assert name not in os.listdir()
    return place, out


def test_a_run_that_there_is_no_room_for(no_room, capsys):
    assert main([*map(str, XOR), "--out", "run.npz"]) == 2
    said = "fastgd: error: run.npz: No space left on device; it is saved in PLACE\n"
    place, out = saved_elsewhere("run.npz", no_room, capsys, said)
    assert out.splitlines()[-1] == f"{'saved':<12}{place}"
    assert fastgd.load_run(place).epochs == 10


def test_members_that_there_is_no_room_for(no_room, capsys):
    flags = ["--layers", "2-2-1", "--seeds", "2", "--learning-rates", "1", "--epochs", "5", "--out", "members.csv"]
    assert main(["sweep", "--gate", "xor", *flags]) == 2
    said = "fastgd: error: members.csv: No space left on device; it is saved in PLACE\n"
    place, out = saved_elsewhere("members.csv", no_room, capsys, said)
    assert "2 seeds of each setting" in out
    assert len(printed(place.read_text(encoding="utf-8"))) == 3


def test_a_diverged_run_that_there_is_no_room_for(no_room, capsys, line):
    flags = ["--target", "price", "--layers", "3-1", "--learning-rate", "1e3", "--kernel", "matrix", "--out", "run.npz"]
    assert main(["train", "houses.csv", *flags]) == 2
    err = capsys.readouterr().err
    (place,) = no_room.glob("fastgd-*/run.npz")
    first, second = err.splitlines()
    assert first == f"fastgd: error: run.npz: No space left on device; it is saved in {place}"
    assert second.endswith(f"; the last good run is saved in {place}")
    assert fastgd.load_run(place).stopped_by == "diverged"


def test_no_room_anywhere(no_room, capsys, monkeypatch):
    """The summary is printed all the same."""
    monkeypatch.setattr(tempfile, "mkdtemp", lambda **keywords: os.mkdir(f"{os.devnull}/a"))
    assert main([*map(str, XOR), "--out", "run.npz"]) == 2
    out, err = capsys.readouterr()
    assert err == "fastgd: error: run.npz: No space left on device; nor can it be saved elsewhere\n"
    assert out.splitlines()[-1].startswith(f"{'saved':<12}nowhere")


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), MemoryError("no memory")], ids=repr)
def test_members_of_the_optimizers_before(error, folder, capsys, monkeypatch):
    """They are summed up and written, though those of the next one can't be trained."""
    train_many = module.train_many

    def fail(*arguments, **options):
        if options["optimizer"] == "adam":
            raise error
        return train_many(*arguments, **options)

    monkeypatch.setattr(module, "train_many", fail)
    flags = ["--layers", "2-2-1", "--seeds", "2", "--learning-rates", "1", "--epochs", "5", "--out", "members.csv"]
    assert main(["sweep", "--gate", "xor", *flags, "--optimizers", "sgd,adam"]) == 2
    out, err = capsys.readouterr()
    assert err == f"fastgd: error: adam: {getattr(error, 'strerror', None) or error}; the others are sgd\n"
    assert "2 seeds of each setting" in out
    assert [row[0] for row in printed((folder / "members.csv").read_text(encoding="utf-8"))] == ["optimizer", "sgd", "sgd"]
    assert main(["sweep", "--gate", "xor", *flags, "--optimizers", "adam"]) == 2
    assert capsys.readouterr().out == ""


def test_a_file_that_is_never_replaced(folder, capsys, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("fastgd.system.files._WAITS", ())
    monkeypatch.setattr(os, "replace", refuse)
    assert main([*map(str, XOR), "--out", "run.npz"]) == 2
    (kept,) = os.listdir()
    assert capsys.readouterr().err == f"fastgd: error: run.npz: Permission denied; what was to be there is kept in {kept}\n"
    assert fastgd.load_run(kept).epochs == 10


def test_ctrl_c_while_the_run_is_saved(folder, capsys, monkeypatch):
    """It is saved first."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    save = Run.save

    def interrupted(self, path):
        signal.raise_signal(signal.SIGINT)
        save(self, path)

    monkeypatch.setattr(Run, "save", interrupted)
    try:
        assert main([*map(str, XOR), "--out", "run.npz"]) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr() == ("", "fastgd: interrupted\n")
    assert fastgd.load_run("run.npz").epochs == 10
