"""Scripts: a long run goes on to the bits of an uninterrupted one, and so do trainings that were killed; others print what they promise."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fastgd

ROOT = Path(__file__).parent.parent


@pytest.fixture
def script(tmp_path):
    """Run a copy of a script in a folder of its own; returns what it prints."""

    def run(name, *arguments):
        copy = shutil.copy(ROOT / "scripts" / name, tmp_path)
        finished = subprocess.run(
            [sys.executable, "-W", "error", copy, *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        assert finished.stderr == ""
        return finished.stdout

    return run


def test_long_run_goes_on(script, tmp_path):
    assert script("long_run.py", "--epochs", 3).startswith("3 epochs in ")
    stopped = script("long_run.py", "--epochs", 6, "--max-seconds", 0)
    assert stopped.startswith("3 epochs in ")  # it did not begin anew: then they would be 0
    assert "ended by max_seconds" in stopped
    command = stopped.splitlines()[-1].removeprefix("to go on: python ").split()
    assert script("long_run.py", *command[1:]).startswith("6 epochs in ")
    script("long_run.py", "--epochs", 6, "--checkpoint", "uninterrupted.npz")
    runs = [fastgd.load_run(tmp_path / name) for name in ("long_run.npz", "uninterrupted.npz")]
    assert runs[0] == runs[1]
    assert runs[0].params.tobytes() == runs[1].params.tobytes()
    assert {path.name for path in tmp_path.iterdir()} == {"long_run.py", "long_run.npz", "uninterrupted.npz"}


def test_killed_trainings_come_to_the_same_bits(script):
    seed = 97  # the first kill after 99 ms, the second after 3 ms, when the place of the checkpoint is tried
    printed = script("kill_and_resume.py", "--kills", 2, "--most", 0.3, "--share", 0.2, "--seed", seed)
    assert printed.splitlines()[-1] == "2 kills: every result has the bits of the uninterrupted run, no file is left"


def test_digits(script):
    *_, result = script("digits.py", "--epochs", 15).splitlines()
    share = float(result.rpartition(" ")[2].removesuffix("%"))
    assert 97 <= share < 100


def test_curve_fit(script):
    """Whatever comes of so short a time is no worse than what it began with; who is not installed is left out in a line."""
    _, about, _, head, *lines = script("curve_fit.py", "--seconds", 0.02, "--seeds", 2, "--rows", 50).splitlines()
    assert about.startswith("on 50 rows; the curve itself costs ")
    assert head.split()[-5:] == ["cost", "least", "most", "tried", "seconds"]
    methods = ["Levenberg-Marquardt, SciPy", "Adam, fastgd.train", "pyrenn", "torch-levenberg-marquardt"]
    assert [line[:36].strip() for line in lines] == methods
    for line in lines:
        if "is left out: " not in line:
            median, least, most, tried, _ = (float(number.replace(",", "")) for number in line[36:].split())
            assert 1e-4 < least <= median <= most < 1
            assert tried > 0
    assert not any("left out" in line for line in lines[:2])
