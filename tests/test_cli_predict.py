"""`fastgd predict`: what it prints and writes, against NumPy and the files re-read."""

import io
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from command_line import printed, write

import fastgd


def test_gate_run_predicts_columns_in_order(command):
    command("train", "--gate", "nand", "--epochs", 100_000, "--learning-rate", 1, "--out", "nand.npz")
    write("rows.csv", ["q", "p"], [[0, 0], [1, 1]])
    header, *rows = printed(command("predict", "nand.npz", "rows.csv"))
    assert header == ["y1"]
    expected = fastgd.load_run("nand.npz").predict([[0, 0], [1, 1]])[:, 0]
    np.testing.assert_array_equal([float(row[0]) for row in rows], expected)
    np.testing.assert_array_equal(expected.round(), [1, 0])


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
        assert refused("predict", "run.npz", "flowers.csv", "--out", "/dev/full") == "/dev/full: No space left on device"
    if os.path.exists("/dev/full"):
        arguments = [sys.executable, "-m", "fastgd", "predict", "run.npz", "flowers.csv"]
        with open("/dev/full", "w", encoding="utf-8") as full:
            finished = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, text=True, timeout=600)
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
        assert refused("predict", "run.npz", "flowers.csv", "--out", "real.csv") == "real.csv: No space left on device"
    with open("real.csv", encoding="utf-8") as file:
        assert file.read() == "old"
    assert sorted(os.listdir()) == before

    command("predict", "run.npz", "flowers.csv", "--out", "link.csv", stderr="accuracy 1.0000, 60 of 60\n")
    assert os.path.islink("link.csv")
    assert os.stat("real.csv").st_mode & 0o777 == 0o640
    with open("real.csv", encoding="utf-8") as file:
        assert file.read() == expected
    assert sorted(os.listdir()) == before


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
