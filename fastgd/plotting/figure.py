"""Where a picture is drawn and with what colours; only inside functions is matplotlib imported."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgd.arguments.checks import Array, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

# which the colour-blind tell apart: Okabe and Ito's, without the yellow that paper swallows, and
# three more
COLORS = (
    "#0072b2", "#d55e00", "#009e73", "#e69f00", "#56b4e9", "#cc79a7", "#000000", "#7f7f7f",
    "#882255", "#999933",
)  # fmt: skip
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*", "<", ">")
POSITIVE, NEGATIVE = "#1b4f8f", "#e69f00"  # of weights: dark and light
INK, FAINT = "#222222", "#8a8a8a"
MANY = 2000  # points, lines or cells, which a vector format has as pixels
# from light to dark all the way, and so in grey too; amber below zero, blue above
_SIGNED = ("#fff0b8", "#f2b84b", "#a39a94", "#3f6fa8", "#0a2342")
_PALE = ("#ffe3a3", "#fbeccb", "#e4e6e6", "#a9c3dd", "#6f9ac6")  # behind marks


def check_axes(ax: object) -> Axes | None:
    """`ax` if it is an Axes or None; ImportError without matplotlib."""
    try:
        from matplotlib.axes import Axes
    except ImportError:
        raise ImportError("fastgd.plotting needs matplotlib: pip install 'fastgd[plot]'") from None
    if ax is None or (isinstance(ax, Axes) and ax.name == "rectilinear"):
        return ax
    if isinstance(ax, Axes):
        raise TypeError(f"ax must be an Axes of two straight axes; got one that is {ax.name}")
    advice = ": one of them" if isinstance(ax, np.ndarray) else ""
    raise TypeError(f"ax must be a matplotlib Axes or None; got {shown(ax)}{advice}")


def axes_or_new(ax: Axes | None, width: float = 6.0, height: float = 4.0) -> Axes:
    """`ax`, or that of a new figure of so many inches."""
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    return ax


@cache
def signed_map(*, pale: bool = False) -> Colormap:
    """From amber and light through grey at zero to blue and dark."""
    from matplotlib.colors import LinearSegmentedColormap

    name, colors = ("pale", _PALE) if pale else ("signed", _SIGNED)
    return LinearSegmentedColormap.from_list(f"fastgd_{name}", colors)


def spans_decades(values: Array) -> bool:
    """Whether numbers are better seen on a log axis: all above 0, the largest ten times the least
    or more; those that are not finite are not looked at.
    """
    finite = values[np.isfinite(values)]
    return bool(len(finite)) and bool(finite.min() > 0) and bool(finite.max() >= 10 * finite.min())


def set_cost_axis(ax: Axes, costs: Array) -> None:
    """The vertical axis is a cost's."""
    ax.set_ylabel("cost")
    if spans_decades(costs):
        ax.set_yscale("log")


def set_epoch_axis(ax: Axes, spacings: set[Any], most: int) -> None:
    """The horizontal axis counts epochs; epoch 0 has its place before 1 where points were recorded
    ever further apart.
    """
    ax.set_xlabel("epochs")
    if spacings == {"log"} and most > 1:
        ax.set_xscale("symlog", linthresh=1)
    ax.set_xlim(0, max(most, 1))


def set_legend_above(ax: Axes, handles: list[Any] | None = None, **style: Any) -> None:
    """A legend above the axes, where it hides nothing, of at most five columns, and no more than
    have room above them.
    """
    if handles is None:
        handles = ax.get_legend_handles_labels()[0]
    width = ax.get_window_extent().width / ax.figure.dpi
    columns = min(len(handles), 5)
    while columns > 1 and _legend_inches(handles, columns) > 1.2 * width:
        columns -= 1
    ax.legend(
        handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns or 1,
        fontsize="small", frameon=False, columnspacing=1.4, **style,
    )  # fmt: skip


def _legend_inches(handles: list[Any], columns: int) -> float:
    """About how wide a legend is, of entries that fill one column after the other."""
    lengths = [len(handle.get_label()) for handle in handles]
    return sum(0.5 + 0.058 * int(max(some)) for some in np.array_split(lengths, columns))


def bare(ax: Axes) -> None:
    """Left and lower line alone."""
    ax.spines[["top", "right"]].set_visible(False)


def number(value: float) -> str:
    """A number in a few characters, with a minus as wide as a plus."""
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")
