"""What a page draws of a network: its weights, a surface over two inputs, and outputs of rows."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.mlp import MLP
from fastgd.svg.chosen import evenly
from fastgd.svg.plane import middles, outputs_over

GRID = 64  # points of a surface along each input
_MOST_UNITS = 24  # of a layer that are drawn
_MOST_INPUTS = 32  # whose values are sent with the rows
_MOST_ROWS = 500
_ROWS_OF_TABLE = 12
_FAR = float(np.finfo("f4").max)  # as large as an output that is drawn can be
_BEYOND = 0.15  # of the span of an input, on each side of it


@dataclass(frozen=True, eq=False)
class Scene:
    """A network and the rows that it learns, with names for people."""

    net: MLP
    X: Array  # (n, inputs)
    Y: Array  # (n, targets)
    inputs: Sequence[str]
    outputs: Sequence[str]
    title: str
    least_bounds: tuple[float, float] | None = None  # that a surface has at least, for each input

    @classmethod
    def of(cls, net: MLP, X: Array, Y: Array) -> Scene:
        """One whose inputs and outputs have no names of their own."""
        inputs, outputs = (
            [f"{letter}{place}" for place in range(1, count + 1)]
            for letter, count in (("x", net.widths[0]), ("y", net.widths[-1]))
        )
        return cls(net, X, Y[:, : net.n_targets], inputs, outputs, f"{len(X):,} rows")

    @cached_property
    def rows(self) -> tuple[Array, Array]:
        """X and Y of the rows that are shown, evenly chosen of all; X so far from the largest
        numbers that these can be added.
        """
        rows = evenly(len(self.X), _MOST_ROWS)
        far = np.finfo(self.X.dtype).max / 1e4
        return np.clip(self.X[rows], -far, far), self.Y[rows]

    def told(self) -> dict[str, Any]:
        """What stays: the shape of the network, and some rows."""
        net, (X, Y) = self.net, self.rows
        n_inputs = min(len(self.inputs), _MOST_INPUTS)
        untold = [None] * (net.widths[-1] - net.n_targets)  # of outputs that have no target
        return {
            "title": self.title,
            "widths": list(net.widths),
            "activations": list(net.activations),
            "loss": net.loss,
            "parameters": net.n_params,
            "inputs": list(self.inputs[:n_inputs]),
            "outputs": list(self.outputs),
            "rows": len(self.X),
            "X": _rounded(X[:, :n_inputs]),
            "Y": [row + untold for row in _rounded(Y)],
            "bounds": self.bounds[:n_inputs],
            "levels": self._levels(),
        }

    @cached_property
    def bounds(self) -> list[list[float]]:
        """Of each input, between what values a surface is drawn."""
        bounds = []
        for column in self.rows[0].T:
            low, high = float(column.min()), float(column.max())
            beyond = _BEYOND * (high - low) or 1.0
            bound = [low - beyond, high + beyond]
            if self.least_bounds is not None:
                bound = [min(self.least_bounds[0], low), max(self.least_bounds[1], high)]
            bounds.append(bound)
        return bounds

    def _levels(self) -> list[float]:
        """Least and largest target."""
        Y = self.rows[1]
        low, high = float(Y.min()), float(Y.max())
        return [low, high] if low < high else [low - 0.5, high + 0.5]

    def network(self, params: Array) -> list[dict[str, Any]]:
        """Of each layer, weights and biases of the units that are drawn."""
        layers = []
        before = evenly(self.net.widths[0], _MOST_UNITS)
        for weights, biases in self.net.unpack(params):
            units = evenly(len(weights), _MOST_UNITS)
            layers.append({
                "from": before.tolist(), "units": units.tolist(),
                "W": _rounded(weights[np.ix_(units, before)]),
                "b": None if biases is None else _rounded(biases[units]),
            })  # fmt: skip
            before = units
        return layers

    def surface(self, params: Array, x: int, y: int, output: int) -> dict[str, Any]:
        """An output over two inputs, (GRID, GRID) from the upper left on, others at their means;
        float32 in base64.
        """

        def predict(rows: Array) -> Array:
            return self.net.predict(params, rows)[:, output]

        across, up = (middles(self.bounds[place], GRID) for place in (x, y))
        outputs = outputs_over(predict, (x, y), across, up[::-1], self.rows[0].mean(axis=0))
        values = np.clip(outputs, -_FAR, _FAR).astype("<f4")
        return {
            "size": GRID, "x": x, "y": y, "output": output,
            "values": b64encode(values.tobytes()).decode(),
        }  # fmt: skip

    def table(self, params: Array) -> dict[str, Any]:
        """Outputs of the first of the rows that are told, and the share of all that is right
        where targets are classes.
        """
        X, Y = self.rows
        outputs = self.net.predict(params, X)
        return {
            "outputs": _rounded(outputs[:_ROWS_OF_TABLE]),
            "right": self._right(outputs, Y),
        }

    def _right(self, outputs: Array, Y: Array) -> float | None:
        """The share of rows whose class is the likeliest; None where targets are values."""
        if self.net.loss_function.of_pairs or not ((Y == 0) | (Y == 1)).all():
            return None
        if Y.shape[1] == 1:
            return float(((outputs >= 0.5) == (Y == 1)).mean())
        return float((outputs.argmax(axis=1) == Y.argmax(axis=1)).mean())


def _rounded(array: Array) -> Any:
    """As nested lists of numbers of five digits, which are enough to be drawn and read."""
    finite = np.clip(np.nan_to_num(array.astype(float)), -1e308, 1e308)  # which may be rounded up
    return [float(f"{v:.5g}") for v in finite] if finite.ndim == 1 else list(map(_rounded, finite))
