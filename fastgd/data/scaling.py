"""How columns are shifted and scaled, and which are constant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.data.columns import Columns

_EPS = float(np.finfo(float).eps)


def is_constant(values: Array) -> bool:
    """Whether (n,) finite values differ by no more than rounding, as StandardScaler decides it.

    That is where their variance is at most n eps variance + (n mean eps)^2, the error that summing
    them may leave.
    """
    largest = float(np.abs(values).max())
    with np.errstate(all="ignore"):
        # by a power of two, which rounds nothing, so that no square is too large or too small
        near_one = np.ldexp(values, -int(np.frexp(largest)[1]))
        n, mean, variance = len(values), float(near_one.mean()), float(near_one.var())
    return variance <= n * _EPS * variance + (n * mean * _EPS) ** 2


def scaling(
    columns: Columns, names: Sequence[str], how: str, lowest: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Shift and scale of each column; `range` is from `lowest` to 1. A constant column is only
    shifted.
    """
    shifts, scales = [], []
    for name in names:
        values = columns.numbers(name)
        low, high = float(values.min()), float(values.max())
        shift, scale = 0.0, 1.0
        with np.errstate(all="ignore"):
            if how != "none" and is_constant(values):
                shift = low
            elif how == "standard":
                shift, scale = float(values.mean()), float(values.std())
            elif how == "range":
                scale = (high - low) / (1 - lowest)
                shift = low - lowest * scale
        if not (np.isfinite(scale) and np.isfinite(shift) and scale > 0):
            raise ValueError(
                f"{columns.source}, column {name!r}: values from {low:g} to {high:g} can't be "
                f"scaled to {how}"
            )
        shifts.append(shift)
        scales.append(scale)
    return tuple(shifts), tuple(scales)
