"""Steps scaled by the mean square of each parameter's gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastgd.arguments.described import number, share
from fastgd.numeric import sqrt
from fastgd.optimizers.arithmetic import like, mean_square, scaled
from fastgd.optimizers.optimizer import Form, Optimizer


def adagrad(w: Any, g: Any, s: Any, rate: Any, eps: Any) -> Any:
    """By the sum of squares so far."""
    s = s + g * g
    return scaled(w, g, s, rate, eps), s


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """s = s + g^2, w - r g / (sqrt s + eps).

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> run = fastgd.train(net, X, Y, 1000, 0.5, optimizer=fastgd.Adagrad(), rng=0)
    >>> f"{run.cost:.1e}"
    '3.3e-04'
    """

    eps: float = number("EPS", "added to the root", 1e-10, positive=True)
    forms = (Form("adagrad", adagrad),)


def rmsprop(w: Any, g: Any, s: Any, rate: Any, rho: Any, eps: Any) -> Any:
    """By a moving average of squares."""
    s = mean_square(s, g, rho)
    return scaled(w, g, s, rate, eps), s


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """s = rho s + (1 - rho) g^2, w - r g / (sqrt s + eps).

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> run = fastgd.train(net, X, Y, 1000, 0.01, optimizer=fastgd.RMSprop(), rng=0)
    >>> f"{run.cost:.1e}"
    '1.3e-04'
    """

    rho: float = share("of the mean square that is kept", 0.99)
    eps: float = number("EPS", "added to the root", 1e-8, positive=True)
    forms = (Form("rmsprop", rmsprop),)


def adadelta(w: Any, g: Any, s: Any, d: Any, rate: Any, rho: Any, eps: Any) -> Any:
    """By a moving average of squares, and against one of the steps' own."""
    s = mean_square(s, g, rho)
    step = sqrt(d + like(d, eps)) / sqrt(s + like(s, eps)) * g
    return w - rate * step, s, mean_square(d, step, rho)


@dataclass(frozen=True)
class Adadelta(Optimizer):
    """s = rho s + (1 - rho) g^2, x = g sqrt(d + eps) / sqrt(s + eps), w - r x, d = rho d + (1 -
    rho) x^2; meant for r = 1.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> run = fastgd.train(net, X, Y, 1000, 10.0, optimizer=fastgd.Adadelta(), rng=0)
    >>> f"{run.cost:.1e}"
    '2.7e-04'
    """

    rho: float = share("of the mean square that is kept", 0.9)
    eps: float = number("EPS", "added to the root", 1e-6, positive=True)
    forms = (Form("adadelta", adadelta),)
