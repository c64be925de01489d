"""Scales of columns against scikit-learn's, in particular of those that are constant up to rounding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from fastgd.data import Table
from fastgd.data.columns import parse_columns
from fastgd.data.scaling import is_constant

ROUNDING = [
    [0.3, 0.1 + 0.2],
    [0.1] * 10 + [np.nextafter(0.1, 1)],
    [1e6, 1e6 + 1e-10, 1e6],
    [1e200, np.nextafter(1e200, 2e200)],
    [0, 0],
    [-7.1] * 9,
]
ROUNDING += [(0.1 * np.arange(1, 4) / np.arange(1, 4)).tolist(), (1e5 + np.array([0, 1.5e-11])).tolist()]
REAL = [[0.3, 0.3 + 1e-12], [1e-300, 2e-300], [0, 5e-200], [1e6, 1e6 + 1e-3], [1e-9, -1e-9], [1, 1 + 4e-15]]


def rows(values):
    return parse_columns("".join(f"{x!r},{i}\n" for i, x in enumerate(values)).encode().join([b"x,y\n", b""]), "rows.csv")


@pytest.mark.parametrize("values", ROUNDING)
@pytest.mark.parametrize("how", ["standard", "range"])
def test_a_column_that_is_constant_up_to_rounding_is_not_scaled(values, how):
    columns = rows(list(map(float, values)))
    table = Table.fit(columns, ["y"], scale_inputs=how)
    assert table.input_scale == (1.0,)
    assert table.constant(columns) == ["x"]
    assert abs(table.encode(columns)).max() <= 4 * np.finfo(float).eps * abs(values[0])
    # and as a target
    for output in ("identity", "tanh"):
        table = Table.fit(columns, ["x"], output=output, scale_targets=how)
        assert table.target_scale == (1.0,)
        assert table.constant(columns) == ["x"]
        assert table.score(columns, table.encode_targets(columns))["r2"] == {"x": None}


@pytest.mark.parametrize("values", REAL)
def test_a_column_that_varies_is_scaled(values):
    assert not is_constant(np.array(values, float))
    if np.std(values) > 1e-150:
        columns = rows(list(map(float, values)))
        scaled = Table.fit(columns, ["y"]).encode(columns)
        np.testing.assert_allclose(scaled[:, 0], StandardScaler().fit_transform(np.array(values).reshape(-1, 1))[:, 0], rtol=1e-12)
        assert Table.fit(columns, ["y"]).constant(columns) == []


small_changes = st.integers(-40, 40).map(lambda steps: 1.1 + steps * 2.0**-52)


@given(st.lists(small_changes | st.floats(-1e3, 1e3).filter(lambda x: x == 0 or abs(x) > 1e-3), min_size=2, max_size=20))
def test_scales_are_those_of_scikit_learn(values):
    columns = rows(values)
    X = np.array(values).reshape(-1, 1)
    standard = StandardScaler().fit(X)
    assert is_constant(X[:, 0]) == (standard.scale_[0] == 1 and standard.var_[0] < 1e-20)
    scale = Table.fit(columns, ["y"]).input_scale[0]
    assert scale == pytest.approx(standard.scale_[0], rel=1e-9)
    if np.ptp(X) > 1e-13:  # MinMaxScaler leaves ranges below 10 eps as they are
        scaled = Table.fit(columns, ["y"], scale_inputs="range").encode(columns)
        np.testing.assert_allclose(scaled, MinMaxScaler().fit_transform(X), rtol=1e-6, atol=1e-6)


def test_a_row_off_a_constant_is_near_it():
    """The example: 0.3 and 0.1 + 0.2 were divided by 5.6e-17."""
    columns = rows([0.3, 0.1 + 0.2])
    other = parse_columns(b"x\n0.3000001\n", "new.csv")
    for how in ("standard", "range"):
        assert Table.fit(columns, ["y"], scale_inputs=how).encode(other)[0, 0] == pytest.approx(1e-7, rel=1e-6)


def test_the_caller_s_error_state_changes_nothing():
    columns = rows([1.0, 1e-310, 1e-200, 0.0, 1e-160])
    other = rows([1e308, -1e308, 1e-320])
    outputs = np.array([1e-310, 1e-170, 0, 1, -1e-170]).reshape(-1, 1)

    def all_that_is_computed():
        found = []
        for how in ("standard", "range", "none"):
            table = Table.fit(columns, ["x"], inputs=["y"], scale_inputs=how, scale_targets=how)
            Y = table.encode_targets(columns)
            found += [table, Y.tolist(), table.decode(outputs).tolist(), table.score(columns, outputs)]
            found += [Table.fit(columns, ["y"], scale_inputs=how).encode(other).tolist(), table.constant(columns)]
        return found

    expected = all_that_is_computed()
    with np.errstate(all="raise"):
        assert all_that_is_computed() == expected
