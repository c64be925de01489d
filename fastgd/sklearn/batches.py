"""The batches of an epoch as scikit-learn weighs them: what of alpha falls to the rows of each, and
how costs and penalties make a loss.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.samples import Samples
from fastgd.sklearn.networks import Objective


class Stretch(NamedTuple):
    """Neighbouring batches whose rows weigh the same."""

    updates: int
    l2: Array  # (fits,) of the loop
    share: Any  # what of a penalty counts in the loss; a number, or (fits,)
    is_short: bool  # whether it is the last batch, of fewer rows


class Batches:
    """Batches of so many rows, for fits by these (fits,) alphas.

    What each fit has of its own is a number where there is one fit: Python's take a third of the
    time of arrays.
    """

    stretches: list[Stretch]  # of an epoch

    def __init__(self, objective: Objective, samples: Samples, size: int, alphas: Array):
        n = len(samples.X)
        self._weights, self._constants = samples.weights, objective.unexplained(samples.Y)
        self._starts = np.arange(0, n, size)
        self._rows = np.diff([*self._starts, n]).astype(float)[:, None]
        self._decays, self._is_one, self._n = objective.gradient * alphas, len(alphas) == 1, n
        self.count = len(self._starts)
        # a loss by the mean of all batches, the sum of those before the last one, the penalties
        first, last, cost = self._rows[0].item(), self._rows[-1].item(), objective.cost / n
        self._of_mean, self._of_before = cost * last * self.count, cost * (first - last)
        self._of_penalty, self._offset = self._own(0.5 * alphas / n), self._own(np.zeros(1))
        self.weigh(np.arange(n)[None])

    def _own(self, values: Array) -> Any:
        """(..., fits) values, or without fits those of a single one."""
        return values[..., 0].tolist() if self._is_one else values

    def weigh(self, orders: Array) -> None:
        """Be those of rows in (1 or fits, n) orders."""
        weights, constants, totals = self._weights, self._constants, self._rows
        if len(weights):
            totals = np.add.reduceat(weights[orders], self._starts, axis=1, dtype=float).T
            totals = np.where(totals > 0, totals, 1.0)
        if constants is not None:
            of_rows = constants * weights if len(weights) else constants
            sums = np.add.reduceat(of_rows[orders], self._starts, axis=1).T
            self._offset = self._own((self._rows * sums / totals).sum(axis=0) / self._n)
        differ = (np.diff(totals, axis=0) != 0).any(axis=1)
        if self._of_before:
            differ[-1] = True
        first = [0, *(np.flatnonzero(differ) + 1).tolist()]
        l2 = self._decays / totals[first]
        shares = self._own(self._rows[first] / totals[first])
        self.stretches = [
            Stretch(stop - start, own, share, self._of_before != 0 and stop == self.count)
            for start, stop, own, share in zip(
                first, [*first[1:], self.count], l2, shares, strict=True
            )
        ]

    def losses(self, means: Any, before: Any, penalties: Any) -> list[float]:
        """Of each fit, by the mean cost of its batches, the sum of those before the last one, and
        the sum of the shares of its squared weights.
        """
        losses = self._of_mean * means + self._of_before * before + self._of_penalty * penalties
        losses += self._offset
        return [float(losses)] if self._is_one else losses.tolist()
