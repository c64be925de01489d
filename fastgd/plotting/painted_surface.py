"""Values and regions over a plane, and the rows that lie in it; and a curve over a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.plotting.figure import COLORS, INK, MANY, MARKERS, bare, set_legend_above, signed_map
from fastgd.plotting.given import Trained
from fastgd.svg.plane import middles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LOW = {"marker": "o", "color": "#e08a00", "edgecolors": "#4d2f00"}  # of two classes
_HIGH = {"marker": "^", "color": "#0b3c73", "edgecolors": "white"}


class Painting(NamedTuple):
    """Where a surface is painted, from where to where it goes, (2,) each, and where its rows lie,
    (n,) each; in the units of the axes.
    """

    ax: Axes
    across: Array
    up: Array
    rows_across: Array
    rows_up: Array

    def paint(self, pixels: Array, **style: Any) -> Any:
        """Pixels (up, across), or with a last axis of colours."""
        extent = (*self.across, *self.up)
        return self.ax.imshow(pixels, extent=extent, origin="lower", aspect="auto", **style)

    def outline(self, values: Array, levels: Array, **style: Any) -> None:
        """Where pixels (up, across) are as high as these levels, if any are."""
        if values.min() < levels.max() and values.max() > levels.min():
            across = middles(self.across, values.shape[1])
            up = middles(self.up, values.shape[0])
            self.ax.contour(across, up, values, levels, **style)

    @property
    def size(self) -> float:
        """Of a row's mark, smaller where there are many; in square points."""
        return float(np.clip(6000 / len(self.rows_up), 9, 42))

    def mark(self, which: Any, **style: Any) -> Any:
        """These of the rows."""
        across, up = self.rows_across[which], self.rows_up[which]
        style |= {"s": self.size, "linewidths": self.size / 60, "zorder": 3}
        return self.ax.scatter(across, up, rasterized=len(across) > MANY, **style)

    def set_legend(self) -> None:
        """What the marks stand for."""
        set_legend_above(self.ax, markerscale=(42 / self.size) ** 0.5)


def paint_two_classes(
    at: Painting, values: Array, y: Array, labels: tuple[str, str], name: str
) -> None:
    """An output (up, across), the line where it is half-way between the two targets that (n,) y
    has, and a mark for the rows of each.
    """
    low, high = np.unique(y)
    drawn = at.paint(
        values, cmap=signed_map(pale=True), vmin=low, vmax=high, interpolation="bilinear"
    )
    at.outline(values, np.array([(low + high) / 2]), colors=INK, linewidths=1.4)
    at.mark(y == low, label=labels[0], **_LOW)
    at.mark(y == high, label=labels[1], **_HIGH)
    at.ax.figure.colorbar(drawn, ax=at.ax, label=name)
    at.set_legend()


def paint_values(at: Painting, values: Array, y: Array, name: str) -> None:
    """An output (up, across) with lines of equal height, and rows in the colour of their (n,)
    targets.
    """
    low, high = float(min(values.min(), y.min())), float(max(values.max(), y.max()))
    drawn = at.paint(values, cmap="cividis", vmin=low, vmax=high, interpolation="bilinear")
    levels = np.linspace(low, high, 9)[1:-1]
    at.outline(values, levels, colors="white", linewidths=0.6, alpha=0.7)
    at.mark(slice(None), c=y, cmap="cividis", vmin=low, vmax=high, edgecolors="white")
    at.ax.figure.colorbar(drawn, ax=at.ax, label=name)


def paint_regions(at: Painting, outputs: Array, y: Array, names: list[str]) -> None:
    """Where each of the outputs (up, across, outputs) is the largest, with a mark for the rows
    whose targets (n, outputs) are.
    """
    from matplotlib.colors import to_rgb

    chosen, targets = outputs.argmax(axis=2), y.argmax(axis=1)
    colors = np.array([to_rgb(COLORS[k % len(COLORS)]) for k in range(len(names))])
    at.paint(1 - 0.32 * (1 - colors[chosen]), interpolation="nearest")
    for k, name in enumerate(names):
        others = np.delete(outputs, k, axis=2).max(axis=2)
        at.outline(outputs[:, :, k] - others, np.zeros(1), colors=INK, linewidths=0.8)
        at.mark(
            targets == k, marker=MARKERS[k % len(MARKERS)], color=colors[k], edgecolors="white",
            label=name,
        )  # fmt: skip
    at.set_legend()


def draw_curves(ax: Axes, given: Trained, x: Array, y: Array, at: Array, chosen: list[int]) -> None:
    """These outputs against the only input, (points,), and the rows."""
    names, curves = given.names("y"), given.net.predict(given.params, at.reshape(-1, 1))
    for k in chosen:
        color = COLORS[k % len(COLORS)]
        rows, curve = (given.target_units(k, values[:, k]) for values in (y, curves))
        of = "" if len(chosen) == 1 else f" {names[k]}"
        ax.plot(
            given.input_units(0, x[:, 0]), rows, MARKERS[k % len(MARKERS)], color=color, alpha=0.5,
            markersize=4.5, markeredgewidth=0, rasterized=len(x) > MANY, label=f"rows{of}",
        )  # fmt: skip
        line = INK if len(chosen) == 1 else color
        ax.plot(given.input_units(0, at), curve, color=line, label=f"network{of}")
    ax.set_xlabel(given.names("x")[0])
    ax.set_ylabel(names[chosen[0]] if len(chosen) == 1 else "outputs")
    ax.legend(frameon=False)
    ax.grid(alpha=0.25)
    bare(ax)
