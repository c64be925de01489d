"""What is allowed, but keeps a network from learning and is likely a mistake: a warning before training begins."""

from __future__ import annotations

import numpy as np

from fastgd.caution import warn
from fastgd.checks import Array
from fastgd.network import MLP
from fastgd.schedules import Cosine, Schedule, as_schedule

_REACHED = {"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0), "sin": (-1.0, 1.0), "relu": (0.0, np.inf)}  # by outputs


def warn_of_targets(net: MLP, Y: Array) -> None:
    """Of (..., n, outputs) targets that outputs stay far from: further than a tenth of their spread, or with another sum."""
    output = net.activations[-1]
    if net.loss == "squared_error" and output in _REACHED:
        low, high = float(Y.min()), float(Y.max())
        least, most = _REACHED[output]
        slack = 0.1 * (high - low)
        if low < least - slack or high > most + slack:
            warn(
                f"Y has values from {low:g} to {high:g}, but outputs of {output!r} lie between {least:g} and {most:g}: "
                "use another output, such as output='identity', or scale Y"
            )
    if net.loss == "cross_entropy":
        totals = Y.sum(axis=-1).reshape(-1)
        off = np.abs(totals - 1) * (totals > 0)  # rows of 0 count for nothing
        row = int(off.argmax())
        if off[row] > 0.01:
            warn(
                f"Y has rows that do not sum to 1, as outputs of 'softmax' do: row {row} sums to {totals[row]:g}; "
                "for several classes a row, use output='sigmoid', loss='binary_cross_entropy'"
            )


def warn_of_equal_units(net: MLP, params: Array) -> None:
    """Of (..., n_params) parameters in which all units of a hidden layer are alike, and so are their gradients in every update."""
    flat = params.reshape(-1, net.n_params)
    for number, (layer, following) in enumerate(zip(net.layers, net.layers[1:], strict=False), 1):
        into = flat[:, layer.weights].reshape(len(flat), layer.outputs, layer.inputs)
        out = flat[:, following.weights].reshape(len(flat), following.outputs, layer.outputs)
        biases = flat[:, layer.biases]
        alike = (into == into[:, :1]).all(axis=(1, 2)) & (out == out[:, :, :1]).all(axis=(1, 2)) & (biases == biases[:, :1]).all(axis=1)
        if layer.outputs > 1 and alike.any():
            warn(
                f"params are the same for all {layer.outputs} units of hidden layer {number}, which then learn as one unit does: "
                "draw them, as net.init(rng) does"
            )
            return


def warn_of_rate(rate: float | Schedule) -> None:
    """Of a learning rate that is always 0."""
    if as_schedule(rate).rate == 0 and not (isinstance(rate, Cosine) and rate.least):
        warn("learning_rate is 0, with which nothing is learned")
