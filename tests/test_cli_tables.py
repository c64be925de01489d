"""Tables by the command: labels as they are written, UTF-8 whatever the terminal, and what is said of columns."""

import csv
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from command_line import printed, write

from fastgd.cli import main

ENCODINGS = ["cp1252", "ascii", "utf-16", "cp932"]


def run(*arguments, encoding, stdin=None):
    """The command in a process whose standard streams have this encoding; bytes of its output."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    environment |= {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"} if encoding == "ascii" else {}
    done = subprocess.run(
        [sys.executable, "-m", "fastgd", *map(str, arguments)], capture_output=True, env=environment, input=stdin, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def cats(folder):
    """Two kinds and a region with names that few encodings have."""
    rows = [[x, x % 2, "猫" if x % 2 else "Ж"] for x in range(8)]
    write("cats.csv", ["größe", "地域", "kind"], rows)
    return rows


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_csv_on_standard_output_is_utf_8(command, cats, encoding):
    command("train", "cats.csv", "--target", "kind", "--layers", "2-2", "--epochs", 300, "--out", "run.npz")
    score = "accuracy 1.0000, 8 of 8\n"
    command("predict", "run.npz", "cats.csv", "--probabilities", "--out", "out.csv", stderr=score)
    with open("out.csv", "rb") as file, open("cats.csv", "rb") as rows:
        expected, data = file.read(), rows.read()
    header, *found = csv.reader(io.StringIO(expected.decode()))
    assert header == ["kind", "p_Ж", "p_猫"]
    assert [row[0] for row in found] == [row[2] for row in cats]
    assert run("predict", "run.npz", "cats.csv", "--probabilities", encoding=encoding).replace(b"\r", b"") == expected
    assert run("predict", "run.npz", "-", "--probabilities", encoding=encoding, stdin=data).replace(b"\r", b"") == expected
    run("predict", "run.npz", "cats.csv", "--probabilities", "--out", "again.csv", encoding=encoding)
    with open("again.csv", "rb") as file:
        assert file.read() == expected


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_on_standard_output_is_utf_8(command, cats, encoding):
    train = ["train", "cats.csv", "--target", "kind", "--layers", "2-2", "--epochs", 1, "--json"]
    assert json.loads(run(*train, encoding=encoding).decode())["data"]["classes"] == ["Ж", "猫"]
    sweep = ["sweep", "cats.csv", "--target", "kind", "--layers", "2-2", "--epochs", 1, "--seeds", 1, "--learning-rates", 1, "--json"]
    assert json.loads(run(*sweep, encoding=encoding).decode())["data"]["inputs"] == ["größe", "地域"]
    race = ["race", "--epochs", 1, "--json"]
    assert json.loads(run(*race, encoding=encoding).decode())["gate"] == "nand"


def test_words_say_what_the_terminal_can_say(command, cats):
    train = ["train", "cats.csv", "--inputs", "größe", "--target", "地域", "--task", "values", "--layers", "1-1", "--epochs", 1]
    lines = run(*train, encoding="cp1252").decode("cp1252").splitlines()
    assert lines[0] == r"data        cats.csv: 8 rows, 1 input, 1 target (\u5730\u57df)"
    assert any(line.startswith(r"\u5730\u57df ") for line in lines)
    sweep = ["sweep", "cats.csv", "--inputs", "größe", "--target", "地域", "--layers", "1-1", "--epochs", 1, "--seeds", 1]
    assert run(*sweep, "--learning-rates", 1, encoding="cp1252").decode("cp1252").startswith("data        cats.csv: 8 rows, 1 input")


@pytest.mark.parametrize(
    "labels", [["02116", "08028", "00501"], ["1", "01", "001"], ["1e2", "100", "1"], ["0047583311587E590003", "x", "y"]]
)
def test_predicted_labels_are_as_written(command, labels):
    X = np.eye(3)[[0, 1, 2] * 4]
    write("rows.csv", ["a", "b", "c", "zip"], [[*x, labels[int(x.argmax())]] for x in X])
    flags = ["--target", "zip", "--layers", "3-3", "--epochs", 300, "--validation", "rows.csv", "--out", "run.npz", "--json"]
    facts = json.loads(command("train", "rows.csv", *flags))
    assert sorted(map(str, facts["data"]["classes"])) == sorted(labels)
    assert facts["score"]["accuracy"] == facts["validation"]["accuracy"] == 1
    out = command("predict", "run.npz", "rows.csv", stderr="accuracy 1.0000, 12 of 12\n")
    assert [row[0] for row in printed(out)[1:]] == labels * 4


@pytest.mark.filterwarnings("default")
def test_labels_of_another_spelling_are_not_scored(command, flowers):
    write("two.csv", ["a", "b", "tulip"], [[*row[:2], int(row[2] == "tulip")] for row in flowers])
    command("train", "two.csv", "--target", "tulip", "--layers", "2-1", "--epochs", 1, "--out", "run.npz")
    write("inputs.csv", ["a", "b"], [row[:2] for row in flowers])
    write("new.csv", ["a", "b", "tulip"], [[*row[:2], f"{int(row[2] == 'tulip')}.0"] for row in flowers])
    first = int(flowers[0][2] == "tulip")
    said = f"new.csv, line 2, column 'tulip': '{first}.0' is not how class '{first}' was written in training"
    expected = command("predict", "run.npz", "inputs.csv")
    assert command("predict", "run.npz", "new.csv", stderr=f"fastgd: warning: no score: {said}\n") == expected


def test_the_summary_names_constant_columns(command):
    write("rows.csv", ["a", "b", "c", "y"], [[x, 0.3 if x % 2 else 0.1 + 0.2, 1e6, 7] for x in range(6)])
    out = command("train", "rows.csv", "--target", "y", "--layers", "3-1", "--epochs", 1)
    assert "constant    b, c, y, up to rounding" in out.splitlines()
    assert "R2" not in out
    facts = json.loads(command("train", "rows.csv", "--target", "y", "--layers", "3-1", "--epochs", 1, "--json"))
    assert facts["data"]["constant"] == ["b", "c", "y"]
    assert facts["score"]["r2"] == {"y": None}
    write("rows.csv", ["a", "y"], [[x, x] for x in range(6)])
    assert "constant" not in command("train", "rows.csv", "--target", "y", "--layers", "1-1", "--epochs", 1)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("first", [0, 1])
def test_a_frame_with_its_index(command, capsys, first):
    with open("frame.csv", "w", encoding="utf-8") as file:
        file.write(",a,y\n" + "".join(f"{i + first},{i % 5},{i % 5 * 2}\n" for i in range(20)))
    said = "fastgd: warning: frame.csv: the first column, which has no name, counts the rows; it is left out\n"
    facts = json.loads(command("train", "frame.csv", "--target", "y", "--layers", "1-1", "--out", "run.npz", "--json", stderr=said))
    assert facts["data"]["inputs"] == ["a"]
    write("plain.csv", ["a"], [[i % 5] for i in range(20)])
    assert main(["predict", "run.npz", "frame.csv"]) == 0
    out, err = capsys.readouterr()
    assert err.startswith(said + "y: mean squared error ")
    assert out == command("predict", "run.npz", "plain.csv")
