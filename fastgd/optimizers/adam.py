"""Steps along the mean of gradients, scaled by their mean square: Adam and its descendants.

Both means begin at 0; what they lack is made up for by factors that are the same for all
parameters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from fastgd.arguments.described import number, share, switch
from fastgd.numeric import exp, sqrt
from fastgd.optimizers.arithmetic import (
    average,
    decayed,
    larger,
    like,
    scaled,
    where_positive,
)
from fastgd.optimizers.optimizer import Form, Optimizer

_LOG_96 = math.log(0.96)


def corrected(rate: Any, beta1: Any, beta2: Any, eps: Any, power1: Any, power2: Any) -> Any:
    """beta1^t and beta2^t; r m' / (sqrt v' + eps), with one division instead of two."""
    power1, power2 = power1 * beta1, power2 * beta2
    root = sqrt(1.0 - power2)
    return power1, power2, rate * (root / (1.0 - power1)), eps * root


def adam(w: Any, g: Any, m: Any, v: Any, beta1: Any, beta2: Any, step: Any, least: Any) -> Any:
    """The moments, and a step by the corrected rate and eps."""
    m, v = average(m, g, beta1), average(v, g * g, beta2)
    return scaled(w, m, v, step, least), m, v


def by_largest(
    w: Any, g: Any, m: Any, v: Any, most: Any,
    beta1: Any, beta2: Any, amsgrad: Any, step: Any, least: Any,
) -> Any:  # fmt: skip
    """The same by the largest v so far."""
    m, v, by_most = average(m, g, beta1), average(v, g * g, beta2), like(v, amsgrad)
    most = where_positive(by_most, larger(most, v), most)
    return scaled(w, m, where_positive(by_most, most, v), step, least), m, v, most


@dataclass(frozen=True)
class Adam(Optimizer):
    """m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, w - r m' / (sqrt v' + eps), m' =
    m / (1 - beta1^t) and v' likewise; amsgrad: of the largest v so far.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> run = fastgd.train(net, X, Y, 1000, 0.05, optimizer=fastgd.Adam(), rng=0)
    >>> f"{run.cost:.1e}"
    '5.1e-05'
    """

    beta1: float = share("of the mean gradient that is kept", 0.9)
    beta2: float = share("of the mean square that is kept", 0.999)
    eps: float = number("EPS", "added to the root", 1e-8, positive=True)
    amsgrad: bool = switch("divide by the largest mean square so far")
    forms = (
        Form("adam", adam, corrected, ("step", "least")),
        Form("amsgrad", by_largest, corrected, ("step", "least")),
    )
    asks = ("amsgrad",)


def adamw(
    w: Any, g: Any, m: Any, v: Any,
    rate: Any, beta1: Any, beta2: Any, weight_decay: Any, step: Any, least: Any,
) -> Any:  # fmt: skip
    """Adam's update of what its decay leaves of a parameter."""
    return adam(decayed(rate, weight_decay) * w, g, m, v, beta1, beta2, step, least)


def adamw_by_largest(
    w: Any, g: Any, m: Any, v: Any, most: Any, rate: Any,
    beta1: Any, beta2: Any, weight_decay: Any, amsgrad: Any, step: Any, least: Any,
) -> Any:  # fmt: skip
    """The same by the largest v so far."""
    w = decayed(rate, weight_decay) * w
    return by_largest(w, g, m, v, most, beta1, beta2, amsgrad, step, least)


@dataclass(frozen=True)
class AdamW(Optimizer):
    """Adam after w = w - r weight_decay w, for every parameter, biases included.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> run = fastgd.train(net, X, Y, 1000, 0.05, optimizer=fastgd.AdamW(weight_decay=0.001), rng=0)
    >>> f"{run.cost:.1e}"
    '6.7e-05'
    """

    beta1: float = share("of the mean gradient that is kept", 0.9)
    beta2: float = share("of the mean square that is kept", 0.999)
    eps: float = number("EPS", "added to the root", 1e-8, positive=True)
    weight_decay: float = number("SHARE", "of every parameter, times the rate, taken off", 0.01)
    amsgrad: bool = switch("divide by the largest mean square so far")
    forms = (
        Form("adamw", adamw, corrected, ("step", "least")),
        Form("adamw_amsgrad", adamw_by_largest, corrected, ("step", "least")),
    )
    asks = ("amsgrad",)


def ahead(
    rate: Any, beta1: Any, beta2: Any, eps: Any, momentum_decay: Any,
    product: Any, power2: Any, count: Any,
) -> Any:  # fmt: skip
    """mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2) of this update t and the next, the product of
    all of them so far, beta2^t and t + 1; the shares of g and of m in the step.
    """
    mu = beta1 * (1.0 - 0.5 * exp(count * momentum_decay * _LOG_96))
    following = beta1 * (1.0 - 0.5 * exp((count + 1.0) * momentum_decay * _LOG_96))
    product, power2 = product * mu, power2 * beta2
    root = sqrt(1.0 - power2)
    of_g = rate * root * (1.0 - mu) / (1.0 - product)
    of_m = rate * root * following / (1.0 - product * following)
    return product, power2, count + 1.0, of_g, of_m, eps * root


def nadam(
    w: Any, g: Any, m: Any, v: Any, beta1: Any, beta2: Any, of_g: Any, of_m: Any, least: Any
) -> Any:
    """Adam's moments, and a step along both the gradient and its mean."""
    m, v = average(m, g, beta1), average(v, g * g, beta2)
    return w - (of_g * g + of_m * m) / (sqrt(v) + like(v, least)), m, v


@dataclass(frozen=True)
class NAdam(Optimizer):
    """Adam that looks ahead as Nesterov does: w - r ((1 - mu_t) g / (1 - P_t) + mu_t+1 m / (1 -
    P_t+1)) / (sqrt v' + eps), P_t = mu_1 ... mu_t, mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2).

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> run = fastgd.train(net, X, Y, 1000, 0.05, optimizer=fastgd.NAdam(), rng=0)
    >>> f"{run.cost:.1e}"
    '8.0e-05'
    """

    beta1: float = share("of the mean gradient that is kept", 0.9)
    beta2: float = share("of the mean square that is kept", 0.999)
    eps: float = number("EPS", "added to the root", 1e-8, positive=True)
    momentum_decay: float = number("DECAY", "by which looking ahead grows", 4e-3)
    forms = (Form("nadam", nadam, ahead, ("of_g", "of_m", "least")),)


def rectified(rate: Any, beta1: Any, beta2: Any, power1: Any, power2: Any, count: Any) -> Any:
    """beta1^t, beta2^t and t + 1; Adam's step times the rectification, 0 where there is none yet,
    and the step without a scale.
    """
    power1, power2 = power1 * beta1, power2 * beta2
    root, longest = sqrt(1.0 - power2), 2.0 / (1.0 - beta2) - 1.0
    length = longest - 2.0 * count * power2 / (1.0 - power2)
    known = (length - 4.0) * (length - 2.0) * longest
    rectification = sqrt(known / ((longest - 4.0) * (longest - 2.0) * length))
    plain = rate / (1.0 - power1)
    step = where_positive(length - 5.0, plain * root * rectification, 0.0 * plain)
    return power1, power2, count + 1.0, step, plain


def radam(
    w: Any, g: Any, m: Any, v: Any, beta1: Any, beta2: Any, eps: Any, step: Any, plain: Any
) -> Any:
    """Adam's moments, and a step that is scaled once enough of their variance is known."""
    m, v = average(m, g, beta1), average(v, g * g, beta2)
    along = where_positive(like(m, step), step * m / (sqrt(v) + like(v, eps)), plain * m)
    return w - along, m, v


@dataclass(frozen=True)
class RAdam(Optimizer):
    """Adam whose step is r m' alone while the variance of v' is not known, and after that times
    sqrt((p - 4)(p - 2) q / ((q - 4)(q - 2) p)), q = 2 / (1 - beta2) - 1, p = q - 2 t beta2^t / (1 -
    beta2^t), from p > 5 on.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> run = fastgd.train(net, X, Y, 1000, 0.05, optimizer=fastgd.RAdam(), rng=0)
    >>> f"{run.cost:.1e}"
    '2.6e-04'
    """

    beta1: float = share("of the mean gradient that is kept", 0.9)
    beta2: float = share("of the mean square that is kept", 0.999)
    eps: float = number("EPS", "added to the root", 1e-8, positive=True)
    forms = (Form("radam", radam, rectified, ("step", "plain")),)
