"""Files of rows, CSV and npz: what they may hold, and what is refused with its line."""

import numpy as np
import pytest
from text_tables import columns

from fastgd.data import read_table


def test_what_csv_allows():
    plain = columns("a,b\n1,2\n3,4\n")
    for text in ("\ufeffa,b\r\n1,2\r\n3,4\r\n", ' a , "b"\n 1,"2"\n3e0,+4.0', "a,b\n1,2\n3,4\n\n\n"):
        again = columns(text)
        assert again.names == plain.names
        for name in plain.names:
            assert again.numbers(name).tolist() == plain.numbers(name).tolist()
    assert columns('a,"b\nc, d"\n1,2\n').names == ("a", "b\nc, d")
    assert columns('a,b\n"x\ny",2\n1,z\n').places == ["line 2", "line 4"]
    assert columns("0,1\n5,6\n").names == ("0", "1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "rows.csv is empty"),
        ("\n\n", "rows.csv is empty"),
        ("a,b\n", "rows.csv has a header row and no rows"),
        ("\na,b\n1,2\n", "rows.csv, line 1: expected a header row of column names; got a blank line"),
        ("a,b\n1,2\n3\n", "rows.csv, line 3: expected 2 cells, one a column; got 1"),
        ("a,b\n1,2,3\n", "rows.csv, line 2: expected 2 cells, one a column; got 3"),
        ("a,b\n1,2\n\n3,4\n", "rows.csv, line 3: expected 2 cells, one a column; got a blank line"),
        ("a,b,a\n1,2,3\n", "rows.csv, line 1: two columns, 1 and 3, have the name 'a'"),
        ("a,\n1,2\n", "rows.csv, line 1: column 2 has no name"),
        ("1.5,2\n3,4\n", "rows.csv, line 1: expected a header row of column names; got numbers"),
        ("a;b\n1;2\n \n3;4\n", "rows.csv, line 3: expected 2 cells, one a column; got a blank line"),
        ("a\n1\n\n3\n", "rows.csv, line 3: expected 1 cells, one a column; got a blank line"),
        ('a,b\n1,2\n3,"4\n', "rows.csv, line 3: unexpected end of data"),
        (b"a,b\n1,2\n\xe9,3\n", "rows.csv, line 3: expected text in UTF-8; got byte 0xe9"),
        ("a,b\n1,2\n".encode("utf-16")[:-1], "rows.csv: expected text in utf-16, as its first bytes say; "),
    ],
)
def test_malformed_csv(text, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        columns(text)
    assert str(caught.value).startswith(message)


def test_npz(tmp_path):
    path = tmp_path / "rows.npz"
    np.savez(path, X=np.arange(6).reshape(3, 2), Y=np.array(["b", "a", "b"]))
    table, X, Y = read_table(path, scale_inputs="none")
    assert (table.inputs, table.targets, table.classes) == (("x1", "x2"), ("y1",), ("a", "b"))
    assert X.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert Y.tolist() == [[0, 1], [1, 0], [0, 1]]

    np.savez(path, X=np.arange(3.0), Y=np.array([[1.5, 2], [3, 4], [5, 6]]))
    table, X, Y = read_table(path, scale_inputs="none", scale_targets="none")
    assert (table.inputs, table.targets, table.classes) == (("x1",), ("y1", "y2"), None)
    assert Y.tolist() == [[1.5, 2], [3, 4], [5, 6]]


def test_malformed_npz(tmp_path):
    path = tmp_path / "rows.npz"
    X = np.ones((3, 2))
    holed = X.copy()
    holed[1, 1] = np.nan
    cases = [
        ({"A": X, "B": X}, "has no array X; it has: A, B"),
        ({"X": X, "Y": X[:2]}, "X and Y must have the same number of rows"),
        ({"X": X[:0], "Y": X[:0]}, "at least one"),
        ({"X": X.astype(complex), "Y": X}, "X must be rows of real numbers; got shape .* of dtype complex128"),
        ({"X": X.reshape(3, 2, 1), "Y": X}, "X must be rows of real numbers"),
        ({"X": X.astype(object), "Y": X}, "is no whole .npz file of plain arrays"),
        ({"X": holed, "Y": X}, "row 1, column 'x2': expected a finite number; got 'nan'"),
    ]
    for arrays, message in cases:
        np.savez(path, **arrays)
        with pytest.raises(ValueError, match=message):
            read_table(path)
    np.savez(path, X=X, Y=X)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match=r"is no whole \.npz file"):
        read_table(path)


def test_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "absent.csv", "y")
