"""`fastgd race`, against the library."""

import json

import numpy as np
import pytest

import fastgd


def test_race_json_agrees_with_train(command):
    facts = json.loads(command("race", "--epochs", "1e4", "--seed", 3, "--eps", 0.05, "--learning-rate", 0.5, "--json"))
    X, Y = fastgd.data.gate("nand")
    net = fastgd.MLP(2, 1)
    assert [race["epochs"] for race in facts["races"]] == [10_000, 1_000]
    for race in facts["races"]:
        for method, result in race["methods"].items():
            params = net.init(3, "uniform")
            run = fastgd.train(net, X, Y, race["epochs"], 0.5, params=params, method=method, eps=0.05)
            assert result["cost"] == run.cost
            assert result["outputs"] == run.predict(X)[:, 0].tolist()
            assert result["ns_per_epoch"] == pytest.approx(1e9 * result["seconds"] / race["epochs"])
        seconds = {method: result["seconds"] for method, result in race["methods"].items()}
        assert race["ratio"] == pytest.approx(seconds["finite_difference"] / seconds["backprop"])
    assert facts["notes"]["seconds"] == {"finite_difference": 1.556, "backprop": 0.473}
    assert facts["notes"]["ratio"] == pytest.approx(3.29, abs=0.005)


def test_race_table(command):
    out = command("race", "--gate", "or", "--epochs", 20_000, "--learning-rate", 1)
    lines = out.splitlines()
    assert lines[0] == "One sigmoid neuron learns OR: rate 1, eps 0.1, float64, seed 0"
    rows = [line.split() for line in lines if line.startswith("  ")]
    assert [row[0] for row in rows if row[0] != "seconds"] == ["finite", "gradient", "ratio"] * 3
    outputs = np.array([float(cell) for cell in rows[2][5:9]])  # gradient descent, after its seconds, ns/epoch and cost
    np.testing.assert_array_equal(outputs.round(), [0, 1, 1, 1])
    assert float(rows[2][4]) == pytest.approx(np.mean((outputs - [0, 1, 1, 1]) ** 2), rel=0.01)
    assert "1.556" in out
    assert "0.473" in out
    assert "AMD Ryzen 7 7840HS" in out
