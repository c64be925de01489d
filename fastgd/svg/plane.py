"""What is computed over two inputs of a network, the others held."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fastgd.arguments.checks import Array

_MOST_NUMBERS = 2**20  # of rows that are in memory at a time


def outputs_over(
    predict: Callable[[Array], Array], columns: Sequence[int], x: Array, y: Array, held: Array
) -> Array:
    """What `predict` makes of rows (n, inputs), (len(y) * len(x), outputs): of all x at the first
    y, then at the next. x and y are put in two columns of `held`, (inputs,).
    """
    across, up = np.tile(x, len(y)), np.repeat(y, len(x))
    at_once = max(1, _MOST_NUMBERS // len(held))
    outputs = []
    for start in range(0, len(up), at_once):
        part = slice(start, start + at_once)
        rows = np.tile(held, (len(up[part]), 1))
        rows[:, columns[1]] = up[part]
        rows[:, columns[0]] = across[part]
        outputs.append(predict(rows))
    return np.concatenate(outputs)


def middles(ends: Array | Sequence[float], count: int) -> Array:
    """The middles of so many pixels between two ends."""
    return np.asarray(ends[0] + (np.arange(count) + 0.5) / count * (ends[1] - ends[0]))
