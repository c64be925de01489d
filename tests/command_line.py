"""The command as tests run it, tables that it reads, and the CSV that it prints."""

import csv
import io

import numpy as np
import pytest

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
        assert err == stderr, err
        return out

    return run


@pytest.fixture
def refused(folder, capsys):
    """Run the command and return its one line of error."""

    def run(*arguments):
        assert main([str(argument) for argument in arguments]) == 2
        out, err = capsys.readouterr()
        assert out == "", out
        assert err.startswith("fastgd: error: "), err
        assert err.count("\n") == 1, err
        assert err.endswith("\n"), err
        return err.removeprefix("fastgd: error: ").removesuffix("\n")

    return run


def write(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def printed(out):
    return list(csv.reader(io.StringIO(out)))


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
