"""Bars, messages and warnings never end the work, nor lose what it came to, whatever has become of the streams they go to."""

import errno
import io
import os
import signal
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import pytest
from conftest import printed, write
from small_problem import NET, PARAMS, X, Y

import fastgd
from fastgd.cli import main
from fastgd.cli.bar import WaitingBar
from fastgd.cli.streams import safe_streams
from fastgd.ensemble import training
from fastgd.run import Run

OPTIONS = {"params": PARAMS, "rng": 5, "kernel": "matrix"}
XOR = ("train", "--gate", "xor", "--epochs", 10, "--kernel", "matrix")


class Terminal(io.StringIO):
    """Of which one method fails."""

    def __init__(self, method="", error=None):
        super().__init__()
        self.method, self.error = method, error

    def _go(self, method, *arguments):
        if method == self.method:
            raise self.error
        return getattr(io.StringIO, method)(self, *arguments)

    def write(self, text):
        return self._go("write", text)

    def flush(self):
        return self._go("flush")

    def isatty(self):
        if self.method == "isatty":
            raise self.error
        return True


class Plain:
    """No more than `print` needs."""

    def write(self, text):
        pass


def closed():
    stream = Terminal()
    stream.close()
    return stream


STREAMS = {
    "closed before the start": lambda: None,
    "without isatty": Plain,
    "closed": closed,
    "a full disk": lambda: Terminal("write", OSError(errno.ENOSPC, "No space left on device")),
    "a closed pipe": lambda: Terminal("write", BrokenPipeError(errno.EPIPE, "Broken pipe")),
    "a terminal that is gone": lambda: Terminal("flush", OSError(errno.EIO, "Input/output error")),
    "an encoding": lambda: Terminal("write", UnicodeEncodeError("charmap", "猫", 0, 1, "character maps to <undefined>")),
    "isatty fails": lambda: Terminal("isatty", ValueError("underlying buffer has been detached")),
}


@pytest.fixture(params=STREAMS)
def stderr(request, monkeypatch):
    monkeypatch.setattr(sys, "stderr", STREAMS[request.param]())


@pytest.mark.parametrize("progress", [lambda: True, lambda: WaitingBar("猫")], ids=["the library's", "the command's"])
def test_a_bar_that_can_not_be_shown(progress, stderr, single_updates):
    run = fastgd.train(NET, X, Y, 5, **OPTIONS)
    assert fastgd.train(NET, X, Y, 5, progress=progress(), **OPTIONS) == run


def test_a_bar_of_many_that_can_not_be_shown(stderr):
    options = {"members": 2, "rng": 5, "kernel": "matrix"}
    runs = fastgd.train_many(NET, X, Y, 5, **options)
    assert fastgd.train_many(NET, X, Y, 5, progress=True, **options) == runs


@pytest.mark.parametrize("method", ["__init__", "update", "set_postfix_str", "close"])
def test_a_bar_that_fails_by_itself(method, monkeypatch, single_updates):
    failed = []

    def fail(*arguments, **keywords):
        if not failed:  # a bar closes itself once more when it goes
            failed.append(method)
            raise RuntimeError("no bar")

    run = fastgd.train(NET, X, Y, 5, **OPTIONS)
    monkeypatch.setattr(sys, "stderr", Terminal())
    with monkeypatch.context() as patch:
        if method == "__init__":
            patch.setattr("tqdm.tqdm", fail)
        else:
            patch.setattr(f"tqdm.tqdm.{method}", fail)
        assert fastgd.train(NET, X, Y, 5, progress=True, **OPTIONS) == run
        assert failed


def test_a_bar_in_a_poor_encoding(monkeypatch):
    """What it lacks is written as escapes, and the rest as it is."""
    raw = io.BytesIO()
    terminal = io.TextIOWrapper(raw, encoding="cp1252", write_through=True)
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    fastgd.train(NET, X, Y, 5, progress=WaitingBar("猫 é"), **OPTIONS)
    assert b"\\u732b \xe9: compiling, or loading" in raw.getvalue()
    assert b"\\u732b \xe9:  20%|" in raw.getvalue()


@pytest.mark.parametrize("many", [False, True], ids=["train", "train_many"])
@pytest.mark.parametrize("name", ["progress", "callback"])
def test_functions_that_raise_end_a_run(name, many, path, single_updates):
    """They are the user's own, and no decoration: the error is raised, after the checkpoint is written."""

    def fail(progress):
        raise ZeroDivisionError("of the user's own")

    options = {"rng": 5, "kernel": "matrix", "checkpoint": path}
    train, load = (fastgd.train_many, fastgd.load_runs) if many else (fastgd.train, fastgd.load_run)
    options |= {"members": 2} if many else {}
    with pytest.raises(ZeroDivisionError):
        train(NET, X, Y, 10**9, **options, **{name: fail})
    assert 0 < np.min(load(path).epochs) < 10**9
    assert os.listdir(path.parent) == [path.name]


# -- the command -----------------------------------------------------------------------------------------


def shell(redirection, *arguments, encoding="utf-8"):
    """Run the command by a shell that redirects a stream."""
    return subprocess.run(
        ["sh", "-c", f'exec "$0" "$@" {redirection}', sys.executable, "-W", "error", "-m", "fastgd", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(fastgd.__file__)), "PYTHONIOENCODING": encoding},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )


REDIRECTED = pytest.mark.parametrize(
    "redirection",
    ["2>&-", pytest.param("2>/dev/full", marks=pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device"))],
)
pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs sh")


@REDIRECTED
def test_a_run_is_saved_without_stderr(redirection, folder):
    finished = shell(redirection, *XOR, "--out", "run.npz")
    assert finished.returncode == 0
    assert len(finished.stdout.splitlines()) == len(shell("", *XOR, "--out", "other.npz").stdout.splitlines())
    assert fastgd.load_run("run.npz") == fastgd.load_run("other.npz")


@REDIRECTED
@pytest.mark.parametrize("bad", [("train", "--gate", "or", "--layers", "2-2-2"), ("--nothing",), ("predict", "no.npz", "no.csv")])
def test_an_error_without_stderr(redirection, bad, folder):
    finished = shell(redirection, *bad)
    assert (finished.returncode, finished.stdout, finished.stderr) == (2, "", "")


@REDIRECTED
def test_a_table_without_stderr(redirection, command, flowers):
    """Its score is not among the rows."""
    command("train", "flowers.csv", "--target", "kind", "--layers", "2-3", "--epochs", 300, "--kernel", "matrix", "--out", "run.npz")
    finished = shell(redirection, "predict", "run.npz", "flowers.csv")
    assert finished.returncode == 0
    assert [row[0] for row in printed(finished.stdout)] == ["kind", *(row[2] for row in flowers)]


def test_a_run_is_saved_without_stdout(folder):
    finished = shell(">&-", *XOR, "--out", "run.npz")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert fastgd.load_run("run.npz").epochs == 10


def test_a_table_without_stdout(folder):
    """Has nowhere to go, which is said before any work."""
    finished = shell(">&-", "predict", "no.npz", "no.csv")
    assert (finished.returncode, finished.stderr) == (2, "fastgd: error: standard output is closed; --out FILE writes the CSV\n")


def test_a_table_without_stdin(command, flowers):
    command("train", "flowers.csv", "--target", "kind", "--layers", "2-3", "--epochs", 1, "--kernel", "matrix", "--out", "run.npz")
    finished = shell("<&-", "predict", "run.npz", "-")
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith("fastgd: error: standard input")
    assert finished.stderr.count("\n") == 1


def test_a_summary_on_a_full_disk(folder):
    """The run is saved before."""
    if not os.path.exists("/dev/full"):
        pytest.skip("no such device")
    finished = shell(">/dev/full", *XOR, "--out", "run.npz")
    assert (finished.returncode, finished.stderr) == (2, "fastgd: error: No space left on device\n")
    assert fastgd.load_run("run.npz").epochs == 10


def test_a_summary_in_a_poor_encoding(folder):
    """The name of a file that it lacks is escaped."""
    write("猫.csv", ["x", "y"], [[i, 2 * i] for i in range(5)])
    flags = ("--target", "y", "--layers", "1-1", "--epochs", 1, "--kernel", "matrix", "--out", "run.npz")
    finished = shell("", "train", "猫.csv", *flags, encoding="cp1252")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.startswith("data        \\u732b.csv")
    assert finished.stdout.endswith("saved       run.npz\n")


def test_closed_streams_are_no_files(folder):
    """What native code prints on descriptor 2 goes nowhere, and not into a file that was opened next."""
    program = """
import os
from fastgd.cli.streams import safe_streams
from fastgd.ensemble import training

with safe_streams(), open("out", "wb") as file:
    assert file.fileno() > 2, file.fileno()
    os.write(2, b"native")
"""
    arguments = ["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', sys.executable, "-c", program]
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(fastgd.__file__))}
    assert subprocess.run(arguments, env=environment, timeout=60, check=False).returncode == 0
    assert os.stat("out").st_size == 0


def test_streams_are_left_as_they_were(monkeypatch):
    stdout, stderr = io.TextIOWrapper(io.BytesIO(), encoding="ascii"), Plain()
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setattr(sys, "stderr", stderr)
    with safe_streams():
        print("猫")
        print("猫", file=sys.stderr)
    assert (sys.stdout, sys.stderr, stdout.errors) == (stdout, stderr, "strict")
    assert stdout.buffer.getvalue() == b"\\u732b\n"


def test_warnings_are_lines_where_they_are_errors(folder, capsys, monkeypatch):
    def fail(*arguments, **keywords):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", fail)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert main([*map(str, XOR), "--checkpoint", "c.npz"]) == 0
    out, err = capsys.readouterr()
    assert err == "fastgd: warning: checkpoint 'c.npz' was not written: No space left on device\n"
    assert "10 epochs of backprop" in out


# -- a last save that fails ------------------------------------------------------------------------------


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
    train_many = training.train_many

    def fail(*arguments, **options):
        if options["optimizer"] == "adam":
            raise error
        return train_many(*arguments, **options)

    monkeypatch.setattr(training, "train_many", fail)
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

    monkeypatch.setattr("fastgd.files._WAITS", ())
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
