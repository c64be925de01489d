"""The network of an estimator: its layers, its first parameters, and how they become `coefs_` and
`intercepts_`.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.mlp import MLP
from fastgd.network import Network

_OF_SCIKIT_LEARN = {"logistic": "sigmoid"}  # names of activations
_OURS = {ours: theirs for theirs, ours in _OF_SCIKIT_LEARN.items()}


class Objective(NamedTuple):
    """What an estimator minimizes, beside what its network does: the half of squared errors."""

    net: MLP
    out_activation: str  # as scikit-learn calls it
    gradient: float  # how many times the estimator's gradient that of the network is
    cost: float  # how many times the network's cost the loss is that the estimator reports


def named(activation: Any) -> Any:
    """An activation as fastgd has it."""
    return (
        _OF_SCIKIT_LEARN.get(activation, activation) if isinstance(activation, str) else activation
    )


def network(
    p: SimpleNamespace, inputs: int, outputs: int, output: Any, loss: Any, dtype: np.dtype[Any]
) -> Objective:
    """The network that parameters describe, with an activation of its output layer; ValueError or
    TypeError where there is none.
    """
    hidden, activation = p.hidden_layer_sizes, p.activation
    several = isinstance(activation, (list, tuple))
    each = [named(one) for one in activation] if several else [named(activation)] * len(hidden)
    if len(each) != len(hidden):
        raise ValueError(
            f"activation must be one, or one for each of {len(hidden)} hidden layers; got "
            f"{len(each)}"
        )
    if not hidden:
        each = [named("identity")]
    net = MLP(
        inputs, *hidden, outputs, activation=[*each[: len(hidden)], output], loss=loss,
        dtype=dtype.name,
    )  # fmt: skip
    out = net.activations[-1] if isinstance(net.activations[-1], str) else net.activations[-1].name
    squared = loss == "squared_error"
    return Objective(
        net, _OURS.get(out, out), 2.0 if squared else 1.0, 0.5 / outputs if squared else 1.0
    )


def first_params(net: Network, activation: Any, random: np.random.RandomState) -> Array:
    """The parameters, flat, that scikit-learn draws, biases too, by Glorot and Bengio's bounds."""
    params = np.empty(net.n_params, net.dtype)
    several = isinstance(activation, (list, tuple))
    for i, layer in enumerate(net.layers):
        one = activation[min(i, len(activation) - 1)] if several and activation else activation
        is_sigmoid = isinstance(one, str) and named(one) == "sigmoid"
        bound = np.sqrt((2.0 if is_sigmoid else 6.0) / (layer.inputs + layer.outputs))
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
