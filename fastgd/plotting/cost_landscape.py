"""The cost about parameters, in two directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.arrays import real_array
from fastgd.arguments.checks import Array, finite_number, seed_of, shown, whole_number
from fastgd.mlp import MLP
from fastgd.network import Network
from fastgd.plotting.figure import INK, axes_or_new, check_axes, set_legend_above, spans_decades
from fastgd.plotting.given import trained_run
from fastgd.system.float_errors import quiet
from fastgd.training.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARGIN = 0.2  # of the path's range, to either side
_LEVELS = 24


@quiet
def landscape(
    run: Run | tuple[MLP, ArrayLike],
    X: ArrayLike,
    Y: ArrayLike,
    *,
    path: ArrayLike | Sequence[Run] | None = None,
    rng: int | np.random.Generator | None = 0,
    span: float = 1.0,
    resolution: int = 41,
    ax: Axes | None = None,
) -> Axes:
    """The cost of the rows over a plane through the run's parameters, with lines of equal cost; and
    the way of the training in it.

    Without a `path` the plane has two random directions, in each of which the weights and the bias
    of a unit together have the norm that they have in the run (Li et al. 2018): 1 is as far as the
    network is large. With one, the plane is that of the two principal directions of the path about
    its end, which is the run's parameters; the axes say what part of its variance they have.

    Parameters
    ----------
    run : Run or tuple
        Whose parameters are in the middle, or at the end of the path; a pair (net, params) stands
        for a run.
    X, Y : array_like, (n, inputs) and (n, outputs)
        Rows as the network is trained on; Y may be (n,) labels of the classes of the run's table.
        Each pixel takes a cost of all of them.
    path : (points, n_params) array_like, or a sequence of Run, optional
        Parameters on the way, two or more, as a callback hears of them:
        `train(..., callback=lambda progress: way.append(progress.params))`.
    rng : int, numpy Generator or None
        What random directions are drawn by.
    span : float
        How far the plane reaches to each side without a path, in norms.
    resolution : int
        Costs along each axis, 2 or more.
    ax : matplotlib Axes, optional
        Where to draw; a new figure's if not given.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError, TypeError
        For what is no run, rows that are not for it, or a path of other parameters.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 2, 1), fastgd.data.gate("xor")
    >>> run = fastgd.train(net, X, Y, 2000, 1.0, rng=1)
    >>> ax = fastgd.plotting.landscape(run, X, Y, resolution=11)
    >>> ax.figure.savefig("landscape.png")
    """
    given = trained_run(run)
    x, y = given.data(X, Y)
    way = None if path is None else _check_path(path, given.net)
    seed = seed_of(rng)
    span = finite_number("span", span, positive=True)
    resolution = whole_number("resolution", resolution, least=2)
    ax = check_axes(ax)
    end = given.params.astype(float)
    if way is None:
        plane = _random_plane(given.net, end, seed, span)
    else:
        plane = _plane_of(way, end)
    across, up = (np.linspace(*ends, resolution) for ends in (plane.across, plane.up))
    costs = costs_on(given.net, x, y, end, plane, across, up)
    ax = axes_or_new(ax, 5.4, 4.4)
    _draw(ax, across, up, costs)
    if plane.path is not None:
        _draw_path(ax, plane.path)
    ax.plot(
        0, 0, marker="*", color="white", markeredgecolor=INK, markersize=13, linestyle="none",
        zorder=4, label="the run",
    )  # fmt: skip
    ax.set_xlabel(plane.names[0])
    ax.set_ylabel(plane.names[1])
    set_legend_above(ax)
    return ax


class Plane(NamedTuple):
    """Two directions (2, n_params), what their axes are called, and from where to where they go;
    with the path in it, (points, 2), if there is one.
    """

    directions: Array
    names: tuple[str, str]
    across: tuple[float, float]
    up: tuple[float, float]
    path: Array | None = None


def _check_path(path: Any, net: MLP) -> Array:
    """(points, n_params) of float64."""
    if isinstance(path, Run):
        raise TypeError(f"path must be parameters or runs on the way; got the single {shown(path)}")
    is_of_runs = isinstance(path, (list, tuple)) and any(isinstance(one, Run) for one in path)
    if is_of_runs:
        if not all(isinstance(one, Run) and one.net == net for one in path):
            raise ValueError(f"path must be runs of {net} alone; got others among {len(path)}")
        path = [one.params for one in path]
    way = real_array("path", path, np.dtype(float))
    if way.ndim != 2 or way.shape[1] != net.n_params or len(way) < 2:
        raise ValueError(
            f"path must have shape (points, {net.n_params}) for {net}, with two points or more; "
            f"got {way.shape}"
        )
    return way


def _random_plane(net: Network, end: Array, seed: int, span: float) -> Plane:
    directions = np.random.default_rng(seed).standard_normal((2, net.n_params))
    for direction in directions:
        scale_by_unit(net, direction, end)
    ends = (-span, span)
    return Plane(
        directions, ("first direction, in norms", "second direction, in norms"), ends, ends
    )


def scale_by_unit(net: Network, direction: Array, params: Array) -> None:
    """Give the weights and the bias of each unit, together, the norm that they have in `params`,
    both (n_params,), in place.
    """
    for layer in net.layers:
        parts = [np.arange(layer.start, layer.stop)[: layer.outputs * layer.inputs]]
        places = parts[0].reshape(layer.outputs, layer.inputs)
        if layer.bias:
            biases = np.arange(layer.biases.start, layer.biases.stop)
            places = np.column_stack([places, biases])
        lengths = np.linalg.norm(direction[places], axis=1, keepdims=True)
        direction[places] *= np.linalg.norm(params[places], axis=1, keepdims=True) / lengths


def _plane_of(way: Array, end: Array) -> Plane:
    """The principal directions of the path about its end."""
    offsets = way - end
    _, sizes, directions = np.linalg.svd(offsets, full_matrices=False)
    if len(sizes) < 2 or sizes[1] <= 1e-12 * max(sizes[0], 1e-300):
        raise ValueError(
            "path must leave the line through its end for a plane of its directions; got "
            f"{len(way)} points that do not"
        )
    directions = directions[:2]
    directions *= np.where(offsets[0] @ directions.T < 0, -1.0, 1.0)[:, None]
    shares = sizes**2 / (sizes**2).sum()
    names = tuple(f"direction {i + 1} of the path, {shares[i]:.1%} of it" for i in range(2))
    projected = offsets @ directions.T
    ends = [_with_margin(np.append(values, 0.0)) for values in projected.T]
    return Plane(directions, (names[0], names[1]), ends[0], ends[1], projected)


def _with_margin(values: Array) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = _MARGIN * (high - low)
    return low - margin, high + margin


def costs_on(
    net: MLP, x: Array, y: Array, end: Array, plane: Plane, across: Array, up: Array
) -> Array:
    """(up, across) costs of the rows."""
    cost = net.objective(x, y).cost
    first, second = plane.directions
    return np.array(
        [[cost((end + s * first + t * second).astype(net.dtype)) for s in across] for t in up]
    )


def _draw(ax: Axes, across: Array, up: Array, costs: Array) -> None:
    from matplotlib.colors import LogNorm, Normalize
    from matplotlib.ticker import LogLocator, MaxNLocator

    costs = np.ma.masked_invalid(costs)
    low, high = float(costs.min()), float(costs.max())
    is_log = spans_decades(costs.compressed())
    levels = np.geomspace(low, high, _LEVELS) if is_log else np.linspace(low, high, _LEVELS)
    if low == high:
        levels = np.array([low - 0.5, low + 0.5])
    norm = (LogNorm if is_log else Normalize)(levels[0], levels[-1])
    drawn = ax.contourf(across, up, costs, levels, cmap="cividis", norm=norm)
    ax.contour(across, up, costs, levels[::2], colors="white", linewidths=0.4, alpha=0.6)
    ax.figure.colorbar(drawn, ax=ax, label="cost", ticks=LogLocator() if is_log else MaxNLocator(6))
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.yaxis.set_major_locator(MaxNLocator(6))


def _draw_path(ax: Axes, path: Array) -> None:
    """A line that is seen on light and on dark, with a mark where it begins."""
    from matplotlib.patheffects import withStroke

    whole = np.vstack([path, [0.0, 0.0]])
    ax.plot(
        *whole.T, color="white", linewidth=1.6, marker="o", markersize=2.5, zorder=3,
        path_effects=[withStroke(linewidth=3.4, foreground=INK)], label="its path",
    )  # fmt: skip
    ax.plot(
        *path[0], marker="o", color="white", markeredgecolor=INK, markersize=8, linestyle="none",
        zorder=4, label="its start",
    )  # fmt: skip
