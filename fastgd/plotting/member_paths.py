"""The costs of many members on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.ensemble.runs import Runs
from fastgd.plotting.figure import (
    COLORS,
    FAINT,
    axes_or_new,
    bare,
    check_axes,
    set_cost_axis,
    set_epoch_axis,
)
from fastgd.plotting.given import several_runs
from fastgd.system.float_errors import quiet
from fastgd.training.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MANY = 100  # lines, which a vector format has as pixels
_BANDS = (((0.1, 0.9), 0.22, "8 in 10"), ((0.25, 0.75), 0.4, "half of them"))


@quiet
def paths(runs: Runs | Sequence[Run], *, ax: Axes | None = None) -> Axes:
    """The cost of each member after each recorded epoch as a thin line, their median as a thick
    one, and bands in which half of them lie, and 8 in 10.

    A member that ended sooner than others has its last cost from there on. Quantiles are of the
    members at each epoch that any of them has recorded; between two of its own a member's cost is
    on the line between them. Axes are logarithmic as in `history`.

    Parameters
    ----------
    runs : Runs or a sequence of Run
        With histories: `train_many(..., record=100)`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure's if not given.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError, TypeError
        For what are no runs, or runs without histories.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 2, 1), fastgd.data.gate("xor")
    >>> runs = fastgd.train_many(net, X, Y, 2000, 1.0, members=20, rng=0, record=50)
    >>> ax = fastgd.plotting.paths(runs)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('epochs', 'cost')
    """
    members = several_runs("runs", runs)
    if all(len(member.history.epoch) == 1 for member in members):
        raise ValueError(
            f"runs must have histories, as train_many(..., record=100) has; got {len(members)} "
            "with a single cost each"
        )
    ax = axes_or_new(check_axes(ax))
    epochs, costs = on_common_epochs(members)

    from matplotlib.collections import LineCollection

    lines = [np.column_stack([one.history.epoch, one.history.cost]) for one in members]
    alpha = float(np.clip(10 / len(members), 0.08, 0.6))
    ax.add_collection(
        LineCollection(
            lines, colors=FAINT, linewidths=0.7, alpha=alpha, rasterized=len(lines) > _MANY
        )
    )
    for (low, high), shade, label in _BANDS:
        edges = np.nanquantile(costs, (low, high), axis=0)
        ax.fill_between(epochs, *edges, color=COLORS[0], alpha=shade, linewidth=0, label=label)
    median = np.nanmedian(costs, axis=0)
    ax.plot(epochs, median, color="#00324f", linewidth=2, label=f"median of {len(members)}")
    set_cost_axis(ax, costs)
    set_epoch_axis(ax, {one.options.get("spacing") for one in members}, int(epochs[-1]))
    ax.autoscale_view(scalex=False)
    ax.grid(alpha=0.25)
    bare(ax)
    ax.legend(frameon=False)
    return ax


def on_common_epochs(members: Sequence[Run]) -> tuple[Array, Array]:
    """Epochs that any member has recorded, (points,), and each member's cost at them, (members,
    points); NaN where it is not finite.
    """
    epochs = np.unique(np.concatenate([one.history.epoch for one in members]))
    costs = np.array([np.interp(epochs, one.history.epoch, one.history.cost) for one in members])
    costs[~np.isfinite(costs)] = np.nan
    return epochs, costs
