"""History: the costs that a run has recorded on its way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.state import State


@dataclass(frozen=True, eq=False)
class History:
    """The cost on the way. In full batch, `cost[i]` belongs to the parameters after `epoch[i]`
    epochs.

    In mini-batches it is the mean over the batches of the epoch that followed; the last one is a
    full pass in both.

    Examples
    --------
    >>> run = fastgd.train(fastgd.MLP(2, 1), *fastgd.data.gate("nand"), 1000, rng=0, record=5)
    >>> run.history.epoch
    array([   0,  256,  512,  768, 1000])
    >>> run.history.cost.round(3)
    array([0.259, 0.13 , 0.091, 0.071, 0.058])
    """

    epoch: Array  # (points,) int64, rising
    cost: Array  # (points,) float64
    # (points,) float64: cost of the validation rows after epoch[i] epochs, where there are any
    validation: Array | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, History):
            return NotImplemented
        pairs = [
            (self.epoch, other.epoch),
            (self.cost, other.cost),
            (self.validation, other.validation),
        ]
        both = ((ours, theirs) for ours, theirs in pairs if ours is not None and theirs is not None)
        same = (self.validation is None) == (other.validation is None)
        return same and all(np.array_equal(ours, theirs, equal_nan=True) for ours, theirs in both)

    __hash__ = None  # type: ignore[assignment]


def history_of(state: State, cost: float, held_out: float | None = None) -> History:
    """The points that a state has recorded, and the cost of its parameters; with that of the
    validation rows, where there are any.
    """
    done = state.recorded
    # an epoch that has begun, or whose update was not made, has a recorded cost of its own beside
    # the final one
    keep = done if done == 0 or state.points[done - 1] < state.epoch else done - 1
    validation = None if held_out is None else _with_last(state.held_out[:keep], held_out)
    return History(
        _with_last(state.points[:keep], state.epoch),
        _with_last(state.costs[:keep], cost),
        validation,
    )


def _with_last(numbers: Array, last: float) -> Array:
    """The numbers and one more."""
    result = np.empty(len(numbers) + 1, numbers.dtype)
    result[:-1], result[-1] = numbers, last
    return result
