"""Optimizers: how a gradient becomes an update. Meanings and defaults are PyTorch's, but for Lion,
which is its paper's.

Each says its formula with w a parameter, g its gradient, r the learning rate; what is kept for
every parameter begins at 0. What it says is what is compiled: see `optimizer.Form`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from fastgd.arguments.checks import shown
from fastgd.arguments.choices import check_name
from fastgd.optimizers.adam import Adam, AdamW, NAdam, RAdam
from fastgd.optimizers.adaptive import Adadelta, Adagrad, RMSprop
from fastgd.optimizers.optimizer import KINDS, Form, Optimizer
from fastgd.optimizers.sgd import SGD
from fastgd.optimizers.signs import Lion, Rprop

__all__ = [
    "KINDS", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Form", "Lion", "NAdam", "Optimizer",
    "RAdam", "RMSprop", "Rprop", "check_optimizer",
    "most_general",
]  # fmt: skip


def check_optimizer(argument: str, optimizer: object) -> Optimizer:
    """The optimizer of this name, or `optimizer` if it is one."""
    if isinstance(optimizer, Optimizer) and type(optimizer) in KINDS.values():
        return optimizer
    if not isinstance(optimizer, str):
        raise TypeError(
            f"{argument} must be a name, one of {', '.join(KINDS)}, or an object like "
            f"fastgd.Adam(); got {shown(optimizer)}"
        )
    return _as_is(check_name(argument, optimizer, tuple(KINDS)))


def most_general(optimizers: Sequence[Optimizer]) -> Optimizer:
    """Of several of one class, one whose update serves all of them."""
    if len(optimizers) == 1:
        return optimizers[0]
    return max(optimizers, key=lambda one: int(one.places_of_forms(np.array(one.numbers))))


@cache
def _as_is(name: str) -> Optimizer:
    """The optimizer of a name, with PyTorch's numbers."""
    return KINDS[name]()
