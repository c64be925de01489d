"""Optimizers, schedules, L2 and clipping against PyTorch's, as scripts/record_optimizers.py recorded them."""

import json
from pathlib import Path

import numpy as np
import oracle
import pytest

import fastgd
from fastgd.optimizers import KINDS

RECORD = json.loads((Path(__file__).parent / "data" / "optimizers.json").read_text())


def made(module, name, **arguments):
    return getattr(module, name)(**arguments)


def trained(case, steps, train):
    rate, size = case["learning_rate"], case["batch_size"]
    updates = 1 if size is None else -(-len(RECORD["X"]) // size)  # in an epoch
    assert steps % updates == 0
    return train(
        fastgd.MLP(3, 5, 2, activation="tanh", output="sigmoid"), RECORD["X"], RECORD["Y"], steps // updates,
        made(fastgd.schedules, **rate) if isinstance(rate, dict) else rate,
        params=RECORD["initial"], optimizer=made(fastgd, **case["optimizer"]),
        l2=case["l2"], clip_norm=case["clip_norm"], batch_size=size, shuffle=False,
    )  # fmt: skip


def test_all_cases_are_there():
    assert {case["optimizer"]["name"] for case in RECORD["cases"]} == {kind.__name__ for kind in KINDS.values()} - {"Lion"}
    assert len({case["name"] for case in RECORD["cases"]}) == len(RECORD["cases"]) == 105


@pytest.mark.parametrize("case", RECORD["cases"], ids=lambda case: case["name"])
def test_as_torch(case, train):
    for steps, params in {**case["on_the_way"], case["steps"]: case["params"]}.items():
        ours, theirs = trained(case, int(steps), train).params, np.array(params)
        assert np.max(np.abs(ours - theirs) / (1 + np.abs(theirs))) < 1e-10, f"after {steps} updates"


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_lion_as_its_paper_has_it(weight_decay, train):
    """Algorithm 2 of Chen and others (2023), which PyTorch has not."""
    net = fastgd.MLP(3, 5, 2, activation="tanh", output="sigmoid")
    X, Y, w = (np.array(RECORD[name]) for name in ("X", "Y", "initial"))
    m, beta1, beta2, rate = np.zeros_like(w), 0.8, 0.95, 0.01
    for _ in range(40):
        g = oracle.gradient(net, w, X, Y)
        w = w - rate * (np.sign(beta1 * m + (1 - beta1) * g) + weight_decay * w)
        m = beta2 * m + (1 - beta2) * g
    run = train(net, X, Y, 40, rate, params=RECORD["initial"], optimizer=fastgd.Lion(beta1, beta2, weight_decay))
    assert np.max(np.abs(run.params - w)) < 1e-11
