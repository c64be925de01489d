"""Weights and biases as maps of colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.checks import Array, shown, whole_number
from fastgd.mlp import MLP
from fastgd.plotting.figure import MANY, axes_or_new, check_axes, number, signed_map
from fastgd.plotting.given import Trained, trained
from fastgd.system.float_errors import quiet
from fastgd.training.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FEW = (8, 6)  # rows and columns of a map that has its numbers written in
_LETTER, _LINE = 0.09, 0.16  # inches that a letter and a line of a label take


@quiet
def weights(
    net: MLP | Run,
    params: ArrayLike | None = None,
    *,
    image: tuple[int, int] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The parameters of each layer as a map: a row for each of its units, a column for each unit
    before it, and the biases as a column apart, from amber and light, the most negative, through
    grey at 0 to blue and dark.

    All maps have one scale, which a colour bar shows; small ones have their numbers written in.

    Parameters
    ----------
    net : MLP or Run
        A Run instead of a network and parameters: with names of inputs and outputs, where its table
        has them.
    params : (n_params,) array_like
        Left out where `net` is a Run.
    image : (height, width), optional
        Of inputs that are the pixels of an image, row by row: the weights of each unit of the first
        layer are drawn as such an image, without its biases.
    ax : matplotlib Axes, optional
        Where to draw; a new figure's if not given.

    Returns
    -------
    Axes
        Empty itself; `ax.child_axes` has an Axes for each layer and one for the colour bar.

    Raises
    ------
    ValueError, TypeError
        For what is no network, parameters that are not its, or an image of other pixels than there
        are inputs.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 2, 1), fastgd.data.gate("xor")
    >>> ax = fastgd.plotting.weights(net, net.init(rng=0))
    >>> len(ax.child_axes)
    3
    """
    given = trained(net, params)
    image = _check_image(image, given.net.widths[0])
    ax = check_axes(ax)
    layers = given.net.unpack(given.params)
    maps = [W if l or image is None else _tiled(W, image) for l, (W, _) in enumerate(layers)]
    tallest = max(map(len, maps[image is not None :]), default=1)
    heights = [float(np.clip(len(W) / tallest, 0.2, 1)) for W in maps]
    shares = [float(np.clip((W.shape[1] + 2) / tallest, 0.5, 1.6)) for W in maps]
    if image is not None:
        heights[0], shares[0] = 1.0, 1.3
    ax = axes_or_new(ax, 1.6 + 2.2 * sum(shares), 3.2)
    ax.set_axis_off()
    limit = float(np.abs(given.params).max()) or 1.0
    norm: dict[str, Any] = {"vmin": -limit, "vmax": limit, "cmap": signed_map()}
    space, left = 0.3, 0.0
    unit = (1 - 0.05) / (sum(shares) + space * len(shares))  # of the width, the last for the bar
    whole = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted())
    for l, (share, height, (W, b)) in enumerate(zip(shares, heights, layers, strict=True)):
        panel = ax.inset_axes((left, 1 - height, unit * share, height))
        left += unit * (share + space)
        if l == 0 and image is not None:
            drawn = _draw_images(panel, maps[0], norm)
        else:
            drawn = _draw_map(panel, W, b, norm)
            _set_ticks(panel, given, l, whole.width * unit * share, whole.height * height)
        panel.set_title(f"layer {l + 1}\n{given.net.activations[l]}", fontsize="small")
    bar = ax.inset_axes((left, 0.0, 1 - left - 0.01, 1.0))
    ax.figure.colorbar(drawn, cax=bar)
    return ax


def _check_image(image: Any, inputs: int) -> tuple[int, int] | None:
    if image is None:
        return None
    if not isinstance(image, (tuple, list)) or len(image) != 2:
        raise TypeError(f"image must be (height, width) or None; got {shown(image)}")
    height, width = (whole_number(f"image[{k}]", size, least=1) for k, size in enumerate(image))
    if height * width != inputs:
        raise ValueError(
            f"image must have as many pixels as the network has inputs, {inputs}; got "
            f"{height} x {width}"
        )
    return height, width


def _tiled(W: Array, image: tuple[int, int]) -> Array:
    """The rows of W as images side by side, somewhat apart, in a grid that is about square; NaN
    between them.
    """
    height, width = image
    gap = 1 + max(image) // 14
    across = int(np.ceil(np.sqrt(len(W))))
    down = -(-len(W) // across)
    tiles = np.full((down * (height + gap) - gap, across * (width + gap) - gap), np.nan)
    for place, row in enumerate(W):
        y, x = place // across * (height + gap), place % across * (width + gap)
        tiles[y : y + height, x : x + width] = row.reshape(image)
    return tiles


def _draw_images(panel: Axes, tiles: Array, norm: dict[str, Any]) -> Any:
    panel.set_axis_off()
    panel.set_aspect("equal")
    panel.invert_yaxis()
    return _draw_cells(panel, np.arange(tiles.shape[1] + 1), tiles, norm)


def _draw_map(panel: Axes, W: Array, b: Array | None, norm: dict[str, Any]) -> Any:
    """W, and b to the right of it; unit k of a layer is at k."""
    rows, columns = W.shape
    drawn = _draw_cells(panel, np.arange(columns + 1) - 0.5, W, norm)
    wide = max(1.0, columns / 20)  # cells, so that it is seen beside many
    right = columns - 0.5
    if b is not None:
        start, right = right + 0.3 * wide, right + 1.3 * wide
        _draw_cells(panel, np.array([start, right]), b[:, None], norm)
    panel.set_xlim(-0.5, right)
    panel.set_ylim(rows - 0.5, -0.5)
    if rows <= _FEW[0] and columns <= _FEW[1]:
        _write(panel, W, np.arange(columns), drawn)
        if b is not None:
            _write(panel, b[:, None], [right - wide / 2], drawn)
    panel.spines[:].set_visible(False)
    return drawn


def _draw_cells(panel: Axes, edges: Array, values: Array, norm: dict[str, Any]) -> Any:
    """Values (rows, columns) between edges (columns + 1,)."""
    heights = np.arange(len(values) + 1) - 0.5
    return panel.pcolormesh(edges, heights, values, rasterized=values.size > MANY, **norm)


def _write(panel: Axes, values: Array, across: Any, drawn: Any) -> None:
    """The numbers into their cells, white where these are dark."""
    for (j, k), value in np.ndenumerate(values):
        red, green, blue, _ = drawn.cmap(drawn.norm(float(value)))
        is_dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
        panel.text(
            across[k], j, number(float(f"{value:.2g}")), ha="center", va="center",
            color="white" if is_dark else "black", fontsize="small",
        )  # fmt: skip


def _set_ticks(panel: Axes, given: Trained, l: int, width: float, height: float) -> None:
    """Names or numbers of units, as far as they have room in so many inches; else a number here and
    there.
    """
    from matplotlib.ticker import MaxNLocator

    layer = given.net.layers[l]
    panel.tick_params(length=0)
    below = given.names("x") if l == 0 else list(map(str, range(layer.inputs)))
    is_last = l == len(given.net.layers) - 1
    beside = given.names("y") if is_last else list(map(str, range(layer.outputs)))
    letters = max(len(name.strip("$").replace("_{", "").replace("}", "")) for name in below)
    across, down = width / (layer.inputs + 1), height / layer.outputs
    if letters * _LETTER > across >= _LINE:
        panel.tick_params(axis="x", labelrotation=90)
    for axis, names, has_room, most in (
        (panel.xaxis, below, across >= min(letters * _LETTER, _LINE), width / (4 * _LETTER)),
        (panel.yaxis, beside, down >= _LINE, height / (2 * _LINE)),
    ):
        if has_room:
            axis.set_ticks(range(len(names)), names)
        else:
            axis.set_major_locator(MaxNLocator(int(np.clip(most, 1, 5)), integer=True))
