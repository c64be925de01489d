"""CSV that is read block by block, by NumPy and by pyarrow, against Python's csv reading the whole text at once."""

import csv
import io
import math
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from this_machine import NEEDS_PYARROW

from fastgd.data import blocks, csvfile
from fastgd.data.columns import parse_columns

READERS = [
    "numpy",
    pytest.param("pyarrow", marks=NEEDS_PYARROW),
]
CELLS = ["1", "-2.5", " 3", "4 ", "1e3", "1E-400", "+7", ".5", "5.", "00", "1e2", "0047583311587E590003", "1e400", "9007199254740993"]
CELLS += [
    "0.30000000000000004",
    "2.2250738585072011e-308",
    "nan",
    "NaN",
    "-inf",
    "NA",
    "",
    " ",
    "1_000",
    "١٢",
    "0x10",
    "nan(1)",
    "1d5",
    "5e",
]
CELLS += ["rose", "a b", "猫", "é", "\ufeff1", "1\x0b", "\x1f", "x\u2028y", "#1", "5'", 'say "x"', "\t2", "1;2", "1\x00"[:1], "true"]
QUOTED = ['"1"', '" 2 "', '"rose"', '""', '"a,b"', '"a\nb"', '"3\n"', '"say ""x"""', ' "q"', '"\x1f"', '"1,5"', '"', '"x"y', '"\r\n"']


def number(cell):
    try:
        return math.nan if "_" in cell else float(cell)
    except ValueError:
        return math.nan


def as_csv_reads(text):
    """Names, cells by column and lines of a text separated by commas; or the first that is wrong with it."""
    records, line, wrong = [], 1, None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    try:
        for cells in reader:
            records.append((line, [cell.strip() for cell in cells]))
            line = reader.line_num + 1
    except csv.Error as error:
        wrong = f"rows.csv, line {line}: {error}"
    while wrong is None and records[-1][1] in ([], [""]):
        records.pop()
    (_, names), *rows = records
    for line, cells in rows:
        if len(cells) != len(names):
            got = "a blank line" if cells in ([], [""]) else len(cells)
            return f"rows.csv, line {line}: expected {len(names)} cells, one a column; got {got}"
    columns = [list(column) for column in zip(*(cells for _, cells in rows), strict=True)]
    return wrong or (names, columns, [line for line, _ in rows])


def as_read(text, block=2**20):
    """The same of `parse_columns`, which reads so many bytes at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csvfile, "_BLOCK", block)
        patch.setattr(blocks, "_LARGE", 0)
        try:
            columns = parse_columns(text.encode(), "rows.csv")
        except ValueError as error:
            return str(error)
    cells = [columns.cells[name].text() for name in columns.names]
    for name, column in zip(columns.names, cells, strict=True):
        np.testing.assert_array_equal(columns.values(name), [number(cell) for cell in column])
    return list(columns.names), cells, list(columns.lines)


rows_of = st.lists(st.lists(st.sampled_from(CELLS + QUOTED), min_size=3, max_size=3), min_size=1, max_size=12)
words_of = st.lists(st.lists(st.floats().map(repr), min_size=3, max_size=3), min_size=1, max_size=12)
# a quoted cell alone, if it is blank, is no blank line, which csv can't tell
odd_rows = st.lists(
    st.lists(st.sampled_from(CELLS[:6]), max_size=4) | st.lists(st.sampled_from(QUOTED), min_size=2, max_size=4), max_size=2
)


@settings(deadline=None, max_examples=300)
@given(
    rows_of | words_of,
    odd_rows,
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["", "\n", "\n\n \n"]),
    st.sampled_from([8, 64, 2**20]),
)
@example([["1", "2", '"a,b"'], ["3", "4", "c"]], [], "\n", "\n", 8)
@example([["1", "2", '"x"y']], [], "\n", "\n", 2**20)
@example([["\ufeff1", "2", "3"]], [], "\n", "\n", 8)  # where a block begins
@pytest.mark.parametrize("name", READERS)
def test_blocks_are_what_csv_reads(name, rows, odd, newline, end, block):
    text = newline.join(",".join(row) for row in [["a", "b", "c"], ["1", "2", "3"], *rows, *odd]) + end
    with pytest.MonkeyPatch.context() as patch:
        if name == "numpy":
            patch.setitem(sys.modules, "pyarrow", None)
        assert as_read(text, block) == as_csv_reads(text)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " "])
def test_separators_are_guessed(separator):
    rows = [["a", "b", "c d" if separator != " " else "c"], ["1", "2.5", "-3"], ["4", "5", "6e1"]]
    for end in ("\n", "\r\n"):
        columns = parse_columns("".join(separator.join(row) + end for row in rows).encode(), "rows.csv")
        assert columns.names == tuple(rows[0])
        assert [columns.numbers(name).tolist() for name in columns.names] == [[1, 4], [2.5, 5], [-3, 60]]


@pytest.mark.parametrize(
    ("text", "names", "cells"),
    [
        ('"size, in m";price\n1,5;2\n', ("size, in m", "price"), [["1,5"], ["2"]]),
        ('"a;b",c\n"1;2",3\n', ("a;b", "c"), [["1;2"], ["3"]]),
        ("first name,b\nJo Ann,3\n", ("first name", "b"), [["Jo Ann"], ["3"]]),
        ("median value\n5\n", ("median value",), [["5"]]),
        ("  x    y\n 1.0   2 \n10.0  -3\n", ("x", "y"), [["1.0", "10.0"], ["2", "-3"]]),
        ('x y\n"New York" 2 \n', ("x", "y"), [["New York"], ["2"]]),
    ],
)
def test_separators_suit_the_first_two_records(text, names, cells):
    columns = parse_columns(text.encode(), "rows.csv")
    assert columns.names == names
    assert [columns.text(name) for name in names] == cells


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings(encoding):
    columns = parse_columns("größe,猫\n1,Ärger\n2,🐈\n".encode(encoding), "rows.csv")
    assert columns.names == ("größe", "猫")
    assert columns.text("猫") == ["Ärger", "🐈"]
    assert columns.numbers("größe").tolist() == [1, 2]


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le"])
def test_utf_16_of_either_order(encoding):
    assert parse_columns("\ufeffa,b\n1,2\n".encode(encoding), "rows.csv").names == ("a", "b")


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le"])
@pytest.mark.parametrize("text", ["a,b\n1,2\n", "a\n1\n"])
def test_utf_16_without_a_mark(encoding, text):
    with pytest.raises(ValueError, match=r"^rows\.csv, line 1: .*UTF-16 with a byte-order mark; got byte 0x00$"):
        parse_columns(text.encode(encoding), "rows.csv")


@pytest.mark.parametrize(("header", "first"), [(",a", 0), (",a", 1), ('"",a', 1), (";a", 0)])
def test_a_nameless_column_that_counts_rows_is_left_out(header, first):
    separator = header[-2]
    text = header + "\n" + "".join(f'"{i + first}"{separator}{i * i}\n' for i in range(5))
    with pytest.warns(RuntimeWarning, match=r"^rows\.csv: the first column, which has no name, counts the rows; it is left out$"):
        columns = parse_columns(text.encode(), "rows.csv")
    assert columns.names == ("a",)
    assert columns.numbers("a").tolist() == [0, 1, 4, 9, 16]


@pytest.mark.parametrize("header", [" a b", '"a" "b"'], ids=["pandas", "R"])
def test_blanks_have_no_empty_name_before_the_first(header):
    first = 0 if header.startswith(" ") else 1
    rows = "".join(f'"{i}" {i * i} -{i}\n' if first else f"{i} {i * i} -{i}\n" for i in range(first, 5))
    with pytest.warns(RuntimeWarning, match="the first column, which has no name, counts the rows"):
        columns = parse_columns(f"{header}\n{rows}".encode(), "rows.csv")
    assert columns.names == ("a", "b")
    assert columns.numbers("a").tolist() == [i * i for i in range(first, 5)]
    assert columns.numbers("b").tolist() == [-i for i in range(first, 5)]


@pytest.mark.parametrize("text", ["a b\n2 3 4\n", "price\n1 234\n2 345\n", "a b\n1 2 3 4\n"])
def test_blanks_that_separate_nothing(text):
    assert parse_columns(text.encode(), "rows.csv").names == (text.partition("\n")[0],)


@pytest.mark.parametrize(
    "text", [",a\n0,5\n2,5\n", ",a\n2,5\n3,5\n", ",a\nx,5\n", ",a\n1,5\n1,5\n", ",a\n,5\n", "a,\n5,0\n6,1\n", ",\n0,0\n"]
)
def test_other_nameless_columns_are_refused(text):
    position = 2 if text.startswith(("a", ",\n")) else 1
    with pytest.raises(ValueError, match=rf"^rows\.csv, line 1: column {position} has no name$"):
        parse_columns(text.encode(), "rows.csv")


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("2021-01-05", "write dates and times as numbers"),
        ("5.1.2021", "write dates and times as numbers"),
        ("01/05/2021 12:30", "write dates and times as numbers"),
        ("2021-01-05T12:30:00Z", "write dates and times as numbers"),
        ("5-Jan-2021", "write dates and times as numbers"),
        ("5 January 2021 12:30", "write dates and times as numbers"),
        ("jan 5, 2021", "write dates and times as numbers"),
        ("Jan 2021", "write dates and times as numbers"),
        ("2021-01", "write dates and times as numbers"),
        ("12:30", "write dates and times as numbers"),
        ("12.5%", "write percentages without the sign"),
        ("7 %", "write percentages without the sign"),
        ("1,234,567.5", "write thousands without a separator, decimals after a point"),
        ("1.234.567,5", "write thousands without a separator, decimals after a point"),
        ("1'234", "write thousands without a separator, decimals after a point"),
        ("1 234,5", "write thousands without a separator, decimals after a point"),
        ("1,23,456", "write thousands without a separator, decimals after a point"),
        ("1 234", "write thousands without a separator, decimals after a point"),
        ("1,5", "write decimals after a point"),
        ("$5", "write amounts without the currency"),
        ("5 €", "write amounts without the currency"),
    ],
)
def test_what_to_do_about_cells_that_spreadsheets_write(cell, what):
    columns = parse_columns(f'a,b\n1,2\n3,"{cell}"\n4,"{cell}"\n'.encode(), "rows.csv")
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        columns.numbers("b")
    assert str(caught.value).startswith(f"rows.csv, line 3, column 'b': expected a finite number; got {cell!r}; {what}")


@pytest.mark.parametrize("cell", ["x", "rose, red", "may", "mars 5 bars", "decimal 10"])
def test_what_to_do_about_words(cell):
    columns = parse_columns(f'a\n"{cell}"\n'.encode(), "rows.csv")
    with pytest.raises(
        ValueError, match=r"got '[^;]*'; write words as numbers, such as a column of 0 and 1 for each, or leave the column out"
    ):
        columns.numbers("a")


@pytest.mark.parametrize("cell", ["1-2-", "3 roses", "12:", "2021"])
def test_other_cells_come_without_advice(cell):
    columns = parse_columns(f'a\n"{cell}"\n1-\n'.encode(), "rows.csv")
    with pytest.raises(ValueError, match=r"got '[^;]*'$"):
        columns.numbers("a")
