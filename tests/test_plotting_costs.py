"""Pictures of how the cost depends on the parameters, against the oracle: gradients by each method, and the landscape."""

import numpy as np
import oracle
import pytest
from plotted import NET, PARAMS, XOR, legend, line, run_of

import fastgd
from fastgd import plotting
from fastgd.plotting.cost_landscape import scale_by_unit

pytestmark = pytest.mark.usefixtures("figures")


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
