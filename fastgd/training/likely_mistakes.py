"""What is allowed, but keeps a network from learning and is likely a mistake: a warning."""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np

from fastgd.arguments.arrays import extremes
from fastgd.arguments.checks import Array
from fastgd.functions.comparison import points
from fastgd.functions.function import computed
from fastgd.functions.loss import Loss
from fastgd.mlp import MLP
from fastgd.samples import Samples
from fastgd.system.warn import warn

_BLOCK = 2**16  # rows


def warn_of_targets(net: MLP, samples: Samples) -> None:
    """Of targets that outputs are further from than their mean is, or that have another sum, or
    that a loss learns nothing of.
    """
    if len(samples.weights):  # which may leave rows out
        return
    if net.loss == "squared_error":
        _warn_of_far_targets(net, samples.Y)
        return
    warn_of_zeros(net, samples.Y)
    if net.loss_function.whole_layer:
        totals = _rows(net, samples.Y).sum(axis=1)
        row = int(np.abs(totals - 1).argmax())
        if abs(totals[row] - 1) > 0.01:
            warn(
                "Y has rows that do not sum to 1, as outputs of 'softmax' do: "
                f"row {row} sums to {totals[row]:g}; "
                "for several classes a row, use output='sigmoid', loss='binary_cross_entropy'"
            )


def _warn_of_far_targets(net: MLP, Y: Array) -> None:
    """Of targets that outputs are further from than their mean is."""
    least, most = net.layers[-1].function.bounds
    if least == -np.inf:
        return
    lowest, highest = extremes(Y.ravel())
    if lowest >= least and highest <= most:
        return
    missed, spread = _errors(_rows(net, Y), least, most)
    if missed > spread:
        warn(
            f"Y has values from {lowest:g} to {highest:g}, to which outputs of "
            f"{net.activations[-1]!r}, between {least:g} and {most:g}, come no nearer than "
            "their mean does: use another output, such as output='identity', or scale Y"
        )


def _rows(net: MLP, Y: Array) -> Array:
    """Targets of all members, one below the other."""
    return Y.reshape(-1, net.widths[-1])


def warn_of_zeros(net: MLP, Y: Array) -> None:
    """Of classes of 0 and 1 for a loss that learns nothing of zeros."""
    if _learns_nothing_of_zeros(net.loss_function) and extremes(Y.ravel())[0] == 0:
        warn(
            f"Y has values of 0, of which loss {net.loss!r} learns nothing, and none below: "
            "classes are -1 and 1 to it, as in 2 * Y - 1"
        )


@cache
def _learns_nothing_of_zeros(loss: Loss) -> bool:
    """Whether the derivative is 0 wherever the target is, which may be negative."""
    if loss.whole_layer or loss.of_pairs or loss.targets[0] >= 0:
        return False
    a = points()
    return not computed(loss.slope, {"a": a, "y": np.zeros_like(a)}).any()


def _errors(Y: Array, least: float, most: float) -> tuple[float, float]:
    """The sum of squared errors of outputs that come nearest, and of the mean of each output."""
    missed, squares, total = 0.0, 0.0, np.zeros(Y.shape[1])
    for start in range(0, len(Y), _BLOCK):
        block = Y[start : start + _BLOCK].astype(np.float64)
        missed += float(((block - block.clip(least, most)) ** 2).sum())
        block -= Y[0]  # near the mean, for the sake of rounding
        squares += float((block**2).sum())
        total += block.sum(axis=0)
    return missed, squares - float((total**2).sum()) / len(Y)


def warn_of_equal_units(net: MLP, params: Array) -> None:
    """Of (..., n_params) parameters by which units of a hidden layer are alike, and stay so."""
    if all(_differ(params, one, other) for one, other in _pairs(net)):
        return
    for number, (layer, following) in enumerate(zip(net.layers, net.layers[1:], strict=False), 1):
        if layer.outputs == 1:
            continue
        flat = params.reshape(-1, net.n_params)
        into = flat[:, layer.weights].reshape(len(flat), layer.outputs, layer.inputs)
        out = flat[:, following.weights].reshape(len(flat), following.outputs, layer.outputs)
        biases = flat[:, layer.biases]
        alike = (into == into[:, :1]).all(axis=(1, 2)) & (out == out[:, :, :1]).all(axis=(1, 2))
        alike &= (biases == biases[:, :1]).all(axis=1)
        if alike.any():
            warn(
                f"params are the same for all {layer.outputs} units of hidden layer {number}, "
                "which then learn as one unit does: draw them, as net.init(rng) does"
            )
            return


@lru_cache(maxsize=256)
def _pairs(net: MLP) -> list[tuple[int, int]]:
    """Of each hidden layer of several units, the places of a weight into one and into another."""
    hidden = [layer for layer in net.layers[:-1] if layer.outputs > 1]
    return [(layer.start, layer.start + layer.inputs) for layer in hidden]


def _differ(params: Array, one: int, other: int) -> bool:
    """Whether two of (..., n_params) parameters differ, wherever they are."""
    first, second = params.T[one], params.T[other]
    return bool(first != second if params.ndim == 1 else (first != second).all())
