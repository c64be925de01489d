"""Bars, messages and warnings never end the work, nor lose what it came to, whatever has become of the streams they go to."""

import errno
import io
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from command_line import printed, write
from small_problem import NET, PARAMS, X, Y

import fastgd
from fastgd.cli import main
from fastgd.cli.bar import WaitingBar
from fastgd.cli.streams import safe_streams

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
    assert 0 < np.max(load(path).epochs) < 10**9  # a member may have to wait for a thread
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
from fastgd.ensemble import train_many

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
