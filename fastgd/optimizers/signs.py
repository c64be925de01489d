"""Steps of a size that does not depend on that of the gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.arguments.described import number, share
from fastgd.optimizers.arithmetic import (
    average,
    decayed,
    larger,
    like,
    sign,
    smaller,
    where_negative,
    where_positive,
)
from fastgd.optimizers.optimizer import Form, Optimizer


def rprop_step(step: Any, agreement: Any, shrink: Any, grow: Any, least: Any, most: Any) -> Any:
    """The step after gradients whose product is `agreement`."""
    step = where_positive(
        agreement,
        step * like(step, grow),
        where_negative(agreement, step * like(step, shrink), step),
    )
    return larger(smaller(step, like(step, most)), like(step, least))


def rprop(
    w: Any, g: Any, last: Any, step: Any,
    eta_minus: Any, eta_plus: Any, step_min: Any, step_max: Any,
) -> Any:  # fmt: skip
    """w - sign(g) step, the gradient being forgotten where it has changed its sign."""
    agreement = g * last
    step = rprop_step(step, agreement, eta_minus, eta_plus, step_min, step_max)
    g = where_negative(agreement, like(g, 0.0), g)
    return w - where_positive(g, step, where_negative(g, -step, 0.0 * g)), g, step


@dataclass(frozen=True)
class Rprop(Optimizer):
    """iRPROP-: w - sign(g) step, each parameter with a step of its own; full batch only.

    A step begins as the learning rate, grows by eta_plus up to step_max while the gradient keeps
    its sign, and shrinks by eta_minus down to step_min when it changes; then the parameter waits
    for one update.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> run = fastgd.train(net, X, Y, 20, 0.1, optimizer=fastgd.Rprop(), rng=0)
    >>> f"{run.cost:.1e}"
    '1.8e-01'
    """

    eta_minus: float = number("FACTOR", "of a step after a change of sign", 0.5, positive=True)
    eta_plus: float = number("FACTOR", "of a step after no change of sign", 1.2, positive=True)
    step_min: float = number("STEP", "least step", 1e-6)
    step_max: float = number("STEP", "largest step", 50.0, positive=True)
    forms = (Form("rprop", rprop),)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.eta_minus < 1 < self.eta_plus:
            raise ValueError(
                f"eta_minus and eta_plus of Rprop must lie below and above 1; got {self.eta_minus} "
                f"and {self.eta_plus}"
            )
        if self.step_min > self.step_max:
            raise ValueError(
                f"step_min of Rprop must be at most step_max; got {self.step_min} and "
                f"{self.step_max}"
            )

    def first_slots(self, params: Array, rate: Any) -> Array:
        slots = super().first_slots(params, rate)
        slots[..., 1, :] = np.asarray(rate)[..., None]
        return slots


def lion(w: Any, g: Any, m: Any, rate: Any, beta1: Any, beta2: Any, weight_decay: Any) -> Any:
    """A step of the rate along the sign of a mean, after a decay; the mean that is kept is another
    one.
    """
    step = sign(average(m, g, beta1))
    return decayed(rate, weight_decay) * w - rate * step, average(m, g, beta2)


@dataclass(frozen=True)
class Lion(Optimizer):
    """w = w - r weight_decay w, w - r sign(beta1 m + (1 - beta1) g), m = beta2 m + (1 - beta2) g;
    the decay is for biases too (Chen and others, 2023).

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 4, 1), fastgd.data.gate("xor")
    >>> run = fastgd.train(net, X, Y, 1000, 0.01, optimizer=fastgd.Lion(), rng=0)
    >>> f"{run.cost:.1e}"
    '6.6e-08'
    """

    beta1: float = share("of the mean gradient that is kept", 0.9)
    beta2: float = share("of the mean gradient that stays for the next update", 0.99)
    weight_decay: float = number("SHARE", "of every parameter, times the rate, taken off", 0.0)
    forms = (Form("lion", lion),)
