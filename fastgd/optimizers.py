"""Optimizers: how a gradient becomes an update, as descriptions. Meanings and defaults are
PyTorch's.

Each names its formula with w a parameter, g its gradient, r the learning rate. What is computed is
in `updates`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar

import numpy as np

from fastgd.arguments.checks import Array, finite_number, shown, truth
from fastgd.arguments.choices import check_name
from fastgd.names import OPTIMIZERS


@dataclass(frozen=True)
class Optimizer:
    """What all optimizers share: numbers, checked when one is made."""

    slots: ClassVar[int]  # numbers kept for every parameter
    below_one: ClassVar[tuple[str, ...]] = ()  # fields that must lie in [0, 1)
    positive: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for field in fields(self):
            given = getattr(self, field.name)
            argument = f"{field.name} of {type(self).__name__}"
            if isinstance(field.default, bool):
                value: float | bool = truth(argument, given)
            elif field.name in self.below_one:
                value = finite_number(argument, given, least=0.0, below=1.0)
            else:
                value = finite_number(
                    argument, given, positive=field.name in self.positive, least=0.0
                )
            object.__setattr__(self, field.name, value)

    @property
    def update_kind(self) -> str:
        """The name of its update in `updates`; plain gradient descent is "sgd"."""
        return type(self).__name__.lower()

    @property
    def numbers(self) -> list[float]:
        """Its fields, in order, as compiled code gets them."""
        return [float(getattr(self, field.name)) for field in fields(self)]

    def first_slots(self, params: Array, rate: Any) -> Array:
        """(..., slots, n_params): what is kept before the first update of (..., n_params)
        parameters, at a rate or at one for each.
        """
        return np.zeros((*params.shape[:-1], self.slots, params.shape[-1]), params.dtype)

    @classmethod
    def of(cls, numbers: Iterable[float]) -> Optimizer:
        """The one that has these `numbers`."""
        own = fields(cls)
        return cls(
            *(
                bool(one) if isinstance(field.default, bool) else one
                for field, one in zip(own, numbers, strict=True)
            )
        )


@dataclass(frozen=True)
class SGD(Optimizer):
    """w - r g, notes 004 Algorithm 1. With momentum: v = momentum v + g, w - r v; nesterov: w - r
    (g + momentum v).
    """

    momentum: float = 0.0
    nesterov: bool = False
    below_one = ("momentum",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov of SGD needs a momentum above 0; got momentum 0")

    @property
    def update_kind(self) -> str:
        return "momentum" if self.momentum else "sgd"

    @property
    def slots(self) -> int:  # type: ignore[override]
        return 1 if self.momentum else 0


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """s = s + g^2, w - r g / (sqrt s + eps)."""

    eps: float = 1e-10
    slots = 1
    positive = ("eps",)


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """s = rho s + (1 - rho) g^2, w - r g / (sqrt s + eps)."""

    rho: float = 0.99
    eps: float = 1e-8
    slots = 1
    below_one = ("rho",)
    positive = ("eps",)


@dataclass(frozen=True)
class Adam(Optimizer):
    """m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, w - r m' / (sqrt v' + eps), m' =
    m / (1 - beta1^t) and v' likewise.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    slots = 2
    below_one = ("beta1", "beta2")
    positive = ("eps",)


@dataclass(frozen=True)
class AdamW(Optimizer):
    """Adam after w = w - r weight_decay w, for every parameter, biases included."""

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.01
    slots = 2
    below_one = ("beta1", "beta2")
    positive = ("eps",)


@dataclass(frozen=True)
class Rprop(Optimizer):
    """iRPROP-: w - sign(g) step, each parameter with a step of its own; full batch only.

    A step begins as the learning rate, grows by eta_plus up to step_max while the gradient keeps
    its sign, and shrinks by eta_minus down to step_min when it changes; then the parameter waits
    for one update.
    """

    eta_minus: float = 0.5
    eta_plus: float = 1.2
    step_min: float = 1e-6
    step_max: float = 50.0
    slots = 2
    positive = ("eta_minus", "eta_plus", "step_max")

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


KINDS: dict[str, type[Optimizer]] = dict(
    zip(OPTIMIZERS, (SGD, Adagrad, RMSprop, Adam, AdamW, Rprop), strict=True)
)


def check_optimizer(argument: str, optimizer: object) -> Optimizer:
    """The optimizer of this name, or `optimizer` if it is one."""
    if isinstance(optimizer, Optimizer) and type(optimizer) in KINDS.values():
        return optimizer
    if not isinstance(optimizer, str):
        raise TypeError(
            f"{argument} must be a name, one of {', '.join(OPTIMIZERS)}, or an object like "
            f"fastgd.Adam(); got {shown(optimizer)}"
        )
    return _as_is(check_name(argument, optimizer, OPTIMIZERS))


@cache
def _as_is(name: str) -> Optimizer:
    """The optimizer of a name, with PyTorch's numbers."""
    return KINDS[name]()
