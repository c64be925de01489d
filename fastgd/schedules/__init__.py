"""Learning rates that change: `learning_rate=schedules.Cosine(0.1, steps=1000, warmup=50)`.

Time t is the number of updates made so far: epochs in full batch, batches otherwise. In a warm-up
of n updates the rate rises in equal steps to its first value, rate (t + 1) / n; the schedule's own
time begins after it. What PyTorch has too means the same, its `step` being called once an update;
that of `Plateau` once an epoch.

Each schedule says its rate as a plain function of t, of `rate` and of its fields, by their names;
that is what is compiled. One with numbers between brackets has them as `table` from `start` on.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgd.arguments.checks import Array, finite_number
from fastgd.schedules.basic import Constant, Cosine, Exponential, InverseTime, Step
from fastgd.schedules.cycles import CosineRestarts, OneCycle
from fastgd.schedules.given import Piecewise, Rates
from fastgd.schedules.plateau import Plateau, at_first
from fastgd.schedules.schedule import KINDS, Schedule

__all__ = [
    "KINDS", "Constant", "Cosine", "CosineRestarts", "Exponential", "InverseTime", "OneCycle",
    "Piecewise", "Plateau", "Rates", "Schedule", "Step", "as_schedule", "check_learning_rate",
    "first_plateau",
]  # fmt: skip


def check_learning_rate(argument: str, learning_rate: Any) -> float | Schedule:
    """A finite number, or a schedule of one of the known kinds."""
    if isinstance(learning_rate, Schedule):
        if type(learning_rate) not in KINDS.values():
            known = ", ".join(kind.__name__ for kind in KINDS.values())
            raise TypeError(
                f"{argument} must be a number or a schedule, one of {known}; got {learning_rate!r}"
            )
        return learning_rate
    return finite_number(argument, learning_rate)


def first_plateau(learning_rate: float | Schedule) -> Array:
    """(5,) what a state keeps for a Plateau before the first update, (0,) for any other one."""
    if isinstance(learning_rate, Plateau):
        return at_first(np.array(learning_rate.rate))
    return np.zeros(0)


def as_schedule(learning_rate: float | Schedule) -> Schedule:
    """A schedule; a number is a constant one."""
    return learning_rate if isinstance(learning_rate, Schedule) else Constant(learning_rate)
