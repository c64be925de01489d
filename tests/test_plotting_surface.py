"""What a network computes over its inputs as a picture, against the oracle."""

import numpy as np
import oracle
import pytest
from matplotlib.collections import PathCollection
from plotted import NET, PARAMS, XOR, legend, line, run_of

import fastgd
from fastgd import plotting
from fastgd.data import Table

pytestmark = pytest.mark.usefixtures("figures")


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
