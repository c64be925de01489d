"""A gradient by every method, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.checks import Array, finite_number, shown
from fastgd.mlp import MLP
from fastgd.names import METHODS
from fastgd.plotting.figure import COLORS, INK, MANY, MARKERS, axes_or_new, bare, check_axes
from fastgd.plotting.given import trained
from fastgd.system.float_errors import quiet
from fastgd.training.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BARS = 24  # parameters that have bars; of more, a point each
_SIZES = (0, 3.5, 6, 2.5)  # of points
_HATCHES = ("", "///", "...", "xxx")


@overload
def gradients(
    net: MLP,
    params: ArrayLike,
    X: ArrayLike,
    Y: ArrayLike,
    *,
    eps: float = ...,
    ax: Axes | None = ...,
) -> Axes: ...
@overload
def gradients(
    net: Run, params: ArrayLike, X: ArrayLike, *, eps: float = ..., ax: Axes | None = ...
) -> Axes: ...
@quiet
def gradients(
    net: MLP | Run,
    params: ArrayLike,
    X: ArrayLike,
    Y: ArrayLike | None = None,
    *,
    eps: float = 1e-3,
    ax: Axes | None = None,
) -> Axes:
    """The gradient of the cost by the four methods of `net.gradient`, side by side: backprop,
    layerwise, forward and central differences. Layerwise, which squared error alone has, is left
    out for another loss.

    Of up to 24 parameters each has a bar a method, in their order in the flat array. Of more each
    is a point a method: what it says against the exact derivative, so that what agrees lies on the
    diagonal; the notes' layerwise gradient lies on lines 2, 4, 8 ... times as steep, one a layer.

    Parameters
    ----------
    net, params : MLP and (n_params,) array_like
        `gradients(run, X, Y)` takes both from a Run.
    X, Y : array_like, (n, inputs) and (n, outputs)
        Differences take a cost of all these rows for each parameter: give large networks few.
    eps : float
        Step of the two difference methods.
    ax : matplotlib Axes, optional
        Where to draw; a new figure's if not given.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError, TypeError
        For what `net.gradient` refuses.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 2, 1), fastgd.data.gate("xor")
    >>> ax = fastgd.plotting.gradients(net, net.init(rng=0), X, Y)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['backprop', 'layerwise', 'finite difference', 'central difference']
    """
    data: tuple[Any, Any]
    if isinstance(net, Run):
        if Y is not None:
            raise TypeError(
                f"gradients(run, X, Y) takes no params beside a Run; got {shown(params)}"
            )
        given, data = trained(net), (params, X)
    else:
        given, data = trained(net, params), (X, Y)
    x, y = given.data(*data)
    eps = finite_number("eps", eps, positive=True)
    ax = check_axes(ax)
    methods = [m for m in METHODS if m != "layerwise" or given.net.loss == "squared_error"]
    found = {m: given.net.gradient(given.params, x, y, method=m, eps=eps) for m in methods}
    has_bars = given.net.n_params <= _BARS
    ax = axes_or_new(ax, 7.0 if has_bars else 4.6, 3.6 if has_bars else 4.4)
    if has_bars:
        _draw_bars(ax, found, _names(given.net))
    else:
        _draw_points(ax, found)
    bare(ax)
    ax.legend(frameon=False, fontsize="small")
    return ax


def _label(method: str) -> str:
    return method.replace("_", " ")


def _draw_bars(ax: Axes, found: dict[str, Array], names: list[str]) -> None:
    places, width = np.arange(len(names)), 0.8 / len(found)
    for i, (method, gradient) in enumerate(found.items()):
        shift = (i - (len(found) - 1) / 2) * width
        ax.bar(
            places + shift, gradient, width, color=COLORS[METHODS.index(method)],
            hatch=_HATCHES[METHODS.index(method)], edgecolor="white", linewidth=0.4,
            label=_label(method),
        )  # fmt: skip
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.set_xticks(places, names, fontsize="small")
    ax.tick_params(axis="x", length=0)
    ax.set_ylabel("derivative of the cost")


def _names(net: MLP) -> list[str]:
    """W and b with layer above, unit and input below."""
    names = []
    for l, layer in enumerate(net.layers, 1):
        names += [
            f"$W^{{({l})}}_{{{j},{k}}}$" for j in range(layer.outputs) for k in range(layer.inputs)
        ]
        names += [f"$b^{{({l})}}_{{{j}}}$" for j in range(layer.outputs) if layer.bias]
    return names


def _draw_points(ax: Axes, found: dict[str, Array]) -> None:
    exact = found["backprop"]
    ends = np.array([exact.min(), exact.max()])
    ax.plot(ends, ends, color=COLORS[0], linewidth=1.2, label="backprop, exact")
    for method, gradient in found.items():
        if method != "backprop":
            place = METHODS.index(method)
            ax.plot(
                exact, gradient, MARKERS[place], color=COLORS[place], markersize=_SIZES[place],
                markerfacecolor="none" if place == 2 else None, linestyle="none",
                markeredgewidth=0.7, rasterized=len(exact) > MANY, label=_label(method),
            )  # fmt: skip
    ax.set_xlabel("derivative of the cost, by backprop")
    ax.set_ylabel("by each method")
    ax.grid(alpha=0.25)
