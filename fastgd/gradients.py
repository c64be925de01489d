"""Outputs, cost, gradient by four methods and the notes' layer costs, as functions of given parameters; and the code for them.

Each runs the very code that trains. Arguments are checked here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.arrays import rows
from fastgd.arguments.checks import Array, finite_number, whole_number
from fastgd.network import MLP
from fastgd.options import Options, check_batch_size, check_method
from fastgd.samples import Samples, check_data

if TYPE_CHECKING:
    from fastgd.kernels import Matrix


def predict(net: MLP, params: ArrayLike, X: ArrayLike) -> Array:
    """`MLP.predict`."""
    params, X = net.check_params(params), rows("X", X, net.widths[0], str(net), net.dtype)
    return _evaluate(net, params, X, np.zeros((len(X), net.widths[-1]), net.dtype))[0]


def predict_many(net: MLP, params: Array, X: ArrayLike) -> Iterator[Array]:
    """The (n, outputs) of each of (members, n_params) parameters."""
    X = rows("X", X, net.widths[0], str(net), net.dtype)
    kernel = _matrix(net, X, np.zeros((len(X), net.widths[-1]), net.dtype))
    return (kernel.evaluate(each)[0] for each in params)


def cost(net: MLP, params: ArrayLike, X: ArrayLike, Y: ArrayLike) -> float:
    """`MLP.cost`."""
    return float(_evaluate(net, net.check_params(params), *check_data(net, X, Y))[1][0])


def layer_costs(net: MLP, params: ArrayLike, X: ArrayLike, Y: ArrayLike) -> Array:
    """`MLP.layer_costs`."""
    if net.loss != "squared_error":
        raise ValueError(f"layer costs are defined for loss 'squared_error'; got loss {net.loss!r}")
    return _evaluate(net, net.check_params(params), *check_data(net, X, Y), layer_costs=True)[1][1:]


def gradient(net: MLP, params: ArrayLike, X: ArrayLike, Y: ArrayLike, method: str, eps: float) -> Array:
    """`MLP.gradient`."""
    check_method(net, method)
    eps = finite_number("eps", eps, positive=True)
    return unchecked(net, net.check_params(params), *check_data(net, X, Y), method, eps)[1]


def cost_and_gradient(net: MLP, params: ArrayLike, X: ArrayLike, Y: ArrayLike) -> tuple[float, Array]:
    """`MLP.cost_and_gradient`."""
    return unchecked(net, net.check_params(params), *check_data(net, X, Y))


def _evaluate(net: MLP, params: Array, X: Array, Y: Array, *, layer_costs: bool = False) -> tuple[Array, Array]:
    return _matrix(net, X, Y).evaluate(params, layer_costs=layer_costs)


def _matrix(net: MLP, X: Array, Y: Array) -> Matrix:
    """The matrix kernel, for what takes no options."""
    from fastgd import kernels

    options = Options()
    return kernels.Matrix(kernels.make_plan(net, len(X), options, "matrix"), options, Samples.alike(X, Y))


def unchecked(net: MLP, params: Array, X: Array, Y: Array, method: str = "backprop", eps: float = 1e-3) -> tuple[float, Array]:
    """Cost and gradient of checked arguments: one epoch of training at rate 0, and what it leaves behind."""
    from fastgd import kernels

    options = Options(method=method, learning_rate=0.0, eps=eps)
    plan = kernels.make_plan(net, len(X), options, "matrix")
    kernel = kernels.Matrix(plan, options, Samples.alike(X, Y))
    state = kernel.start(params)
    kernel.advance(state, 0, 1, 1)
    return float(state.costs[0]), kernel.gradient.copy()


def source(net: MLP, n: int, method: str, batch_size: int | None, shuffle: bool) -> str:
    """`MLP.source`."""
    from fastgd import kernels

    n = whole_number("n", n, least=1)
    options = Options(method=check_method(net, method), batch_size=check_batch_size(batch_size, n), shuffle=shuffle)
    return kernels.source(kernels.make_plan(net, n, options, "unrolled"))
