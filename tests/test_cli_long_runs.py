"""Checkpoints of `fastgd train`, going on from them, and Ctrl-C."""

import json
import os
import shutil
import signal
import subprocess
import sys
import warnings

import numpy as np
import pytest
from command_line import printed
from interruptions import wait_until

import fastgd
from fastgd.cli import main
from fastgd.training.checkpoint import Checkpoint

XOR = ("train", "--gate", "xor", "--learning-rate", 0.5, "--optimizer", "adam", "--batch-size", 3, "--kernel", "matrix")
FLOWERS = ("train", "flowers.csv", "--target", "kind", "--layers", "2-3", "--kernel", "matrix")
FOREVER = ("--epochs", 1e12)

# a shell, or what runs the tests, may have made Python ignore Ctrl-C
COMMAND = """
import signal, sys
from fastgd.cli import main

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(sys.argv[1:]))
"""
INTERRUPTED_BY_ITSELF = """
import os, signal, sys
import fastgd.cli.bar
from fastgd.cli import main

class Presses(fastgd.cli.bar.WaitingBar):
    left = int(sys.argv[1])

    def __call__(self, progress):
        while progress.epoch > 100 and self.left:
            self.left -= 1
            os.kill(os.getpid(), signal.SIGINT)

fastgd.cli.bar.WaitingBar = Presses
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(sys.argv[2:]))
"""


def text(*arguments):
    return [str(argument) for argument in arguments]


@pytest.fixture
def program(folder):
    """Start a program in the folder of the test, with this package."""
    started = []

    def start(program, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program, *text(*arguments)],
            env={**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(fastgd.__file__))},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def uninterrupted(epochs):
    """What XOR is, by the library."""
    net = fastgd.MLP(2, 2, 1)
    options = {"rng": 0, "optimizer": "adam", "batch_size": 3, "kernel": "matrix"}
    return fastgd.train(net, *fastgd.data.gate("xor"), epochs, 0.5, params=net.init(0, "uniform"), **options)


# -- going on


def test_going_on_gives_the_same_bits(command):
    out = command(*XOR, "--epochs", 700, "--checkpoint", "c.npz")
    assert out.splitlines()[-1] == f"{'saved':<12}checkpoint c.npz"
    assert fastgd.load_run("c.npz").epochs == 700
    out = command(*XOR, "--epochs", 2000, "--checkpoint", "c.npz", "--resume", "--out", "run.npz")
    assert out.splitlines()[1] == f"{'resumed':<12}at epoch 700, from c.npz"
    assert out.splitlines()[-1] == f"{'saved':<12}run.npz, checkpoint c.npz"
    assert fastgd.load_run("run.npz") == fastgd.load_run("c.npz") == uninterrupted(2000)


def test_time_is_up_and_training_goes_on(command):
    flags = (*XOR, "--checkpoint", "c.npz", "--checkpoint-every", "0s", "--resume")
    out = command(*flags, *FOREVER, "--max-seconds", 0)  # nothing to resume from yet
    first = fastgd.load_run("c.npz").epochs
    assert f"stopped     at epoch {first:,}: time is up; the same command with --resume goes on" in out
    assert "resumed" not in out
    facts = json.loads(command(*flags, *FOREVER, "--max-seconds", 0.05, "--json"))
    assert facts["stopped_by"] == "max_seconds"
    assert facts["checkpoint"] == "c.npz"
    assert first < facts["epochs"]
    epochs = facts["epochs"] + 1000
    assert json.loads(command(*flags, "--epochs", epochs, "--json"))["stopped_by"] == "epochs"
    assert fastgd.load_run("c.npz") == uninterrupted(epochs)


def test_a_checkpoint_knows_its_columns(command, flowers):
    """`fastgd predict` reads it, be it of a run that went on."""
    command(*FLOWERS, "--epochs", 10, "--checkpoint", "c.npz")
    assert printed(command("predict", "c.npz", "flowers.csv", stderr=_accuracy("c.npz", flowers)))[0] == ["kind"]
    command(*FLOWERS, "--epochs", 500, "--checkpoint", "c.npz", "--resume", "--out", "run.npz")
    out = command("predict", "c.npz", "flowers.csv", stderr="accuracy 1.0000, 60 of 60\n")
    assert out == command("predict", "run.npz", "flowers.csv", stderr="accuracy 1.0000, 60 of 60\n")
    assert [row[0] for row in printed(out)[1:]] == [row[2] for row in flowers]


def _accuracy(path, flowers):
    run = fastgd.load_run(path)
    X = np.array([row[:2] for row in flowers], float)
    chosen = run.predict((X - X.mean(axis=0)) / X.std(axis=0)).argmax(axis=1)
    right = int(np.sum(chosen == [["lily", "rose", "tulip"].index(row[2]) for row in flowers]))
    return f"accuracy {right / 60:.4f}, {right} of 60\n"


def test_another_training_is_refused(command, refused, flowers):
    command(*FLOWERS, "--epochs", 10, "--checkpoint", "c.npz", "--validation", 0.2)
    flags = (*FLOWERS, "--checkpoint", "c.npz", "--resume")
    again = (*flags, "--validation", 0.2)
    assert refused(*again, "--epochs", 9) == "epochs must be at least 10 to go on from checkpoint 'c.npz'; got 9"
    assert refused(*again, "--learning-rate", 1).startswith("checkpoint 'c.npz' was made with learning_rate 0.1; got 1.0")
    assert refused(*again, "--optimizer", "adam").startswith("checkpoint 'c.npz' was made with optimizer SGD(")
    assert refused(*flags).startswith("checkpoint 'c.npz' was made with other data")
    command(*FLOWERS, "--epochs", 10, "--out", "run.npz")
    assert refused(*FLOWERS, "--checkpoint", "run.npz", "--resume").startswith("'run.npz' is a saved run, no checkpoint")
    assert refused(*FLOWERS, "--checkpoint", "flowers.csv", "--resume").startswith("--checkpoint would replace flowers.csv")


def test_a_checkpoint_that_can_not_be_written_is_a_warning(folder, capsys, monkeypatch):
    """The run in memory is worth more: training goes on, and says so in one line."""
    os.mkdir("place")
    prepare = Checkpoint.prepare

    def prepare_then_remove(self, size):
        prepare(self, size)
        shutil.rmtree("place")

    monkeypatch.setattr(Checkpoint, "prepare", prepare_then_remove)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main(text(*XOR, "--epochs", 10, "--checkpoint", "place/c.npz", "--out", "run.npz")) == 0
    out, err = capsys.readouterr()
    assert err == "fastgd: warning: checkpoint 'place/c.npz' was not written: No such file or directory\n"
    assert "10 epochs" in out
    assert fastgd.load_run("run.npz").epochs == 10


# -- Ctrl-C


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_interrupted_and_taken_up_again(command, program):
    files = ("--checkpoint", "c.npz", "--out", "run.npz")
    process = program(COMMAND, *XOR, *FOREVER, *files, "--checkpoint-every", 0)
    wait_until(lambda: os.path.exists("c.npz") or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=600)
    assert (process.returncode, err) == (130, "")
    run = fastgd.load_run("run.npz")
    assert run == fastgd.load_run("c.npz")
    assert f"stopped     at epoch {run.epochs:,}: interrupted; the same command with --resume goes on" in out.splitlines()
    assert out.splitlines()[-1] == f"{'saved':<12}run.npz, checkpoint c.npz"

    command(*XOR, "--epochs", run.epochs + 1000, *files, "--resume")
    assert fastgd.load_run("run.npz") == uninterrupted(run.epochs + 1000)


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_interrupted_without_a_checkpoint(program):
    process = program(INTERRUPTED_BY_ITSELF, 1, *XOR, *FOREVER, "--json")
    out, err = process.communicate(timeout=600)
    assert (process.returncode, err) == (130, "")
    assert json.loads(out)["stopped_by"] == "interrupt"
    process = program(INTERRUPTED_BY_ITSELF, 1, *XOR, *FOREVER)
    out, _ = process.communicate(timeout=600)
    assert process.returncode == 130
    assert any(line.startswith("stopped ") and line.endswith(": interrupted") for line in out.splitlines())
    assert out.splitlines()[-1] == f"{'saved':<12}nowhere; --out FILE saves the run"


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_interrupted_twice(command, program):
    """The second one ends the command at once; the checkpoint is whole."""
    process = program(INTERRUPTED_BY_ITSELF, 2, *XOR, *FOREVER, "--checkpoint", "c.npz", "--out", "run.npz")
    assert process.communicate(timeout=600) == ("", "fastgd: interrupted\n")
    assert process.returncode == 130
    assert not os.path.exists("run.npz")
    epochs = fastgd.load_run("c.npz").epochs
    command(*XOR, "--epochs", epochs + 500, "--checkpoint", "c.npz", "--resume")
    assert fastgd.load_run("c.npz") == uninterrupted(epochs + 500)


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_race_is_interrupted(program):
    process = program(INTERRUPTED_BY_ITSELF, 1, "race", *FOREVER)
    assert process.communicate(timeout=600) == ("", "fastgd: interrupted\n")
    assert process.returncode == 130


def test_interrupted_while_saving(folder, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("fastgd.training.run.Run.save", interrupt)
    assert main(text(*XOR, "--epochs", 10, "--out", "run.npz")) == 130
    assert capsys.readouterr() == ("", "fastgd: interrupted\n")
