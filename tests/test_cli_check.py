"""`fastgd check`."""

import numpy as np


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
