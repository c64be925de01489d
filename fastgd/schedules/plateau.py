"""A rate that falls where the cost does no longer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.arguments.described import number, whole
from fastgd.schedules.schedule import Schedule

# what a state keeps: the rate, the least cost, epochs since then, epochs that do not count yet, the
# epoch whose cost was looked at last
PLACES = 5
NOW, LEAST_COST, BAD, COOLING, SEEN = range(PLACES)
LEAST_CHANGE = 1e-8  # of a rate, PyTorch's


def at_first(rates: Array) -> Array:
    """(..., 5) what is kept before the first update, for (...) rates."""
    kept = np.zeros((*rates.shape, PLACES))
    kept[..., NOW], kept[..., LEAST_COST] = rates, np.inf
    return kept


def plateau(rate: Any) -> Any:
    """The rate is where training stands."""
    return rate


@dataclass(frozen=True)
class Plateau(Schedule):
    """rate, times `factor` after more than `patience` epochs in which the watched cost was not less
    than 1 - `threshold` times the least one, but at least `least`; after that, `cooldown` epochs do
    not count: PyTorch's ReduceLROnPlateau.

    The watched cost is that of the validation rows if there are any, otherwise that of an epoch: in
    mini-batches the mean over its batches, in full batch that of the parameters after it.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> rate = fastgd.schedules.Plateau(4.0, patience=100)
    >>> run = fastgd.train(net, X, Y, 3000, rate, rng=0)
    >>> f"{run.cost:.1e}"
    '2.1e-04'
    """

    factor: float = number("FACTOR", "of the rate on a plateau", 0.1, positive=True, below=1.0)
    patience: int = whole("epochs without a lower cost until then", 10, least=0)
    threshold: float = number("SHARE", "of the least cost, that is lower", 1e-4, below=1.0)
    cooldown: int = whole("epochs that do not count after it", 0, least=0)
    least: float = number("RATE", "at which it ends", 0.0)
    at = staticmethod(plateau)
