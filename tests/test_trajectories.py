"""Training against trajectories that an independent C program recorded, and the notes' headline experiment."""

import json
from pathlib import Path

import numpy as np
import pytest

import fastgd

CASES = json.loads((Path(__file__).parent / "data" / "trajectories.json").read_text())["cases"]
IDS = ["{name}, {activation}, {method}".format(**case) for case in CASES]


def flat(net, layers):
    """Parameters in our layout; the file's W is (inputs, outputs)."""
    return net.pack([(np.array(layer["W"]).T, layer["b"]) for layer in layers])


def trained(case, epochs, dtype, train):
    net = fastgd.MLP(*case["sizes"], activation=case["activation"].removesuffix("(0.01)"), dtype=dtype)
    return train(
        net, case["X"], case["Y"], epochs, case["learning_rate"],
        params=flat(net, case["initial"]), method=case["method"], eps=case["eps"],
        batch_size=case["batch_size"] or None, shuffle=case["shuffle"],
    )  # fmt: skip


def difference(ours, theirs):
    return np.max(np.abs(ours - theirs) / (1 + np.abs(theirs)))


def test_all_cases_are_there():
    assert len(CASES) == 14
    assert {case["method"] for case in CASES} == {"backprop", "layerwise", "finite_difference"}


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_float64(case, train):
    bound = 1e-8 if case["method"] == "finite_difference" else 1e-9
    for epochs, after in case["after"].items():
        run = trained(case, int(epochs), "float64", train)
        assert difference(run.params, flat(run.net, after["layers"])) < bound
        assert abs(run.cost - after["cost"]) < bound


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_float32(case, train):
    run = trained(case, 10, "float32", train)
    assert run.params.dtype == np.float32
    assert difference(run.params.astype(float), flat(run.net, case["after"]["10"]["layers"])) < 1e-3
    assert abs(run.cost - case["after"]["10"]["cost"]) < 1e-3


def test_headline_nand(train):
    """8,000,000 epochs, notes 003."""
    X, Y = fastgd.data.gate("nand")
    run = train(fastgd.MLP(2, 1), X, Y, 8_000_000, 0.1, params=[0.3, 0.6, 0.1])
    assert run.params == pytest.approx([-11.79823955, -11.79823955, 17.78182929], abs=1e-6)
    assert run.epochs == 8_000_000
