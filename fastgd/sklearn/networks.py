"""The network of an estimator: its layers, its first parameters, and how they become `coefs_` and
`intercepts_`.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.functions.loss import Loss
from fastgd.losses import loss as built_in_loss
from fastgd.mlp import MLP
from fastgd.network import Network
from fastgd.sklearn.meaning import takes_multiples

_OF_SCIKIT_LEARN = {"logistic": "sigmoid"}  # names of activations
# for optimizers that would take other steps of twice the gradient
_HALF = Loss(lambda a, y: 0.5 * (a - y) ** 2, name="half_squared_error", check=False)
_OURS = {ours: theirs for theirs, ours in _OF_SCIKIT_LEARN.items()}


class Objective(NamedTuple):
    """What an estimator minimizes, beside what its network does: the half of squared errors."""

    net: MLP
    gradient: float  # how many times the estimator's gradient that of the network is
    cost: float  # how many times the network's cost the loss is that the estimator reports

    @property
    def out_activation(self) -> str:
        """As scikit-learn calls it."""
        name = self.net.activations[-1]
        return _OURS.get(name, name)

    def unexplained(self, Y: Array) -> Array | None:
        """(n,) what the estimator's loss of each row has beside the network's, whatever the
        outputs; None for nothing.
        """
        if self.net.loss != "poisson":
            return None
        logarithms = np.log(np.where(Y > 0, Y, 1.0))
        constants: Array = (Y * logarithms - Y).sum(axis=1, dtype=np.float64)
        return constants


def _named(activation: Any) -> Any:
    """An activation as fastgd has it."""
    is_name = isinstance(activation, str)
    return _OF_SCIKIT_LEARN.get(activation, activation) if is_name else activation


def network(
    p: SimpleNamespace, inputs: int, outputs: int, output: Any, loss: Any, dtype: np.dtype[Any]
) -> Objective:
    """The network that parameters describe, with an activation of its output layer, unless the loss
    has one of its own; ValueError or TypeError where there is none.
    """
    hidden, activation = p.hidden_layer_sizes, p.activation
    several = isinstance(activation, (list, tuple))
    each = [_named(one) for one in activation] if several else [_named(activation)] * len(hidden)
    if len(each) != len(hidden):
        raise ValueError(
            f"activation must be one, or one for each of {len(hidden)} hidden layers; got "
            f"{len(each)}"
        )
    loss = loss if isinstance(loss, Loss) else built_in_loss(loss)
    if loss.of_pairs:
        raise ValueError(
            f"loss must be of one output for each target; got {loss.name!r}, which is of two"
        )
    each.append(output if loss.output is None else loss.output)
    squared, gradient = loss.name == "squared_error", 1.0
    if squared and takes_multiples(p):
        gradient = 2.0
    elif squared:
        loss = _HALF
    net = MLP(inputs, *hidden, outputs, activation=each, loss=loss, dtype=dtype.name)
    return Objective(net, gradient, 1 / (gradient * outputs) if squared else 1.0)


def first_params(net: Network, activation: Any, random: np.random.RandomState) -> Array:
    """The parameters, flat, that scikit-learn draws, biases too, by Glorot and Bengio's bounds for
    the activation of the layer, or of the last hidden one.
    """
    params = np.empty(net.n_params, net.dtype)
    names = net.activations[:-1] or (_named(activation),)
    for i, layer in enumerate(net.layers):
        factor = 2.0 if names[min(i, len(names) - 1)] == "sigmoid" else 6.0
        bound = np.sqrt(factor / (layer.inputs + layer.outputs))
        weights = random.uniform(-bound, bound, (layer.inputs, layer.outputs))
        params[layer.weights] = weights.T.reshape(-1)
        params[layer.biases] = random.uniform(-bound, bound, layer.outputs)
    return params


def flat(net: Network, coefs: list[Array], intercepts: list[Array]) -> Array:
    """The parameters that are (inputs, outputs) weights and biases of each layer, flat."""
    return net.pack([(W.T, b) for W, b in zip(coefs, intercepts, strict=True)])


def layers_of(net: Network, params: Array) -> tuple[list[Array], list[Array]]:
    """(inputs, outputs) weights and biases of each layer, copies."""
    layers = net.unpack(params)
    return [W.T.copy() for W, _ in layers], [b.copy() for _, b in layers if b is not None]


def squares(net: Network, params: Array) -> float:
    """The sum of squared weights, biases left out."""
    weights = [params[layer.weights] for layer in net.layers]
    return float(sum(each.dot(each) for each in weights))
