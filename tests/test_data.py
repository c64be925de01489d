"""Tables: scaling, classes and back again, against NumPy and against values written out here; and the rows that come with the package."""

import json

import numpy as np
import pytest
from text_tables import columns

from fastgd.data import Table, gate, read_columns, read_table, twice

FLOWERS = "length,kind,width,legs\n1,rose,10,4\n2,tulip,10,4\n4,rose,10,2\n5,lily,10,2\n"

FILL_IN = "fill it in, or leave out the row"


@pytest.fixture
def flowers(tmp_path):
    path = tmp_path / "flowers.csv"
    path.write_text(FLOWERS, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("and", lambda x, y: x and y),
        ("or", lambda x, y: x or y),
        ("nand", lambda x, y: not (x and y)),
        ("nor", lambda x, y: not (x or y)),
        ("xor", lambda x, y: x != y),
        ("xnor", lambda x, y: x == y),
    ],
)
def test_gates(name, rule):
    X, Y = gate(name)
    assert {tuple(x) for x in X} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert [bool(y) for y in Y[:, 0]] == [bool(rule(bool(a), bool(b))) for a, b in X]


def test_unknown_gate():
    with pytest.raises(ValueError, match="unknown gate 'imply'; known: and, or, nand, nor, xor, xnor"):
        gate("imply")


def test_twice():
    X, Y = twice()
    assert X[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert Y[:, 0].tolist() == [0, 2, 4, 6, 8]


def test_classes_of_a_text_column(flowers):
    table, X, Y = read_table(flowers, "kind")
    assert table.inputs == ("length", "width", "legs")
    assert table.classes == ("lily", "rose", "tulip")
    assert Y.tolist() == [[0, 1, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]]
    length, legs = np.array([1, 2, 4, 5]), np.array([4, 4, 2, 2])
    np.testing.assert_allclose(X[:, 0], (length - length.mean()) / length.std(), rtol=1e-15)
    assert X[:, 1].tolist() == [0, 0, 0, 0]  # constant
    np.testing.assert_allclose(X[:, 2], (legs - 3) / 1, rtol=1e-15)
    assert table.decode([[0.2, 0.3, 0.5], [0.6, 0.4, 0]]).tolist() == [["tulip"], ["lily"]]


def test_inputs_by_name_and_range(flowers):
    table, X, _ = read_table(flowers, "kind", inputs=["legs", "length"], scale_inputs="range")
    assert table.inputs == ("legs", "length")
    assert X.tolist() == [[1, 0], [1, 0.25], [0, 0.75], [0, 1]]


@pytest.mark.parametrize(
    ("output", "how", "expected"),
    [
        ("identity", "auto", [-1, -1 / 3, 1 / 3, 1]),  # see below: standardised
        ("sigmoid", "auto", [0, 1 / 3, 2 / 3, 1]),
        ("relu", "auto", [0, 1 / 3, 2 / 3, 1]),
        ("tanh", "auto", [-1, -1 / 3, 1 / 3, 1]),
        ("sin", "auto", [-1, -1 / 3, 1 / 3, 1]),
        ("softmax", "auto", [10, 20, 30, 40]),
        ("sigmoid", "none", [10, 20, 30, 40]),
        ("tanh", "range", [-1, -1 / 3, 1 / 3, 1]),
    ],
)
def test_targets_scaled_to_the_output(output, how, expected):
    rows = columns("x,y\n1,10\n2,20\n3,30\n4,40\n")
    table = Table.fit(rows, ["y"], output=output, scale_targets=how)
    Y = table.encode_targets(rows)[:, 0]
    if output == "identity":
        expected = np.array(expected) / np.std(expected)
    np.testing.assert_allclose(Y, expected, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(table.decode(Y.reshape(-1, 1))[:, 0], [10, 20, 30, 40], rtol=1e-14)


@pytest.mark.parametrize(
    ("column", "outputs", "classes"),
    [
        ("3 1 3 2", 3, (1, 2, 3)),  # as many whole numbers as outputs
        ("3.0 1.0 3.0 2.0", 3, ("1.0", "2.0", "3.0")),  # as they are written
        ("1e1 9 1e1 08", 3, ("08", "9", "1e1")),  # in the order of the numbers
        ("3 1 3 2", 1, None),
        ("3 1 3 2", None, None),
        ("7 5 7 5", 1, (5, 7)),  # two, in one output
        ("7 5 7 5", 2, (5, 7)),
        ("7.5 5 7.5 5", 1, None),
        ("4 4 4 4", 1, None),
        ("a b b a", 1, ("a", "b")),
        ("10 9 10 x", 3, ("10", "9", "x")),
    ],
)
def test_what_makes_classes(column, outputs, classes):
    rows = columns("x,y\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(column.split())))
    assert Table.fit(rows, ["y"], outputs=outputs).classes == classes


@pytest.mark.parametrize("task", ["auto", "classes"])
@pytest.mark.parametrize("outputs", [None, 2, 3])
@pytest.mark.parametrize("cell", ["nan", "NaN", "-nan", "inf", "-Infinity", "1e400", "NA", "n/a", "null", "None", "?", "-"])
def test_a_missing_value_is_no_class(cell, outputs, task):
    for others, line in (([3], 3), ([0, 1], 4), ([0.5, 1], 4)):
        text = "a,b\n" + "".join(f"{i},{other}\n" for i, other in enumerate([*others, cell, 1]))
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            Table.fit(columns(text), ["b"], task=task, outputs=outputs)
        hint = "" if cell == "1e400" else f"; {FILL_IN}"
        assert str(caught.value) == f"rows.csv, line {line}, column 'b': expected a finite number; got {cell!r}{hint}"


def test_a_missing_value_is_no_class_in_npz(tmp_path):
    path = tmp_path / "rows.npz"
    for values in ([3, np.nan], [np.inf, np.nan], [1, np.inf]):
        np.savez(path, X=np.arange(2.0), Y=np.array(values, float))
        with pytest.raises(ValueError, match=r"row [01], column 'y1': expected a finite number; got '(nan|inf)'"):
            read_table(path, outputs=2)


@pytest.mark.parametrize("labels", [("+", "-"), ("EU", "NA"), ("mild", "none"), ("1st", "null")])
def test_among_text_such_words_are_classes(labels):
    rows = columns(f"a,b\n1,{labels[0]}\n2,{labels[1]}\n")
    assert Table.fit(rows, ["b"]).classes == labels


def test_task_is_forced():
    rows = columns("x,y\n1,2\n2,3\n3,2\n")
    assert Table.fit(rows, ["y"], outputs=1, task="values").classes is None
    assert Table.fit(rows, ["y"], task="classes").classes == (2, 3)


def test_two_classes_in_one_output():
    rows = columns("x,y\n1,no\n2,yes\n3,yes\n")
    table = Table.fit(rows, ["y"], outputs=1)
    assert table.encode_targets(rows).tolist() == [[0], [1], [1]]
    assert table.decode([[0.49], [0.5], [1]]).ravel().tolist() == ["no", "yes", "yes"]
    assert table.probabilities([[0.25]]).tolist() == [[0.75, 0.25]]
    assert table.score(rows, [[0.9], [0.9], [0.1]]) == {"rows": 3, "right": 1, "accuracy": 1 / 3}


def test_score_of_values_is_in_original_units():
    rows = columns("x,y,z\n1,10,1\n2,20,1\n3,30,1\n")
    table = Table.fit(rows, ["y", "z"])
    outputs = table.encode_targets(rows)
    outputs[0, 0] += 3 / np.std([10, 20, 30])
    score = table.score(rows, outputs)
    assert score["mean_squared_error"] == pytest.approx({"y": 3.0, "z": 0.0})
    assert score["r2"]["y"] == pytest.approx(1 - 3 / np.var([10, 20, 30]))
    assert score["r2"]["z"] is None


def test_score_leaves_out_rows_without_targets():
    table = Table.fit(columns("x,y\n1,a\n2,b\n"), ["y"])
    assert table.score(columns("x,y\n1,a\n2,\n3,c\n"), [[1, 0], [1, 0], [1, 0]]) == {"rows": 2, "right": 1, "accuracy": 0.5}
    assert table.score(columns("x,y\n1,\n"), [[1, 0]]) == {"rows": 0}


@pytest.mark.parametrize("unknown", ["", "?", "NA", "nan", "1e400"])
def test_score_leaves_out_rows_whose_targets_can_not_be_read(unknown):
    rows = columns(f"x,y\n1,4\n2,{unknown}\n3,8\n")
    values = Table.fit(columns("x,y\n1,4\n2,5\n3,8\n"), ["y"], scale_targets="none")
    assert values.score(rows, [[5], [5], [8]]) == {"rows": 2, "mean_squared_error": {"y": 0.5}, "r2": {"y": 0.875}}
    numbers = Table.fit(columns("x,y\n1,4\n2,8\n"), ["y"], task="classes")
    assert numbers.score(rows, [[1, 0], [1, 0], [1, 0]]) == {"rows": 2, "right": 1, "accuracy": 0.5}
    text = Table.fit(columns("x,y\n1,a\n2,b\n"), ["y"])
    assert text.score(columns(f"x,y\n1,a\n2,{unknown}\n3,a\n"), [[1, 0], [1, 0], [0, 1]])["rows"] == 2
    assert values.score(columns(f"x,y\n1,{unknown}\n"), [[5]]) == {"rows": 0}


def test_whole_number_classes_beside_an_unknown_one():
    table = Table.fit(columns("x,y\n1,1\n2,2\n"), ["y"], task="classes")
    assert table.score(columns("x,y\n1,1\n2,3\n"), [[1, 0], [1, 0]])["accuracy"] == 0.5
    with pytest.raises(ValueError, match=r"rows\.csv, column 'y': unknown class 3; known: 1, 2"):
        table.encode_targets(columns("x,y\n1,3\n"))


@pytest.mark.parametrize("target", ["kind", "length"])
def test_dict_and_back_through_json(flowers, target):
    table, X, _ = read_table(flowers, target, inputs=["width", "legs"])
    again = Table.from_dict(json.loads(json.dumps(table.to_dict())))
    assert again == table
    assert again.to_dict() == json.loads(json.dumps(table.to_dict()))
    np.testing.assert_array_equal(again.encode(read_columns(flowers)), X)


def test_a_dict_that_is_no_table(flowers):
    facts = read_table(flowers, "kind")[0].to_dict()
    for wrong in ({}, {"x": 1}, {**facts, "outputs": 2}, {**facts, "inputs": []}, {**facts, "input_scale": [1.0]}, {**facts, "inputs": 3}):
        with pytest.raises(ValueError, match="table: "):
            Table.from_dict(wrong)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("", f"rows.csv, line 3, column 'b': missing value; {FILL_IN}"),
        ("  ", f"rows.csv, line 3, column 'b': missing value; {FILL_IN}"),
        (
            "mild",
            "rows.csv, line 3, column 'b': expected a finite number; got 'mild'; write words as numbers, such as a column of 0 and 1 for "
            "each, or leave the column out of the inputs",
        ),
        ("nan", f"rows.csv, line 3, column 'b': expected a finite number; got 'nan'; {FILL_IN}"),
        ("-inf", f"rows.csv, line 3, column 'b': expected a finite number; got '-inf'; {FILL_IN}"),
        ("1e999", "rows.csv, line 3, column 'b': expected a finite number; got '1e999'"),
        ("1_000", "rows.csv, line 3, column 'b': expected a finite number; got '1_000'"),
    ],
)
@pytest.mark.parametrize("role", ["input", "target"])
def test_cells_that_are_no_numbers(cell, message, role):
    rows = columns(f"a,b\n1,2\n3,{cell}\n5,6\n")
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        Table.fit(rows, ["a" if role == "input" else "b"], outputs=1)
    assert str(caught.value) == message


def test_columns_that_do_not_fit(flowers):
    rows = read_columns(flowers)
    cases = [
        ((["color"],), {}, "has no column 'color'; it has: length, kind, width, legs"),
        ((["kind", "kind"],), {}, "column 'kind' is named twice"),
        (([],), {}, "target must name at least one column"),
        ((["kind"],), {"inputs": ["size"]}, "inputs: .* has no column 'size'"),
        ((["kind"],), {"inputs": ["kind"]}, "column 'kind' can't be an input and a target"),
        ((["kind"],), {"outputs": 2}, "column 'kind' holds 3 classes and needs 3 outputs; got 2"),
        ((["kind", "legs"],), {"task": "classes", "inputs": ["width"]}, "classes need a single target column; got kind, legs"),
        ((["kind"],), {"scale_targets": "standard"}, "scale_targets 'standard' is for values; column 'kind' holds classes"),
        ((["width"],), {"task": "classes", "inputs": ["legs"]}, "column 'width': classes must be at least two; got 10 alone"),
        ((["kind"],), {"task": "both"}, "unknown task 'both'; known: auto, classes, values"),
        ((["kind"],), {"scale_inputs": "auto"}, "unknown scale_inputs 'auto'; known: standard, range, none"),
        ((["length"],), {}, "line 2, column 'kind': expected a finite number; got 'rose'"),
        ((list(rows.names),), {}, "has no column left for an input"),
    ]
    for arguments, keywords, message in cases:
        with pytest.raises(ValueError, match=message):
            Table.fit(rows, *arguments, **keywords)


def test_a_column_too_wide_to_scale():
    rows = columns("a,b\n1e308,1\n-1e308,2\n")
    for how in ("standard", "range"):
        with pytest.raises(ValueError, match=r"column 'a': values from -1e\+308 to 1e\+308 can't be scaled to"):
            Table.fit(rows, ["b"], scale_inputs=how)
