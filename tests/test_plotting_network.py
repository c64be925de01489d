"""Pictures of a network: its weights as lines and as maps, against its parameters."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection
from plotted import NET, PARAMS, run_of, texts

import fastgd
from fastgd import plotting
from fastgd.data import Table
from fastgd.plotting.figure import signed_map

pytestmark = pytest.mark.usefixtures("figures")


# -- network


def weight_lines(ax, layer, sign):
    """{(unit before, unit after): width} of the drawn ones, by heights."""
    (lines,) = (one for one in ax.collections if isinstance(one, LineCollection) and one.get_gid() == f"{sign} weights of layer {layer}")
    return {
        (float(start[1]), float(end[1])): width
        for (start, end), width in zip(lines.get_segments(), np.atleast_1d(lines.get_linewidths()), strict=True)
    }


def test_network_draws_each_weight_as_wide_as_it_is_large():
    ax = plotting.network(NET, PARAMS)
    high, low, only = 0.5, -0.5, 0.0
    first = weight_lines(ax, 1, "negative") | weight_lines(ax, 1, "positive")
    assert set(weight_lines(ax, 1, "negative")) == {(high, high), (low, high)}  # of unit 0, which is above
    assert first[high, low] / first[high, high] == pytest.approx(5.3 / 6.8)
    second = weight_lines(ax, 2, "negative")
    assert not weight_lines(ax, 2, "positive")
    assert second[low, only] / first[low, high] == pytest.approx(12 / 6.8)
    units = [one for one in ax.collections if isinstance(one, PathCollection)]
    assert [one.get_offsets()[:, 1].tolist() for one in units] == [[high, low], [high, low], [only]]
    assert [None if one.get_array() is None else one.get_array().tolist() for one in units] == [None, [2.8, -8.2], [5.7]]
    assert {"inputs", "sigmoid", "$x_{0}$", "$x_{1}$", "y", "weight 5.3", "weight −12", "bias 8.2", "bias −8.2"} <= set(texts(ax))


def test_network_draws_the_units_with_the_largest_weights():
    net = fastgd.MLP(784, 100, 10)
    params = np.zeros(net.n_params)
    W, b = net.unpack(params)[0]
    W[[4, 90, 7]] = np.array([[3.0], [2.0], [1.0]]) * np.isin(np.arange(784), (300, 5))
    b[7] = -1.5
    ax = plotting.network(net, params, max_units=2)
    lines = weight_lines(ax, 1, "positive")
    assert sorted(lines.values()) == pytest.approx([8 / 3, 8 / 3, 4, 4])  # units 4 and 90, the first above
    assert lines[0.5, 0.5] == pytest.approx(4)
    assert {"inputs\n2 of 784", "sigmoid\n2 of 100", "$x_{5}$", "$x_{300}$"} <= set(texts(ax))


def test_network_draws_no_line_that_is_too_thin_to_be_seen():
    """Dashes are as long as the line is wide: of one that is a billion times thinner than another they would be without end."""
    ax = plotting.network(NET, NET.pack([([[-1e-9, 5.0], [0.1, -0.1]], [0, 0]), ([[1.0, 1.0]], [0])]))
    widths = [width for l in (1, 2) for sign in ("negative", "positive") for width in weight_lines(ax, l, sign).values()]
    assert sorted(widths) == pytest.approx([0.08, 0.08, 0.8, 0.8, 4])
    ax = plotting.network(NET, NET.pack([([[-1e-9, 5.0], [0, 0]], [0, 0]), ([[0, 0]], [0])]))
    handles = {one.get_label(): one.get_linewidth() for one in ax.get_legend().legend_handles}
    assert handles["weight −1e−09"] == pytest.approx(0.02)


@pytest.mark.parametrize("bias", [True, False])
def test_network_of_zeros(bias):
    """No line is wide enough to be seen, and all cells have the colour of 0, the middle one."""
    net = fastgd.MLP(2, 3, 1, bias=bias)
    ax = plotting.network(net, np.zeros(net.n_params))
    ax.figure.canvas.draw()
    widths = [width for l in (1, 2) for sign in ("negative", "positive") for width in weight_lines(ax, l, sign).values()]
    assert [width for width in widths if width > 0] == []
    panels = plotting.weights(net, np.zeros(net.n_params)).child_axes[:2]
    panels[0].figure.canvas.draw()
    cells = [color for panel in panels for patches in panel.collections for color in patches.get_facecolor()]
    assert len(cells) == net.n_params
    np.testing.assert_allclose(cells, np.tile(signed_map()(0.5), (net.n_params, 1)))


def test_names_are_those_of_the_table():
    table = Table(("size", "price in $"), ("kind",), ("rose", "lily"), 2, (0.0, 0.0), (1.0, 1.0), (), ())
    net = fastgd.MLP(2, 3, 2, output="softmax", loss="cross_entropy")
    run = run_of(net, net.init(0), table=table.to_dict())
    assert {"size", r"price in \$", "rose", "lily"} <= set(texts(plotting.network(run)))
    panels = plotting.weights(run).child_axes
    assert [label.get_text() for label in panels[0].get_xticklabels()] == ["size", r"price in \$"]
    assert [label.get_text() for label in panels[1].get_yticklabels()] == ["rose", "lily"]


def test_one_output_of_two_classes_has_the_name_of_the_second():
    table = Table(("size", "price"), ("kind",), ("rose", "lily"), 1, (0.0, 0.0), (1.0, 1.0), (), ())
    run = run_of(NET, PARAMS, table=table.to_dict())
    names = set(texts(plotting.network(run)))
    assert "lily" in names
    assert not names & {"kind", "rose"}


# -- weights


def test_weights_are_mapped_layer_by_layer():
    panels = plotting.weights(NET, PARAMS).child_axes
    for panel, (W, b) in zip(panels, NET.unpack(PARAMS), strict=False):
        maps = [cells.get_array() for cells in panel.collections]
        np.testing.assert_array_equal(maps[0], W)
        np.testing.assert_array_equal(maps[1], b[:, None])
        assert {cells.get_clim() for cells in panel.collections} == {(-12, 12)}
    assert len(panels) == 3  # with the colour bar
    assert {"−6.8", "5.3", "2.8", "−11", "−12", "5.7"} <= set(texts(panels[0]) + texts(panels[1]))


def test_weights_without_biases():
    net = fastgd.MLP(3, 2, bias=False)
    (panel, _) = plotting.weights(net, np.arange(6.0)).child_axes
    assert [cells.get_array().tolist() for cells in panel.collections] == [[[0, 1, 2], [3, 4, 5]]]


def test_weights_of_pixels_are_images():
    net = fastgd.MLP(6, 3, 1)
    params = net.init(0)
    W = net.unpack(params)[0][0]
    tiles = plotting.weights(net, params, image=(2, 3)).child_axes[0].collections[0].get_array()
    assert tiles.shape == (5, 7)  # two by two of them, a pixel apart
    np.testing.assert_array_equal(tiles[:2, :3], W[0].reshape(2, 3))
    np.testing.assert_array_equal(tiles[:2, 4:], W[1].reshape(2, 3))
    np.testing.assert_array_equal(tiles[3:, :3], W[2].reshape(2, 3))
    assert np.ma.getmaskarray(np.ma.masked_invalid(tiles))[3:, 3:].all()
