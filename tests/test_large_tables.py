"""Large tables: no work is done cell by cell, and memory holds little more than the file and its numbers."""

import sys
import tracemalloc

import numpy as np
import pytest
from this_machine import NEEDS_PYARROW

from fastgd.data import Table, blocks, csvfile
from fastgd.data.columns import read_columns

ROWS, COLUMNS = 4000, 21


@pytest.fixture(params=["plain", "text", "quoted", "commas", "gaps"])
def path(request, tmp_path):
    """A file whose last column is the target; the last input but one is no number everywhere."""
    rng = np.random.default_rng(0)
    kinds = {"text": ["rose", "lily"], "quoted": ['"rose"', '"lily"'], "commas": ['"rose, red"', "lily"]}.get(request.param, ["3", "4"])
    path = tmp_path / "rows.csv"
    with open(path, "w", encoding="utf-8") as file:
        file.write(",".join(f"x{i}" for i in range(COLUMNS - 1)) + ",y\n")
        for i, row in enumerate(rng.normal(size=(ROWS, COLUMNS - 1)).round(6).tolist()):
            row[-2] = "" if request.param == "gaps" and i % 3 == 0 else row[-2]
            file.write(",".join(map(str, row)) + f",{kinds[i % 2]}\n")
    return path


def read(path):
    columns = read_columns(path)
    table = Table.fit(columns, ["y"], inputs=[f"x{i}" for i in range(COLUMNS - 3)], outputs=2)
    X, Y = table.encode(columns), table.encode_targets(columns)
    assert table.score(columns, Y) == {"rows": ROWS, "right": ROWS, "accuracy": 1.0}
    assert X.shape == (ROWS, COLUMNS - 3)


@pytest.mark.parametrize("reader", ["numpy", pytest.param("pyarrow", marks=NEEDS_PYARROW)])
def test_calls_do_not_grow_with_cells(path, reader, monkeypatch):
    """A few calls a row for the target, whose text is kept; the rest is a number of calls for each block."""
    if reader == "numpy":
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr(csvfile, "_BLOCK", 2**14)
    monkeypatch.setattr(blocks, "_LARGE", 0)
    read(path)
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        read(path)
    finally:
        sys.setprofile(before)
    assert calls < ROWS * COLUMNS / 2


def test_memory_is_the_file_and_its_numbers(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr(csvfile, "_BLOCK", 2**14)
    read(path)
    tracemalloc.start()
    try:
        read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # the file, its numbers, X and room for a column's text
    assert peak < path.stat().st_size + 2 * 8 * ROWS * COLUMNS + 2**20
