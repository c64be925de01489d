"""Networks of other libraries as networks with parameters of this one, without importing them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.arrays import rows
from fastgd.arguments.checks import Array, shown
from fastgd.functions.activation import Activation
from fastgd.functions.loss import Loss
from fastgd.mlp import MLP
from fastgd.system.float_errors import quiet

_OF_SKLEARN = {"logistic": "sigmoid"}
# activations by the classes of torch.nn; with numbers of a module where they matter
_OF_TORCH: dict[str, str | Callable[[Any], str]] = {
    "Sigmoid": "sigmoid", "Tanh": "tanh", "ReLU": "relu", "SELU": "selu", "SiLU": "silu",
    "Mish": "mish", "Softsign": "softsign", "Hardsigmoid": "hard_sigmoid",
    "LeakyReLU": lambda module: f"leaky_relu({module.negative_slope!r})",
    "ELU": lambda module: f"elu({module.alpha!r})",
    "GELU": lambda module: "gelu" if module.approximate == "none" else "gelu_tanh",
    "Softplus": lambda module: _if(module.threshold >= 20, f"softplus({module.beta!r})"),
    "Hardtanh": lambda module: _if((module.min_val, module.max_val) == (-1, 1), "hard_tanh"),
    "Softmax": lambda module: _if(module.dim in (1, -1, None), "softmax"),
}  # fmt: skip
_WITHOUT_EFFECT = ("Identity", "Dropout", "AlphaDropout")  # once a network is trained


Scaling = tuple[Array, Array]  # shift and scale of columns


class Imported(tuple[MLP, Array]):
    """A network with its parameters: `net, params = fastgd.from_torch(sequential)`.

    Attributes
    ----------
    net, params : as they are unpacked
    input_scaling, target_scaling : (shift, scale) of float64 (columns,), or None
        The network sees (x - shift) / scale of inputs, and tells (y - shift) / scale of targets.
    """

    input_scaling: Scaling | None
    target_scaling: Scaling | None

    def __new__(
        cls,
        net: MLP,
        params: Array,
        input_scaling: Scaling | None = None,
        target_scaling: Scaling | None = None,
    ) -> Imported:
        self = super().__new__(cls, (net, params))
        self.input_scaling, self.target_scaling = input_scaling, target_scaling
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.net, self.params, self.input_scaling, self.target_scaling

    @property
    def net(self) -> MLP:
        return self[0]

    @property
    def params(self) -> Array:
        return self[1]

    @quiet
    def predict(self, X: ArrayLike) -> Array:
        """The outputs for every row of X: (n, outputs), X and they in units of their own."""
        if self.input_scaling is not None:
            shift, scale = self.input_scaling
            X = rows("X", X, self.net.widths[0], self.net, np.dtype(np.float64))
            X = (X - shift) / scale
        outputs = self.net.predict(self.params, X)
        if self.target_scaling is not None:
            shift, scale = self.target_scaling
            outputs = (outputs * scale + shift).astype(outputs.dtype)
        return outputs


def from_torch(sequential: Any, *, loss: str | Loss | None = None) -> Imported:
    """The network of a torch.nn.Sequential of Linear layers with activations between them.

    `net, params = fastgd.from_torch(sequential)`: to the last bit, in the dtype that it has, for
    `net.predict(params, X)` or `fastgd.train(net, X, Y, epochs, params=params)`. Dropout and
    Identity are left out. What `Run.to_torch` has written of a run from a table scales its columns
    first and its outputs last: that is `input_scaling` and `target_scaling` of what is returned,
    whose `predict(X)` takes and gives units of their own, as the module does.

    Parameters
    ----------
    loss : str or Loss, optional
        Which PyTorch keeps elsewhere: cross_entropy for a softmax output, otherwise squared_error,
        if not given.

    Raises
    ------
    ValueError, TypeError
        If it is no such Sequential, naming the module.

    Examples
    --------
    >>> from torch.nn import Linear, Sequential, Tanh
    >>> net, params = fastgd.from_torch(Sequential(Linear(2, 4), Tanh(), Linear(4, 1)))
    >>> net
    MLP(2, 4, 1, activation=['tanh', 'identity'], loss='squared_error', dtype='float32')
    """
    if not hasattr(sequential, "modules") or not hasattr(sequential, "__iter__"):
        raise TypeError(f"sequential must be a torch.nn.Sequential; got {shown(sequential)}")
    layers: list[tuple[Array, Array | None]] = []
    activations: list[str | Activation] = []
    scaling: dict[bool, Scaling] = {}  # of inputs, and back of targets: True
    is_open = False  # whether the last layer may still get its activation
    for place, module in _flat(sequential, ""):
        kind = type(module).__name__
        if True in scaling:
            raise ValueError(f"module {place} of sequential must not follow what scales back")
        if kind == "Scaling" and hasattr(module, "back"):  # as `to_torch` writes them
            if not module.back and (layers or scaling):
                raise ValueError(f"module {place} of sequential must be first, or scale back")
            scaling[module.back] = _numbers(module.shift), _numbers(module.scale)
        elif kind == "Linear":
            layers.append(_linear(place, module))
            activations.append("identity")
            is_open = True
        elif kind not in _WITHOUT_EFFECT:
            found = _activation(place, kind, module)
            if not is_open:
                raise ValueError(
                    f"module {place} of sequential must follow a Linear layer of its own; got "
                    f"{module!r}"
                )
            activations[-1], is_open = found, False
    return _imported("sequential", layers, activations, loss, scaling.get(False), scaling.get(True))


def from_sklearn(mlp: Any) -> Imported:
    """The network of a fitted MLPClassifier or MLPRegressor of scikit-learn, or of fastgd.sklearn,
    or of a Pipeline of a StandardScaler and one of these.

    `net, params = fastgd.from_sklearn(mlp)`: to the last bit. Outputs of a classifier are what its
    `predict_proba` tells, one for two classes, in the order of `mlp.classes_`. What a
    StandardScaler does is `input_scaling` of what is returned, whose `predict(X)` takes X as the
    pipeline does.

    Raises
    ------
    ValueError, TypeError
        If it is none, or not fitted, or has several members.

    Examples
    --------
    >>> from sklearn.neural_network import MLPClassifier
    >>> X, Y = fastgd.data.gate("and")
    >>> mlp = MLPClassifier((4,), solver="lbfgs", random_state=0).fit(X, Y.ravel())
    >>> net, params = fastgd.from_sklearn(mlp)
    >>> net
    MLP(2, 4, 1, activation=['relu', 'sigmoid'], loss='binary_cross_entropy', dtype='float64')
    >>> bool(np.allclose(net.predict(params, X).ravel(), mlp.predict_proba(X)[:, 1]))
    True
    """
    input_scaling = None
    if hasattr(mlp, "steps"):
        *before, mlp = (step for _, step in mlp.steps)
        kinds = [type(each).__name__ for each in before]
        if kinds not in ([], ["StandardScaler"]):
            raise ValueError(
                "mlp must be a Pipeline of a StandardScaler and an MLP; got "
                f"{', '.join([*kinds, type(mlp).__name__])}"
            )
        input_scaling = _standard_scaling(before[0]) if before else None
    if not hasattr(mlp, "hidden_layer_sizes"):
        raise TypeError(f"mlp must be an MLPClassifier or MLPRegressor; got {shown(mlp)}")
    if not hasattr(mlp, "coefs_"):
        raise ValueError(f"mlp must be fitted; got {shown(mlp)}")
    members = len(getattr(mlp, "runs_", ()))
    if members > 1:
        raise ValueError(f"mlp must be one network; got {members} members, which mlp.runs_ has")
    layers: list[tuple[Array, Array | None]] = [
        (np.asarray(W).T, np.asarray(b)) for W, b in zip(mlp.coefs_, mlp.intercepts_, strict=True)
    ]
    several = isinstance(mlp.activation, (list, tuple))  # which fastgd's own estimators take
    hidden = list(mlp.activation) if several else [mlp.activation] * (len(layers) - 1)
    activations: list[str | Activation] = [
        _OF_SKLEARN.get(each, each) if isinstance(each, str) else each
        for each in [*hidden, mlp.out_activation_]
    ]
    return _imported("mlp", layers, activations, _loss_of(mlp), input_scaling)


def _standard_scaling(scaler: Any) -> Scaling:
    if not hasattr(scaler, "n_features_in_"):
        raise ValueError(f"mlp must be fitted; got {shown(scaler)}")
    columns = scaler.n_features_in_
    shift = np.zeros(columns) if scaler.mean_ is None or not scaler.with_mean else scaler.mean_
    scale = np.ones(columns) if scaler.scale_ is None else scaler.scale_
    return np.array(shift, np.float64), np.array(scale, np.float64)


def _loss_of(mlp: Any) -> str | Loss | None:
    """What scikit-learn's class has, or one of fastgd's estimators; None for that of the output."""
    if hasattr(mlp, "run_"):
        own: Loss = mlp.run_.net.loss_function
        return own
    if getattr(mlp, "loss", None) == "poisson":
        return "poisson"
    return "binary_cross_entropy" if mlp.out_activation_ == "logistic" else None


def _imported(
    argument: str,
    layers: list[tuple[Array, Array | None]],
    activations: list[str | Activation],
    loss: str | Loss | None,
    input_scaling: Scaling | None = None,
    target_scaling: Scaling | None = None,
) -> Imported:
    if not layers:
        raise ValueError(f"{argument} must have at least one Linear layer; got none")
    widths = [layers[0][0].shape[1], *(W.shape[0] for W, _ in layers)]
    if loss is None:
        loss = "cross_entropy" if activations[-1] == "softmax" else "squared_error"
    dtype = layers[0][0].dtype.name
    has_bias = any(b is not None for _, b in layers)
    net = MLP(*widths, activation=activations, loss=loss, bias=has_bias, dtype=dtype)
    return Imported(net, net.pack(layers), input_scaling, target_scaling)


def _flat(sequential: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Modules in their order, with where they stand; those of a Sequential in the place of it."""
    for name, module in sequential._modules.items():  # `children` has each object only once
        if type(module).__name__ == "Sequential":
            yield from _flat(module, f"{place}{name}.")
        else:
            yield f"{place}{name}", module


def _linear(place: str, module: Any) -> tuple[Array, Array | None]:
    weight, bias = module.weight.detach().cpu(), module.bias
    if str(weight.dtype) not in ("torch.float32", "torch.float64"):
        raise ValueError(
            f"module {place} of sequential must be of float32 or float64; got {weight.dtype}"
        )
    return weight.numpy().copy(), None if bias is None else bias.detach().cpu().numpy().copy()


def _numbers(buffer: Any) -> Array:
    numbers: Array = buffer.detach().cpu().numpy().copy()
    return numbers


def _activation(place: str, kind: str, module: Any) -> str | Activation:
    own = getattr(module, "activation", None)
    if isinstance(own, Activation):  # as `to_torch` writes those that PyTorch has not
        return own
    known = _OF_TORCH.get(kind)
    name = known(module) if callable(known) else known
    if not name:
        raise ValueError(
            f"module {place} of sequential must be a Linear layer or an activation that fastgd has "
            f"too: {', '.join(sorted(_OF_TORCH))}; got {shown(module)}"
        )
    return name


def _if(holds: bool, name: str) -> str:
    return name if holds else ""
