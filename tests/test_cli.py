"""The program itself: its exit status, its streams, what it loads."""

import dataclasses
import json
import os
import re
import subprocess
import sys

import pytest

import fastgd
from fastgd.cli import main
from fastgd.cli.options import seconds
from fastgd.options import Options


@pytest.mark.parametrize("arguments", ["race", "train --gate or"])
def test_a_runtime_error_is_one_line(refused, monkeypatch, arguments):
    def fail(*_, **__):
        raise RuntimeError("can't\ncompile")

    monkeypatch.setattr("fastgd.training.train.train", fail)
    assert refused(*arguments.split()) == "can't compile"


def test_interrupt(folder, capsys, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("fastgd.training.train.train", interrupt)
    assert main(["train", "--gate", "or", "--out", "run.npz"]) == 130
    assert capsys.readouterr() == ("", "fastgd: interrupted\n")
    assert os.listdir(folder) == []


@pytest.mark.parametrize(("text", "value"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200), ("1e-3", 0.001), ("0", 0)])
def test_times(text, value):
    assert seconds(text) == value


def test_help_needs_no_numba():
    program = "import sys; from fastgd.cli import main; assert main(['train', '--help']) == 0; assert 'numba' not in sys.modules"
    finished = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=600)
    assert (finished.returncode, finished.stderr) == (0, "")
    for group in ("data", "network", "training", "optimizer", "stopping", "long runs", "result"):
        assert f"\n{group}:\n" in finished.stdout


def test_every_option_has_a_flag(capsys):
    """Which tells the default where that is a number or a name."""
    assert main(["train", "--help"]) == 0
    lines = re.split(r"\n  (?=--)|\n\n", capsys.readouterr().out)
    told = {line.split()[0]: " ".join(line.split()) for line in lines}
    for option in dataclasses.fields(Options):
        flag, default = f"--{option.name.replace('_', '-')}", option.default
        text = told[flag.replace("--", "--no-") if default is True else flag]
        if isinstance(default, str) or type(default) in (int, float):
            assert text.endswith(f"(default: {default:{'' if isinstance(default, str) else 'g'}})")


def test_module_and_broken_pipe(folder, line):
    version = subprocess.run([sys.executable, "-m", "fastgd", "--version"], capture_output=True, text=True, timeout=600)
    assert version.stdout == f"fastgd {fastgd.__version__}\n"
    reader, writer = os.pipe()
    os.close(reader)
    try:
        piped = subprocess.run(
            [sys.executable, "-m", "fastgd", "check", "--layers", "2-1"], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=600
        )
    finally:
        os.close(writer)
    assert (piped.returncode, piped.stderr) == (141, "")


EAGER = """
import sys
import tqdm
from fastgd.cli import main

begin = tqdm.tqdm.__init__
tqdm.tqdm.__init__ = lambda self, *arguments, **options: begin(self, *arguments, **options | {"mininterval": 0})
sys.exit(main(sys.argv[1:]))
"""  # shows every chunk, however short


def everything_of(terminal):
    """What programs write to it until the last of them has ended."""
    parts = []
    try:
        while part := os.read(terminal, 65536):
            parts.append(part)
    except OSError:  # as Linux says that nobody writes any more
        pass
    os.close(terminal)
    return b"".join(parts)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_on_a_terminal_only(folder):
    import fcntl
    import pty
    import struct
    import termios

    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    arguments = ["train", "--gate", "xor", "--epochs", "1e7", "--json"]
    with subprocess.Popen([sys.executable, "-c", EAGER, *arguments], stdout=subprocess.PIPE, stderr=follower) as process:
        os.close(follower)
        shown = everything_of(leader).decode()
        facts = json.loads(process.stdout.read())
    assert facts["epochs"] == 10_000_000
    assert shown.startswith("\r\x1b[Kcompiling, or loading what was compiled before ...\r\x1b[K")
    assert "/10.0M [" in shown
    assert re.search(r" epochs/s, cost \d[^ ]*\]", shown)
    assert "\n" not in shown
    assert shown.endswith("\r\x1b[K")  # the line is left empty
