"""MLP: the description of a network, and where each of its parameters lies in one flat array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arrays import real_array
from fastgd.checks import Array, seed_of, shown, truth
from fastgd.float_errors import quiet
from fastgd.mistaken import check_widths, how_to_pair, params_array
from fastgd.names import ACTIVATIONS, DTYPES, LOSSES, PARTNERS, SCHEMES, check_name

_MOST_PARAMETERS = 2**32  # 32 GiB of float64


@dataclass(frozen=True)
class Layer:
    """One layer and its place in the flat array: W, (outputs, inputs), row by row, then b, (outputs,)."""

    inputs: int
    outputs: int
    activation: str
    start: int
    bias: bool

    @property
    def weights(self) -> slice:
        """Where W lies, row by row."""
        return slice(self.start, self.start + self.outputs * self.inputs)

    @property
    def biases(self) -> slice:
        """Where b lies; empty without biases."""
        return slice(self.start + self.outputs * self.inputs, self.stop)

    @property
    def stop(self) -> int:
        """Where the next layer begins."""
        return self.start + self.outputs * (self.inputs + int(self.bias))


@dataclass(frozen=True, init=False, repr=False)
class MLP:
    """A multi-layer perceptron: widths, activations and loss. It owns no numbers; parameters are a flat array of the caller's.

    Layer l computes a(l) = f(W(l) a(l-1) + b(l)), notes 002 (45) for width one and 004 for any. The cost is the mean over the samples
    of the loss of one sample.

    Parameters
    ----------
    *widths : int
        Inputs, then the units of each layer. `MLP(2, 1)` is one neuron with two inputs.
    activation : str or sequence of str
        identity, sigmoid, tanh, relu, leaky_relu (slope 0.01), sin or softmax (output only); one for all layers, or one a layer.
    output : str, optional
        Activation of the last layer; `activation` if not given.
    loss : str
        squared_error (summed over the outputs), binary_cross_entropy (sigmoid output) or cross_entropy (softmax output).
    bias : bool
        Whether layers have biases.
    dtype : str
        float64 or float32: the dtype of parameters, data and results.

    Raises
    ------
    ValueError, TypeError
        For widths, names or combinations that make no network.
    """

    widths: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    bias: bool
    dtype: np.dtype[Any]
    layers: tuple[Layer, ...] = field(compare=False)

    def __init__(
        self,
        *widths: int,
        activation: str | Sequence[str] = "sigmoid",
        output: str | None = None,
        loss: str = "squared_error",
        bias: bool = True,
        dtype: str = "float64",
    ):
        checked = check_widths(widths)
        bias = truth("bias", bias)
        activations = _one_a_layer(activation, output, len(checked) - 1)
        check_name("loss", loss, LOSSES)
        needed = PARTNERS.get(loss, activations[-1])
        if activations[-1] != needed:
            raise ValueError(f"loss {loss!r} needs output {needed!r}; got output {activations[-1]!r}")
        if activations[-1] == "softmax" and checked[-1] == 1:
            raise ValueError(
                "widths must end with 2 or more for output 'softmax', which is always 1 over a "
                f"single unit; got {checked}: for two classes in one 0/1 column use "
                "output='sigmoid', loss='binary_cross_entropy'"
            )

        layers: list[Layer] = []
        for inputs, outputs, name in zip(checked, checked[1:], activations, strict=False):
            layers.append(Layer(inputs, outputs, name, layers[-1].stop if layers else 0, bias))
        if layers[-1].stop > _MOST_PARAMETERS:
            raise ValueError(f"widths must make at most 2**32 parameters; got {checked}, which make {layers[-1].stop}")

        name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None) or getattr(dtype, "__name__", dtype)
        values = {
            "widths": checked,
            "activations": activations,
            "loss": loss,
            "bias": bias,
            "dtype": np.dtype(check_name("dtype", name, DTYPES)),
            "layers": tuple(layers),
        }
        for key, value in values.items():
            object.__setattr__(self, key, value)

    def __repr__(self) -> str:
        same = len(set(self.activations)) == 1
        activation = self.activations[0] if same else list(self.activations)
        bias = "" if self.bias else ", bias=False"
        widths = ", ".join(map(str, self.widths))
        return f"MLP({widths}, activation={activation!r}, loss={self.loss!r}{bias}, dtype={self.dtype.name!r})"

    @property
    def n_params(self) -> int:
        """Number of parameters, weights and biases together."""
        return self.layers[-1].stop

    @quiet
    def init(self, rng: int | np.random.Generator | None = None, scheme: str = "auto") -> Array:
        """Initial parameters, flat (n_params,).

        `auto` is `he` for layers with relu or leaky_relu and `glorot` for others. `uniform` draws weights and biases from [0, 1), like
        the programs of the notes; `glorot` and `he` draw weights uniformly, of variance 2 / (inputs + outputs) and 2 / inputs, with
        biases 0.
        """
        check_name("scheme", scheme, SCHEMES)
        generator = np.random.default_rng(seed_of(rng))
        params = np.zeros(self.n_params)
        if scheme == "uniform":
            params[:] = generator.random(self.n_params)
        elif scheme != "zeros":
            for layer in self.layers:
                he = scheme == "he" or (scheme == "auto" and layer.activation in ("relu", "leaky_relu"))
                variance = 2 / layer.inputs if he else 2 / (layer.inputs + layer.outputs)
                bound = np.sqrt(3 * variance)
                params[layer.weights] = generator.uniform(-bound, bound, layer.outputs * layer.inputs)
        return params.astype(self.dtype)

    @quiet
    def check_params(self, params: ArrayLike) -> Array:
        """`params` as a flat (n_params,) array of the network's dtype, or a ValueError or TypeError."""
        return params_array(self, params, (self.n_params,))

    @quiet
    def unpack(self, params: ArrayLike) -> list[tuple[Array, Array | None]]:
        """[(W, b), ...] as views of the flat array: W is (outputs, inputs), b is (outputs,) or None without biases."""
        flat = self.check_params(params)
        return [(flat[s.weights].reshape(s.outputs, s.inputs), flat[s.biases] if s.bias else None) for s in self.layers]

    @quiet
    def pack(self, layers: Sequence[tuple[ArrayLike, ArrayLike | None]]) -> Array:
        """The flat (n_params,) array of [(W, b), ...]; a b of None means no biases or, where the network has them, zeros."""
        if not isinstance(layers, (list, tuple)):
            got = shown(layers) + how_to_pair(layers)
            raise TypeError(f"layers must be a list of pairs (W, b); got {got}")
        if len(layers) != len(self.layers):
            got = f"{len(layers)}{how_to_pair(layers)}"
            raise ValueError(f"layers must be {len(self.layers)} pairs (W, b) for {self}; got {got}")
        params = np.zeros(self.n_params, self.dtype)
        for number, (pair, place) in enumerate(zip(layers, self.layers, strict=True)):
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                got = type(pair).__name__ + how_to_pair(layers)
                raise ValueError(f"layers[{number}] must be a pair (W, b); got {got}")
            weights = real_array(f"W of layers[{number}]", pair[0], self.dtype)
            if weights.shape != (place.outputs, place.inputs):
                is_turned = weights.shape == (place.inputs, place.outputs)
                turned = ": its transpose has, W.T" if is_turned else ""
                raise ValueError(
                    f"W of layers[{number}] must have shape ({place.outputs}, {place.inputs}), "
                    f"(outputs, inputs); got {weights.shape}{turned}"
                )
            params[place.weights] = weights.ravel()
            if pair[1] is None:
                continue
            biases = real_array(f"b of layers[{number}]", pair[1], self.dtype)
            expected = f"have shape ({place.outputs},)" if self.bias else "be None for a network without biases"
            if not self.bias or biases.shape != (place.outputs,):
                raise ValueError(f"b of layers[{number}] must {expected}; got shape {biases.shape}")
            params[place.biases] = biases
        return params

    @quiet
    def predict(self, params: ArrayLike, X: ArrayLike) -> Array:
        """The outputs a(m) for every row of X: (n, outputs)."""
        from fastgd import gradients

        return gradients.predict(self, params, X)

    @quiet
    def cost(self, params: ArrayLike, X: ArrayLike, Y: ArrayLike) -> float:
        """Mean over the n samples of the loss of one sample, notes 002 (3), (17)."""
        from fastgd import gradients

        return gradients.cost(self, params, X, Y)

    @quiet
    def layer_costs(self, params: ArrayLike, X: ArrayLike, Y: ArrayLike) -> Array:
        """The notes' costs C(1) ... C(m), one a layer, notes 002 (32), (39), (49); squared error only. Shape (m,)."""
        from fastgd import gradients

        return gradients.layer_costs(self, params, X, Y)

    @quiet
    def gradient(self, params: ArrayLike, X: ArrayLike, Y: ArrayLike, method: str = "backprop", eps: float = 1e-3) -> Array:
        """Gradient of the cost, flat (n_params,).

        `backprop` is exact, notes 004. `layerwise` is the recursion of notes 002 (50)-(52) with a factor 2 at every layer: 2^(m - l)
        times the exact gradient at layer l of m. `finite_difference` is notes 002 (1) with step `eps`, `central_difference` its
        symmetric form.
        """
        from fastgd import gradients

        return gradients.gradient(self, params, X, Y, method, eps)

    @quiet
    def cost_and_gradient(self, params: ArrayLike, X: ArrayLike, Y: ArrayLike) -> tuple[float, Array]:
        """The cost and its exact gradient from one pass, as `scipy.optimize.minimize(..., jac=True)` wants them."""
        from fastgd import gradients

        return gradients.cost_and_gradient(self, params, X, Y)

    @quiet
    def source(self, n: int = 4, *, method: str = "backprop", batch_size: int | None = None, shuffle: bool = True) -> str:
        """The Python module that the unrolled kernel compiles to train this network on `n` rows.

        Raises
        ------
        ValueError
            If the network is too large to be written out.
        """
        from fastgd import gradients

        return gradients.source(self, n, method, batch_size, shuffle)


def _one_a_layer(activation: str | Sequence[str], output: str | None, n_layers: int) -> tuple[str, ...]:
    """The activation of each layer; softmax is allowed in the last one only."""
    if isinstance(activation, str):
        names = [activation] * n_layers
    elif isinstance(activation, Sequence):
        names = list(activation)
        if output is not None and len(names) == n_layers - 1:
            names.append(output)
        if len(names) != n_layers:
            raise ValueError(f"activation must be one name or one for each of {n_layers} layers; got {len(names)}: {names}")
    else:
        raise TypeError(f"activation must be a name or a sequence of names; got {shown(activation)}")
    if output is not None:
        names[-1] = check_name("output", output, ACTIVATIONS)
    for position, name in enumerate(names):
        check_name("activation", name, ACTIVATIONS)
        if name == "softmax" and position < n_layers - 1:
            raise ValueError(f"activation 'softmax' belongs to the output layer only; got it in layer {position + 1} of {n_layers}")
    return tuple(names)


def check_net(net: object, call: str) -> MLP:
    """`net` if it is an MLP; otherwise a TypeError that shows how `call` takes it."""
    if isinstance(net, MLP):
        return net
    takes = f"{call}(net, X, Y, epochs)"
    if isinstance(getattr(net, "net", None), MLP):
        call = "train_many" if hasattr(net, "__len__") else "train"
        takes = f"{call}(run.net, X, Y, epochs, params=run) goes on from a run"
    raise TypeError(f"net must be an MLP; got {shown(net)}: {takes}")
