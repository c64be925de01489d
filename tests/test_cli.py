"""The command, mostly in process: what it prints and saves against the library, NumPy and the files re-read."""

import csv
import io
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import fastgd
from fastgd.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(folder, capsys):
    """Run the command; returns what it printed, having checked its exit status and that stderr is empty unless asked for."""

    def run(*arguments, status=0, stderr=""):
        assert main([str(argument) for argument in arguments]) == status
        out, err = capsys.readouterr()
        assert err == stderr
        return out

    return run


@pytest.fixture
def refused(folder, capsys):
    """Run the command and return its one line of error."""

    def run(*arguments):
        assert main([str(argument) for argument in arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("fastgd: error: ")
        assert err.count("\n") == 1
        assert err.endswith("\n")
        return err.removeprefix("fastgd: error: ").removesuffix("\n")

    return run


def write(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def flowers(folder):
    """Three well separated clouds; the label of a row is the cloud it was drawn from."""
    rng = np.random.default_rng(5)
    centers = {"rose": (0, 0), "tulip": (40, 0), "lily": (0, 0.4)}
    rows = [[*(center + rng.normal(size=2) * (2, 0.02)).round(4), name] for _ in range(20) for name, center in centers.items()]
    write("flowers.csv", ["length", "width", "kind"], rows)
    return rows


@pytest.fixture
def line(folder):
    """price = 3 area - 20 rooms + 100, exactly, and a column that never changes."""
    rng = np.random.default_rng(6)
    rows = [[a, r, 7, 3 * a - 20 * r + 100] for a, r in zip(rng.integers(30, 200, 40), rng.integers(1, 6, 40), strict=True)]
    write("houses.csv", ["area", "rooms", "same", "price"], rows)
    return np.array(rows, float)


def printed(out):
    return list(csv.reader(io.StringIO(out)))


# -- race


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


# -- train on a gate


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


def test_gate_run_predicts_columns_in_order(command):
    command("train", "--gate", "nand", "--epochs", 100_000, "--learning-rate", 1, "--out", "nand.npz")
    write("rows.csv", ["q", "p"], [[0, 0], [1, 1]])
    header, *rows = printed(command("predict", "nand.npz", "rows.csv"))
    assert header == ["y1"]
    expected = fastgd.load_run("nand.npz").predict([[0, 0], [1, 1]])[:, 0]
    np.testing.assert_array_equal([float(row[0]) for row in rows], expected)
    np.testing.assert_array_equal(expected.round(), [1, 0])


# -- train on a file, and predict


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


def test_columns_are_found_by_name(command, flowers, monkeypatch):
    command("train", "flowers.csv", "--target", "kind", "--layers", "2-3", "--epochs", 300, "--out", "run.npz")
    expected = command("predict", "run.npz", "flowers.csv", stderr=f"accuracy {1:.4f}, 60 of 60\n")
    write("other.csv", ["note", "width", "length"], [["?", width, length] for length, width, _ in flowers])
    assert command("predict", "run.npz", "other.csv") == expected
    with open("other.csv", "rb") as file:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(file.read())))
    assert command("predict", "run.npz", "-") == expected
    assert command("predict", "run.npz", "other.csv", "--out", "predicted.csv") == ""
    with open("predicted.csv", encoding="utf-8") as file:
        assert file.read() == expected


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


def test_npz(command, line):
    np.savez("rows.npz", X=line[:, :2], Y=line[:, 3])
    facts = json.loads(command("train", "rows.npz", "--layers", "2-1", "--out", "run.npz", "--json"))
    assert facts["data"]["targets"] == ["y1"]
    assert facts["score"]["mean_squared_error"]["y1"] < 1e-4
    np.savez("new.npz", X=line[:5, :2])
    header, *rows = printed(command("predict", "run.npz", "new.npz"))
    assert header == ["y1"]
    np.testing.assert_allclose(np.array(rows, float)[:, 0], line[:5, 3], atol=0.1)


def test_table_of_a_run_that_goes_on(command, flowers):
    """`Run.table` outlives training on, so the run still predicts from the command."""
    command("train", "flowers.csv", "--target", "kind", "--layers", "2-3", "--epochs", 10, "--out", "run.npz")
    run = fastgd.load_run("run.npz")
    table = fastgd.data.Table.from_dict(run.table)
    rows = fastgd.data.read_columns("flowers.csv")
    fastgd.train(run.net, table.encode(rows), table.encode_targets(rows), 500, params=run).save("more.npz")
    out = command("predict", "more.npz", "flowers.csv", stderr="accuracy 1.0000, 60 of 60\n")
    assert [row[0] for row in printed(out)[1:]] == [row[2] for row in flowers]


@pytest.mark.parametrize("unknown", ["?", "NA", "nan", "1e400", ""])
def test_predict_needs_no_target(command, line, unknown):
    command("train", "houses.csv", "--target", "price", "--layers", "3-1", "--epochs", 20, "--out", "run.npz")
    write("inputs.csv", ["area", "rooms", "same"], line[:, :3])
    expected = command("predict", "run.npz", "inputs.csv")
    header = ["area", "rooms", "same", "price"]
    write("none.csv", header, [[*row[:3], unknown] for row in line])
    assert command("predict", "run.npz", "none.csv") == expected
    write("some.csv", header, [[*row[:3], row[3] if i < 7 else unknown] for i, row in enumerate(line)])
    predicted, price = np.array(printed(expected)[1:8], float)[:, 0], line[:7, 3]
    error = np.mean((predicted - price) ** 2)
    score = f"price: mean squared error {error:.6g}, R2 {1 - error / price.var():.4f}\n"
    assert command("predict", "run.npz", "some.csv", stderr=score) == expected


def test_score_is_printed_after_the_rows_are_written(command, refused, flowers):
    command("train", "flowers.csv", "--target", "kind", "--layers", "2-3", "--epochs", 300, "--out", "run.npz")
    if os.path.exists("/dev/full") and os.access("/dev", os.W_OK):
        assert "No space left on device" in refused("predict", "run.npz", "flowers.csv", "--out", "/dev/full")
    if os.path.exists("/dev/full"):
        arguments = [sys.executable, "-m", "fastgd", "predict", "run.npz", "flowers.csv"]
        with open("/dev/full", "w", encoding="utf-8") as full:
            finished = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300)
        assert (finished.returncode, finished.stderr) == (2, "fastgd: error: No space left on device\n")
    assert command("predict", "run.npz", "flowers.csv", "--out", "out.csv", stderr="accuracy 1.0000, 60 of 60\n") == ""


def test_predicted_file_is_whole_or_the_old_one(command, refused, flowers, monkeypatch):
    command("train", "flowers.csv", "--target", "kind", "--layers", "2-3", "--epochs", 300, "--out", "run.npz")
    expected = command("predict", "run.npz", "flowers.csv", stderr="accuracy 1.0000, 60 of 60\n")
    with open("real.csv", "w", encoding="utf-8") as file:
        file.write("old")
    os.chmod("real.csv", 0o640)
    os.symlink("real.csv", "link.csv")
    before = sorted(os.listdir())

    def write_a_little(file, header, rows):
        file.write("new")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("fastgd.cli.predict._write", write_a_little)
        assert refused("predict", "run.npz", "flowers.csv", "--out", "real.csv") == "No space left on device"
    with open("real.csv", encoding="utf-8") as file:
        assert file.read() == "old"
    assert sorted(os.listdir()) == before

    command("predict", "run.npz", "flowers.csv", "--out", "link.csv", stderr="accuracy 1.0000, 60 of 60\n")
    assert os.path.islink("link.csv")
    assert os.stat("real.csv").st_mode & 0o777 == 0o640
    with open("real.csv", encoding="utf-8") as file:
        assert file.read() == expected
    assert sorted(os.listdir()) == before


# -- check


def test_check_layer_by_layer(command):
    out = command("check", "--layers", "3-4-5-2", "--seed", 3)
    rows = [line.split() for line in out.splitlines() if line[:1].isdigit()][1:]
    assert [row[:2] for row in rows] == [["1", "3-4"], ["2", "4-5"], ["3", "5-2"]]
    assert [row[-3:] for row in rows] == [["4", "x", "backprop"], ["2", "x", "backprop"], ["1", "x", "backprop"]]
    for row in rows:
        largest, layerwise, finite, central = map(float, row[2:6])
        assert largest > 1e-4
        assert layerwise < 1e-14
        assert finite < 1e-6
        assert central < 1e-9


def test_check_says_why_layerwise_is_left_out(command):
    out = command("check", "--layers", "3-4-2", "--output", "softmax")
    assert "layerwise is left out: the notes define it for squared_error, and the loss is cross_entropy." in out
    assert "x backprop" not in out


def test_check_approach(command):
    """The error of the forward difference falls with eps, that of the central one with its square; largest derivative by NumPy."""
    out = command("check", "--layers", "3-1", "--eps", "1e-1,1e-2,1e-3")
    rows = np.array([line.split() for line in out.splitlines()[-3:]], float)
    assert rows[:, 0].tolist() == [0.1, 0.01, 0.001]
    np.testing.assert_allclose(rows[:-1, 1] / rows[1:, 1], 10, rtol=0.2)
    np.testing.assert_allclose(rows[:-1, 2] / rows[1:, 2], 100, rtol=0.2)


# -- what is refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "the following arguments are required: COMMAND (see fastgd --help)"),
        ("fly", "argument COMMAND: invalid choice: 'fly'"),
        ("train", "train needs a file or --gate, one of the two"),
        ("train houses.csv --gate or", "train needs a file or --gate, one of the two"),
        ("train --gate imply", "argument --gate: invalid choice: 'imply'"),
        ("train --gate or --target y", "--target names columns of a file; --gate has none"),
        ("train --gate or --inputs y", "--inputs names columns of a file; --gate has none"),
        ("train --gate or --task auto", "--task is for columns of a file; --gate has none"),
        ("train --gate or --scale-inputs range", "--scale-inputs is for columns of a file; --gate has none"),
        ("train --gate or --scale-targets none", "--scale-targets is for columns of a file; --gate has none"),
        ("train --gate or --out=", "--out must name a file; got ''"),
        ("train houses.csv --target price --layers 3-1 --out=", "--out must name a file; got ''"),
        ("predict run.npz houses.csv --out=", "--out must name a file; got ''"),
        ("train --gate or --layers 3-1", "--layers must begin with 2 and end with 1 for a gate; got 3-1"),
        ("train --gate or --layers 2,1", "argument --layers: expected widths like 4-8-3, inputs first; got '2,1'"),
        ("train --gate or --layers 2-0-1", "widths[1] must be a whole number of at least 1; got 0"),
        ("train --gate or --epochs -1", "epochs must be a whole number from 0"),
        ("train --gate or --epochs 1.5", "argument --epochs: expected a whole number; got '1.5'"),
        ("train --gate or --learning-rate nan", "argument --learning-rate: expected a finite number; got 'nan'"),
        ("train --gate or --learning-rate -inf", "argument --learning-rate: expected a finite number; got '-inf'"),
        ("train --gate or --eps -1e-3", "eps must be a positive, finite number; got -0.001"),
        ("race --eps -.5E+1", "eps must be a positive, finite number; got -5.0"),
        ("train --gate or --epochs -1e3", "epochs must be a whole number from 0"),
        ("train --gate or --learning-rate --eps", "argument --learning-rate: expected one argument"),
        ("train --gate or --eps 0", "eps must be a positive, finite number; got 0.0"),
        ("train --gate or --batch-size 5", "batch_size must be a whole number from 1 to 4; got 5"),
        ("train --gate or --seed -1", "argument --seed: expected a whole number from 0 to 2**63 - 1; got '-1'"),
        ("train --gate or --activation selu", "unknown activation 'selu'; known: "),
        ("train --gate or --loss mse", "unknown loss 'mse'; known: "),
        ("train --gate or --method magic", "unknown method 'magic'; known: "),
        ("train --gate or --kernel magic", "unknown kernel 'magic'; known: "),
        ("train --gate or --init magic", "unknown scheme 'magic'; known: "),
        ("train --gate or --dtype float16", "argument --dtype: invalid choice: 'float16'"),
        ("train --gate or --out absent/run.npz", "--out can't be written: there is no folder absent"),
        ("train --gate or --out .", "--out must name a file; . is a folder"),
        ("train absent.csv --target a --layers 2-1", "absent.csv: No such file or directory"),
        ("train houses.csv --layers 3-1", "say what to learn: --target COLUMN; houses.csv has: area, rooms, same, price"),
        ("train houses.csv --target cost --layers 3-1", "target: houses.csv has no column 'cost'; it has: area, rooms, same, price"),
        ("train houses.csv --target price --inputs size --layers 1-1", "inputs: houses.csv has no column 'size'"),
        ("train houses.csv --target price", "say the widths of the network, such as --layers 3-8-1 for 3 inputs, 1 target (price)"),
        (
            "train houses.csv --target price --layers 4-1",
            "--layers must begin with 3 and end with 1 for 3 inputs, 1 target (price); got 4-1",
        ),
        ("train houses.csv --target price --layers 3-1 --out houses.csv", "--out would replace houses.csv, which is read"),
        ("train flowers.csv --target kind --layers 2-2", "column 'kind' holds 3 classes and needs 3 outputs; got 2"),
        ("train flowers.csv --target width --layers 2-1", "flowers.csv, line 2, column 'kind': expected a finite number; got 'rose'"),
        ("predict absent.npz houses.csv", "absent.npz: No such file or directory"),
        ("predict houses.csv houses.csv", "'houses.csv' is no whole fastgd run"),
        ("check --layers 3", "widths must be at least two numbers"),
        ("check --layers 3-1 --rows 0", "rows must be a whole number of at least 1; got 0"),
        ("check --layers 3-1 --eps 1e-1,0", "argument --eps: expected positive steps; got '1e-1,0'"),
        ("race --epochs -5", "epochs must be a whole number from 0"),
        ("race --eps -1", "eps must be a positive, finite number; got -1.0"),
    ],
)
def test_one_line(refused, flowers, line, arguments, message):
    assert refused(*arguments.split()).startswith(message)


@pytest.mark.parametrize("text", ["-1e-3", "-1", "-.5", "-2.", "-1.5E+2"])
def test_a_negative_rate_is_a_number(refused, monkeypatch, text):
    def tell(net, X, Y, epochs, learning_rate, **_):
        raise ValueError(f"rate {learning_rate}")

    monkeypatch.setattr("fastgd.training.train", tell)
    assert refused("train", "--gate", "or", "--learning-rate", text) == f"rate {float(text)}"


def test_out_is_refused_before_training(refused, monkeypatch, line):
    monkeypatch.setattr("fastgd.training.train", lambda *_, **__: pytest.fail("trained first"))
    refused("train", "houses.csv", "--target", "price", "--layers", "3-1", "--out", "absent/run.npz")


def test_predict_refuses(command, refused, flowers, line):
    command("train", "flowers.csv", "--target", "kind", "--layers", "2-3", "--epochs", 1, "--out", "classes.npz")
    command("train", "houses.csv", "--target", "price", "--layers", "3-1", "--epochs", 1, "--out", "values.npz")
    assert refused("predict", "classes.npz", "houses.csv") == "houses.csv has no column 'length', 'width'; it has: area, rooms, same, price"
    assert refused("predict", "values.npz", "houses.csv", "--probabilities").startswith("--probabilities needs a sigmoid or softmax output")
    assert refused("predict", "values.npz", "houses.csv", "--out", "values.npz").startswith("--out would replace values.npz")
    run = fastgd.load_run("classes.npz")
    replace(run, table=None).save("plain.npz")
    message = "houses.csv must have 2 columns for MLP(2, 3, activation='softmax', loss='cross_entropy', dtype='float64'); it has 4: "
    assert refused("predict", "plain.npz", "houses.csv") == message + "area, rooms, same, price"
    assert refused("predict", "plain.npz", "houses.csv", "--probabilities").startswith("--probabilities needs a run trained on classes")
    replace(run, table=fastgd.load_run("values.npz").table).save("mixed.npz")
    assert refused("predict", "mixed.npz", "houses.csv").startswith("mixed.npz: its table has 3 inputs and 1 outputs; its network is ")


def test_divergence_saves_the_last_good_run(refused, line):
    flags = ["--target", "price", "--layers", "3-1", "--learning-rate", 100, "--scale-inputs", "none"]
    plain = refused("train", "houses.csv", *flags)
    assert "stopped being finite in epoch" in plain
    message = refused("train", "houses.csv", *flags, "--out", "run.npz")
    assert message == plain + "; the last good run is saved in run.npz"
    run = fastgd.load_run("run.npz")
    assert np.isfinite(run.params).all()
    assert run.table["targets"] == ["price"]


@pytest.mark.parametrize("arguments", ["race", "train --gate or"])
def test_a_runtime_error_is_one_line(refused, monkeypatch, arguments):
    def fail(*_, **__):
        raise RuntimeError("can't\ncompile")

    monkeypatch.setattr("fastgd.training.train", fail)
    assert refused(*arguments.split()) == "can't compile"


def test_interrupt(folder, capsys, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("fastgd.training.train", interrupt)
    assert main(["train", "--gate", "or", "--out", "run.npz"]) == 130
    assert capsys.readouterr() == ("", "fastgd: interrupted\n")
    assert os.listdir(folder) == []


# -- the program itself


def test_help_needs_no_numba():
    program = "import sys; from fastgd.cli import main; assert main(['train', '--help']) == 0; assert 'numba' not in sys.modules"
    finished = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "--scale-targets" in finished.stdout


def test_module_and_broken_pipe(folder, line):
    version = subprocess.run([sys.executable, "-m", "fastgd", "--version"], capture_output=True, text=True, timeout=60)
    assert version.stdout == f"fastgd {fastgd.__version__}\n"
    reader, writer = os.pipe()
    os.close(reader)
    try:
        piped = subprocess.run(
            [sys.executable, "-m", "fastgd", "check", "--layers", "2-1"], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=300
        )
    finally:
        os.close(writer)
    assert (piped.returncode, piped.stderr) == (141, "")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_on_a_terminal_only(folder):
    import pty

    leader, follower = pty.openpty()
    arguments = ["train", "--gate", "xor", "--epochs", "3e6", "--json"]
    finished = subprocess.run([sys.executable, "-m", "fastgd", *arguments], stdout=subprocess.PIPE, stderr=follower, timeout=300)
    os.close(follower)
    shown = os.read(leader, 100_000).decode()
    os.close(leader)
    assert json.loads(finished.stdout)["epochs"] == 3_000_000
    assert "of 3,000,000 (" in shown
    assert "cost 0." in shown
    assert "\n" not in shown
    assert shown.split("\r")[-2].strip() == ""
