"""What a network computes over two of its inputs, as a picture: colours of a grid, with
rows on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.svg.axes import Axis, frame, short
from fastgd.svg.chosen import evenly
from fastgd.svg.elements import picture, shortened, tag, text
from fastgd.svg.png import data_address

_SIDE, _LEFT, _TOP, _BELOW = 240.0, 58.0, 34.0, 38.0
_RIGHT = 96.0  # for what colours mean
# from dark to light, which the colour-blind and printers see too
_VIRIDIS = np.array([
    [68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37],
])  # fmt: skip
_CLASSES = np.array([
    [47, 134, 214], [217, 105, 26], [64, 160, 90], [138, 99, 201], [200, 160, 40], [90, 180, 190],
    [200, 80, 120], [130, 130, 130], [120, 90, 50], [60, 60, 140],
])  # fmt: skip
_MOST_ROWS = 400  # that are drawn


class Surface(NamedTuple):
    """Outputs over a grid of two inputs, and rows that lie on it."""

    names: tuple[str, str]  # of the inputs to the right and upwards
    x: Array  # (columns,) numbers of the first input, rising
    y: Array  # (rows,) of the second
    values: Array  # (rows, columns) an output, or the number of the class
    classes: Sequence[object] | None = None  # what values number, if they do
    points: Array | None = None  # (n, 2)
    point_values: Array | None = None  # (n,) targets of these, as values have them
    held: str = ""  # at what the other inputs are held


def surface_svg(surface: Surface) -> str:
    """The surface, with a legend of its colours."""
    x = Axis(float(surface.x[0]), float(surface.x[-1]), _LEFT, _LEFT + _SIDE)
    y = Axis(float(surface.y[0]), float(surface.y[-1]), _TOP + _SIDE, _TOP)
    low, high = _range(surface)
    pixels = _colours(surface, surface.values, low, high)[::-1]
    names = [shortened(name, 24) for name in surface.names]
    parts = [
        tag("image", href=data_address(pixels), x=_LEFT, y=_TOP, width=_SIDE, height=_SIDE,
            preserveAspectRatio="none"),
        *frame(x, y, names[0], names[1], lines=False),
    ]  # fmt: skip
    parts += _rows(surface, x, y, low, high)
    parts += _class_legend(surface) if surface.classes is not None else _scale(low, high)
    what = (
        f"from {float(surface.values.min()):.4g} to {float(surface.values.max()):.4g}"
        if surface.classes is None
        else ", ".join(shortened(each, 24) for each in surface.classes[: len(_CLASSES)])
    )
    held = f", {surface.held}" if surface.held else ""
    title = f"Output over {names[0]} and {names[1]}: {what}{held}"
    return picture(_LEFT + _SIDE + _RIGHT, _TOP + _SIDE + _BELOW, title, parts)


def _range(surface: Surface) -> tuple[float, float]:
    """Between what numbers the finite ones are, or would be if there were any."""
    values = surface.values[np.isfinite(surface.values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    half = abs(low) / 2 or 0.5
    return (low, high) if high > low else (low - half, high + half)


def _colours(surface: Surface, values: Array, low: float, high: float) -> Array:
    """(..., 3) uint8 of values, of which NaN is as the least, or numbers of classes."""
    if surface.classes is not None:
        return np.asarray(_CLASSES[values.astype(int) % len(_CLASSES)], np.uint8)
    shares = (values / 2 - low / 2) / (high / 2 - low / 2)  # halves, whose difference is finite
    return _viridis(np.clip(np.nan_to_num(shares), 0, 1))


def _viridis(shares: Array) -> Array:
    """(..., 3) uint8 of shares from 0, the least value, to 1."""
    places = shares * (len(_VIRIDIS) - 1)
    channels = [np.interp(places, range(len(_VIRIDIS)), channel) for channel in _VIRIDIS.T]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def _rows(surface: Surface, x: Axis, y: Axis, low: float, high: float) -> list[str]:
    """Circles in the colours of what the rows are to be, those of a colour together."""
    if surface.points is None or surface.point_values is None:
        return []
    kept = evenly(len(surface.points), _MOST_ROWS)
    points, targets = surface.points[kept], surface.point_values[kept]
    dots: dict[tuple[int, ...], list[str]] = {}
    for (a, b), colour in zip(points, _colours(surface, targets, low, high), strict=True):
        if x.low <= a <= x.high and y.low <= b <= y.high:
            centre = f"M{float(x.places(a)):.1f} {float(y.places(b)):.1f}h0"
            dots.setdefault(tuple(map(int, colour)), []).append(centre)
    ends = {"stroke_linecap": "round", "fill": "none"}
    rings = "".join(centre for some in dots.values() for centre in some)
    return [
        tag("path", d=rings, stroke="#000", stroke_width=8, **ends),
        tag("path", d=rings, stroke="#fff", stroke_width=6.4, **ends),
        *(
            tag("path", d="".join(some), stroke=_hex(colour), stroke_width=4.6, **ends)
            for colour, some in dots.items()
        ),
    ]


def _hex(colour: Sequence[int]) -> str:
    return "#" + "".join(f"{int(channel):02x}" for channel in colour)


def _class_legend(surface: Surface) -> list[str]:
    parts, x = [], _LEFT + _SIDE + 14
    for i, name in enumerate(list(surface.classes or ())[: len(_CLASSES)]):
        y = _TOP + 4 + 18 * i
        parts.append(tag("rect", x=x, y=y, width=12, height=12, fill=_hex(_CLASSES[i])))
        parts.append(text(x + 18, y + 10, shortened(name, 10)))
    return parts


def _scale(low: float, high: float) -> list[str]:
    """A bar of the colours from the least value to the largest."""
    x, bar = _LEFT + _SIDE + 14, _viridis(np.linspace(1, 0, 33)[:, None])
    return [
        tag("image", href=data_address(bar), x=x, y=_TOP, width=14, height=_SIDE,
            preserveAspectRatio="none"),
        text(x + 20, _TOP + 9, short(high)),
        text(x + 20, _TOP + _SIDE, short(low)),
    ]  # fmt: skip
