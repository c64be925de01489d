"""A network as a picture: its units, the weights between them, and the names of what goes in and
comes out.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.network import Network
from fastgd.svg.chosen import from_both_ends
from fastgd.svg.elements import BLUE, ORANGE, escaped, picture, shortened, tag, text

_MOST_UNITS, _MOST_COLUMNS = 9, 8  # that are drawn; others are left out in the middle
_RADIUS, _STEP_X, _STEP_Y = 7.0, 84.0, 22.0
_MARGIN, _TOP, _BELOW = 34.0, 14.0, 36.0
_LONGEST_NAME = 16  # characters
_WIDTHS = (0.3, 0.8, 1.6, 2.8)  # of lines, by the size of a weight


class _Column(NamedTuple):
    """A layer that is drawn; 0 is the inputs."""

    layer: int
    x: float
    units: list[int]  # those that are drawn
    y: list[float]  # where
    gap: float | None  # where some are left out


def network_svg(
    net: Network,
    params: Array | None = None,
    inputs: Sequence[object] | None = None,
    outputs: Sequence[object] | None = None,
) -> str:
    """The network from left to right.

    Of given parameters (n_params,), a line is the wider the larger its weight is among those of its
    layer, blue where it is above 0, orange and dashed below; units are filled likewise by their
    biases. Names are written beside `inputs` and `outputs`, where there are some.
    """
    layers = net.unpack(params) if params is not None else [None] * len(net.layers)
    left = _room(inputs)
    columns = _columns(net.widths, left)
    rows = max(len(column.y) + (column.gap is not None) for column in columns)
    height = _TOP + (rows - 1) * _STEP_Y + 2 * _RADIUS
    parts = []
    for before, after in itertools.pairwise(columns):
        if after.layer == before.layer + 1:
            W = None if (pair := layers[before.layer]) is None else pair[0]
            parts += _lines(before, after, W)
        else:
            parts.append(_dots((before.x + after.x) / 2, height / 2 + _TOP / 2))
    for column in columns:
        pair = layers[column.layer - 1] if column.layer else None
        parts += _units(column, None if pair is None else pair[1])
        parts += _caption(net, column, height)
    parts += _names(columns[0], inputs, columns[0].x - 13, "end")
    parts += _names(columns[-1], outputs, columns[-1].x + 13, "start")
    width = columns[-1].x + _room(outputs)
    return picture(width, height + _BELOW, described(net), parts)


def described(net: Network) -> str:
    """The network in words."""
    layers = [
        f"{units:,} {name}" for units, name in zip(net.widths[1:], net.activations, strict=True)
    ]
    hidden = f", hidden layers of {', '.join(layers[:-1])}" if layers[:-1] else ""
    inputs = f"{net.widths[0]:,} input{'s' if net.widths[0] > 1 else ''}"
    return (
        f"Network of {inputs}{hidden}, output of {layers[-1]}; {net.n_params:,} parameters, loss "
        f"{net.loss}"
    )


def _room(names: Sequence[object] | None) -> float:
    """Pixels beside the outermost units, for these names."""
    longest = max((len(shortened(name, _LONGEST_NAME)) for name in names or ()), default=0)
    return max(_MARGIN, 20 + 7.2 * longest)


def _columns(widths: Sequence[int], left: float) -> list[_Column]:
    layers = from_both_ends(len(widths), _MOST_COLUMNS)
    drawn = [from_both_ends(widths[layer], _MOST_UNITS) for layer in layers]
    tallest = max(len(units) + (len(units) < widths[layer])
                  for layer, units in zip(layers, drawn, strict=True))  # fmt: skip
    columns, x = [], left
    for i, (layer, units) in enumerate(zip(layers, drawn, strict=True)):
        if i and layer > layers[i - 1] + 1:
            x += _STEP_X * 0.2
        is_cut = len(units) < widths[layer]
        start = _TOP + _RADIUS + (tallest - len(units) - is_cut) * _STEP_Y / 2
        places = [start + _STEP_Y * row for row in range(len(units) + is_cut)]
        gap = places.pop(len(units) // 2 + len(units) % 2) if is_cut else None
        columns.append(_Column(layer, x, units, places, gap))
        x += _STEP_X
    return columns


def _lines(before: _Column, after: _Column, W: Array | None) -> list[str]:
    """The weights of a layer, (outputs, inputs), those of one width and sign as one path."""
    paths: dict[tuple[float, bool | None], list[str]] = {}
    largest = 0.0 if W is None else float(np.abs(W).max())
    for a, y_a in zip(before.units, before.y, strict=True):
        for b, y_b in zip(after.units, after.y, strict=True):
            style: tuple[float, bool | None] = 0.8, None
            if W is not None:
                share = abs(float(W[b, a])) / largest if largest else 0.0
                width = _WIDTHS[min(int(share * len(_WIDTHS)), len(_WIDTHS) - 1)]
                style = width, bool(W[b, a] >= 0)
            line = f"M{before.x + _RADIUS:g} {y_a:g}L{after.x - _RADIUS:g} {y_b:g}"
            paths.setdefault(style, []).append(line)
    return [
        tag("path", d="".join(lines), stroke=_colour(sign), stroke_width=width, fill="none",
            stroke_opacity=0.35 if sign is None else None,
            stroke_dasharray="6 3" if sign is False else None)
        for (width, sign), lines in sorted(paths.items(), key=lambda path: path[0][0])
    ]  # fmt: skip


def _colour(is_positive: bool | None) -> str:
    return {None: "currentColor", True: BLUE, False: ORANGE}[is_positive]


def _units(column: _Column, b: Array | None) -> list[str]:
    """Circles, filled by the biases (outputs,) of the layer."""
    largest = 0.0 if b is None else float(np.abs(b).max())
    parts = []
    for unit, y in zip(column.units, column.y, strict=True):
        share = 0.0 if b is None or not largest else abs(float(b[unit])) / largest
        fill = "none" if b is None else _colour(bool(b[unit] >= 0))
        parts.append(
            tag("circle", cx=column.x, cy=y, r=_RADIUS, fill=fill, stroke="currentColor",
                fill_opacity=None if b is None else round(0.1 + 0.8 * share, 2))
        )  # fmt: skip
    return parts if column.gap is None else [*parts, _dots(column.x, column.gap, upright=True)]


def _dots(x: float, y: float, upright: bool = False) -> str:
    """Something is left out here."""
    step = (0, 5) if upright else (5, 0)
    return "".join(
        tag("circle", cx=x + i * step[0], cy=y + i * step[1], r=1.4, fill="currentColor")
        for i in (-1, 0, 1)
    )


def _caption(net: Network, column: _Column, height: float) -> list[str]:
    """How many units, and what they compute."""
    units = net.widths[column.layer]
    name = net.activations[column.layer - 1] if column.layer else f"input{'s' * (units > 1)}"
    return [
        text(column.x, height + 16, f"{units:,}", "middle"),
        text(column.x, height + 30, shortened(name, 13), "middle", 11),
    ]


def _names(column: _Column, names: Sequence[object] | None, x: float, anchor: str) -> list[str]:
    if names is None:
        return []
    return [
        _with_title(text(x, y + 4, shortened(names[unit], _LONGEST_NAME), anchor), names[unit])
        for unit, y in zip(column.units, column.y, strict=True)
    ]


def _with_title(element: str, name: object) -> str:
    """The whole name, where it was cut."""
    if shortened(name, _LONGEST_NAME) == str(name):
        return element
    return tag("g", tag("title", escaped(shortened(name, 200))) + element)
