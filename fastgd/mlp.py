"""MLP: a network, and what it computes for given parameters by the very code that trains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.arrays import rows
from fastgd.arguments.checks import Array, finite_number, shown, whole_number
from fastgd.network import Network
from fastgd.options import Options, check_method
from fastgd.samples import Samples, check_data
from fastgd.system.float_errors import quiet

if TYPE_CHECKING:
    from fastgd.kernels import Matrix


class MLP(Network):
    """A multi-layer perceptron: widths, activations and loss. It owns no numbers; parameters are a
    flat array of the caller's.

    Layer l computes a(l) = f(W(l) a(l-1) + b(l)), notes 002 (45) for width one and 004 for any. The
    cost is the mean over the samples of the loss of one sample.

    Parameters
    ----------
    *widths : int
        Inputs, then the units of each layer. `MLP(2, 1)` is one neuron with two inputs.
    activation : str or sequence of str
        identity, sigmoid, tanh, relu, leaky_relu (slope 0.01), sin or softmax (output only); one
        for all layers, or one a layer.
    output : str, optional
        Activation of the last layer; `activation` if not given.
    loss : str
        squared_error (summed over the outputs), binary_cross_entropy (sigmoid output) or
        cross_entropy (softmax output).
    bias : bool
        Whether layers have biases.
    dtype : str
        float64 or float32: the dtype of parameters, data and results.

    Raises
    ------
    ValueError, TypeError
        For widths, names or combinations that make no network.
    """

    @quiet
    def predict(self, params: ArrayLike, X: ArrayLike) -> Array:
        """The outputs a(m) for every row of X: (n, outputs)."""
        params, X = self.check_params(params), rows("X", X, self.widths[0], str(self), self.dtype)
        return _evaluate(self, params, X, np.zeros((len(X), self.widths[-1]), self.dtype))[0]

    @quiet
    def cost(self, params: ArrayLike, X: ArrayLike, Y: ArrayLike) -> float:
        """Mean over the n samples of the loss of one sample, notes 002 (3), (17).

        By cross_entropy a row of no class, whose targets are all 0, costs 0 whatever the outputs;
        `train` refuses such rows.
        """
        return float(_evaluate(self, self.check_params(params), *check_data(self, X, Y))[1][0])

    @quiet
    def layer_costs(self, params: ArrayLike, X: ArrayLike, Y: ArrayLike) -> Array:
        """The notes' costs C(1) ... C(m), one a layer, notes 002 (32), (39), (49); squared error
        only. Shape (m,).
        """
        if self.loss != "squared_error":
            raise ValueError(
                f"layer costs are defined for loss 'squared_error'; got loss {self.loss!r}"
            )
        return _evaluate(
            self, self.check_params(params), *check_data(self, X, Y), layer_costs=True
        )[1][1:]

    @quiet
    def gradient(
        self,
        params: ArrayLike,
        X: ArrayLike,
        Y: ArrayLike,
        method: str = "backprop",
        eps: float = 1e-3,
    ) -> Array:
        """Gradient of the cost, flat (n_params,).

        `backprop` is exact, notes 004. `layerwise` is the recursion of notes 002 (50)-(52) with a
        factor 2 at every layer: 2^(m - l) times the exact gradient at layer l of m.
        `finite_difference` is notes 002 (1) with step `eps`, `central_difference` its symmetric
        form.
        """
        check_method(self, method)
        eps = finite_number("eps", eps, positive=True)
        return unchecked(self, self.check_params(params), *check_data(self, X, Y), method, eps)[1]

    @quiet
    def cost_and_gradient(
        self, params: ArrayLike, X: ArrayLike, Y: ArrayLike
    ) -> tuple[float, Array]:
        """The cost and its exact gradient from one pass, as `scipy.optimize.minimize(...,
        jac=True)` wants them.
        """
        return unchecked(self, self.check_params(params), *check_data(self, X, Y))

    @quiet
    def source(
        self,
        n: int = 4,
        *,
        method: str = "backprop",
        batch_size: int | None = None,
        shuffle: bool = True,
    ) -> str:
        """The Python module that the unrolled kernel compiles to train this network on `n` rows.

        Raises
        ------
        ValueError
            If the network is too large to be written out.
        """
        from fastgd import kernels

        n = whole_number("n", n, least=1)
        options = Options(method, batch_size=batch_size, shuffle=shuffle).checked_for(self, n)
        return kernels.source(kernels.make_plan(self, n, options, "unrolled"))


def check_net(net: object, call: str) -> MLP:
    """`net` if it is an MLP; otherwise a TypeError that shows how `call` takes it."""
    if isinstance(net, MLP):
        return net
    takes = f"{call}(net, X, Y, epochs)"
    if isinstance(getattr(net, "net", None), MLP):
        call = "train_many" if hasattr(net, "__len__") else "train"
        takes = f"{call}(run.net, X, Y, epochs, params=run) goes on from a run"
    raise TypeError(f"net must be an MLP; got {shown(net)}: {takes}")


def predict_many(net: MLP, params: Array, X: ArrayLike) -> Iterator[Array]:
    """The (n, outputs) of each of (members, n_params) parameters."""
    X = rows("X", X, net.widths[0], str(net), net.dtype)
    kernel = _matrix(net, X, np.zeros((len(X), net.widths[-1]), net.dtype))
    return (kernel.evaluate(each)[0] for each in params)


def _evaluate(
    net: MLP, params: Array, X: Array, Y: Array, *, layer_costs: bool = False
) -> tuple[Array, Array]:
    return _matrix(net, X, Y).evaluate(params, layer_costs=layer_costs)


def _matrix(net: MLP, X: Array, Y: Array) -> Matrix:
    """The matrix kernel, for what takes no options."""
    from fastgd import kernels

    options = Options()
    return kernels.Matrix(
        kernels.make_plan(net, len(X), options, "matrix"), options, Samples.alike(X, Y)
    )


def unchecked(
    net: MLP, params: Array, X: Array, Y: Array, method: str = "backprop", eps: float = 1e-3
) -> tuple[float, Array]:
    """Cost and gradient of checked arguments: one epoch of training at rate 0, and what it leaves
    behind.
    """
    from fastgd import kernels

    options = Options(method=method, learning_rate=0.0, eps=eps)
    plan = kernels.make_plan(net, len(X), options, "matrix")
    kernel = kernels.Matrix(plan, options, Samples.alike(X, Y))
    state = kernel.start(params)
    kernel.advance(state, 0, 1, 1)
    return float(state.costs[0]), kernel.gradient.copy()
