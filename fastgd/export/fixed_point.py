"""A network in whole numbers of 16 or 32 bits: its formats, its tables, and what they compute.

A number v stands for v / 2^fraction. Sums have 64 bits, and whatever leaves its format stays at its
end. An activation is a table of 257 points over all of z's format, between which it is a cubic by
values and slopes, or a line, whichever is nearer to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fastgd.activations import exp
from fastgd.arguments.checks import Array
from fastgd.export.exported import Exported
from fastgd.functions.activation import Activation
from fastgd.functions.function import computed
from fastgd.system.float_errors import quiet

BITS = {"q15": 16, "q31": 32}
_POINTS = 257
_SAMPLES = 4096  # by which formats are chosen and errors measured
_ROOM = 1.25  # that formats leave beyond what samples reach


@dataclass(frozen=True)
class Curve:
    """An activation as a table: values at 257 points, and slopes times their distance; None where
    lines are nearer.
    """

    values: Array  # (257,) int64
    slopes: Array | None
    fraction: int  # of what it gives

    def at(self, z: Array, bits: int) -> Array:
        """What it gives for z, as the code computes it."""
        shift = bits - 8
        i, t = (z >> shift) + 128, z & ((1 << shift) - 1)
        p, q = self.values[i], self.values[i + 1]
        if self.slopes is None:
            return saturated(p + _rounded((q - p) * t, shift), bits)
        d, e = self.slopes[i], self.slopes[i + 1]
        v = (((2 * (p - q) + d + e) * t) >> shift) + 3 * (q - p) - 2 * d - e
        v = ((v * t) >> shift) + d
        return saturated(p + _rounded(v * t, shift), bits)


@dataclass(frozen=True)
class FixedLayer:
    """W (outputs, inputs) and b (outputs,) as whole numbers, formats, and the activation."""

    W: Array
    b: Array
    shift: int  # from the sum to z
    z_fraction: int
    curve: Curve | None  # of exp for softmax; None for identity
    fraction: int  # of a


@dataclass(frozen=True)
class FixedPoint:
    """The network in whole numbers, for inputs of at most `largest` as it sees them."""

    bits: int
    fraction: int  # of inputs
    layers: tuple[FixedLayer, ...]
    whole_layer: bool  # whether the last one is softmax
    largest: float
    error: float  # twice the largest that was measured

    def outputs(self, x: Array) -> Array:
        """(n, outputs) whole numbers of (n, inputs) of them."""
        for layer in self.layers:
            z = _rounded(x @ layer.W.T + layer.b, layer.shift)
            is_softmax = self.whole_layer and layer is self.layers[-1]
            z = saturated(z - z.max(axis=1, keepdims=True) if is_softmax else z, self.bits)
            x = z if layer.curve is None else layer.curve.at(z, self.bits)
            if is_softmax:
                total = x.sum(axis=1, keepdims=True)
                x = saturated(((x << layer.fraction) + total // 2) // total, self.bits)
        return x


def saturated(v: Array, bits: int) -> Array:
    """Within a format."""
    clipped: Array = np.clip(v, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return clipped


def _rounded(v: Array, shift: int) -> Array:
    """v / 2^shift, to the nearest."""
    return v if shift == 0 else (v + (1 << (shift - 1))) >> shift


def whole(values: Array, fraction: int, bits: int) -> Array:
    """Numbers in a format."""
    with np.errstate(all="ignore"):
        scaled = np.nan_to_num(np.ldexp(np.asarray(values, float), fraction), nan=0.0)
    limit = 2.0 ** (bits - 1)
    numbers: Array = np.rint(np.clip(scaled, -limit, limit - 1)).astype(np.int64)
    return numbers


def _fraction_for(largest: float, bits: int) -> int:
    """The most bits behind the point that leave room for a number of this size."""
    return bits - 1 - max(math.ceil(math.log2(max(largest, 2.0**-8))), -8)


@quiet
def fixed_point(of: Exported, bits: int, largest: float) -> FixedPoint:
    """The network for inputs of at most this size.

    Raises
    ------
    ValueError
        If what layers compute is not finite.
    """
    rng = np.random.default_rng(0)
    shape = _SAMPLES, of.net.widths[0]
    corners = rng.choice([-largest, largest], shape)
    exact = np.where(
        np.arange(_SAMPLES)[:, None] % 4 == 0, corners, rng.uniform(-largest, largest, shape)
    )
    first = _fraction_for(largest, bits)
    fraction, a, layers = first, exact, []
    for layer, (W, b) in zip(of.net.layers, of.layers, strict=True):
        wide, biases = W.astype(float), np.zeros(layer.outputs) if b is None else b.astype(float)
        z = a @ wide.T + biases
        _check_finite(layer.function, z)
        z_fraction = _z_fraction(layer.function, z, bits)
        w_fraction = _weight_fraction(wide, biases, fraction, bits)
        z_fraction = min(z_fraction, w_fraction + fraction)
        a, curve, a_fraction = _activated(layer.function, z, z_fraction, bits)
        layers.append(
            FixedLayer(
                whole(wide, w_fraction, bits),
                np.rint(np.ldexp(biases, w_fraction + fraction)).astype(np.int64),
                w_fraction + fraction - z_fraction,
                z_fraction,
                curve,
                a_fraction,
            )
        )
        fraction = a_fraction
    is_softmax = of.net.layers[-1].function.whole_layer
    made = FixedPoint(bits, first, tuple(layers), is_softmax, largest, 0.0)
    ours = np.ldexp(made.outputs(whole(exact, first, bits)).astype(float), -fraction)
    error = 2 * float(np.abs(ours - a).max())
    return FixedPoint(bits, first, tuple(layers), is_softmax, largest, error)


def _check_finite(function: Activation, z: Array) -> None:
    """ValueError unless z and the activation are finite for all samples."""
    are_finite = np.isfinite(z).all()
    if not are_finite or not (function.whole_layer or np.isfinite(function.reference(z)).all()):
        raise ValueError("fixed_point needs layers that are finite; got such that are not")


def _weight_fraction(W: Array, b: Array, fraction: int, bits: int) -> int:
    """Of weights, so that they fit, and so do sums in 63 bits."""
    own = bits - 1 - math.ceil(math.log2(max(float(np.abs(W).max()) * (1 + 2.0**-14), 2.0**-40)))
    sums = float(np.max(np.abs(W).sum(axis=1) * 2.0 ** (bits - 1 - fraction) + np.abs(b)))
    return min(own, 61 - fraction - math.ceil(math.log2(max(sums, 2.0**-40))), 61 - fraction)


def _z_fraction(function: Activation, z: Array, bits: int) -> int:
    """Of z: room for all samples, or less, where the activation is as good as constant beyond."""
    if function.whole_layer:
        z, function = z - z.max(axis=1, keepdims=True), exp
    fraction, a = _fraction_for(_ROOM * float(np.abs(z).max()), bits), function.reference(z)
    counts = 2.0**-bits * float(np.abs(a).max())
    while fraction < 2 * bits:
        limit = 2.0 ** (bits - 2 - fraction)
        if np.abs(function.reference(z.clip(-limit, limit)) - a).max() > counts:
            break
        fraction += 1
    return fraction


def _activated(
    function: Activation, z: Array, z_fraction: int, bits: int
) -> tuple[Array, Curve | None, int]:
    """a of the samples, its table and its format."""
    if function.whole_layer:
        below = z - z.max(axis=1, keepdims=True)
        a: Array = np.exp(below) / np.exp(below).sum(axis=1, keepdims=True)
        return a, _curve(exp, below, z_fraction, bits - 2, bits), bits - 1
    if function.value.operation == "variable":
        return z, None, z_fraction
    a = function.reference(z)
    fraction = _fraction_for(_ROOM * float(np.abs(a).max()), bits)
    return a, _curve(function, z, z_fraction, fraction, bits), fraction


def _curve(
    function: Activation, samples: Array, z_fraction: int, fraction: int, bits: int
) -> Curve:
    """The table of an activation, by lines or cubics, whichever are nearer to it at the samples."""
    step = 2.0 ** (bits - 8 - z_fraction)
    z = (np.arange(_POINTS) - 128) * step
    a = function.reference(z)
    slopes = computed(function.slope, {"z": z, "a": a}) * step
    values, at = whole(a, fraction, bits), whole(samples, z_fraction, bits)
    made = [Curve(values, each, fraction) for each in (None, whole(slopes, fraction, bits))]
    exact = whole(function.reference(np.ldexp(at.astype(float), -z_fraction)), fraction, bits)
    errors = [float(np.abs(curve.at(at, bits) - exact).max()) for curve in made]
    return made[int(np.argmin(errors))]
