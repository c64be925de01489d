"""Samples of many members: rows that all share, or of each its own, checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgd.arguments.arrays import number_array, real_array, rows
from fastgd.arguments.checks import Array
from fastgd.mlp import MLP
from fastgd.samples import Samples, check_classes, check_targets, check_weights


def check_samples_of_many(net: MLP, X: Any, Y: Any, sample_weight: Any) -> Samples:
    """Checked data and weights; with a first axis of members where each has its own."""
    X = _each_rows("X", X, lambda flat: rows("X", flat, net.widths[0], str(net), net.dtype))
    Y = _each_rows("Y", Y, lambda flat: check_targets(net, flat))
    n = X.shape[-2]
    if Y.shape[-2] != n:
        raise ValueError(f"X and Y must have the same number of rows; got {n} and {Y.shape[-2]}")
    if sample_weight is None:
        return check_classes(net, Samples.alike(X, Y))
    weights = real_array("sample_weight", sample_weight, net.dtype)
    if weights.ndim not in (1, 2) or weights.shape[-1] != n:
        raise ValueError(
            f"sample_weight must have shape ({n},) or (members, {n}), one for each row; got "
            f"{weights.shape}"
        )
    check_weights(weights)
    return check_classes(net, Samples(X, Y, weights))


def _each_rows(name: str, value: Any, check: Callable[[Any], Array]) -> Array:
    array = number_array(name, value)
    if array.ndim != 3:
        return check(array if isinstance(value, (list, tuple)) else value)  # a frame has names
    members, n, columns = array.shape
    if members * n == 0:
        raise ValueError(
            f"{name} must have at least one row for each member; got shape {array.shape}"
        )
    return check(array.reshape(members * n, columns)).reshape(members, n, -1)


def samples_of(samples: Samples, member: int) -> Samples:
    """Those of one member."""
    X, Y, weights = samples
    return Samples(
        X[member] if X.ndim == 3 else X,
        Y[member] if Y.ndim == 3 else Y,
        weights[member] if weights.ndim == 2 else weights,
    )
