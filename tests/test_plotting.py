"""Pictures of networks and of training: their numbers against others that are computed here, and their looks against pictures in
tests/baseline, without any text, which fonts and versions of matplotlib set differently.

    pytest tests/test_plotting.py --mpl-generate-path=tests/baseline      # draws these anew: look at them
"""

import dataclasses
from functools import cache

import matplotlib
import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import oracle
import pytest
from conftest import assert_refused
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.text import Text

import fastgd
from fastgd import plotting
from fastgd.data import Table
from fastgd.options import Options
from fastgd.plotting.cost_landscape import scale_by_unit
from fastgd.training.history import History

XOR = fastgd.data.gate("xor")
NET = fastgd.MLP(2, 2, 1)
# found by training, rounded: a network of XOR
PARAMS = NET.pack([([[-6.8, -6.8], [5.3, 5.3]], [2.8, -8.2]), ([[-11.0, -12.0]], [5.7])])


@pytest.fixture(autouse=True)
def backend():
    """Figures that no screen shows, all closed in the end; matplotlib's settings are as they were."""
    matplotlib.use("agg")
    before = dict(matplotlib.rcParams)
    yield
    assert dict(matplotlib.rcParams) == before
    plt.close("all")


def run_of(net=NET, params=PARAMS, epochs=(0, 10), costs=(0.5, 0.1), validation=None, **values):
    """A Run with this history, as training leaves it behind, without any training."""
    history = History(np.array(epochs), np.array(costs, float), None if validation is None else np.array(validation, float))
    return fastgd.Run(net, params, costs[-1], epochs[-1], 0.0, "matrix", 0, "epochs", history, Options().to_dict(), **values)


def texts(ax):
    return [text.get_text() for text in ax.findobj(Text) if text.get_text()]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def line(ax, label):
    """Points of a line, (points, 2)."""
    (found,) = (one for one in ax.get_lines() if one.get_label() == label)
    return np.asarray(found.get_xydata())


# -- history


def test_history_has_the_costs_of_the_run():
    run = run_of(epochs=(0, 2, 4, 6), costs=(0.9, 0.5, 0.2, 0.1), validation=(1.0, 0.4, 0.3, 0.6))
    ax = plotting.history(run)
    np.testing.assert_array_equal(line(ax, "training"), [(0, 0.9), (2, 0.5), (4, 0.2), (6, 0.1)])
    np.testing.assert_array_equal(line(ax, "validation"), [(0, 1.0), (2, 0.4), (4, 0.3), (6, 0.6)])
    assert line(ax, "best epoch, 4").tolist() == [[4, 0.3]]
    assert (ax.get_yscale(), ax.get_xscale(), ax.get_xlim()) == ("log", "linear", (0, 6))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epochs", "cost")


def test_history_marks_the_epoch_that_was_watched_for():
    X, Y = XOR
    run = fastgd.train(NET, X, Y, 200, 8.0, params=PARAMS / 20, validation=(X[:3], Y[:3]), restore_best=True)
    ax = plotting.history(run)
    assert line(ax, f"best epoch, {run.best_epoch}").tolist() == [[run.best_epoch, run.best_cost]]
    assert run.best_cost == pytest.approx(NET.cost(run.params, X[:3], Y[:3]), rel=1e-12)


@pytest.mark.parametrize(
    ("costs", "scale"), [((1.0, 0.2), "linear"), ((1.0, 0.1), "log"), ((1.0, 0.0), "linear"), ((1.0, np.nan), "linear")]
)
def test_costs_have_a_log_axis_where_it_serves(costs, scale):
    assert plotting.history(run_of(costs=costs)).get_yscale() == scale


def test_epochs_have_a_log_axis_where_they_were_recorded_so():
    X, Y = XOR
    run = fastgd.train(NET, X, Y, 100, params=PARAMS, spacing="log")
    ax = plotting.history(run)
    assert ax.get_xscale() == "symlog"
    np.testing.assert_array_equal(ax.get_lines()[0].get_xydata()[:, 0], run.history.epoch)
    assert plotting.history([run, run_of()]).get_xscale() == "linear"


def test_history_of_several_runs_tells_in_what_they_differ():
    X, Y = XOR
    ways = ((0.1, "sgd"), (0.1, "adam"), (0.5, fastgd.SGD(momentum=0.9)))
    runs = [fastgd.train(NET, X, Y, 4, rate, optimizer=kind, params=PARAMS) for rate, kind in ways]
    expected = ["learning rate 0.1, SGD", "learning rate 0.1, Adam", "learning rate 0.5, SGD, momentum 0.9"]
    assert legend(plotting.history(runs)) == expected
    assert legend(plotting.history([runs[0], runs[0]])) == ["run 0", "run 1"]
    seeds = [fastgd.train(NET, X, Y, 1, rng=seed) for seed in (3, 8)]
    assert legend(plotting.history(seeds)) == ["seed 3", "seed 8"]
    ax = plotting.history(seeds, labels=["one", "other"])
    np.testing.assert_array_equal(line(ax, "other")[:, 1], seeds[1].history.cost)


def test_history_of_many_stresses_the_best():
    runs = [run_of(costs=(0.5, cost)) for cost in (0.3, 0.2, 0.05, 0.4, np.nan, 0.3, 0.3, 0.3, 0.3)]
    ax = plotting.history(runs)
    assert len(ax.get_lines()) == 10
    assert line(ax, "least cost: run 2")[:, 1].tolist() == [0.5, 0.05]


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
    net = fastgd.MLP(2, 3, 1, bias=bias)
    for draw in (plotting.network, plotting.weights):
        draw(net, np.zeros(net.n_params)).figure.canvas.draw()


def test_names_are_those_of_the_table():
    table = Table(("size", "price in $"), ("kind",), ("rose", "lily"), 2, (0.0, 0.0), (1.0, 1.0), (), ())
    net = fastgd.MLP(2, 3, 2, output="softmax", loss="cross_entropy")
    run = run_of(net, net.init(0), table=table.to_dict())
    assert {"size", r"price in \$", "rose", "lily"} <= set(texts(plotting.network(run)))
    panels = plotting.weights(run).child_axes
    assert [label.get_text() for label in panels[0].get_xticklabels()] == ["size", r"price in \$"]
    assert [label.get_text() for label in panels[1].get_yticklabels()] == ["rose", "lily"]


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


# -- surface


def test_surface_is_what_the_network_computes():
    ax = plotting.surface((NET, PARAMS), *XOR, resolution=7)
    (image,) = ax.images
    low, high = -0.08, 1.08
    assert np.allclose(image.get_extent(), (low, high, low, high))
    middles = low + (np.arange(7) + 0.5) * (high - low) / 7
    expected = [[oracle.predict(NET, PARAMS, np.array([[x, y]]))[0, 0] for x in middles] for y in middles]
    np.testing.assert_allclose(image.get_array(), expected, rtol=1e-12)
    zeros, ones = (one.get_offsets().tolist() for one in ax.collections if isinstance(one, PathCollection))
    assert (zeros, ones) == ([[0, 0], [1, 1]], [[1, 0], [0, 1]])
    assert legend(ax) == ["target 0", "target 1"]


def test_surface_has_its_line_half_way():
    ax = plotting.surface((NET, PARAMS), *XOR, resolution=100)
    (contour,) = (one for one in ax.collections if not isinstance(one, PathCollection))
    vertices = np.concatenate([path.vertices for path in contour.get_paths()])
    np.testing.assert_allclose(NET.predict(PARAMS, vertices), 0.5, atol=0.02)


def test_surface_holds_other_inputs():
    net = fastgd.MLP(4, 3, 1, output="identity")
    params, rng = net.init(1), np.random.default_rng(1)
    X, Y = rng.normal(size=(9, 4)), rng.normal(size=(9, 1))
    for held, at in ((None, X.mean(axis=0)), ([4, 3, 2, 1], np.array([4, 3, 2, 1.0]))):
        ax = plotting.surface((net, params), X, Y, inputs=(3, 1), held=held, resolution=3)
        middle = at.copy()
        middle[3], middle[1] = (X[:, 3].min() + X[:, 3].max()) / 2, (X[:, 1].min() + X[:, 1].max()) / 2
        assert ax.images[0].get_array()[1, 1] == pytest.approx(oracle.predict(net, params, middle[None])[0, 0], rel=1e-12)
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x_{3}$", "$x_{1}$")


def test_surface_speaks_in_the_units_of_the_table():
    table = Table(("area", "rooms"), ("price",), None, 1, (100.0, 3.0), (40.0, 2.0), (300.0,), (50.0,))
    net = fastgd.MLP(2, 1, activation="identity")
    run = run_of(net, np.array([1.0, 0.0, 0.0]), table=table.to_dict())
    X, Y = np.array([[-1.0, -1], [1, 1], [0, 0]]), np.array([[-1.0], [1], [0]])
    ax = plotting.surface(run, X, Y, inputs=("rooms", "area"), resolution=3)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("rooms", "area")
    (points,) = (one for one in ax.collections if isinstance(one, PathCollection))
    assert points.get_offsets().tolist() == [[1, 60], [5, 140], [3, 100]]
    assert points.get_array().tolist() == [250, 350, 300]
    np.testing.assert_allclose(ax.images[0].get_array()[:, 0], 300 + 50 * 1.16 * np.array([-2 / 3, 0, 2 / 3]))


def test_surface_of_classes_has_a_region_for_each():
    net = fastgd.MLP(2, 3, activation="identity")
    params = net.pack([([[1, 0], [-1, 1], [-1, -1]], None)])
    X = np.array([[2.0, 0], [-2, 2], [-2, -2], [3, 0]])
    ax = plotting.surface((net, params), X, np.eye(3)[[0, 1, 2, 0]], resolution=9)
    pixels = ax.images[0].get_array()
    outputs = oracle.predict(net, params, np.array([[2.8, 0], [-1.9, 1.9], [-1.9, -1.9]]))
    assert outputs.argmax(axis=1).tolist() == [0, 1, 2]
    corners = pixels[4, -1], pixels[-1, 0], pixels[0, 0]
    marks = [one for one in ax.collections if isinstance(one, PathCollection)]
    for corner, mark in zip(corners, marks, strict=True):
        np.testing.assert_allclose(corner, 1 - 0.32 * (1 - mark.get_facecolor()[0, :3]))
    assert [one.get_offsets().tolist() for one in marks] == [[[2, 0], [3, 0]], [[-2, 2]], [[-2, -2]]]
    one = plotting.surface((net, params), X, np.eye(3)[[0, 1, 2, 0]], output=2, resolution=9)
    assert one.images[0].get_array()[0, 0] == pytest.approx(-one.get_xlim()[0] - one.get_ylim()[0], rel=0.2)


def test_surface_takes_labels_of_the_table():
    table = Table(("x", "y"), ("kind",), ("lily", "rose"), 1, (0.0, 0.0), (1.0, 1.0), (), ())
    run = run_of(table=table.to_dict())
    ax = plotting.surface(run, XOR[0], ["lily", "rose", "rose", "lily"], resolution=3)
    assert legend(ax) == ["lily", "rose"]
    marks = [one.get_offsets().tolist() for one in ax.collections if isinstance(one, PathCollection)]
    assert marks == [[[0, 0], [1, 1]], [[1, 0], [0, 1]]]


@pytest.mark.parametrize("outputs", [1, 2])
def test_labels_are_no_mathematics_and_none_is_left_out_of_the_legend(outputs):
    """A $ begins mathematics for matplotlib, and a name that begins with a low line is in no legend."""
    inputs = ("_a", "$b")
    table = Table(inputs, ("kind",), ("$\\frac{$", "_rose"), outputs, (0.0, 0.0), (1.0, 1.0), (), ())
    net = fastgd.MLP(2, outputs, output="sigmoid")
    ax = plotting.surface(run_of(net, net.init(0), table=table.to_dict()), XOR[0], ["_rose", "$\\frac{$"] * 2, resolution=3)
    assert legend(ax) == [r"\$\frac{\$", r"$\_$rose"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == (r"$\_$a", r"\$b")
    ax.figure.canvas.draw()


def test_surface_of_one_input_is_a_curve():
    net = fastgd.MLP(1, 1, activation="identity")
    ax = plotting.surface((net, np.array([2.0, 1.0])), *fastgd.data.twice(), resolution=5)
    np.testing.assert_allclose(line(ax, "network"), [(x, 2 * x + 1) for x in np.linspace(-0.32, 4.32, 5)])
    assert line(ax, "rows").tolist() == [[x, 2 * x] for x in range(5)]


def test_surface_of_an_estimator():
    from fastgd.sklearn import MLPClassifier

    model = MLPClassifier((3,), max_iter=1, solver="sgd", random_state=0)
    X, labels = fastgd.data.moons(20)[0], np.array(["a", "b"] * 10)
    with pytest.warns(Warning, match="onverge"):
        model.fit(X, labels)
    ax = plotting.surface(model.run_, X, labels, resolution=4)
    assert legend(ax) == ["a", "b"]
    x, y = ax.get_xlim()[0], ax.get_ylim()[1]
    corner = [[x + (ax.get_xlim()[1] - x) / 8, y - (y - ax.get_ylim()[0]) / 8]]
    assert ax.images[0].get_array()[-1, 0] == pytest.approx(model.predict_proba(corner)[0, 1], rel=1e-9)


# -- paths and sweep


def test_paths_are_between_their_quantiles():
    costs = np.array([[1.0, 0.5, 0.1], [1.0, 0.9, 0.8], [1.0, 0.2, 0.05], [0.9, 0.7, 0.6], [0.8, 0.4, 0.3]])
    ax = plotting.paths([run_of(epochs=(0, 5, 10), costs=row) for row in costs])
    np.testing.assert_allclose(line(ax, "median of 5"), np.column_stack([(0, 5, 10), np.sort(costs, axis=0)[2]]))
    lines, outer, inner = ax.collections
    np.testing.assert_allclose([one[:, 1] for one in lines.get_segments()], costs)
    half = np.sort(costs, axis=0)[[1, 3]]
    for band, (low, high) in ((inner, half), (outer, [np.quantile(costs, q, axis=0) for q in (0.1, 0.9)])):
        vertices = band.get_paths()[0].vertices
        for epoch, least, most in zip((0, 5, 10), low, high, strict=True):
            there = vertices[vertices[:, 0] == epoch, 1]
            np.testing.assert_allclose((there.min(), there.max()), (least, most))


def test_members_that_ended_keep_their_last_cost():
    ended, other = run_of(epochs=(0, 4), costs=(1.0, 0.2)), run_of(epochs=(0, 8), costs=(1.0, 0.6))
    ax = plotting.paths([ended, other])
    np.testing.assert_allclose(line(ax, "median of 2"), [(0, 1.0), (4, (0.2 + 0.8) / 2), (8, (0.2 + 0.6) / 2)])


@pytest.fixture(scope="module")
def swept():
    """Members of three rates, the last of which is too large."""
    return fastgd.train_many(NET, *XOR, 3000, np.repeat([0.01, 1.0, 5.0], 20), members=60, rng=0, target_cost=0.02)


def test_sweep_counts_who_learns(swept):
    (drawn,) = plotting.sweep(swept).containers
    by_hand = [np.mean([run.cost <= 0.02 for run in list(swept)[start : start + 20]]) for start in (0, 20, 40)]
    assert by_hand[0] == 0 < by_hand[1]
    np.testing.assert_allclose(drawn[0].get_xydata(), np.column_stack([[0.01, 1.0, 5.0], by_hand]))
    assert plotting.sweep(swept).get_xscale() == "log"


def test_sweep_bars_are_wilsons_interval(swept):
    from scipy.stats import binomtest

    (drawn,) = plotting.sweep(swept, target=0.2).containers
    counts = [sum(run.cost <= 0.2 for run in list(swept)[start : start + 20]) for start in (0, 20, 40)]
    for segment, count in zip(drawn[2][0].get_segments(), counts, strict=True):
        interval = binomtest(int(count), 20).proportion_ci(method="wilson")
        np.testing.assert_allclose(segment[:, 1], (interval.low, interval.high), atol=1e-12)


def test_sweep_of_several_by_label(swept):
    ax = plotting.sweep({"as they are": swept, "the first half": swept[:30]})
    assert legend(ax) == ["as they are", "the first half"]
    assert ax.containers[1][0].get_xydata()[:, 0].tolist() == [0.01, 1.0]


# -- gradients


def test_gradients_stand_side_by_side():
    X, Y = XOR
    start = PARAMS / 10
    ax = plotting.gradients(NET, start, X, Y, eps=1e-2)
    bars = {one.get_label(): np.array([bar.get_height() for bar in one]) for one in ax.containers}
    assert list(bars) == ["backprop", "layerwise", "finite difference", "central difference"]

    def cost(params):
        return np.mean((oracle.predict(NET, params, X) - Y) ** 2)

    steps = 1e-2 * np.eye(9)
    forward = [(cost(start + step) - cost(start)) / 1e-2 for step in steps]
    central = [(cost(start + step) - cost(start - step)) / 2e-2 for step in steps]
    np.testing.assert_allclose(bars["finite difference"], forward, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(bars["central difference"], central, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(bars["backprop"], [(cost(start + s) - cost(start - s)) / 2e-6 for s in 1e-6 * np.eye(9)], rtol=1e-6)
    np.testing.assert_allclose(bars["layerwise"], bars["backprop"] * ([2] * 6 + [1] * 3), rtol=1e-12)
    assert [label.get_text() for label in ax.get_xticklabels()][3:5] == ["$W^{(1)}_{1,1}$", "$b^{(1)}_{0}$"]
    places = sorted(bar.get_x() for one in ax.containers for bar in one)
    assert min(np.diff(places)) > 0.19  # none stands on another


def test_gradients_of_many_parameters_are_points():
    X, Y = XOR
    net = fastgd.MLP(2, 8, 1, output="sigmoid", loss="binary_cross_entropy")
    run = run_of(net, net.init(0))
    ax = plotting.gradients(run, X, Y)
    exact = net.gradient(run.params, X, Y)
    assert legend(ax) == ["backprop, exact", "finite difference", "central difference"]
    for method in ("finite_difference", "central_difference"):
        expected = np.column_stack([exact, net.gradient(run.params, X, Y, method=method)])
        np.testing.assert_array_equal(line(ax, method.replace("_", " ")), expected)


# -- landscape


def costs_of(ax):
    """Levels that were drawn, and the vertices of each."""
    filled = ax.collections[0]
    return filled.levels, [path.vertices for path in filled.get_paths()]


def test_landscape_has_levels_where_the_cost_is_so_high():
    """Along the lines between two levels the cost is that level, in directions that are made here."""
    X, Y = XOR
    ax = plotting.landscape((NET, PARAMS / 4), X, Y, rng=3, span=0.5, resolution=41)
    directions = np.random.default_rng(3).standard_normal((2, 9))
    for direction in directions:
        for places in ([0, 1, 4], [2, 3, 5], [6, 7, 8]):  # the weights and the bias of each unit
            direction[places] *= np.linalg.norm(PARAMS[places] / 4) / np.linalg.norm(direction[places])
    contour = ax.collections[1]
    seen = 0
    for level, path in zip(contour.levels, contour.get_paths(), strict=True):
        for s, t in path.vertices[::20]:
            cost = np.mean((oracle.predict(NET, PARAMS / 4 + s * directions[0] + t * directions[1], X) - Y) ** 2)
            assert cost == pytest.approx(level, rel=2e-3)
            seen += 1
    assert seen > 20


def test_directions_have_the_norm_of_each_unit():
    net = fastgd.MLP(3, 4, 2)
    params, direction = net.init(0, "uniform"), np.random.default_rng(0).normal(size=net.n_params)
    before = direction.copy()
    scale_by_unit(net, direction, params)
    for (W, b), (V, c), (U, _) in zip(net.unpack(params), net.unpack(direction), net.unpack(before), strict=True):
        for j in range(len(W)):
            assert np.hypot(np.linalg.norm(V[j]), c[j]) == pytest.approx(np.hypot(np.linalg.norm(W[j]), b[j]))
            np.testing.assert_allclose(V[j] / V[j, 0], U[j] / U[j, 0])


def test_path_lies_in_the_plane_of_its_principal_directions():
    rng = np.random.default_rng(0)
    two = np.linalg.qr(rng.normal(size=(9, 2)))[0].T
    offsets = np.array([[5.0, 1.0], [4.0, 2.0], [2.0, 0.5], [0.5, 0.1]])
    ax = plotting.landscape((NET, PARAMS), *XOR, path=PARAMS + offsets @ two, resolution=5)
    drawn = line(ax, "its path")
    assert drawn[-1].tolist() == [0, 0]
    np.testing.assert_allclose(np.linalg.norm(drawn[:-1], axis=1), np.linalg.norm(offsets, axis=1))  # nothing is left outside
    np.testing.assert_allclose(np.linalg.norm(np.diff(drawn[:-1], axis=0), axis=1), np.linalg.norm(np.diff(offsets, axis=0), axis=1))
    spread = (drawn[:-1] ** 2).sum(axis=0)
    assert spread[0] == pytest.approx(np.linalg.eigvalsh(offsets.T @ offsets)[-1])
    assert ax.get_xlabel().startswith("direction 1 of the path")
    runs = [run_of(params=PARAMS + offset @ two) for offset in offsets]
    same = plotting.landscape(run_of(), *XOR, path=runs, resolution=5)
    np.testing.assert_allclose(line(same, "its path"), drawn)
    np.testing.assert_allclose(costs_of(same)[0], costs_of(ax)[0])


def test_landscape_where_costs_overflow():
    net = fastgd.MLP(2, 1, activation="exp", loss="poisson")
    X, Y = np.array([[300.0, 0], [0, 300.0]]), np.ones((2, 1))
    ax = plotting.landscape((net, np.ones(3)), X, Y, span=5, resolution=5)
    ax.figure.canvas.draw()
    assert np.isfinite(costs_of(ax)[0]).all()


# -- all of them

RUN = run_of()
WAY = np.array([PARAMS * 0.2, PARAMS * 0.5 + 1, PARAMS])
CALLS = {
    "gradients": lambda **more: plotting.gradients(NET, PARAMS, *XOR, **more),
    "history": lambda **more: plotting.history(RUN, **more),
    "landscape": lambda **more: plotting.landscape(RUN, *XOR, resolution=3, **more),
    "network": lambda **more: plotting.network(NET, PARAMS, **more),
    "paths": lambda **more: plotting.paths([RUN, RUN], **more),
    "surface": lambda **more: plotting.surface(RUN, *XOR, resolution=3, **more),
    "sweep": lambda **more: plotting.sweep(fastgd.train_many(NET, *XOR, 0, [0.1, 1], params=PARAMS), target=0.1, **more),
    "weights": lambda **more: plotting.weights(NET, PARAMS, **more),
}


def test_every_function_is_here():
    assert set(CALLS) == set(plotting.__all__)


@pytest.mark.parametrize("name", CALLS)
def test_axes_are_given_or_new(name, monkeypatch):
    monkeypatch.setattr(plt, "show", None)
    figure, (_, ax) = plt.subplots(1, 2)
    assert CALLS[name](ax=ax) is ax
    assert plt.get_fignums() == [figure.number]
    with np.errstate(all="raise"):
        new = CALLS[name]()
    assert new.figure.number != figure.number
    assert len(plt.get_fignums()) == 2
    new.figure.canvas.draw()


@pytest.mark.parametrize("name", CALLS)
def test_axes_of_a_part_of_a_figure(name):
    figure = plt.figure(layout="constrained")
    ax = figure.subfigures(1, 2)[1].subplots()
    assert CALLS[name](ax=ax) is ax
    figure.canvas.draw()
    assert plt.get_fignums() == [figure.number]
    assert ax.get_position().width > 0.2


@pytest.mark.parametrize("name", CALLS)
def test_what_is_no_axes_is_refused(name):
    axes = plt.subplots(1, 2)[1]
    open_before = plt.get_fignums()
    assert_refused(lambda: CALLS[name](ax=axes), TypeError, ["ax must be a matplotlib Axes", "shape (2,)", "one of them"])
    assert_refused(lambda: CALLS[name](ax="here"), TypeError, ["ax must be a matplotlib Axes", "'here'"])
    for projection in ("polar", "3d"):
        with plt.ioff():
            ax = matplotlib.figure.Figure().add_subplot(projection=projection)
        assert_refused(lambda ax=ax: CALLS[name](ax=ax), TypeError, ["ax must be an Axes of two straight axes", projection])
    assert plt.get_fignums() == open_before


@cache
def two_runs():
    """Members without histories and without a target."""
    return fastgd.train_many(NET, *XOR, 0, params=PARAMS, members=2)


REFUSED = [
    (lambda: plotting.history(NET), TypeError, ["run must be a Run", "MLP"]),
    (lambda: plotting.history([]), TypeError, ["run must be a Run", "[]"]),
    (lambda: plotting.history([RUN, None]), TypeError, ["run must be a Run"]),
    (lambda: plotting.history(RUN, labels=["a", "b"]), ValueError, ["labels must be one for each of 1 runs", "2"]),
    (lambda: plotting.history(RUN, labels="a"), TypeError, ["labels must be a sequence of str", "'a'"]),
    (lambda: plotting.network(two_runs()), TypeError, ["net must be an MLP or a Run", "runs.best"]),
    (lambda: plotting.network(NET), TypeError, ["params must be an array of shape (9,)", "None"]),
    (lambda: plotting.network(NET, PARAMS[:8]), ValueError, ["params must have shape (9,)"]),
    (lambda: plotting.network(RUN, PARAMS), TypeError, ["params must be None where net is a Run"]),
    (lambda: plotting.network(RUN, max_units=0), ValueError, ["max_units must be", "at least 1", "0"]),
    (lambda: plotting.weights(NET, PARAMS * np.nan), ValueError, ["params must be finite"]),
    (lambda: plotting.weights(RUN, image=(2, 2)), ValueError, ["image must have as many pixels", "2", "2 x 2"]),
    (lambda: plotting.weights(RUN, image=2), TypeError, ["image must be (height, width)", "2"]),
    (lambda: plotting.surface(NET, *XOR), TypeError, ["run must be a Run or (net, params)", "MLP"]),
    (lambda: plotting.surface(RUN, XOR[0][:, :1], XOR[1]), ValueError, ["X must have shape (n, 2)", "(4, 1)"]),
    (lambda: plotting.surface(RUN, XOR[0], XOR[1][:3]), ValueError, ["X and Y must have the same number of rows", "4 and 3"]),
    (lambda: plotting.surface(RUN, *XOR, inputs=(0, 0)), ValueError, ["inputs must be two different columns", "(0, 0)"]),
    (lambda: plotting.surface(RUN, *XOR, inputs=(0, 2)), ValueError, ["inputs[1] must be", "from 0 to 1", "2"]),
    (lambda: plotting.surface(RUN, *XOR, inputs=("a", "b")), ValueError, ["inputs[0] must be a number", "'a'"]),
    (lambda: plotting.surface(RUN, *XOR, inputs=1), TypeError, ["inputs must be two columns", "1"]),
    (lambda: plotting.surface(RUN, *XOR, output=1), ValueError, ["output must be", "from 0 to 0", "1"]),
    (lambda: plotting.surface(RUN, *XOR, held=[1, 2, 3]), ValueError, ["held must have shape (2,)", "(3,)"]),
    (lambda: plotting.surface(RUN, *XOR, resolution=1), ValueError, ["resolution must be", "at least 2", "1"]),
    (lambda: plotting.paths(two_runs()), ValueError, ["runs must have histories", "record=100", "2"]),
    (lambda: plotting.paths(NET), TypeError, ["runs must be a Run"]),
    (lambda: plotting.sweep(RUN), TypeError, ["runs must be Runs", "learning_rate=rates"]),
    (lambda: plotting.sweep({"a": RUN}), TypeError, ["runs['a'] must be Runs"]),
    (lambda: plotting.sweep({1: two_runs()}), TypeError, ["labels of runs must be str", "1"]),
    (lambda: plotting.history(RUN, labels=3), TypeError, ["labels must be a sequence of str", "3"]),
    (lambda: plotting.sweep({}), ValueError, ["runs must be 1 to 10 Runs", "0"]),
    (lambda: plotting.sweep(two_runs()), ValueError, ["target must be a cost", "target_cost", "None"]),
    (lambda: plotting.sweep(two_runs(), target="low"), TypeError, ["target must be a finite number", "'low'"]),
    (lambda: plotting.gradients(NET, PARAMS, XOR[0]), TypeError, ["Y must be"]),
    (lambda: plotting.gradients(RUN, PARAMS, *XOR), TypeError, ["gradients(run, X, Y) takes no params"]),
    (lambda: plotting.gradients(NET, PARAMS, *XOR, eps=0), ValueError, ["eps must be a positive, finite number", "0"]),
    (lambda: plotting.landscape(RUN, *XOR, path=WAY[:1]), ValueError, ["path must have shape (points, 9)", "(1, 9)"]),
    (lambda: plotting.landscape(RUN, *XOR, path=PARAMS + np.outer([1, 0.5], np.ones(9))), ValueError, ["path must leave the line"]),
    (lambda: plotting.landscape(RUN, *XOR, path=RUN), TypeError, ["path must be parameters or runs", "single"]),
    (lambda: plotting.landscape(RUN, *XOR, path=[RUN, PARAMS]), ValueError, ["path must be runs of"]),
    (lambda: plotting.landscape(RUN, *XOR, rng="seed"), TypeError, ["rng must be", "'seed'"]),
    (lambda: plotting.landscape(RUN, *XOR, span=-1), ValueError, ["span must be a positive", "-1"]),
    (lambda: plotting.landscape(RUN, *XOR, resolution=1), ValueError, ["resolution must be", "at least 2"]),
]


@pytest.mark.parametrize(("call", "error", "words"), REFUSED, ids=[" ".join(words)[:40] for _, _, words in REFUSED])
def test_refused_before_drawing(call, error, words):
    assert_refused(call, error, words)
    assert plt.get_fignums() == []


def test_an_estimator_is_told_where_its_run_is():
    @dataclasses.dataclass
    class Model:
        run_: object = None

    assert_refused(lambda: plotting.surface(Model(), *XOR), TypeError, ["run must be a Run", "its attribute run_ is a Run"])


def test_matplotlib_is_loaded_when_something_is_drawn(python):
    program = """
import sys
import fastgd
names = fastgd.plotting.__all__
assert not [name for name in ("matplotlib", "numba") if name in sys.modules]
sys.modules["matplotlib"] = sys.modules["matplotlib.axes"] = None
net = fastgd.MLP(1, 1)
try:
    fastgd.plotting.network(net, [1, 0])
except ImportError as error:
    print(error)
"""
    assert python(program).strip() == "fastgd.plotting needs matplotlib: pip install 'fastgd[plot]'"


# -- how they look

picture = pytest.mark.mpl_image_compare(baseline_dir="baseline", tolerance=1, style="default", savefig_kwargs={"dpi": 60})


@pytest.fixture
def ax():
    """In a figure whose layout no text changes."""
    return plt.figure(figsize=(4, 3)).add_axes((0.1, 0.1, 0.8, 0.75))


def without_text(ax):
    """The figure, with all text and legends hidden."""
    for one in ax.figure.findobj(Text):
        one.set_visible(False)
    for one in ax.figure.findobj(matplotlib.legend.Legend):
        one.set_visible(False)
    return ax.figure


def course(least, epochs=200):
    """Costs that fall to a least one, by a formula."""
    return least + (1 - least) * np.exp(-np.arange(epochs) / 20) * (1 + 0.2 * np.sin(np.arange(epochs) / 5))


@picture
def test_picture_of_history(ax):
    epochs = np.arange(200)
    run = run_of(epochs=epochs, costs=course(0.01), validation=course(0.05) + (epochs / 400) ** 2)
    return without_text(plotting.history(run, ax=ax))


@picture
def test_picture_of_histories(ax):
    runs = [run_of(epochs=np.arange(200), costs=course(least), validation=1.3 * course(least)) for least in (0.2, 0.05, 0.01)]
    return without_text(plotting.history(runs, labels=["a", "b", "c"], ax=ax))


@picture
def test_picture_of_network(ax):
    return without_text(plotting.network(NET, PARAMS, ax=ax))


@picture
def test_picture_of_large_network(ax):
    net = fastgd.MLP(784, 100, 10)
    return without_text(plotting.network(net, np.sin(np.arange(net.n_params) ** 1.5), max_units=6, ax=ax))


@picture
def test_picture_of_weights(ax):
    return without_text(plotting.weights(NET, PARAMS, ax=ax))


@picture
def test_picture_of_weights_of_pixels(ax):
    net = fastgd.MLP(64, 7, 10)
    return without_text(plotting.weights(net, np.sin(np.arange(net.n_params) ** 1.1), image=(8, 8), ax=ax))


@picture
def test_picture_of_surface(ax):
    return without_text(plotting.surface((NET, PARAMS), *XOR, resolution=60, ax=ax))


@picture
def test_picture_of_regions(ax):
    net = fastgd.MLP(2, 3, 3, activation="tanh", output="softmax", loss="cross_entropy")
    params = 2 * np.sin(np.arange(net.n_params) ** 1.3)
    X = np.column_stack([np.cos(np.arange(30.0)), np.sin(2 * np.arange(30.0))])
    return without_text(plotting.surface((net, params), X, np.eye(3)[np.arange(30) % 3], resolution=60, ax=ax))


@picture
def test_picture_of_values(ax):
    net = fastgd.MLP(3, 3, 1, activation="tanh", output="identity")
    X = np.sin(np.outer(np.arange(30.0), [1, 2, 3]))
    Y = X[:, :1] - X[:, 1:2]
    return without_text(plotting.surface((net, np.sin(np.arange(net.n_params) ** 1.3)), X, Y, inputs=(2, 0), resolution=60, ax=ax))


@picture
def test_picture_of_curve(ax):
    net = fastgd.MLP(1, 3, 2, activation="tanh", output="identity")
    X = np.linspace(-3, 3, 25)[:, None]
    return without_text(plotting.surface((net, np.sin(np.arange(net.n_params) ** 1.3)), X, np.hstack([np.sin(X), np.cos(X)]), ax=ax))


@picture
def test_picture_of_paths(ax):
    runs = [run_of(epochs=np.arange(200), costs=course(10.0**-k)) for k in np.linspace(0.3, 3, 20)]
    return without_text(plotting.paths(runs, ax=ax))


@picture
def test_picture_of_sweep(ax):
    runs = fastgd.train_many(NET, *XOR, 0, np.repeat([0.1, 1.0, 10.0], 10), params=PARAMS, members=30)

    def of(*by_rate):
        """Ten members a rate, so many of which have learned."""
        return dataclasses.replace(runs, cost=np.where(np.tile(np.arange(10), 3) < np.repeat(by_rate, 10), 0.001, 0.2))

    return without_text(plotting.sweep({"one": of(4, 9, 1), "other": of(0, 6, 8)}, target=0.01, ax=ax))


@picture
def test_picture_of_gradients(ax):
    return without_text(plotting.gradients(NET, PARAMS / 10, *XOR, ax=ax))


@picture
def test_picture_of_many_gradients(ax):
    net = fastgd.MLP(2, 8, 1)
    return without_text(plotting.gradients(net, np.sin(np.arange(net.n_params) ** 1.3), *XOR, ax=ax))


@picture
def test_picture_of_landscape(ax):
    return without_text(plotting.landscape((NET, PARAMS / 4), *XOR, resolution=25, ax=ax))


@picture
def test_picture_of_path(ax):
    t = np.linspace(0, 1, 12)[:, None]
    way = PARAMS * t + np.sin(np.arange(9.0)) * np.sin(np.pi * t) * 3
    return without_text(plotting.landscape((NET, PARAMS), *XOR, path=way, resolution=25, ax=ax))
