"""Rates that a user gives one by one."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from fastgd.arguments.checks import finite_number, shown, whole_number
from fastgd.arguments.described import MOST_WHOLE, several, whole
from fastgd.schedules.schedule import Schedule, warm_up


def updates(argument: str, value: Any) -> int:
    """A number of updates."""
    return whole_number(argument, value, least=0, most=MOST_WHOLE)


def piecewise(t: Any, rate: Any, table: Any, start: Any) -> Any:
    """The rate of the last beginning that is not after t."""
    count = int(table[start])
    for i in range(count):
        if t >= table[start + 1 + i]:
            rate = table[start + 2 + count + i]
    return rate


@dataclass(frozen=True)
class Piecewise(Schedule):
    """rate, and from `begins[i]` updates on `rates[i]`; PyTorch's MultiStepLR is one whose rates
    are powers of a factor times the first.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> rate = fastgd.schedules.Piecewise(4.0, begins=[1000, 2000], rates=[2.0, 1.0])
    >>> run = fastgd.train(net, X, Y, 3000, rate, rng=0)
    >>> f"{run.cost:.1e}"
    '4.0e-04'
    """

    begins: tuple[int, ...] = several("N", "updates after which each of --rates begins", updates)
    rates: tuple[float, ...] = several("RATE", "that follow the first", finite_number)
    warmup: int = warm_up()
    at = staticmethod(piecewise)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.begins) != len(self.rates):
            raise ValueError(
                "begins and rates of Piecewise must be as many; got "
                f"{len(self.begins)} and {len(self.rates)}"
            )
        if any(first >= second for first, second in pairwise(self.begins)):
            raise ValueError(f"begins of Piecewise must rise; got {shown(self.begins)}")


def nth_rate(t: Any, every: Any, table: Any, start: Any) -> Any:
    """The one of the table whose turn it is; the last one stays."""
    count = int(table[start])
    return table[start + 1 + min(int(t / every), count - 1)]


@dataclass(frozen=True)
class Rates(Schedule):
    """A user's own: each of `rates` for `every` updates, and the last one from then on. For one an
    epoch, `every` is the batches of an epoch; in full batch that is 1.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> rate = fastgd.schedules.Rates([4.0, 2.0, 1.0], every=1000)
    >>> run = fastgd.train(net, X, Y, 3000, rate, rng=0)
    >>> f"{run.cost:.1e}"
    '4.0e-04'
    """

    rate: float = field(init=False)  # the first
    rates: tuple[float, ...] = several("RATE", "one after the other", finite_number)
    every: int = whole("updates for which each holds", 1)
    at = staticmethod(nth_rate)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", 0.0)
        super().__post_init__()
        object.__setattr__(self, "rate", self.rates[0])
