"""`fastgd sweep`: its shares and quartiles are those of the members that `train` would train."""

import json
import os
import signal

import numpy as np
import pytest
from conftest import printed

import fastgd
from fastgd import watch

FLAGS = ["sweep", "--gate", "xor", "--layers", "2-2-1", "--seeds", "5", "--epochs", "3000", "--target-cost", "0.05"]


@pytest.fixture(scope="module")
def expected():
    """By rate, the runs of five seeds."""
    net, rows = fastgd.MLP(2, 2, 1), fastgd.data.gate("xor")
    return {
        rate: [fastgd.train(net, *rows, 3000, rate, rng=7 + i, target_cost=0.05, kernel="matrix") for i in range(5)] for rate in (1.0, 3.0)
    }


def test_summary(command, expected):
    summary = json.loads(command(*FLAGS, "--seed", 7, "--learning-rates", "1,3", "--json"))
    assert [setting["learning_rate"] for setting in summary["settings"]] == [1, 3]
    for setting, runs in zip(summary["settings"], expected.values(), strict=True):
        learned = [run.epochs for run in runs if run.stopped_by == "target_cost"]
        assert setting["members"] == 5
        assert setting["learned"] == pytest.approx(len(learned) / 5)
        assert setting["diverged"] == 0
        low, middle, high = np.quantile(learned, [0.25, 0.5, 0.75]) if learned else [None] * 3
        assert setting["epochs"] == {"lower_quartile": low, "median": middle, "upper_quartile": high}


def test_members_in_a_file(command, folder, expected):
    out = command(*FLAGS, "--seed", 7, "--learning-rates", "1,3", "--out", "members.csv")
    assert "sgd" in out
    header, *lines = printed((folder / "members.csv").read_text())
    assert header == ["optimizer", "learning_rate", "seed", "epochs", "cost", "stopped_by"]
    runs = [run for some in expected.values() for run in some]
    assert [[line[0], float(line[1]), int(line[2]), int(line[3]), line[5]] for line in lines] == [
        ["sgd", run.options["learning_rate"], run.seed, run.epochs, run.stopped_by] for run in runs
    ]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--learning-rates", "fast"], ["'fast'"]),
        (["--learning-rates", "1", "--optimizers", "newton"], ["newton", "adam"]),
        (["--learning-rates", "1", "--layers", "3-1"], ["--layers", "3-1"]),
        (["--learning-rates", "1", "--seeds", "0"], ["--seeds", "0"]),
        (["--learning-rates", "1", "--out", "no/such.csv"], ["--out", "no"]),
        ([], ["--learning-rates"]),
    ],
)
def test_bad_flags(refused, flags, words):
    error = refused(*FLAGS, *flags)
    assert [word for word in words if word not in error] == [], error


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_prints_what_there_is(command, monkeypatch):
    """Of the optimizer that was being tried; no other one is begun."""
    reason, pressed = watch.Watch._reason, []

    def press(self, progress):
        if progress.epoch > 100 and not pressed:
            pressed.append(signal.raise_signal(signal.SIGINT))
        return reason(self, progress)

    monkeypatch.setattr(watch.Watch, "_reason", press)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        flags = ["--learning-rates", "1", "--optimizers", "sgd,adam", "--epochs", 10**9, "--target-cost", 0, "--json"]
        summary = json.loads(command(*FLAGS, *flags, status=130))
    finally:
        signal.signal(signal.SIGINT, before)
    assert [setting["optimizer"] for setting in summary["settings"]] == ["sgd"]
