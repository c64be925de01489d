"""What a network costs on rows, and the gradient of that: as a function of parameters that is bound
once, or by each call.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.checks import Array
from fastgd.derivatives import LeastSquares, check_vector
from fastgd.kernels.curvature_pass import CurvaturePass
from fastgd.kernels.free_passes import FreePasses
from fastgd.kernels.gradient_pass import GradientPass
from fastgd.kernels.shelf import shelf
from fastgd.network import Network
from fastgd.samples import Samples
from fastgd.system.float_errors import quiet

T = TypeVar("T")


class Objective:
    """What a network costs on given rows as a function of its parameters: `o(params)` is the cost
    and its exact gradient, `net.cost_and_gradient(params, X, Y)` to the bit, and takes little more
    than the arithmetic. `net.objective(X, Y)` makes one.

    With `l2` the cost is that of the data plus l2 / 2 times the sum of the squared weights, biases
    left out: its gradient is the one that `train` follows by this `l2`, where the costs that are
    reported are of the data alone. With weights of the samples it is the weighted mean.

    `residuals`, `jacobian` and `hessian_vector` are for methods that ask for more than a gradient.

    It holds its rows, not copies of them where they are C-contiguous arrays of the network's dtype:
    they are not to be changed while it is in use. Threads may call one at a time or at once. It
    pickles and copies as its network and rows.
    """

    def __init__(self, net: Network, samples: Samples, l2: float = 0.0):
        self.net, self._samples, self._l2 = net, samples, l2
        self._decay: Array | None = None
        if l2:
            self._decay = np.zeros(net.n_params, net.dtype)
            for layer in net.layers:
                self._decay[layer.weights] = l2
        self._passes = FreePasses(net, lambda: GradientPass(net, samples))
        self._passes.free.append(GradientPass(net, samples))

    def __call__(self, params: ArrayLike) -> tuple[float, Array]:
        """The cost and its gradient, flat (n_params,), in an array of its own."""
        one = self._passes.take(params)
        added = None if self._decay is None else self._decayed(self._decay, one.params)
        cost, gradient = one.cost_and_gradient()
        self._passes.free.append(one)
        if added is None:
            return cost, gradient
        with np.errstate(all="ignore"):
            return cost + added[0], gradient + added[1]

    def cost(self, params: ArrayLike) -> float:
        """The cost alone."""
        one = self._passes.take(params)
        added = None if self._decay is None else self._decayed(self._decay, one.params)
        cost = one.cost()
        self._passes.free.append(one)
        return cost if added is None else cost + added[0]

    def gradient(self, params: ArrayLike) -> Array:
        """The gradient alone, flat (n_params,)."""
        return self(params)[1]

    def residuals(self, params: ArrayLike) -> Array:
        """The squared error as a sum of squares, for `scipy.optimize.least_squares(o.residuals,
        params, jac=o.jacobian)`, flat: sum(residuals ** 2) is n times the cost.

        Those of a row, one for each output, are (a - y) sqrt(w), where w is its weight over the
        mean of them; (n * outputs,). With `l2` there is one more for each weight of a layer,
        sqrt(n * l2 / 2) times it, so that the least cost is at the same parameters.

        Raises
        ------
        ValueError
            For another loss than squared error.
        """
        return self._squares.residuals(params)

    def jacobian(self, params: ArrayLike) -> Array:
        """The derivative of each residual by each parameter: (n * outputs, n_params), and with `l2`
        a row more for each weight of a layer.
        """
        return self._squares.jacobian(params)

    @quiet
    def hessian_vector(self, params: ArrayLike, v: ArrayLike) -> Array:
        """The Hessian of the cost times the vector v, both (n_params,), exactly: the `hessp` of
        `scipy.optimize.minimize(o, params, jac=True, hessp=o.hessian_vector,
        method="trust-ncg")`.
        """
        v = check_vector(self.net, v)
        one = self._curved.take(params)
        one.vector[...] = v
        product = one()
        self._curved.free.append(one)
        return product if self._decay is None else product + self._decay * v

    @cached_property
    def _squares(self) -> LeastSquares:
        return LeastSquares(self.net, self._samples, self._l2)

    @cached_property
    def _curved(self) -> FreePasses[CurvaturePass]:
        return FreePasses(self.net, lambda: CurvaturePass(self.net, self._samples))

    @staticmethod
    def _decayed(decay: Array, params: Array) -> tuple[float, Array]:
        """What l2 adds to the cost and to the gradient."""
        with np.errstate(all="ignore"):
            gradient = decay * params
            return 0.5 * float(params.dot(gradient)), gradient

    def __repr__(self) -> str:
        return f"<objective of {self.net} on {len(self._samples.X)} rows>"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.net, self._samples, self._l2)


# -- of checked arguments, once --------------------------------------------------------------------


def cost_of(net: Network, params: Array, X: Array, Y: Array) -> float:
    """The cost of the rows."""
    return _by_pass(GradientPass.cost, net, params, X, Y)


def layer_costs_of(net: Network, params: Array, X: Array, Y: Array) -> Array:
    """The notes' layer costs, (m,)."""
    return _by_pass(GradientPass.layer_costs, net, params, X, Y)


def cost_and_gradient(
    net: Network, params: Array, X: Array, Y: Array, method: str = "backprop", eps: float = 1e-3
) -> tuple[float, Array]:
    """The cost of the rows, and its gradient by a method."""
    return _by_pass(GradientPass.cost_and_gradient, net, params, X, Y, method, eps)


def _by_pass(
    result: Callable[[GradientPass], T],
    net: Network,
    params: Array,
    X: Array,
    Y: Array,
    method: str = "backprop",
    eps: float = 1e-3,
) -> T:
    """What a pass comes to, which is kept for the next call with as many rows."""
    key, alike = (net, len(X), method, eps), np.zeros(0, net.dtype)
    one = shelf.take(key, lambda: GradientPass(net, Samples(X, Y, alike), method, eps))
    one.look_at(X, Y)
    one.params[...] = params
    try:
        return result(one)
    finally:
        shelf.put_back(key, one)
