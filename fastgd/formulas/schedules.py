"""The learning rate at a time by each schedule, as `schedules` declares it."""

from __future__ import annotations

from typing import Any

from fastgd.machine.dispatch import by_number
from fastgd.machine.jit import merged
from fastgd.machine.plain import compiled
from fastgd.optimizers.optimizer import names_of
from fastgd.schedules import KINDS
from fastgd.schedules.schedule import own_fields


def _rate_function(cls: Any) -> Any:
    """at(rate, times, first, t): the rate after t updates, for numbers that begin at times[first]:
    those of the class, and behind them its table.
    """
    places = {"t": "t", "rate": "rate", "table": "times"}
    own = own_fields(cls)
    scalars = [name for name in own if name in names_of(cls.at)]
    places |= {name: f"times[first + {i}]" for i, name in enumerate(scalars)}
    places["start"] = f"first + {len(scalars)}"
    arguments = ", ".join(places[name] for name in names_of(cls.at))
    text = f"def at(rate, times, first, t):\n    return formula({arguments})"
    names: dict[str, Any] = {"formula": compiled(cls.at, {}), "__source__": text}
    exec(text, names)
    return merged(names["at"])


RATE_FUNCTIONS = {name: _rate_function(cls) for name, cls in KINDS.items()}
_rate = by_number(dict(enumerate(RATE_FUNCTIONS.values())), "rate, times, first, t")


@merged
def rate_at(kind, rate, times, first, t):
    """The learning rate of the update that follows t others, by the schedule at place `kind`, whose
    warm-up and own numbers begin at times[first].
    """
    warmup = times[first]
    if t < warmup:
        return rate * (t + 1) / warmup
    return _rate(kind, rate, times, first + 1, float(t) - warmup)
