"""Labels of classes come back as they were written; numbers too large, missing values and two spellings of a number, by hand."""

import json

import numpy as np
import pytest

from fastgd.data import Table, read_table
from fastgd.data.columns import parse_columns


def column(cells):
    return parse_columns("".join(f"{x},{y}\n" for x, y in [("x", "y"), *enumerate(cells)]).encode(), "rows.csv")


CLASSES = [
    (["02116", "08028", "00501"], ("00501", "02116", "08028")),
    (["1", "01"], ("01", "1")),
    (["1e2", "100"], ("100", "1e2")),
    (["100", "99", "1e2"], ("99", "100", "1e2")),
    (["1.0", "10.0", "2.0"], ("1.0", "2.0", "10.0")),
    (["+1", "-1"], ("-1", "+1")),
    (["0", "-0"], ("-0", "0")),
    (["10", "9", "-3"], (-3, 9, 10)),
    (["12345678901234567890", "12345678901234567891"], (12345678901234567890, 12345678901234567891)),
    (["9007199254740993", "9007199254740992"], (9007199254740992, 9007199254740993)),
    (["0047583311587E590003", "0047583311587E590004"], ("0047583311587E590003", "0047583311587E590004")),
    (["0047583311587E590003", "00475833115870590003", "x"], ("00475833115870590003", "0047583311587E590003", "x")),
    (["0E1", "0E2"], ("0E1", "0E2")),
    (["1_0", "10"], ("10", "1_0")),
    (["猫", "Ä", "a "], ("a", "Ä", "猫")),
]


@pytest.mark.parametrize(("cells", "classes"), CLASSES)
def test_classes_are_labels_as_written(cells, classes):
    rows = column(cells)
    for task in ("auto", "classes"):
        table = Table.fit(rows, ["y"], task=task, outputs=len(classes), output="softmax")
        assert table.classes == classes
        again = Table.from_dict(json.loads(json.dumps(table.to_dict())))
        assert again == table
        # what a network that is always right says
        Y = again.encode_targets(rows)
        assert [str(label) for label in again.decode(Y)[:, 0]] == [cell.strip() for cell in cells]
        assert again.score(rows, Y)["accuracy"] == 1
        assert again.score(rows, 1 - Y)["accuracy"] < 1


@pytest.mark.parametrize(("cells", "classes"), CLASSES[:6])
def test_text_of_an_npz_too(cells, classes, tmp_path):
    np.savez(tmp_path / "rows.npz", X=np.arange(len(cells)), Y=np.array(cells))
    table, _, Y = read_table(tmp_path / "rows.npz", outputs=len(cells))
    assert table.classes == classes
    assert table.decode(Y)[:, 0].tolist() == cells


def test_numbers_of_an_npz_have_no_spelling(tmp_path):
    """1 and 1.0 are the same there, and are what 1 is in a CSV."""
    from_csv = Table.fit(column(["1", "0"]), ["y"], outputs=2)
    for dtype in ("uint8", "int64", "float32", "float64"):
        np.savez(tmp_path / "rows.npz", X=np.arange(3), Y=np.array([1, 0, 1], dtype))
        table, _, Y = read_table(tmp_path / "rows.npz", outputs=2)
        assert table.classes == (0, 1) == from_csv.classes
        assert Y.tolist() == [[0, 1], [1, 0], [0, 1]]
    np.savez(tmp_path / "rows.npz", X=np.arange(3), Y=np.array([2**63, 2**63 + 1, 2**63], "uint64"))
    assert read_table(tmp_path / "rows.npz", outputs=2)[0].classes == (2**63, 2**63 + 1)


@pytest.mark.parametrize(
    ("cells", "outputs", "first", "second"),
    [(["0", "1", "01"], 1, "01", "1"), (["3.0", "1", "3", "2"], 3, "3", "3.0"), (["1e2", "100", "0"], 2, "100", "1e2")],
)
def test_two_spellings_that_may_be_one_class_are_named(cells, outputs, first, second):
    rows = column(cells)
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        Table.fit(rows, ["y"], outputs=outputs)
    assert str(caught.value).startswith(f"rows.csv, column 'y': {first!r} and {second!r} are one number and two classes; write them alike")
    assert Table.fit(rows, ["y"], outputs=outputs, task="values").classes is None
    assert len(Table.fit(rows, ["y"], task="classes").classes) == len(cells)


def test_another_spelling_in_other_rows_is_named():
    numbers = Table.fit(column(["0", "1"]), ["y"], outputs=1)
    text = Table.fit(column(["02116", "08028"]), ["y"], outputs=1)
    for table, cell, known in ((numbers, "1.0", "1"), (numbers, "01", "1"), (text, "2116", "02116"), (text, "8028.0", "08028")):
        rows = column([str(table.classes[0]), cell])
        message = rf"^rows\.csv, line 3, column 'y': '{cell}' is not how class '{known}' was written in training$"
        with pytest.raises(ValueError, match=message):
            table.encode_targets(rows)
        with pytest.raises(ValueError, match=message):
            table.score(rows, [[0.0], [1.0]])
    with pytest.raises(ValueError, match=r"column 'y': unknown class '0999'; known: 02116, 08028$"):
        text.encode_targets(column(["0999"]))
    assert text.score(column(["0999", "08028"]), [[1.0], [1.0]]) == {"rows": 2, "right": 1, "accuracy": 0.5}


def test_identifiers_are_classes_where_nothing_says_how_many():
    cells = ["0047583311587E590003", "0047583311587", "0047583311587A590003"]
    assert Table.fit(column(cells), ["y"]).classes == tuple(sorted(cells))


@pytest.mark.parametrize("cell", ["1e400", "-1E+999", "1.5e4932", "9" * 400])
def test_numbers_too_large_are_none_among_numbers(cell):
    for task in ("auto", "classes"):
        with pytest.raises(ValueError, match=rf"line 3, column 'y': expected a finite number; got '{cell}'".replace("+", r"\+")):
            Table.fit(column(["1", cell, "2"]), ["y"], task=task, outputs=3)
    assert cell in Table.fit(column(["1", cell, "rose"]), ["y"], task="classes").classes
