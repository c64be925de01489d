"""Which of many are shown, where there is no room for all."""

from __future__ import annotations

import numpy as np

from fastgd.arguments.checks import Array


def evenly(count: int, most: int) -> Array:
    """Places, rising, of at most so many of `count`, evenly chosen from the first to the last."""
    return np.linspace(0, count - 1, min(count, most)).round().astype(int)


def from_both_ends(count: int, most: int) -> list[int]:
    """Places of all, or of one less than so many: the first and the last of them."""
    if count <= most:
        return list(range(count))
    shown = most - 1
    first = shown // 2 + shown % 2
    return [*range(first), *range(count - shown + first, count)]
