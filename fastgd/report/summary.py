"""What a report says of one run in words: facts by their names."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from fastgd.arguments.checks import Array
from fastgd.optimizers import Optimizer
from fastgd.report.told import Told, is_watched, validation_cost
from fastgd.schedules import Schedule
from fastgd.svg.chosen import evenly
from fastgd.words import network_of, numbers, reason, time_of, training_of, update_of

_POINTS = 12  # of the history, that are written down


def summary_of(run: Told) -> dict[str, object]:
    """What it is, how it was trained, and what came of it."""
    options, history = run.options, run.history
    told: dict[str, object] = {
        "network": network_of(run.net),
        "cost": f"{run.cost:.6g}",
    }
    validation = validation_cost(run)
    if validation is not None:
        told["validation cost"] = f"{validation:.6g}"
    if is_watched(run):
        what = "cost" if history.validation is None else "validation cost"
        told["best epoch"] = f"{run.best_epoch:,}, with a {what} of {run.best_cost:.6g}"
        told["parameters"] = (
            "those of the best epoch" if options["restore_best"] else "those of the last epoch"
        )
    told["training"] = training_of(options, run.epochs)
    if update := update_of(options):
        told["update"] = update
    why = reason(run.stopped_by, options, history.validation is not None)
    told["stopped"] = f"at epoch {run.epochs:,}: {why}"
    if run.stalled:
        told["stalled"] = "steps are less than half a unit in the last place of each parameter"
    told["time"] = time_of(run.seconds, run.epochs, run.kernel)
    return told | {"seed": run.seed, "kernel": run.kernel}


def options_of(options: Mapping[str, Any]) -> dict[str, object]:
    """All of them, as words."""
    return {name: _shown(value) for name, value in options.items()}


def _shown(value: Any) -> object:
    if isinstance(value, (Optimizer, Schedule)):
        name = value.name if isinstance(value, Schedule) else type(value).__name__.lower()
        first = f"{value.rate:g}, " if isinstance(value, Schedule) else ""
        inner = numbers(value)
        return f"{first}{name}" + (f" ({inner})" if inner else "")
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    several = value if isinstance(value, tuple) else (value,)
    return ", ".join(f"{each:.12g}" if isinstance(each, float) else str(each) for each in several)


def history_rows(run: Told) -> tuple[list[str], list[list[str]]]:
    """Some of the costs on the way: heads, and rows that begin with an epoch."""
    history = run.history
    some = evenly(len(history.epoch), _POINTS)
    costs: dict[str, Array] = {"cost": history.cost}
    if history.validation is not None:
        costs["validation cost"] = history.validation
    rows = [[f"{history.epoch[i]:,}", *(f"{each[i]:.6g}" for each in costs.values())] for i in some]
    return ["epoch", *costs], rows


def table_rows(table: Mapping[str, Any]) -> list[list[str]]:
    """Columns: what each is for, and how it is scaled."""
    rows = []
    for role, of in (("input", "input"), ("target", "target")):
        shifts, scales = table[f"{of}_shift"], table[f"{of}_scale"]
        for i, name in enumerate(table[f"{of}s"]):
            scaled = f"(value - {shifts[i]:.6g}) / {scales[i]:.6g}" if i < len(scales) else ""
            if not scaled:
                scaled = f"classes {', '.join(map(str, table['classes'] or ()))}"
            rows.append([str(name), role, scaled])
    return rows


def versions() -> str:
    """Of what is installed here, where the report is written."""
    found = [f"Python {platform.python_version()}"]
    for name in ("fastgd", "numpy", "numba", "llvmlite"):
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(found)
