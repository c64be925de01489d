"""How many members learn, against the learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgd.arguments.checks import Array, finite_number, shown
from fastgd.ensemble.runs import Runs
from fastgd.plotting.figure import (
    COLORS,
    MARKERS,
    axes_or_new,
    bare,
    check_axes,
    set_legend_above,
    spans_decades,
)
from fastgd.system.float_errors import quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_Z = 1.959963984540054  # standard deviations to either side that 95 % of a normal lie within


@quiet
def sweep(
    runs: Runs | Mapping[str, Runs], *, target: float | None = None, ax: Axes | None = None
) -> Axes:
    """The share of the members of each learning rate that learn: whose final cost is at most
    `target`; with bars in which the share of ever more members lies 95 times in 100 (Wilson's
    interval).

    Parameters
    ----------
    runs : Runs, or a mapping from labels to Runs
        Members of several learning rates, some of each. Those of a mapping, one for each optimizer
        say, have a line each, at most ten.
    target : float, optional
        The `target_cost` that members were trained with if not given.
    ax : matplotlib Axes, optional
        Where to draw; a new figure's if not given.

    Returns
    -------
    Axes
        Shares from 0 to 1 against rates; rates are on a log axis where they span a factor of ten.

    Raises
    ------
    ValueError, TypeError
        For what are no Runs, or such without a `target_cost` where no target is given.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 2, 1), fastgd.data.gate("xor")
    >>> rates = np.repeat([0.3, 1.0, 3.0], 20)
    >>> runs = fastgd.train_many(net, X, Y, 5000, rates, rng=0, target_cost=0.01)
    >>> ax = fastgd.plotting.sweep(runs)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('learning rate', 'share that learns')
    """
    several = _several(runs)
    target = None if target is None else finite_number("target", target)
    shares = {label: learned(each, target) for label, each in several.items()}
    ax = axes_or_new(check_axes(ax))

    from matplotlib.ticker import PercentFormatter

    for place, (label, (rates, right, count)) in enumerate(shares.items()):
        share = right / count
        low, high = wilson(right, count)
        ax.errorbar(
            rates, share, [share - low, high - share], color=COLORS[place], marker=MARKERS[place],
            markersize=5, capsize=3, elinewidth=1, linewidth=1.6, label=label or "_alone",
            clip_on=False,
        )  # fmt: skip
    if spans_decades(np.concatenate([rates for rates, _, _ in shares.values()])):
        ax.set_xscale("log")
    ax.set_xlabel("learning rate")
    ax.set_ylabel("share that learns")
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.grid(alpha=0.25)
    bare(ax)
    if isinstance(runs, Mapping):
        set_legend_above(ax)
    return ax


def _several(runs: Any) -> dict[str, Runs]:
    """By label; one alone has an empty one."""
    several = runs if isinstance(runs, Mapping) else {"": runs}
    for label, each in several.items():
        if not isinstance(label, str):
            raise TypeError(f"labels of runs must be str; got {shown(label)}")
        if not isinstance(each, Runs):
            which = f"runs[{label!r}]" if isinstance(runs, Mapping) else "runs"
            raise TypeError(
                f"{which} must be Runs, as train_many(..., learning_rate=rates) returns; got "
                f"{shown(each)}"
            )
    if not 0 < len(several) <= len(COLORS):
        raise ValueError(f"runs must be 1 to {len(COLORS)} Runs by label; got {len(several)}")
    return dict(several)


def learned(runs: Runs, target: float | None) -> tuple[Array, Array, Array]:
    """Rates, rising; how many members of each reach the target, and how many it has: (rates,)."""
    targets = runs.settings.target_cost if target is None else np.full(len(runs), target)
    if not np.isfinite(targets).all():
        raise ValueError(
            "target must be a cost for runs without a target_cost of their own; got None"
        )
    rates, which = np.unique(runs.learning_rate, return_inverse=True)
    reached = (runs.cost <= targets) & (runs.stopped_by != "diverged")
    counts = np.bincount(which, minlength=len(rates))
    return rates, np.bincount(which, reached, minlength=len(rates)), counts


def wilson(right: Array, count: Array) -> tuple[Array, Array]:
    """Wilson's interval of a share, to 95 %."""
    share, z2 = right / count, _Z**2
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = _Z / (1 + z2 / count) * np.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    return np.clip(centre - half, 0, share), np.clip(centre + half, share, 1)
