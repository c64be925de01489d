"""The cost on the way as a picture: of one run, of several over one another, of many members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.svg.axes import Axis, frame
from fastgd.svg.chosen import evenly
from fastgd.svg.elements import BLUE, ORANGE, picture, shortened, tag, text

_WIDTH, _HEIGHT = 460.0, 220.0
_LEFT, _RIGHT, _TOP, _BELOW = 58.0, 20.0, 42.0, 38.0
_BUCKETS = 110  # of epochs, of each of which the least and the largest cost are drawn
_STYLES = ((BLUE, None), (ORANGE, "6 3"), ("currentColor", "2 3"), ("#8a63c9", "8 3 2 3"))
_MANY = 20  # points, of which half are early where they are spaced by logarithms
_GRID = 60  # epochs at which quantiles of members are


class Curve(NamedTuple):
    """Costs (points,) after so many epochs (points,), which rise."""

    title: str
    epoch: Array
    cost: Array


class Mark(NamedTuple):
    """One epoch that stands out, with its cost."""

    title: str
    epoch: int
    cost: float


def cost_svg(curves: Sequence[Curve], mark: Mark | None = None) -> str:
    """The curves over one another, at most four; costs that are not finite are left out."""
    told = [finite for curve in curves if len((finite := _finite(curve)).cost)]
    if not told:
        return _nothing()
    ranges = [f"{each.title} from {each.cost[0]:.4g} to {each.cost[-1]:.4g}" for each in told]
    title = f"Cost over {int(max(each.epoch[-1] for each in told)):,} epochs: {'; '.join(ranges)}"
    x, y = _axes(np.concatenate([each.epoch for each in told]), [each.cost for each in told])
    parts, legend = frame(x, y, "epoch", "cost"), []
    for curve, (colour, dashes) in zip(told, _STYLES, strict=False):
        parts.append(_line(curve, x, y, colour, dashes))
        legend.append((curve.title, tag("path", d="M0 0h16", stroke=colour, stroke_width=2,
                                        stroke_dasharray=dashes)))  # fmt: skip
    if mark is not None and y.low <= mark.cost <= y.high and x.low <= mark.epoch <= x.high:
        parts.append(_ring(float(x.places(mark.epoch)), float(y.places(mark.cost))))
        legend.append((mark.title, _ring(8, 0)))
        title += f"; {mark.title}, at epoch {mark.epoch:,}, {mark.cost:.4g}"
    return picture(_WIDTH, _HEIGHT, title, [*parts, *_legend(legend)])


def members_svg(curves: Sequence[Curve], costs: Array) -> str:
    """The costs of many members: quantiles of their curves, where these have several points, or
    their final costs (members,) from the least to the largest.
    """
    told = [finite for curve in curves if len((finite := _finite(curve)).cost) > 1]
    return _quantiles(told, len(costs)) if told else _sorted(costs)


def _quantiles(curves: Sequence[Curve], members: int) -> str:
    """Those of the costs at the same epochs, a member that has ended counting with its last."""
    epochs = np.unique(np.concatenate([curve.epoch for curve in curves]))
    epochs = epochs[evenly(len(epochs), _GRID)]
    at_epochs = np.array([np.interp(epochs, curve.epoch, curve.cost) for curve in curves])
    least, quarter, median, three, most = np.quantile(at_epochs, (0, 0.25, 0.5, 0.75, 1), axis=0)
    x, y = _axes(epochs, [at_epochs])
    parts = frame(x, y, "epoch", "cost")
    for low, high, opacity in ((least, most, 0.18), (quarter, three, 0.35)):
        upper, lower = Curve("", epochs, high), Curve("", epochs[::-1], low[::-1])
        outline = f"{_path(upper, x, y)}L{_path(lower, x, y)[1:]}Z"
        parts.append(tag("path", d=outline, fill=BLUE, fill_opacity=opacity))
    parts.append(_line(Curve("", epochs, median), x, y, BLUE, None))
    legend = [
        ("median", tag("path", d="M0 0h16", stroke=BLUE, stroke_width=2)),
        ("half of the members", _patch(0.35)),
        ("all", _patch(0.18)),
    ]
    title = (
        f"Cost of {members:,} members over {int(epochs[-1]):,} epochs: median from {median[0]:.4g} "
        f"to {median[-1]:.4g}, at last from {least[-1]:.4g} to {most[-1]:.4g}"
    )
    return picture(_WIDTH, _HEIGHT, title, [*parts, *_legend(legend)])


def _sorted(costs: Array) -> str:
    """Final costs against the share of members that come to at most so much."""
    finite = np.sort(costs[np.isfinite(costs)])
    if not len(finite):
        return _nothing()
    shares = (np.arange(len(finite)) + 0.5) / len(costs) * 100
    x = Axis(0, 100, _LEFT, _WIDTH - _RIGHT)
    y = Axis.of(finite, _HEIGHT - _BELOW, _TOP)
    parts = frame(x, y, "share of members", "final cost", "%")
    if len(finite) <= _GRID:
        parts += [
            tag("circle", cx=float(a), cy=float(b), r=2.5, fill=BLUE)
            for a, b in zip(x.places(shares), y.places(finite), strict=True)
        ]
    else:
        parts.append(_line(Curve("", shares, finite), x, y, BLUE, None))
    title = (
        f"Final cost of {len(costs):,} members: least {finite[0]:.4g}, median "
        f"{np.median(finite):.4g}, largest {finite[-1]:.4g}"
    )
    return picture(_WIDTH, _HEIGHT, title, parts)


def _nothing() -> str:
    return picture(_WIDTH, 30, "No cost is finite", [text(4, 20, "no cost is finite")])


def _finite(curve: Curve) -> Curve:
    keep = np.isfinite(curve.cost)
    return curve._replace(epoch=curve.epoch[keep], cost=curve.cost[keep])


def _axes(epochs: Array, costs: Sequence[Array]) -> tuple[Axis, Axis]:
    """For these epochs, by logarithms where most of them are early, and costs."""
    is_log = len(epochs) >= _MANY and float(np.median(epochs)) < 0.1 * float(epochs.max())
    shown = epochs[epochs > 0] if is_log else np.append(epochs, [epochs.min() + 1])
    x = Axis.of(shown.astype(float), _LEFT, _WIDTH - _RIGHT, is_log)
    x = replace(x, is_whole=True)
    return x, Axis.of(np.concatenate([each.ravel() for each in costs]), _HEIGHT - _BELOW, _TOP)


def _line(curve: Curve, x: Axis, y: Axis, colour: str, dashes: str | None) -> str:
    if x.is_log:
        keep = curve.epoch > 0
        curve = curve._replace(epoch=curve.epoch[keep], cost=curve.cost[keep])
    if len(curve.cost) == 1:
        centre = float(x.places(curve.epoch[0])), float(y.places(curve.cost[0]))
        return tag("circle", cx=centre[0], cy=centre[1], r=2.5, fill=colour)
    return tag("path", d=_path(_thinned(curve, x), x, y), fill="none", stroke=colour,
               stroke_width=1.6, stroke_dasharray=dashes)  # fmt: skip


def _thinned(curve: Curve, x: Axis) -> Curve:
    """The first and the last point, and the least and the largest cost of those that fall on the
    same pixels.
    """
    if len(curve.cost) <= 2 * _BUCKETS:
        return curve
    share = (x.places(curve.epoch) - x.start) / (x.stop - x.start)
    bucket = np.minimum((share * _BUCKETS).astype(int), _BUCKETS - 1)
    starts = np.flatnonzero(np.diff(bucket, prepend=-1))
    keep = {0, len(bucket) - 1}
    for start, stop in zip(starts, [*starts[1:], len(bucket)], strict=True):
        costs = curve.cost[start:stop]
        keep |= {int(start + costs.argmin()), int(start + costs.argmax())}
    points = sorted(keep)
    return curve._replace(epoch=curve.epoch[points], cost=curve.cost[points])


def _path(curve: Curve, x: Axis, y: Axis) -> str:
    points = zip(x.places(curve.epoch), y.places(curve.cost), strict=True)
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in points)


def _ring(x: float, y: float) -> str:
    return tag("circle", cx=x, cy=y, r=4, fill="none", stroke="currentColor", stroke_width=1.5)


def _patch(opacity: float) -> str:
    return tag("path", d="M0 -5h16v10h-16z", fill=BLUE, fill_opacity=opacity)


def _legend(entries: Sequence[tuple[str, str]]) -> list[str]:
    """Signs with their titles, above the axes."""
    parts, x = [], _LEFT
    for title, sign in entries:
        words = shortened(title, 24)
        parts.append(tag("g", sign, transform=f"translate({x:.0f} 12)"))
        parts.append(text(x + 21, 16, words))
        x += 38 + 6.4 * len(words)
    return parts
