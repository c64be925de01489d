"""The description of a network, and where each of its parameters lies in one flat array."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.advice import check_widths, how_to_pair, params_array
from fastgd.arguments.arrays import real_array
from fastgd.arguments.checks import Array, seed_of, shown, truth
from fastgd.arguments.choices import check_name
from fastgd.chosen_functions import checked_loss, one_a_layer, texts_of_own
from fastgd.functions.activation import Activation
from fastgd.functions.loss import Loss
from fastgd.names import DTYPES, SCHEMES
from fastgd.system.float_errors import quiet

_MOST_PARAMETERS = 2**32  # 32 GiB of float64


@dataclass(frozen=True)
class Layer:
    """One layer and its place in the flat array: W, (outputs, inputs), row by row, then b,
    (outputs,).
    """

    inputs: int
    outputs: int
    function: Activation
    start: int
    bias: bool

    @property
    def activation(self) -> str:
        """The name of its activation."""
        return self.function.name

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
class Network:
    """The description of an MLP: what `mlp.MLP` says, without what is computed by compiled code."""

    widths: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    bias: bool
    dtype: np.dtype[Any]
    own: tuple[str, ...]  # the texts of functions that are not built in
    layers: tuple[Layer, ...] = field(compare=False)
    loss_function: Loss = field(compare=False)

    def __init__(
        self,
        *widths: int,
        activation: str | Activation | Sequence[str | Activation] = "sigmoid",
        output: str | Activation | None = None,
        loss: str | Loss = "squared_error",
        bias: bool = True,
        dtype: str = "float64",
    ):
        checked = check_widths(widths)
        bias = truth("bias", bias)
        functions = one_a_layer(activation, output, len(checked) - 1)
        loss_function = checked_loss(loss, functions[-1])
        if functions[-1].whole_layer and checked[-1] == 1:
            raise ValueError(
                f"widths must end with 2 or more for output {functions[-1].name!r}, which is "
                f"always 1 over a single unit; got {checked}: for two classes in one 0/1 column "
                "use output='sigmoid', loss='binary_cross_entropy'"
            )

        if loss_function.of_pairs and checked[-1] % 2:
            raise ValueError(
                f"widths must end with an even number for loss {loss_function.name!r}, which is "
                f"of two outputs for each target; got {checked}"
            )

        layers: list[Layer] = []
        for inputs, outputs, function in zip(checked, checked[1:], functions, strict=False):
            layers.append(Layer(inputs, outputs, function, layers[-1].stop if layers else 0, bias))
        if layers[-1].stop > _MOST_PARAMETERS:
            raise ValueError(
                f"widths must make at most 2**32 parameters; got {checked}, which make "
                f"{layers[-1].stop}"
            )

        name = (
            dtype
            if isinstance(dtype, str)
            else getattr(dtype, "name", None) or getattr(dtype, "__name__", dtype)
        )
        values = {
            "widths": checked,
            "activations": tuple(function.name for function in functions),
            "loss": loss_function.name,
            "bias": bias,
            "dtype": np.dtype(check_name("dtype", name, DTYPES)),
            "own": texts_of_own([*functions, loss_function]),
            "layers": tuple(layers),
            "loss_function": loss_function,
        }
        for key, value in values.items():
            object.__setattr__(self, key, value)

    def __repr__(self) -> str:
        same = len(set(self.activations)) == 1
        activation = self.activations[0] if same else list(self.activations)
        bias = "" if self.bias else ", bias=False"
        widths = ", ".join(map(str, self.widths))
        rest = f"loss={self.loss!r}{bias}, dtype={self.dtype.name!r}"
        return f"MLP({widths}, activation={activation!r}, {rest})"

    @property
    def own_functions(self) -> tuple[Activation | Loss, ...]:
        """Its activations and its loss, as far as they are not built in."""
        used = dict.fromkeys([*(layer.function for layer in self.layers), self.loss_function])
        return tuple(each for each in used if each.named is None)  # type: ignore[misc]

    @cached_property
    def n_params(self) -> int:
        """Number of parameters, weights and biases together."""
        return self.layers[-1].stop

    @cached_property
    def n_targets(self) -> int:
        """Number of targets of a row, columns of Y: its outputs, or half of them for a loss of
        two.
        """
        return self.widths[-1] // (2 if self.loss_function.of_pairs else 1)

    def check_one_output(self, what: str) -> None:
        """ValueError if the loss is of two outputs, which `what` does not know."""
        if self.loss_function.of_pairs:
            raise ValueError(
                f"{what} serves losses of one output for each target; got {self.loss!r}, which is "
                "of two"
            )

    @quiet
    def init(self, rng: int | np.random.Generator | None = None, scheme: str = "auto") -> Array:
        """Initial parameters, flat (n_params,).

        `auto` is what suits a layer's activation: `he` for relu and its kind, `glorot` for others.
        `uniform` draws weights and biases from [0, 1), like the programs of the notes; `glorot` and
        `he` draw weights uniformly, of variance 2 / (inputs + outputs) and 2 / inputs, with biases
        0.
        """
        check_name("scheme", scheme, SCHEMES)
        params: Array = self.drawn([seed_of(rng)], scheme)[0]
        return params

    def drawn(self, seeds: Sequence[int], scheme: str = "auto") -> Array:
        """(seeds, n_params): what `init` draws by each seed."""
        params = np.zeros((len(seeds), self.n_params))
        if scheme != "zeros":
            from numpy.random import PCG64, Generator, SeedSequence

            parts = self._parts_to_draw(scheme)
            for row, seed in zip(params, seeds, strict=True):
                # default_rng(seed), in half the time
                uniform = Generator(PCG64(SeedSequence(seed))).uniform
                for part, least, most, count in parts:
                    row[part] = uniform(least, most, count)
        return params.astype(self.dtype)

    def _parts_to_draw(self, scheme: str) -> list[tuple[slice, float, float, int]]:
        """Places of parameters, between what they are drawn, and how many they are."""
        if scheme == "uniform":
            return [(slice(0, self.n_params), 0.0, 1.0, self.n_params)]
        parts = []
        for layer in self.layers:
            he = (layer.function.scheme if scheme == "auto" else scheme) == "he"
            variance = 2 / layer.inputs if he else 2 / (layer.inputs + layer.outputs)
            bound = math.sqrt(3 * variance)
            parts.append((layer.weights, -bound, bound, layer.outputs * layer.inputs))
        return parts

    @quiet
    def check_params(self, params: ArrayLike) -> Array:
        """`params` as a flat (n_params,) array of the network's dtype, or a ValueError or
        TypeError.
        """
        return params_array(self, params, (self.n_params,))

    @quiet
    def unpack(self, params: ArrayLike) -> list[tuple[Array, Array | None]]:
        """[(W, b), ...] as views of the flat array: W is (outputs, inputs), b is (outputs,) or None
        without biases.
        """
        flat = self.check_params(params)
        return [
            (flat[s.weights].reshape(s.outputs, s.inputs), flat[s.biases] if s.bias else None)
            for s in self.layers
        ]

    @quiet
    def pack(self, layers: Sequence[tuple[ArrayLike, ArrayLike | None]]) -> Array:
        """The flat (n_params,) array of [(W, b), ...]; a b of None means no biases or, where the
        network has them, zeros.
        """
        if not isinstance(layers, (list, tuple)):
            got = shown(layers) + how_to_pair(layers)
            raise TypeError(f"layers must be a list of pairs (W, b); got {got}")
        if len(layers) != len(self.layers):
            got = f"{len(layers)}{how_to_pair(layers)}"
            raise ValueError(
                f"layers must be {len(self.layers)} pairs (W, b) for {self}; got {got}"
            )
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
            expected = (
                f"have shape ({place.outputs},)"
                if self.bias
                else "be None for a network without biases"
            )
            if not self.bias or biases.shape != (place.outputs,):
                raise ValueError(f"b of layers[{number}] must {expected}; got shape {biases.shape}")
            params[place.biases] = biases
        return params
