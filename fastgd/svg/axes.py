"""Axes: where numbers lie in a picture, and which of them are written beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.svg.elements import tag, text

_RATIO = 20.0  # from which on costs are better seen by their logarithms
_MOST_TICKS = 6


@dataclass(frozen=True)
class Axis:
    """Numbers from `low` to `high` along pixels from `start` to `stop`."""

    low: float
    high: float
    start: float
    stop: float
    is_log: bool = False
    is_whole: bool = False  # whether there is nothing between whole numbers

    @classmethod
    def of(cls, values: Array, start: float, stop: float, is_log: bool | None = None) -> Axis:
        """That holds these finite numbers, of which there is one; by logarithms if they are above 0
        and far apart, where `is_log` does not say.
        """
        low, high = float(values.min()), float(values.max())
        if is_log is None:
            is_log = low > 0 and high / low > _RATIO
        if low == high:  # which is to lie in the middle
            half = abs(low) / 2 or 0.5
            low, high = low - half, high + half
        return cls(low, high, start, stop, is_log)

    def places(self, values: Array | float) -> Array:
        """In pixels."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        share = (self._scaled(values) - low) / (high - low)
        return np.asarray(self.start + share * (self.stop - self.start))

    def _scaled(self, values: Array | float) -> Array:
        return np.log10(values) if self.is_log else np.asarray(values, float)

    def ticks(self) -> list[float]:
        """Round numbers between both ends."""
        if self.is_log:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            if last > first:
                step = -(-(last - first + 1) // _MOST_TICKS)
                return [10.0**power for power in range(first, last + 1, step)]
            return [self.low, self.high]
        rough = (self.high - self.low) / (_MOST_TICKS - 1)
        size = 10.0 ** math.floor(math.log10(rough))
        width = size * next(each for each in (1, 2, 5, 10) if each * size >= rough * 0.999)
        width = max(width, 1.0) if self.is_whole else width
        first, last = math.ceil(self.low / width - 1e-9), math.floor(self.high / width + 1e-9)
        return [width * i for i in range(first, last + 1)]


def labels(values: Sequence[float]) -> list[str]:
    """Numbers beside an axis, in as many digits as it takes to tell them apart."""
    for digits in range(3, 17):
        found = [short(value, digits) for value in values]
        if len(set(found)) == len(values):
            break
    return found


def short(value: float, digits: int = 3) -> str:
    """A number in few digits: 0, 0.05, 1e-06, 1,250, 20k, 2.5M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size and abs(value) < 1e12:
            return f"{value / (1e3 if unit == 'k' else size):.{digits + 1}g}{unit}"
    return f"{value:,.0f}" if 1e3 <= abs(value) < 1e4 else f"{value:.{digits}g}"


def frame(
    x: Axis, y: Axis, x_title: str, y_title: str, at_x: str = "", lines: bool = True
) -> list[str]:
    """What stands beside both axes, `at_x` behind numbers at x; and lines at the ticks of y."""
    places = y.places(np.array(y.ticks()))
    grid = "".join(f"M{x.start:.1f} {place:.1f}H{x.stop:.1f}" for place in places if lines)
    foot = f"M{x.start:.1f} {y.start:.1f}H{x.stop:.1f}"
    parts = [
        tag("path", d=each, stroke="currentColor", stroke_opacity=opacity, fill="none")
        for each, opacity in ((grid, 0.18), (foot, 0.6))
        if each
    ]
    for label, place in zip(labels(y.ticks()), places, strict=True):
        parts.append(text(x.start - 6, place + 4, label, "end"))
    for label, place in zip(labels(x.ticks()), x.places(np.array(x.ticks())), strict=True):
        parts.append(text(place, y.start + 15, f"{label}{at_x}", "middle"))
    parts.append(text((x.start + x.stop) / 2, y.start + 31, x_title, "middle"))
    parts.append(text(x.start - 6, y.stop - 10, y_title, "end"))
    return parts
