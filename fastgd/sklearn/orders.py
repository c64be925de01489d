"""The orders of rows that scikit-learn draws."""

from __future__ import annotations

import numpy as np

from fastgd.arguments.checks import Array


class Orders:
    """Orders of `n` rows, one for each generator; fits that share one share its order.

    `arrays`, (generators, n + 1), have the epoch of which they are at the end, as the loop reads
    them; `which` is the place of each fit's.
    """

    def __init__(self, n: int, randoms: list[np.random.RandomState]):
        self._n, self._randoms = n, list({id(one): one for one in randoms}.values())
        places = {id(one): place for place, one in enumerate(self._randoms)}
        self.which = np.array([places[id(one)] for one in randoms])
        self.arrays = np.empty((len(places), n + 1), np.int64)
        self.arrays[:, :-1] = np.arange(n)

    def draw(self, epoch: int) -> None:
        """Put them in a new order, as `sklearn.utils.shuffle` does."""
        for order, random in zip(self.arrays, self._randoms, strict=True):
            drawn = np.arange(self._n)
            random.shuffle(drawn)
            order[:-1] = order[drawn]
        self.arrays[:, -1] = epoch

    def of_fits(self) -> Array:
        """(fits, n)"""
        return self.arrays[self.which, :-1]
