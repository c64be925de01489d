"""The losses that are built in, each declared as one's own would be.

An entry here is all that there is to one: kernels, checks, documents and tests read this table.
Meanings and defaults are PyTorch's where it has them, summed over the outputs.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from fastgd import numeric as n
from fastgd.activations import exp, sigmoid, softmax
from fastgd.functions.loss import Loss
from fastgd.functions.table import Table
from fastgd.numeric import where

_built_in = partial(Loss, check=False)  # the tests check each
_PROBABILITY = (0.0, 1.0)


def _smoothed(y: Any, smoothing: float) -> Any:
    """The target, with a share of it spread over both classes."""
    return y * (1 - smoothing) + smoothing / 2 if smoothing else y


def _check(name: str, number: float, is_right: bool, expected: str) -> None:
    if not is_right:
        raise ValueError(f"{name} must be {expected}; got {number:g}")


def _binary_cross_entropy(z: Any, y: Any, smoothing: float = 0.0) -> Any:
    """-y log a - (1 - y) log(1 - a), which is (max(z, 0) - y z) + log(1 + e^-|z|)."""
    _check("smoothing", smoothing, 0 <= smoothing < 1, "from 0 to below 1")
    y = _smoothed(y, smoothing)
    return (where(z < 0, 0.0, z) - y * z) + n.log1p(n.exp(where(z < 0, z, -z)))


def _cross_entropy(z: Any, log_sum_exp: Any, y: Any, smoothing: float = 0.0) -> Any:
    """-y log a, of a z less the sample's largest, whose rounding that and the sum would share;
    targets are smoothed by the kernels.
    """
    _check("smoothing", smoothing, 0 <= smoothing < 1, "from 0 to below 1")
    return y * (log_sum_exp - z)


def _huber(a: Any, y: Any, delta: float = 1.0) -> Any:
    _check("delta", delta, delta > 0, "above 0")
    size = abs(a - y)
    return where(size <= delta, 0.5 * size * size, delta * (size - 0.5 * delta))


def _huber_slope(a: Any, y: Any, delta: float) -> Any:
    miss = a - y
    return where(miss < -delta, -delta, where(miss > delta, delta, miss))


def _log_cosh(a: Any, y: Any) -> Any:
    """Where it is small, log(1 + (cosh - 1)), and cosh - 1 is 2 t^2 / (1 - t^2), t = tanh half."""
    size = abs(a - y)
    t = n.tanh(0.5 * size)
    near = n.log1p(2 * t * t / (1 - t * t))
    return where(size < 1, near, size + n.softplus(-2 * size) - math.log(2))


def _quantile(a: Any, y: Any, tau: float = 0.5) -> Any:
    _check("tau", tau, 0 < tau < 1, "between 0 and 1")
    return where(y < a, (1 - tau) * (a - y), tau * (y - a))


def _gaussian_nll(mean: Any, log_variance: Any, y: Any, eps: float = 1e-6) -> Any:
    """Minus the logarithm of a normal distribution's density, without its constant: half of log v +
    (mean - y)^2 / v; v is at least eps.
    """
    _check("eps", eps, eps > 0, "above 0")
    bounded = n.maximum(log_variance, math.log(eps))
    deviations = (mean - y) * n.exp(-0.5 * bounded)
    return 0.5 * (bounded + deviations * deviations)


squared_error = _built_in(  # notes 002 (17), (20)
    lambda a, y: (a - y) ** 2, lambda a, y: n.fma(a, 2.0, -(y + y)), "squared_error"
)

# -- of probabilities, by z

binary_cross_entropy = _built_in(
    _binary_cross_entropy, lambda a, y, smoothing: a - _smoothed(y, smoothing),
    "binary_cross_entropy", output=sigmoid, targets=_PROBABILITY,
)  # fmt: skip
cross_entropy = _built_in(
    _cross_entropy, lambda a, y, total, smoothing: a * total - y, "cross_entropy", output=softmax,
    targets=_PROBABILITY,
)  # fmt: skip
# of counts, for a = e^z: a - y log a
poisson = _built_in(
    lambda z, y: n.exp(z) - y * z, lambda a, y: a - y, "poisson", output=exp,
    targets=(0.0, math.inf),
)  # fmt: skip

# -- of values

absolute = _built_in(lambda a, y: abs(a - y), lambda a, y: n.sign(a - y), "absolute")
huber = _built_in(_huber, _huber_slope, "huber")
log_cosh = _built_in(_log_cosh, lambda a, y: n.tanh(a - y), "log_cosh")
quantile = _built_in(
    _quantile,
    lambda a, y, tau: where(y < a, 1 - tau, where(a < y, -tau, 0.0 * (a - y))), "quantile",
)  # fmt: skip

# of a mean and the logarithm of a variance, which may be any number
gaussian_nll = _built_in(_gaussian_nll, None, "gaussian_nll")

# -- of margins: targets are -1 and 1

hinge = _built_in(
    lambda a, y: n.maximum(1 - y * a, 0), lambda a, y: where(1 - y * a > 0, -y, 0.0 * a), "hinge",
    targets=(-1.0, 1.0),
)  # fmt: skip
squared_hinge = _built_in(
    lambda a, y: n.maximum(1 - y * a, 0) ** 2, lambda a, y: -2 * y * n.maximum(1 - y * a, 0),
    "squared_hinge", targets=(-1.0, 1.0),
)  # fmt: skip

LOSSES = Table(list(globals().values()), Loss)


def loss(name: str) -> Loss:
    """The built-in one of this name, with numbers in brackets if they are not its defaults;
    ValueError or TypeError if there is none.
    """
    return LOSSES.find("loss", name)


for _each in LOSSES.values():
    _each.named = loss
