"""Derivatives for others: of the outputs by inputs, of residuals by parameters, and the Hessian of
the cost times a vector.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.arrays import real_array
from fastgd.arguments.checks import Array
from fastgd.kernels.curvature_pass import CurvaturePass
from fastgd.kernels.free_passes import FreePasses
from fastgd.kernels.shelf import shelf
from fastgd.kernels.slope_pass import SlopePass
from fastgd.network import Network
from fastgd.predictor import predict
from fastgd.samples import Samples


def input_gradient(net: Network, params: Array, X: Array) -> Array:
    """Of each output by each input, of rows and parameters that are checked: (n, outputs,
    inputs).
    """
    key, unscaled = (net, "input_gradient"), params[:0]
    one = shelf.take(key, lambda: SlopePass(net, by_inputs=True))
    one.look_at(X, unscaled)
    one.params[...] = params
    try:
        return one()
    finally:
        shelf.put_back(key, one)


def hessian_vector(net: Network, params: Array, X: Array, Y: Array, v: Array) -> Array:
    """The Hessian of the cost times a vector, of what is checked: (n_params,)."""
    key, alike = (net, len(X), "hessian_vector"), params[:0].copy()
    one = shelf.take(key, lambda: CurvaturePass(net, Samples(X, Y, alike)))
    one.look_at(X, Y)
    one.params[...], one.vector[...] = params, v
    try:
        return one()
    finally:
        shelf.put_back(key, one)


def check_vector(net: Network, v: ArrayLike) -> Array:
    """`v` as a flat (n_params,) array of the network's dtype, or a ValueError or TypeError."""
    vector = real_array("v", v, net.dtype)
    if vector.shape != (net.n_params,):
        expected = f"({net.n_params},), that of params, for {net}"
        raise ValueError(f"v must have shape {expected}; got {vector.shape}")
    return vector


class LeastSquares:
    """The squared error of rows as a sum of squares: residuals whose squares sum to n times the
    cost, and their derivatives by the parameters.

    Row i has the residuals sqrt(w_i) (a - y), one for each output, where weights are scaled to a
    mean of 1. With `l2`, a residual sqrt(n l2 / 2) w for each weight comes after those of the
    rows, biases left out.

    Raises
    ------
    ValueError
        For another loss, which is no sum of squares.
    """

    def __init__(self, net: Network, samples: Samples, l2: float):
        if net.loss != "squared_error":
            raise ValueError(
                "residuals and jacobian are defined for loss 'squared_error', a sum of squares; "
                f"got loss {net.loss!r}"
            )
        self.net, self._samples = net, samples
        n, weights = len(samples.X), samples.weights
        mean = weights.mean(dtype=np.float64) if len(weights) else 1.0
        self._scale = np.sqrt(weights / mean).astype(net.dtype)
        self._decay = np.dtype(net.dtype).type(np.sqrt(n * l2 / 2))
        layers = net.layers if l2 else ()
        places = [np.arange(net.n_params)[layer.weights] for layer in layers]
        self._decayed = np.concatenate([np.zeros(0, np.int64), *places])

    @property
    def _of_rows(self) -> int:
        """How many residuals rows have; those of weights come after them."""
        return len(self._samples.X) * self.net.widths[-1]

    def residuals(self, params: ArrayLike) -> Array:
        """(n * outputs,), row by row, or more with `l2`."""
        difference = predict(self.net, params, self._samples.X)
        with np.errstate(all="ignore"):
            difference -= self._samples.Y
            if len(self._scale):
                difference *= self._scale[:, None]
            flat: Array = difference.reshape(-1)
            if len(self._decayed) == 0:
                return flat
            weights = self.net.check_params(params)[self._decayed]
            return np.concatenate([flat, self._decay * weights])

    @cached_property
    def _slopes(self) -> FreePasses[SlopePass]:
        return FreePasses(self.net, self._new_pass)

    def _new_pass(self) -> SlopePass:
        one = SlopePass(self.net, by_inputs=False)
        one.look_at(self._samples.X, self._scale)
        return one

    def jacobian(self, params: ArrayLike) -> Array:
        """Of each residual by each parameter."""
        one = self._slopes.take(params)
        of_rows, of_weights = self._of_rows, len(self._decayed)
        if of_weights == 0:
            result = one().reshape(of_rows, self.net.n_params)
        else:
            result = np.empty((of_rows + of_weights, self.net.n_params), self.net.dtype)
            one.fill(result)
            result[of_rows:] = 0.0
            result[of_rows + np.arange(of_weights), self._decayed] = self._decay
        self._slopes.free.append(one)
        return result
