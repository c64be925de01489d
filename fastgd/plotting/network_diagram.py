"""A network as units and lines between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.checks import Array, whole_number
from fastgd.mlp import MLP
from fastgd.plotting.figure import (
    INK,
    MANY,
    NEGATIVE,
    POSITIVE,
    axes_or_new,
    check_axes,
    number,
    set_legend_above,
    signed_map,
)
from fastgd.plotting.given import Trained, trained
from fastgd.system.float_errors import quiet
from fastgd.training.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDEST = 4.0  # points, of the largest weight
# points; a line that is thinner is not seen, and its dashes, as much shorter, take for ever
_THINNEST = 0.02


@quiet
def network(
    net: MLP | Run,
    params: ArrayLike | None = None,
    *,
    max_units: int = 16,
    ax: Axes | None = None,
) -> Axes:
    """Units as circles, a column a layer from the inputs on the left to the outputs on the right,
    and each weight as a line as wide as its size: blue and solid above 0, amber and dashed below.

    Widths are on one scale for all layers. A unit is filled by its bias, from light, the most
    negative, to dark. Below each column stands its activation.

    Parameters
    ----------
    net : MLP or Run
        A Run instead of a network and parameters: with names of inputs and outputs, where its table
        has them.
    params : (n_params,) array_like
        Left out where `net` is a Run.
    max_units : int
        Most units that are drawn of a layer, 1 or more. Of a wider one those with the largest
        weights are drawn, by the norm of all that lead to a unit and away from it, in their order;
        how many there are is written below.
    ax : matplotlib Axes, optional
        Where to draw; a new figure's if not given.

    Returns
    -------
    Axes
        Without lines and ticks. Columns stand at x = 0, 1, 2 ..., units at even steps of y about 0.

    Raises
    ------
    ValueError, TypeError
        For what is no network, or parameters that are not its.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 2, 1), fastgd.data.gate("xor")
    >>> ax = fastgd.plotting.network(net, net.init(rng=0))
    >>> ax.figure.savefig("network.svg")
    """
    given = trained(net, params)
    max_units = whole_number("max_units", max_units, least=1)
    ax = check_axes(ax)
    layers = given.net.unpack(given.params)
    chosen = _chosen([W for W, _ in layers], given.net.widths, max_units)
    ax = axes_or_new(ax, 1.6 + 1.9 * len(chosen), 1.6 + 0.3 * min(max(map(len, chosen)), 20))
    places = [np.arange(len(units) - 1, -1, -1) - (len(units) - 1) / 2 for units in chosen]
    largest = max(float(np.abs(W).max()) for W, _ in layers)
    for l, (W, _) in enumerate(layers):
        W = W[np.ix_(chosen[l + 1], chosen[l])]
        _draw_weights(ax, l, W, places[l], places[l + 1], largest)
    _draw_units(ax, places, [b for _, b in layers], chosen)
    _write_names(ax, given, places, chosen)
    _set_legend(ax, [W for W, _ in layers], [b for _, b in layers if b is not None])
    ax.set_axis_off()
    return ax


def _chosen(weights: Sequence[Array], widths: Sequence[int], most: int) -> list[Array]:
    """Which units of each layer are drawn, in their order."""
    chosen = []
    for l, width in enumerate(widths):
        norms = np.zeros(width)
        if l > 0:
            norms += (weights[l - 1].astype(float) ** 2).sum(axis=1)
        if l < len(weights):
            norms += (weights[l].astype(float) ** 2).sum(axis=0)
        chosen.append(np.sort(np.argsort(-norms, kind="stable")[:most]))
    return chosen


def _draw_weights(ax: Axes, l: int, W: Array, before: Array, after: Array, largest: float) -> None:
    """Lines of W (outputs, inputs), the large ones above; one that is too thin is none."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgb

    order = np.argsort(np.abs(W), axis=None)
    order = order[np.abs(W.reshape(-1)[order]) * _WIDEST >= _THINNEST * largest]
    for is_positive, color, style in ((False, NEGATIVE, (0, (3.5, 1.2))), (True, POSITIVE, "-")):
        flat = W.reshape(-1)[order]
        which = order[flat > 0] if is_positive else order[flat < 0]
        j, k = np.unravel_index(which, W.shape)
        ends = np.empty((len(which), 2, 2))
        ends[:, 0, 0], ends[:, 0, 1], ends[:, 1, 0], ends[:, 1, 1] = l, before[k], l + 1, after[j]
        sizes = np.abs(W[j, k]) / largest if largest else np.zeros(len(which))
        shades = np.column_stack([np.tile(to_rgb(color), (len(which), 1)), 0.4 + 0.6 * sizes])
        lines = LineCollection(
            list(ends), linewidths=_WIDEST * sizes, colors=shades, linestyles=[style],
            zorder=1 + is_positive / 2, rasterized=W.size > MANY,
        )  # fmt: skip
        lines.set_gid(f"{'positive' if is_positive else 'negative'} weights of layer {l + 1}")
        ax.add_collection(lines)


def _draw_units(
    ax: Axes, places: list[Array], biases: list[Array | None], chosen: list[Array]
) -> None:
    tallest, size = max(map(len, places)), _diameter(ax, places)
    largest = max((float(np.abs(b).max()) for b in biases if b is not None), default=0.0)
    for l, y in enumerate(places):
        b = biases[l - 1] if l > 0 else None
        fill: Any = {"color": "white"}
        if b is not None:
            limit = largest or 1.0
            fill = {"c": b[chosen[l]], "cmap": signed_map(), "vmin": -limit, "vmax": limit}
        ax.scatter(np.full(len(y), l), y, s=size**2, edgecolors=INK, linewidths=1, zorder=3, **fill)
    ax.set_xlim(-0.35, len(places) - 0.65)
    ax.set_ylim(-tallest / 2, tallest / 2)


def _diameter(ax: Axes, places: list[Array]) -> float:
    """Of a unit, in points."""
    points = 72 * ax.get_window_extent().height / ax.figure.dpi
    return float(np.clip(0.5 * points / (max(map(len, places)) + 1), 4, 20))


def _write_names(ax: Axes, given: Trained, places: list[Array], chosen: list[Array]) -> None:
    last = len(places) - 1
    away = _diameter(ax, places) / 2 + 5
    for l, axis, side, shift in ((0, "x", "right", -away), (last, "y", "left", away)):
        names = given.names(axis)
        for y, unit in zip(places[l], chosen[l], strict=True):
            ax.annotate(
                names[unit], (l, y), (shift, 0), textcoords="offset points", ha=side, va="center",
                annotation_clip=False, fontsize="small",
            )  # fmt: skip
    lowest = -max(map(len, places)) / 2
    for l, width in enumerate(given.net.widths):
        text = "inputs" if l == 0 else given.net.activations[l - 1]
        if len(chosen[l]) < width:
            text += f"\n{len(chosen[l])} of {width}"
        ax.annotate(
            text, (l, lowest), (0, -2), textcoords="offset points", ha="center", va="top",
            annotation_clip=False, fontsize="small",
        )  # fmt: skip


def _set_legend(ax: Axes, weights: list[Array], biases: list[Array]) -> None:
    """What the widest lines and the extreme fills stand for."""
    from matplotlib.lines import Line2D

    w = np.concatenate([W.reshape(-1) for W in weights])
    largest, handles = float(np.abs(w).max()), []
    for value, color, style in (
        (float(w.max()), POSITIVE, "-"), (float(w.min()), NEGATIVE, (0, (3.5, 1.2))),
    ):  # fmt: skip
        if value and (value > 0) == (color == POSITIVE):
            width = max(_WIDEST * abs(value) / largest, _THINNEST)
            label = f"weight {number(value)}"
            handles.append(Line2D([], [], color=color, ls=style, linewidth=width, label=label))
    limit = max((float(np.abs(b).max()) for b in biases), default=0.0)
    for value in (limit, -limit) if limit else ():
        handles.append(
            Line2D(
                [], [], marker="o", linestyle="none", markersize=8, markeredgecolor=INK,
                markerfacecolor=signed_map()(float(value > 0)), label=f"bias {number(value)}",
            )
        )  # fmt: skip
    set_legend_above(ax, handles, handlelength=2.5)
