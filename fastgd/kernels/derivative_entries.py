"""Compiled code of derivatives that no training asks for."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgd.activations import ACTIVATIONS
from fastgd.arguments.checks import Array
from fastgd.formulas.curvature import text_of_derivatives
from fastgd.formulas.texts import HELD_ACTIVATIONS, HELD_LOSSES
from fastgd.functions.activation import Activation
from fastgd.functions.loss import Loss
from fastgd.losses import LOSSES
from fastgd.machine.cache import Entry, entry
from fastgd.network import Network

SLOPES = '''"""Derivatives of outputs, for every network of a dtype."""

from fastgd.machine.jit import kernel
from fastgd.kernels.matrix import slopes as matrix

OPTIMIZATION = 2


@kernel
def slopes(address, zero, limit):
    matrix.slopes(address, zero)
'''
_HESSIAN_VECTOR = '''"""Products with Hessians, for every network of a dtype{with_own}."""

from fastgd.formulas.vocabulary import *
from fastgd.machine.jit import kernel
from fastgd.kernels.matrix import tangents
from fastgd.kernels.matrix.tangent_loops import following, multiplying, of_output

OPTIMIZATION = 2


{functions}


activations, losses = [{activations}], [{losses}]
follow, times_derivative = following(activations), multiplying(activations)
output_tangent = of_output(activations, losses)


@kernel
def hessian_vector(address, zero, limit):
    tangents.hessian_vector(follow, times_derivative, output_tangent, address, zero)
'''


class NetworkFunctions:
    """The activations and losses that the code for a network knows: those that are built into the
    matrix kernel, and what the network has beside them.
    """

    def __init__(self, net: Network):
        self._net = net
        used = [layer.function for layer in net.layers]
        held = [ACTIVATIONS[name] for name in HELD_ACTIVATIONS]
        self._activations = _each_once(held, used)
        # those of whole layers are written where layers are
        losses = [LOSSES[name] for name in HELD_LOSSES if not LOSSES[name].whole_layer]
        own_loss = [] if net.loss_function.whole_layer else [net.loss_function]
        self._losses = _each_once(losses, own_loss)
        self._own = self._activations[len(held) :] + self._losses[len(losses) :]

    def places(self) -> tuple[Array, int]:
        """Where the activation of each layer, (layers,), and the loss lie among them; 0 for a loss
        that is of whole layers.
        """
        places = [self._activations.index(layer.function) for layer in self._net.layers]
        loss = self._net.loss_function
        return np.array(places, np.int64), 0 if loss.whole_layer else self._losses.index(loss)

    def source(self) -> str:
        """The module that products with the Hessian are compiled from."""
        functions: list[list[Any]] = [self._activations, self._losses]
        names = [", ".join(map(_pair, each, range(len(each)))) for each in functions]
        texts = [text_of_derivatives(each, i) for some in functions for i, each in enumerate(some)]
        own = ", ".join(f"{each.what} {each.name}" for each in self._own)
        return _HESSIAN_VECTOR.format(
            with_own=f" with {own}" if own else "", functions="\n\n\n".join(texts),
            activations=names[0], losses=names[1],
        )  # fmt: skip


def _each_once(held: list[Any], used: list[Any]) -> list[Any]:
    """Those that are held, and the others in an order that does not depend on the layers'."""
    return held + sorted(set(used) - set(held), key=lambda each: (each.name, each.text))


def _pair(function: Activation | Loss, number: int) -> str:
    return f"({function.what}_slope_{number}, {function.what}_bend_{number})"


def slopes_entry(dtype: np.dtype[Any]) -> Entry:
    """The code of derivatives of outputs."""
    return entry("matrix", SLOPES, "slopes", dtype)


def hessian_entry(functions: NetworkFunctions, dtype: np.dtype[Any]) -> Entry:
    """The code of products with the Hessian."""
    return entry("matrix", functions.source(), "hessian_vector", dtype)
