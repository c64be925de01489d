"""MLP: a network, and what it computes for given parameters by the very code that trains."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from fastgd.arguments.arrays import rows
from fastgd.arguments.checks import Array, finite_number, shown
from fastgd.options import check_method
from fastgd.samples import check_data, check_samples
from fastgd.system.float_errors import quiet
from fastgd.written import Written

if TYPE_CHECKING:
    from fastgd.objective import Objective
    from fastgd.predictor import Predictor


class MLP(Written):
    """A multi-layer perceptron: widths, activations and loss. It owns no numbers; parameters are a
    flat array of the caller's.

    Layer l computes a(l) = f(W(l) a(l-1) + b(l)), notes 002 (45) for width one and 004 for any. The
    cost is the mean over the samples of the loss of one sample.

    Parameters
    ----------
    *widths : int
        Inputs, then the units of each layer. `MLP(2, 1)` is one neuron with two inputs.
    activation : str, Activation, or a sequence of them
        One of `fastgd.activations` by name, with numbers in brackets if they are to be others, as
        in `leaky_relu(0.2)`; or a `fastgd.Activation` of one's own. One for all layers, or one a
        layer; softmax is for the output only.
    output : str or Activation, optional
        Activation of the last layer; `activation` if not given.
    loss : str or Loss
        One of `fastgd.losses` by name, as in `huber(0.5)`, or a `fastgd.Loss` of one's own, summed
        over the outputs. binary_cross_entropy needs a sigmoid output, cross_entropy softmax,
        poisson exp; the first two take a share of label smoothing, as in `cross_entropy(0.1)`.
    bias : bool
        Whether layers have biases.
    dtype : str
        float64 or float32: the dtype of parameters, data and results.

    Raises
    ------
    ValueError, TypeError
        For widths, names or combinations that make no network.

    Examples
    --------
    >>> fastgd.MLP(64, 10, activation="softmax", loss="cross_entropy").n_params
    650
    """

    def _repr_html_(self) -> str:
        from fastgd.report.notebook import network_html

        return network_html(self)

    def predict(self, params: ArrayLike, X: ArrayLike) -> Array:
        """The outputs a(m) for every row of X: (n, outputs)."""
        outputs: Array = _predictor().predict(self, params, X)
        return outputs

    def predictor(self, params: ArrayLike) -> Predictor:
        """`predict` with a copy of these parameters, as a function `f(X, out=None)` to be called
        often: what a call needs besides the arithmetic is made once.
        """
        predictor: Predictor = _predictor().Predictor(self, params)
        return predictor

    @quiet
    def objective(
        self, X: ArrayLike, Y: ArrayLike, *, sample_weight: ArrayLike | None = None, l2: float = 0.0
    ) -> Objective:
        """The cost of these rows and its gradient, as a function of params to be called often:
        `scipy.optimize.minimize(net.objective(X, Y), params, jac=True)`.

        Parameters
        ----------
        sample_weight : (n,) array, optional
            By which the mean over the rows is weighted.
        l2 : float
            Adds l2 / 2 times the sum of the squared weights, biases left out, to the cost, and
            l2 w, as `train` does, to the gradient.

        Raises
        ------
        ValueError, TypeError
            For rows, weights or an l2 that `train` refuses too.
        """
        samples = check_samples(self, X, Y, sample_weight)
        l2 = finite_number("l2", l2, least=0.0)
        objective: Objective = _objective().Objective(self, samples, l2)
        return objective

    @quiet
    def cost(self, params: ArrayLike, X: ArrayLike, Y: ArrayLike) -> float:
        """Mean over the n samples of the loss of one sample, notes 002 (3), (17).

        By cross_entropy a row of no class, whose targets are all 0, costs 0 whatever the outputs;
        `train` refuses such rows.
        """
        params = self.check_params(params)
        cost: float = _objective().cost_of(self, params, *check_data(self, X, Y))
        return cost

    @quiet
    def layer_costs(self, params: ArrayLike, X: ArrayLike, Y: ArrayLike) -> Array:
        """The notes' costs C(1) ... C(m), one a layer, notes 002 (32), (39), (49); squared error
        only. Shape (m,).
        """
        if self.loss != "squared_error":
            raise ValueError(
                f"layer costs are defined for loss 'squared_error'; got loss {self.loss!r}"
            )
        params = self.check_params(params)
        costs: Array = _objective().layer_costs_of(self, params, *check_data(self, X, Y))
        return costs

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
        params, data = self.check_params(params), check_data(self, X, Y)
        gradient: Array = _objective().cost_and_gradient(self, params, *data, method, eps)[1]
        return gradient

    @quiet
    def cost_and_gradient(
        self, params: ArrayLike, X: ArrayLike, Y: ArrayLike
    ) -> tuple[float, Array]:
        """The cost and its exact gradient from one pass, as `scipy.optimize.minimize(...,
        jac=True)` wants them.
        """
        params, data = self.check_params(params), check_data(self, X, Y)
        both: tuple[float, Array] = _objective().cost_and_gradient(self, params, *data)
        return both

    @quiet
    def input_gradient(self, params: ArrayLike, X: ArrayLike) -> Array:
        """The derivative of each output a(m) by each input, row by row: (n, outputs, inputs)."""
        from fastgd.derivatives import input_gradient

        params = self.check_params(params)
        return input_gradient(self, params, rows("X", X, self.widths[0], self, self.dtype))

    @quiet
    def hessian_vector(self, params: ArrayLike, X: ArrayLike, Y: ArrayLike, v: ArrayLike) -> Array:
        """The Hessian of the cost times the vector v, both flat (n_params,): how the gradient
        changes where the parameters move along v. It is exact, and costs some three gradients;
        kinks of relu and leaky_relu have no curve.
        """
        from fastgd.derivatives import check_vector, hessian_vector

        self.check_one_output("hessian_vector")
        params, v = self.check_params(params), check_vector(self, v)
        return hessian_vector(self, params, *check_data(self, X, Y), v)

    @property
    def jitted(self) -> ModuleType:
        """Functions that one's own @njit code calls, written for this network, of one row:
        `predict(params, x, out)`; `cost_and_gradient(params, x, y, gradient)`, which returns the
        loss; and `input_gradient(params, x, out)`, the derivative of each output by each input.

        params and gradient are (n_params,), x (inputs,), y (outputs,), out (outputs,) or (outputs,
        inputs), arrays of the network's dtype, params and gradient without gaps. Nothing is
        checked, and NaN and infinities take their course; nothing is allocated but for layers of
        thousands of units. Numba keeps their machine code on disk.

        Of networks of at most 1,000 parameters they are written out, by the equations of the
        unrolled kernel, and become part of the code that calls them; of others, and where that
        takes more than 800 lines, as the derivatives of many outputs by many inputs do, they are
        loops over layers whose widths are literals.
        """
        from fastgd.kernels.generated.jitted import jitted

        return jitted(self)


@cache
def _predictor() -> ModuleType:
    """The module, which is imported when it is first needed; sooner found than by an import."""
    from fastgd import predictor

    return predictor


@cache
def _objective() -> ModuleType:
    from fastgd import objective

    return objective


def check_net(net: object, call: str) -> MLP:
    """`net` if it is an MLP; otherwise a TypeError that shows how `call` takes it."""
    if isinstance(net, MLP):
        return net
    takes = f"{call}(net, X, Y, epochs)"
    if isinstance(getattr(net, "net", None), MLP):
        call = "train_many" if hasattr(net, "__len__") else "train"
        takes = f"{call}(run.net, X, Y, epochs, params=run) goes on from a run"
    raise TypeError(f"net must be an MLP; got {shown(net)}: {takes}")
