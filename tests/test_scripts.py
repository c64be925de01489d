"""Scripts: a long run goes on to the bits of an uninterrupted one, and so do trainings that were killed; others print what they promise."""

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from this_machine import compiles_for, imports

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


@pytest.fixture
def with_picture(script, tmp_path):
    """Run a script that draws, where matplotlib is installed; returns the lines that it prints."""

    def run(name, *arguments):
        picture = tmp_path / "picture.png"
        if not imports("matplotlib"):
            return script(name, *arguments).splitlines()
        printed = script(name, *arguments, "--out", picture).splitlines()
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size < 60_000
        return printed

    return run


def test_upscale(with_picture):
    """After a quarter of its epochs the network is nearer to the image than its pixels are."""
    repeated, blended, network = with_picture("upscale.py", "--epochs", 1000)[-3:]
    errors = [float(line.split()[-1]) for line in (network, repeated)]
    assert 0 < errors[0] < errors[1] < 0.1
    assert blended.startswith("blended")


def test_adder(with_picture):
    """Every sum of two bits, and most of three of which a fifth was never shown."""
    assert with_picture("adder.py", "--bits", 2, "--held-out", 0, "--epochs", 500)[-1] == "16 of these 16 are right"
    *_, shown, others = with_picture("adder.py", "--bits", 3, "--epochs", 1000)
    assert shown == "51 of these 51 are right"
    right, of, *_ = (int(word) for word in others.split() if word.isdecimal())
    assert of == 13
    assert right >= 8


def test_shapes(with_picture):
    """A few epochs tell most; the table counts every drawing once."""
    printed = with_picture("shapes.py", "--epochs", 4)
    share = next(float(line.split()[3].removesuffix("%")) for line in printed if line.startswith("of 2,000 others"))
    counts = [[int(word) for word in line.split()[1:]] for line in printed[-3:]]
    assert sum(map(sum, counts)) == 2000
    assert share == round(sum(counts[k][k] for k in range(3)) / 20, 1)
    assert 60 < share < 100


@pytest.fixture
def pendulum():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("pendulum", ROOT / "scripts" / "pendulum.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pendulum(pendulum, capsys):
    """Its gradient is that of central differences, and from each start it stands upright after two seconds."""
    params, states = pendulum.net.init(rng=1), np.empty((3, pendulum.STEPS))
    gradient = np.zeros_like(params)
    pendulum.simulate(params, 0.3, *states)
    pendulum.add_gradient(params, *states, gradient)
    moved = 1e-6 * np.eye(len(params))
    costs = [[pendulum.simulate(params + sign * step, 0.3, *states) for sign in (1, -1)] for step in moved]
    np.testing.assert_allclose(gradient, np.subtract(*np.transpose(costs)) / 2e-6, rtol=1e-4, atol=1e-6)
    pendulum.main()
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[-3:]]
    assert max(abs(float(angle)) for row in rows for angle in row[2:]) < 0.02


def test_microcontroller(script, tmp_path):
    """What is trained is compiled with the sketch, without a warning, and tells degrees."""
    if shutil.which("cc") is None:
        pytest.skip("no compiler of C")
    assert script("microcontroller/train.py").startswith("19 parameters, ")
    main = shutil.copy(ROOT / "scripts" / "microcontroller" / "main.c", tmp_path)
    flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wconversion"]
    subprocess.run(["cc", *flags, "-o", tmp_path / "sketch", main, "-lm"], check=True)
    told = subprocess.run([tmp_path / "sketch"], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in told.splitlines()[1:]]
    assert len(rows) == 12
    assert max(abs(float(row[1]) - float(row[2])) for row in rows) < 1


_LOOP = """
.LBB0_1:
	vmulpd	%ymm0, %ymm1, %ymm2
	vdivpd	%ymm2, %ymm3, %ymm4
	testb	$1, %cl
	je	.LBB0_2
	vaddpd	(%rax), %ymm4, %ymm4
.LBB0_2:
	vaddpd	%ymm4, %ymm0, %ymm0
	vmulpd	%ymm1, %ymm1, %ymm6
	vmovapd	%ymm0, %ymm5
	cmpq	%rax, %rbx
	jne	.LBB0_1
	retq
"""


def test_one_epoch(script):
    """Of a loop by hand: what is watched is left out, three wait for each other. Of the real one: one division, nothing in memory."""
    spec = importlib.util.spec_from_file_location("one_epoch", ROOT / "scripts" / "one_epoch.py")
    one_epoch = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(one_epoch)
    way = one_epoch.epoch(_LOOP)
    assert [line.split()[0] for line in way] == ["vmulpd", "vdivpd", "testb", "je", "vaddpd", "vmulpd", "vmovapd", "cmpq", "jne"]
    assert one_epoch.chain(way) == 3
    if not (platform.machine().lower() in ("x86_64", "amd64") and compiles_for("avx") and compiles_for("fma")):
        pytest.skip("reads the instructions of x86 with AVX and FMA")
    counts = {line[4:].strip(): int(line[:4]) for line in script("one_epoch.py").splitlines()[:-1]}
    assert counts["divide"] == 1
    total, waiting = (next(n for what, n in counts.items() if words in what) for words in ("instructions an epoch", "wait for each other"))
    assert 12 < waiting < total < 200


def test_pictures_are_small(script, tmp_path):
    written = {line.split()[0] for line in script("pictures.py", "--out", "pictures").splitlines()}
    drawn, kept = tmp_path / "pictures", ROOT / "docs" / "pictures"
    drawn_by_others = {"adder.png", "shapes.png", "upscale.png", *(path.name for path in kept.glob("play-*.png"))}
    assert {path.name for path in drawn.iterdir()} == written == {path.name for path in kept.iterdir()} - drawn_by_others
    for data in (path.read_bytes() for folder in (drawn, kept) for path in folder.iterdir()):
        assert data.startswith(b"\x89PNG")
        assert 1000 < len(data) <= 60_000
