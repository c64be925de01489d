"""Scores of outputs: those of scikit-learn by which its networks are judged, without its checks of
the rows, which take longer than a small network.
"""

from __future__ import annotations

import numpy as np

from fastgd.arguments.checks import Array


def of_classes(outputs: Array, Y: Array, weights: Array | None) -> float:
    """The share of rows whose largest output, or whose first that is NaN, is that of their class;
    outputs and one-hot targets, (n, classes).
    """
    return float(np.average(outputs.argmax(axis=1) == Y.argmax(axis=1), weights=weights))


def of_labels(outputs: Array, Y: Array, weights: Array | None, middle: float = 0.5) -> float:
    """The share of rows whose every label is right; outputs and targets, (n, labels), which say
    yes above the middle, and no where they are NaN.
    """
    return float(np.average(((outputs > middle) == (middle < Y)).all(axis=1), weights=weights))


def r2(outputs: Array, Y: Array, weights: Array | None) -> float:
    """The coefficient of determination, a mean over the outputs; both are (n, k)."""
    if not np.isfinite(outputs).all():
        return np.nan
    weight = np.ones((len(Y), 1)) if weights is None else weights[:, None]
    residual = (weight * (Y - outputs) ** 2).sum(axis=0, dtype=np.float64)
    spread = Y - np.average(Y, axis=0, weights=weights)
    total = (weight * spread**2).sum(axis=0, dtype=np.float64)
    constant = total == 0  # of which all is explained, or nothing
    scores = 1 - residual / np.where(constant, 1, total)
    scores[constant] = np.where(residual[constant] == 0, 1.0, 0.0)
    return float(scores.mean())
