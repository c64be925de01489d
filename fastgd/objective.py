"""What a network costs on rows, and the gradient of that: as a function of parameters that is bound
once, or by each call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.checks import Array
from fastgd.kernels.gradient_pass import GradientPass
from fastgd.kernels.shelf import shelf
from fastgd.network import Network
from fastgd.samples import Samples

T = TypeVar("T")


class Objective:
    """What a network costs on given rows as a function of its parameters: `o(params)` is the cost
    and its exact gradient, `net.cost_and_gradient(params, X, Y)` to the bit, and takes little more
    than the arithmetic. `net.objective(X, Y)` makes one.

    With `l2` the cost is that of the data plus l2 / 2 times the sum of the squared weights, biases
    left out: its gradient is the one that `train` follows by this `l2`, where the costs that are
    reported are of the data alone. With weights of the samples it is the weighted mean.

    It holds its rows, not copies of them where they are C-contiguous arrays of the network's dtype:
    they are not to be changed while it is in use. Threads may call one at a time or at once. It
    pickles and copies as its network and rows.
    """

    def __init__(self, net: Network, samples: Samples, l2: float = 0.0):
        self.net, self._samples, self._l2 = net, samples, l2
        self._dtype, self._shape = net.dtype, (net.n_params,)
        self._decay: Array | None = None
        if l2:
            self._decay = np.zeros(net.n_params, net.dtype)
            for layer in net.layers:
                self._decay[layer.weights] = l2
        # those that no call is using; calls at the same time have one each
        self._free = [GradientPass(net, samples)]

    def __call__(self, params: ArrayLike) -> tuple[float, Array]:
        """The cost and its gradient, flat (n_params,), in an array of its own."""
        one = self._with(params)
        added = None if self._decay is None else self._decayed(self._decay, one.params)
        cost, gradient = one.cost_and_gradient()
        self._free.append(one)
        if added is None:
            return cost, gradient
        with np.errstate(all="ignore"):
            return cost + added[0], gradient + added[1]

    def cost(self, params: ArrayLike) -> float:
        """The cost alone."""
        one = self._with(params)
        added = None if self._decay is None else self._decayed(self._decay, one.params)
        cost = one.cost()
        self._free.append(one)
        return cost if added is None else cost + added[0]

    def gradient(self, params: ArrayLike) -> Array:
        """The gradient alone, flat (n_params,)."""
        return self(params)[1]

    def _with(self, params: ArrayLike) -> GradientPass:
        """A pass that no other call has, for these parameters."""
        try:
            one = self._free.pop()
        except IndexError:
            one = GradientPass(self.net, self._samples)
        if (
            type(params) is np.ndarray
            and params.dtype is self._dtype
            and params.shape == self._shape
        ):
            one.params[...] = params
            if one.is_finite():
                return one
        try:
            one.params[...] = self.net.check_params(params)
        except BaseException:
            self._free.append(one)
            raise
        return one

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
