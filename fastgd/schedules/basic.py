"""Rates that fall, by steps or smoothly, or stay."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from fastgd.arguments.described import number, whole
from fastgd.schedules.schedule import Schedule, warm_up


def constant(rate: Any) -> Any:
    """rate."""
    return rate


@dataclass(frozen=True)
class Constant(Schedule):
    """rate.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> rate = fastgd.schedules.Constant(2.0, warmup=10)
    >>> run = fastgd.train(net, X, Y, 3000, rate, rng=0)
    >>> f"{run.cost:.1e}"
    '4.8e-04'
    """

    warmup: int = warm_up()
    at = staticmethod(constant)


def whole_power(b: Any, n: Any) -> Any:
    """b^n for a whole n of at least 0, by squaring where that is short."""
    if n > 2**16:
        return math.pow(b, float(n))
    power = 1.0
    while n != 0:
        if n & 1:
            power *= b
        n >>= 1
        b *= b
    return power


def step(t: Any, rate: Any, every: Any, factor: Any) -> Any:
    """rate factor^(t // every)."""
    return rate * whole_power(factor, math.floor(t / every))


@dataclass(frozen=True)
class Step(Schedule):
    """rate factor^(t // every).

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> rate = fastgd.schedules.Step(4.0, every=1000, factor=0.5)
    >>> run = fastgd.train(net, X, Y, 3000, rate, rng=0)
    >>> f"{run.cost:.1e}"
    '4.0e-04'
    """

    every: int = whole("updates from one step down to the next")
    factor: float = number("FACTOR", "of the rate at every step", 0.1, positive=True)
    warmup: int = warm_up()
    at = staticmethod(step)


def exponential(t: Any, rate: Any, factor: Any) -> Any:
    """rate factor^t."""
    return rate * math.pow(factor, t)


@dataclass(frozen=True)
class Exponential(Schedule):
    """rate factor^t.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> rate = fastgd.schedules.Exponential(4.0, factor=0.999)
    >>> run = fastgd.train(net, X, Y, 3000, rate, rng=0)
    >>> f"{run.cost:.1e}"
    '8.7e-04'
    """

    factor: float = number("FACTOR", "of the rate at every update", positive=True)
    warmup: int = warm_up()
    at = staticmethod(exponential)


def inverse_time(t: Any, rate: Any, decay: Any) -> Any:
    """rate / (1 + decay t)."""
    return rate / (1.0 + decay * t)


@dataclass(frozen=True)
class InverseTime(Schedule):
    """rate / (1 + decay t).

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> rate = fastgd.schedules.InverseTime(4.0, decay=0.001)
    >>> run = fastgd.train(net, X, Y, 3000, rate, rng=0)
    >>> f"{run.cost:.1e}"
    '5.3e-04'
    """

    decay: float = number("DECAY", "d of rate / (1 + d t)")
    warmup: int = warm_up()
    at = staticmethod(inverse_time)


def cosine(t: Any, rate: Any, steps: Any, least: Any) -> Any:
    """Half a cosine from rate to least in so many steps."""
    return least + (rate - least) * 0.5 * (1.0 + math.cos(math.pi * min(t, steps) / steps))


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from rate to `least` in `steps` updates, `least` from then on.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> rate = fastgd.schedules.Cosine(4.0, steps=3000)
    >>> run = fastgd.train(net, X, Y, 3000, rate, rng=0)
    >>> f"{run.cost:.1e}"
    '4.8e-04'
    """

    steps: int = whole("updates down to the least rate")
    least: float = number("RATE", "at which it ends", 0.0, least=None)
    warmup: int = warm_up()
    at = staticmethod(cosine)
