"""What a run computes over two of its inputs, the others held where they mostly are."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.report.told import Told, names_of
from fastgd.svg import Surface
from fastgd.svg.chosen import evenly
from fastgd.svg.plane import outputs_over

_SIDE = 96  # points of the grid, each way
_WITHOUT_ROWS = 1.5, 2.5  # how far inputs go either way: as they are, and scaled to deviation 1
_FEW = 64  # rows by which it is found which inputs matter


def surface_of(run: Told, X: Array | None, Y: Array | None) -> Surface | None:
    """The surface over the two inputs by which outputs change most, as rows X (n, inputs), Y (n,
    outputs) have them; without rows that of a network of two inputs; None otherwise.
    """
    wide = run.net.widths[0]
    if wide < 2 or (X is None and wide > 2):
        return None
    middle = np.zeros(wide) if X is None else np.median(X, axis=0).astype(float)
    chosen = (0, 1) if X is None or wide == 2 else _that_matter(run, X, middle)
    sides = [_side(run, X, k) for k in chosen]
    values, classes = _said(run, outputs_over(run.predict, chosen, sides[0], sides[1], middle))
    inputs = names_of(run.net, run.table)[0] or [f"x{k}" for k in range(wide)]
    others = "" if wide == 2 else "the other inputs at their medians"
    points = None if X is None else np.column_stack([_own_unit(run, X[:, k], k) for k in chosen])
    targets = None if X is None or Y is None else _said(run, Y)[0]
    return Surface(
        (str(inputs[chosen[0]]), str(inputs[chosen[1]])),
        _own_unit(run, sides[0], chosen[0]), _own_unit(run, sides[1], chosen[1]),
        values.reshape(_SIDE, _SIDE), classes, points, targets, others,
    )  # fmt: skip


def _that_matter(run: Told, X: Array, middle: Array) -> tuple[int, int]:
    """Which two inputs change the outputs of rows most where they are put at their medians."""
    some = X[evenly(len(X), _FEW)].astype(float)
    outputs, changes = run.predict(some), np.zeros(X.shape[1])
    for k in range(X.shape[1]):
        held = some.copy()
        held[:, k] = middle[k]
        changes[k] = np.abs(run.predict(held) - outputs).mean()
    first, second = sorted(np.argsort(-changes, kind="stable")[:2].tolist())
    return first, second


def _side(run: Told, X: Array | None, k: int) -> Array:
    """Numbers of an input, a little beyond those of the rows."""
    if X is None:
        far = _WITHOUT_ROWS[run.table is not None]
        return np.linspace(-far, far, _SIDE)
    low, high = float(X[:, k].min()), float(X[:, k].max())
    beyond = (high - low) * 0.08 or 0.5
    return np.linspace(low - beyond, high + beyond, _SIDE)


def _own_unit(run: Told, numbers: Array, k: int) -> Array:
    """Numbers of an input in the unit of its column."""
    if run.table is None:
        return np.asarray(numbers, float)
    return numbers * float(run.table["input_scale"][k]) + float(run.table["input_shift"][k])


def _said(run: Told, outputs: Array) -> tuple[Array, list[Any] | None]:
    """(n,) numbers of classes, and how these are called, of outputs one a class; or the first
    output, in the unit of its column.
    """
    names = names_of(run.net, run.table)[1]
    is_class = run.net.layers[-1].function.whole_layer  # softmax
    is_class |= run.table is not None and run.table["classes"] is not None
    if is_class and outputs.shape[1] > 1:
        return outputs.argmax(axis=1), list(names or range(outputs.shape[1]))
    first = outputs[:, 0].astype(float)
    if run.table is None or not run.table["target_scale"]:
        return first, None
    return first * float(run.table["target_scale"][0]) + float(run.table["target_shift"][0]), None
