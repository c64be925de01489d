"""Optimizers, schedules, L2 and clipping against PyTorch's, as scripts/record_optimizers.py recorded them."""

import json
from pathlib import Path

import numpy as np
import pytest

import fastgd

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
    assert {case["optimizer"]["name"] for case in RECORD["cases"]} == {"SGD", "Adagrad", "RMSprop", "Adam", "AdamW", "Rprop"}
    assert len({case["name"] for case in RECORD["cases"]}) == len(RECORD["cases"]) == 65


@pytest.mark.parametrize("case", RECORD["cases"], ids=lambda case: case["name"])
def test_as_torch(case, train):
    for steps, params in {**case["on_the_way"], case["steps"]: case["params"]}.items():
        ours, theirs = trained(case, int(steps), train).params, np.array(params)
        assert np.max(np.abs(ours - theirs) / (1 + np.abs(theirs))) < 1e-10, f"after {steps} updates"
