"""The cost on the way, of one run or of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.arguments.described import not_by_default
from fastgd.ensemble.runs import Runs
from fastgd.optimizers import Optimizer
from fastgd.plotting.figure import (
    COLORS,
    FAINT,
    INK,
    MARKERS,
    axes_or_new,
    bare,
    check_axes,
    set_cost_axis,
    set_epoch_axis,
    set_legend_above,
)
from fastgd.plotting.given import check_labels, several_runs
from fastgd.report.told import is_watched
from fastgd.system.float_errors import quiet
from fastgd.training.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMED = 8  # runs that have a colour each


@quiet
def history(
    run: Run | Runs | Sequence[Run],
    *,
    labels: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The cost after each recorded epoch: of the training rows, of the validation rows, dashed,
    where there are any, and a mark at the best epoch: the one that was watched for, or that of the
    least recorded validation cost.

    The cost's axis is logarithmic where all costs are above 0 and they span a factor of ten; that
    of epochs where runs were recorded with `spacing="log"`, linear from 0 to 1.

    Parameters
    ----------
    run : Run, Runs or a sequence of Run
        Several are drawn in one picture, each with its colour and mark; more than eight as thin
        lines, and the one of least cost as a thick one.
    labels : sequence of str, optional
        One for each run; the options in which they differ if not given.
    ax : matplotlib Axes, optional
        Where to draw; a new figure's if not given.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError, TypeError
        For what is no run, or not a label for each.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 2, 1), fastgd.data.gate("xor")
    >>> run = fastgd.train(net, X, Y, 2000, 1.0, rng=1)
    >>> ax = fastgd.plotting.history(run)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('epochs', 'cost')
    """
    runs = several_runs("run", run)
    labels = check_labels(labels, len(runs))
    ax = axes_or_new(check_axes(ax))
    if len(runs) == 1:
        _draw_one(ax, runs[0], labels)
    elif len(runs) <= _NAMED:
        _draw_few(ax, runs, labels or differences(runs))
    else:
        _draw_many(ax, runs, labels)
    set_cost_axis(ax, np.concatenate([costs for one in runs for costs in _curves(one)]))
    spacings = {one.options.get("spacing") for one in runs}
    set_epoch_axis(ax, spacings, max(int(one.history.epoch[-1]) for one in runs))
    ax.grid(alpha=0.25)
    bare(ax)
    if len(runs) > 1:
        set_legend_above(ax)
    elif ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False)
    return ax


def _curves(run: Run) -> list[Array]:
    """Costs of training and of validation."""
    both = (run.history.cost, run.history.validation)
    return [costs for costs in both if costs is not None]


def _draw_one(ax: Axes, run: Run, labels: list[str] | None) -> None:
    epochs, validation = run.history.epoch, run.history.validation
    name = labels[0] if labels else "training"
    _draw_line(ax, epochs, run.history.cost, color=COLORS[0], label=name)
    if validation is not None:
        _draw_line(ax, epochs, validation, color=COLORS[1], linestyle="--", label="validation")
    best = _best(run)
    if best is None:
        if labels is None:
            ax.get_lines()[-1].set_label("_training")  # alone, it needs no name
        return
    ax.axvline(best[0], color=FAINT, linewidth=1, linestyle=":")
    ax.plot(
        *best, "D", color=INK, markersize=6, linestyle="none", clip_on=False,
        label=f"best epoch, {best[0]:,}",
    )  # fmt: skip


def _best(run: Run) -> tuple[int, float] | None:
    """The best epoch and its cost, as the run has watched for it, or as its validation rows have
    it among the recorded ones.
    """
    if is_watched(run):
        return run.best_epoch, run.best_cost
    costs = run.history.validation
    if costs is None or not np.isfinite(costs).any():
        return None
    place = int(np.nanargmin(costs))
    return int(run.history.epoch[place]), float(costs[place])


def _draw_line(ax: Axes, epochs: Array, costs: Array, **style: Any) -> None:
    """A line; of a single point, a mark."""
    if len(epochs) == 1:
        style |= {"marker": "o"}
    ax.plot(epochs, costs, **style)


def _draw_few(ax: Axes, runs: list[Run], labels: list[str]) -> None:
    """A colour and a mark for each, the marks not above each other."""
    for place, (run, label) in enumerate(zip(runs, labels, strict=True)):
        epochs, color = run.history.epoch, COLORS[place]
        is_line = np.isfinite(run.history.cost).sum() > 1
        start, every = (place + 1) / (10 * len(runs)), 0.1
        ax.plot(
            epochs, run.history.cost, color=color, marker=MARKERS[place], markersize=5,
            markevery=(start, every) if is_line else None, label=label,
        )  # fmt: skip
        if run.history.validation is not None:
            ax.plot(epochs, run.history.validation, color=color, linestyle="--")
    if any(run.history.validation is not None for run in runs):
        ax.plot([], [], color=INK, label="training")
        ax.plot([], [], color=INK, linestyle="--", label="validation")


def _draw_many(ax: Axes, runs: list[Run], labels: list[str] | None) -> None:
    costs = [run.cost if np.isfinite(run.cost) else np.inf for run in runs]
    best = int(np.argmin(costs))
    for run in runs:
        _draw_line(ax, run.history.epoch, run.history.cost, color=FAINT, linewidth=0.7, alpha=0.6)
    name = labels[best] if labels else f"run {best}"
    run = runs[best]
    _draw_line(
        ax, run.history.epoch, run.history.cost, color=COLORS[0], linewidth=2.2,
        label=f"least cost: {name}",
    )  # fmt: skip


def differences(runs: Sequence[Run]) -> list[str]:
    """What tells runs from each other: widths, options, then seeds; else their numbers."""
    facts = [
        {"widths": "-".join(map(str, run.net.widths)), "activations": run.net.activations}
        | {name: value for name, value in run.options.items() if name not in ("record", "spacing")}
        for run in runs
    ]
    names = [name for name in facts[0] if len({repr(fact.get(name)) for fact in facts}) > 1]
    if names:
        return [", ".join(_fact(name, fact.get(name)) for name in names) for fact in facts]
    if len({run.seed for run in runs}) == len(runs):
        return [f"seed {run.seed}" for run in runs]
    return [f"run {number}" for number in range(len(runs))]


def _fact(name: str, value: object) -> str:
    """An option in a legend: an optimizer by its kind and what is not usual of it, others by their
    names.
    """
    if isinstance(value, Optimizer):
        numbers = [_fact(key, number) for key, number in not_by_default(value).items()]
        return ", ".join([type(value).__name__, *numbers])
    if name == "widths":
        return str(value)
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{name.replace('_', ' ')} {text}"
