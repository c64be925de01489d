"""What differs between two runs."""

from __future__ import annotations

import numpy as np

from fastgd.report.summary import options_of
from fastgd.report.told import Told, is_watched, validation_cost
from fastgd.words import duration


def differences(run: Told, other: Told) -> tuple[list[list[object]], list[str]]:
    """Rows of a name and of what it is in each run, and the names of all that is alike."""
    left, right = _facts(run), _facts(other)
    different, same = [], []
    for name in dict.fromkeys([*left, *right]):
        both = [left.get(name, "none"), right.get(name, "none")]
        if both[0] == both[1]:
            same.append(name)
        else:
            different.append([name, *both])
    if run.params.shape != other.params.shape or not np.array_equal(run.params, other.params):
        return different, same
    return different, [*same, "parameters"]


def _facts(run: Told) -> dict[str, object]:
    net, validation = run.net, validation_cost(run)
    table = run.table or {}
    return {
        "cost": f"{run.cost:.6g}",
        "validation cost": "none" if validation is None else f"{validation:.6g}",
        "best epoch": f"{run.best_epoch:,}" if is_watched(run) else "none",
        "epochs": f"{run.epochs:,}",
        "stopped by": run.stopped_by,
        "time": duration(run.seconds),
        "kernel": run.kernel,
        "seed": run.seed,
        "widths": "-".join(map(str, net.widths)),
        "activations": ", ".join(net.activations),
        "loss": net.loss,
        "functions of one's own": "\n".join(net.own) or "none",
        "biases": "yes" if net.bias else "no",
        "dtype": net.dtype.name,
        **options_of(run.options),
        **{f"{name} of the table": _joined(value) for name, value in table.items()},
    }


def _joined(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
