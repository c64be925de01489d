"""`fastgd train` on gates and files: what it prints and saves, against the library, NumPy and the files re-read."""

import csv
import json

import numpy as np
import pytest
from command_line import printed, write

import fastgd
from fastgd.cli import main


def test_train_gate_prints_what_it_learned(command):
    out = command("train", "--gate", "nand", "--epochs", 20_000, "--learning-rate", 1)
    rows = [line.split() for line in out.splitlines() if "target" in line]
    assert [row[:2] for row in rows] == [["0", "0"], ["1", "0"], ["0", "1"], ["1", "1"]]
    assert [round(float(row[2])) for row in rows] == [1, 1, 1, 0]
    assert [row[-1] for row in rows] == ["1)", "1)", "1)", "0)"]
    assert "nowhere" in out


def test_train_gate_is_the_library(command):
    flags = ["--layers", "2-3-1", "--activation", "tanh,sigmoid", "--no-bias", "--dtype", "float32", "--method", "central_difference"]
    flags += ["--eps", 0.01, "--batch-size", 3, "--epochs", 50, "--learning-rate", 0.5, "--seed", 4, "--init", "glorot", "--out", "run.npz"]
    facts = json.loads(command("train", "--gate", "xor", *flags, "--json"))
    run = fastgd.load_run("run.npz")
    X, Y = fastgd.data.gate("xor")
    net = fastgd.MLP(2, 3, 1, activation=["tanh", "sigmoid"], bias=False, dtype="float32")
    params = net.init(4, "glorot")
    expected = fastgd.train(net, X, Y, 50, 0.5, params=params, rng=4, method="central_difference", eps=0.01, batch_size=3)
    assert run == expected
    assert facts["cost"] == expected.cost
    assert facts["saved"] == "run.npz"
    kept = fastgd.train(net, X, Y, 50, 0.5, params=params, rng=4, method="central_difference", eps=0.01, batch_size=3, shuffle=False)
    assert json.loads(command("train", "--gate", "xor", *flags, "--no-shuffle", "--json"))["cost"] == kept.cost != expected.cost


def test_defaults_on_a_gate_are_the_notes(command):
    facts = json.loads(command("train", "--gate", "xnor", "--epochs", 100, "--json"))
    net = fastgd.MLP(2, 2, 1)
    X, Y = fastgd.data.gate("xnor")
    assert facts["cost"] == fastgd.train(net, X, Y, 100, 0.1, params=net.init(0, "uniform")).cost
    assert "1,000,000 epochs of backprop, all rows at once, rate 0.1, seed 0" in command("train", "--gate", "and")


def test_classes(command, flowers):
    flags = ["--target", "kind", "--layers", "2-8-3", "--epochs", 2_000, "--seed", 1, "--out", "run.npz"]
    facts = json.loads(command("train", "flowers.csv", *flags, "--json"))
    assert facts["network"]["activations"] == ["tanh", "softmax"]
    assert facts["network"]["loss"] == "cross_entropy"
    assert facts["data"]["classes"] == ["lily", "rose", "tulip"]
    assert facts["score"] == {"rows": 60, "right": 60, "accuracy": 1.0}

    out = command("predict", "run.npz", "flowers.csv", "--probabilities", stderr="accuracy 1.0000, 60 of 60\n")
    header, *rows = printed(out)
    assert header == ["kind", "p_lily", "p_rose", "p_tulip"]
    assert [row[0] for row in rows] == [row[2] for row in flowers]
    p = np.array([[float(cell) for cell in row[1:]] for row in rows])
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)
    X = np.array([row[:2] for row in flowers], float)
    run = fastgd.load_run("run.npz")
    np.testing.assert_allclose(p, run.predict((X - X.mean(axis=0)) / X.std(axis=0)), rtol=1e-12)
    one_hot = np.array([[row[2] == label for label in ("lily", "rose", "tulip")] for row in flowers])
    assert facts["cost"] == pytest.approx(-np.log(p[one_hot]).mean(), rel=1e-9)


def test_two_classes_in_one_output(command, flowers):
    write("two.csv", ["a", "b", "tulip"], [[*row[:2], int(row[2] == "tulip")] for row in flowers])
    facts = json.loads(command("train", "two.csv", "--target", "tulip", "--layers", "2-1", "--out", "run.npz", "--json"))
    assert (facts["network"]["activations"], facts["network"]["loss"]) == (["sigmoid"], "binary_cross_entropy")
    assert facts["data"]["classes"] == [0, 1]
    header, *rows = printed(command("predict", "run.npz", "two.csv", "--probabilities", stderr="accuracy 1.0000, 60 of 60\n"))
    assert header == ["tulip", "p_0", "p_1"]
    assert [row[0] for row in rows] == [str(int(row[2] == "tulip")) for row in flowers]
    p = np.array([[float(cell) for cell in row[1:]] for row in rows])
    np.testing.assert_array_equal(p[:, 0], 1 - p[:, 1])


@pytest.mark.parametrize(
    "flags", [[], ["--output", "tanh"], ["--scale-targets", "range", "--scale-inputs", "range", "--learning-rate", 0.5, "--epochs", 9_000]]
)
def test_values_come_back_in_original_units(command, line, flags):
    """A linear target by a linear model is exact; by a tanh output, near. The error is recomputed from the printed CSV."""
    out = command("train", "houses.csv", "--target", "price", "--layers", "3-1", "--out", "run.npz", *flags)
    assert main(["predict", "run.npz", "houses.csv", "--out", "predicted.csv"]) == 0
    with open("predicted.csv", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["price"]
    predicted, price = np.array(rows, float)[:, 0], line[:, 3]
    error = np.mean((predicted - price) ** 2)
    assert f"price       mean squared error {error:.6g}, R2 {1 - error / price.var():.4f} on the rows it was trained on" in out
    assert error < (0.1 * price.var() if "tanh" in flags else 1e-4)


def test_several_targets_and_chosen_inputs(command, line, capsys):
    flags = ["--target", "price", "--target", "rooms", "--inputs", "area,same", "--layers", "2-2"]
    command("train", "houses.csv", *flags, "--out", "run.npz")
    again = command("train", "houses.csv", *flags[:1], "price,rooms", *flags[4:], "--out", "again.npz")
    run = fastgd.load_run("run.npz")
    assert run == fastgd.load_run("again.npz")
    assert run.table["inputs"] == ["area", "same"]
    assert run.table["targets"] == ["price", "rooms"]
    # full-batch gradient descent on a linear model ends at least squares
    A = np.column_stack([line[:, 0], np.ones(len(line))])
    for column, name in [(3, "price"), (1, "rooms")]:
        best = A @ np.linalg.lstsq(A, line[:, column], rcond=None)[0]
        assert f"{name:<12}mean squared error {np.mean((best - line[:, column]) ** 2):.6g}," in again


def test_defaults_on_a_file(command, line):
    facts = json.loads(command("train", "houses.csv", "--target", "price", "--layers", "3-4-1", "--json"))
    net = fastgd.MLP(3, 4, 1, activation="tanh", output="identity")
    scale = line.std(axis=0)
    scale[2] = 1
    Z = (line - line.mean(axis=0)) / scale
    assert facts["cost"] == pytest.approx(fastgd.train(net, Z[:, :3], Z[:, 3], 1_000, 0.1, rng=0).cost, rel=1e-9)


def test_one_activation_for_one_layer_is_the_output(command, line):
    facts = json.loads(command("train", "houses.csv", "--target", "price", "--layers", "3-1", "--activation", "sigmoid", "--json"))
    assert facts["network"]["activations"] == ["sigmoid"]
    # targets scaled to [0, 1] leave a cost within 1
    assert facts["cost"] < 0.1


def test_a_long_column_name_stands_apart(command, line):
    write("long.csv", ["area", "median_house_value"], line[:, [0, 3]])
    out = command("train", "long.csv", "--target", "median_house_value", "--layers", "1-1")
    assert "median_house_value mean squared error " in out


def test_divergence_saves_the_last_good_run(refused, line):
    flags = ["--target", "price", "--layers", "3-1", "--learning-rate", 100, "--scale-inputs", "none"]
    plain = refused("train", "houses.csv", *flags)
    assert "stopped being finite in epoch" in plain
    message = refused("train", "houses.csv", *flags, "--out", "run.npz")
    assert message == plain + "; the last good run is saved in run.npz"
    run = fastgd.load_run("run.npz")
    assert np.isfinite(run.params).all()
    assert run.table["targets"] == ["price"]
