"""Gradient descent, with momentum and decay or without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastgd.arguments.described import number, share, switch
from fastgd.optimizers.arithmetic import like, some_positive, where_positive
from fastgd.optimizers.optimizer import Form, Optimizer


def sgd(w: Any, g: Any, rate: Any) -> Any:
    """w - rate g, notes 004 Algorithm 1."""
    return w - rate * g


def velocity(v: Any, g: Any, momentum: Any) -> Any:
    """momentum v + g."""
    return like(v, momentum) * v + g


def with_momentum(w: Any, g: Any, v: Any, rate: Any, momentum: Any, nesterov: Any) -> Any:
    """A step along v = momentum v + g, or by nesterov along g + momentum v."""
    v = velocity(v, g, momentum)
    ahead = (
        where_positive(like(v, nesterov), velocity(v, g, momentum), v)
        if some_positive(nesterov)
        else v
    )
    return sgd(w, ahead, rate), v


def with_decay(
    w: Any, g: Any, v: Any, rate: Any, momentum: Any, nesterov: Any, weight_decay: Any
) -> Any:
    """The same for the gradient g + weight_decay w."""
    g = g + like(w, weight_decay) * w
    v = velocity(v, g, momentum)
    ahead = where_positive(like(v, nesterov), velocity(v, g, momentum), v)
    return sgd(w, ahead, rate), where_positive(like(v, momentum), v, like(v, 0.0))


@dataclass(frozen=True)
class SGD(Optimizer):
    """w - r g, notes 004 Algorithm 1. With momentum: v = momentum v + g, w - r v; nesterov: w - r
    (g + momentum v). weight_decay w is added to g first, for every parameter, biases included.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> run = fastgd.train(net, X, Y, 1000, 0.5, optimizer=fastgd.SGD(momentum=0.9), rng=0)
    >>> f"{run.cost:.1e}"
    '6.1e-04'
    """

    momentum: float = share("of the last step that is kept", 0.0)
    nesterov: bool = switch("look ahead by the momentum")
    weight_decay: float = number("SHARE", "of every parameter, added to its gradient", 0.0)
    forms = (Form("sgd", sgd), Form("momentum", with_momentum), Form("sgd_decay", with_decay))
    asks = ("momentum", "weight_decay")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov of SGD needs a momentum above 0; got momentum 0")
