"""Rates that rise again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from fastgd.arguments.described import number, share, whole
from fastgd.schedules.basic import cosine
from fastgd.schedules.schedule import Schedule, warm_up


def cosine_restarts(t: Any, rate: Any, steps: Any, growth: Any, least: Any) -> Any:
    """Half a cosine, and again, each `growth` times as long as the one before."""
    if growth == 1.0:
        t = t - steps * math.floor(t / steps)
    while t >= steps:
        t = t - steps
        steps = steps * growth
    return cosine(t, rate, steps, least)


@dataclass(frozen=True)
class CosineRestarts(Schedule):
    """Half a cosine from rate to `least` in `steps` updates, then anew from rate, each `growth`
    times as long as the one before: PyTorch's CosineAnnealingWarmRestarts.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> rate = fastgd.schedules.CosineRestarts(4.0, steps=1000)
    >>> run = fastgd.train(net, X, Y, 3000, rate, rng=0)
    >>> f"{run.cost:.1e}"
    '4.8e-04'
    """

    steps: int = whole("updates down to the least rate")
    growth: int = whole("times as long as one cosine the next one is", 1)
    least: float = number("RATE", "at which it ends", 0.0, least=None)
    warmup: int = warm_up()
    at = staticmethod(cosine_restarts)


def one_cycle(t: Any, rate: Any, steps: Any, rise: Any, divisor: Any, final_divisor: Any) -> Any:
    """Half a cosine up to the rate, and another one down."""
    first, top = rate / divisor, rise * steps - 1.0
    if t <= top and top > 0.0:
        return cosine(t, first, top, rate)
    return cosine(t - top, rate, max(steps - 1.0 - top, 1.0), first / final_divisor)


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Half a cosine from rate / divisor up to rate in the first share `rise` of `steps` updates,
    and another one down to rate / divisor / final_divisor, which stays: PyTorch's OneCycleLR, but
    for the momentum, which is as it is.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> rate = fastgd.schedules.OneCycle(8.0, steps=3000)
    >>> run = fastgd.train(net, X, Y, 3000, rate, rng=0)
    >>> f"{run.cost:.1e}"
    '2.1e-04'
    """

    steps: int = whole("updates down to the least rate", least=2)
    rise: float = share("of these in which the rate rises", 0.3)
    divisor: float = number("FACTOR", "by which the first rate is less", 25.0, positive=True)
    final_divisor: float = number("FACTOR", "by which the last is less again", 1e4, positive=True)
    at = staticmethod(one_cycle)
