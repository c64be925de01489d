"""What scikit-learn's parameters mean to fastgd's loop, where the gradient of the network is
`factor` times the one that they speak of: twice, by squared errors, of which scikit-learn takes the
half.
"""

from __future__ import annotations

from dataclasses import fields, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from fastgd.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Lion,
    NAdam,
    Optimizer,
    RMSprop,
    Rprop,
)
from fastgd.options import Options
from fastgd.schedules import Constant, Schedule
from fastgd.state import MOST

# which numbers of theirs can have make the same steps of a multiple of the gradient
_SCALED = (SGD, Adagrad, RMSprop, Adadelta, Adam, AdamW, NAdam, Rprop, Lion)
_BELOW_ONE = float(np.nextafter(1.0, 0.0))


def batch_of(p: SimpleNamespace, n: int) -> int:
    """Rows of a batch of `n`."""
    return min(200 if p.batch_size == "auto" else p.batch_size, n)


def takes_multiples(p: SimpleNamespace) -> bool:
    """Whether `optimizer_of` and `rate_factor` know how steps become those of the gradient itself:
    of one's own optimizers they do not, nor of RAdam, of which only later steps are scaled.
    """
    return p.optimizer is None or type(p.optimizer) in _SCALED


def optimizer_of(p: SimpleNamespace, factor: float) -> Optimizer:
    """How parameters are updated. A step divided by the size of gradients does not depend on it, if
    eps is as much larger; in Adadelta it is one of squares, of gradients and of steps, which are
    `factor` times as long then.
    """
    given: Optimizer | None = p.optimizer
    if given is None and p.solver == "adam":
        given = Adam(p.beta_1, p.beta_2, p.epsilon)
    elif given is None:
        momentum = min(p.momentum, _BELOW_ONE)
        given = SGD(momentum, bool(p.nesterovs_momentum and momentum))
    if factor == 1:
        return given
    changes: dict[str, Any] = {}
    if hasattr(given, "eps"):
        changes["eps"] = given.eps * (factor**2 if isinstance(given, Adadelta) else factor)
    if isinstance(given, SGD):  # whose decay is a part of the gradient
        changes["weight_decay"] = factor * given.weight_decay
    return replace(given, **changes)


def is_sgd(p: SimpleNamespace) -> bool:
    """Whether steps are along gradients, or along their mean."""
    return p.solver == "sgd" if p.optimizer is None else isinstance(p.optimizer, SGD)


def rate_factor(p: SimpleNamespace, factor: float) -> float:
    """What rates are multiplied by: steps of SGD are as long as the gradient, and those of
    Adadelta by the eps of `optimizer_of`.
    """
    return 1 / factor if is_sgd(p) or isinstance(p.optimizer, Adadelta) else 1.0


def _multiplied(schedule: Schedule, times: float) -> Schedule:
    """The schedule whose rates are so many times those of this one."""
    rates: dict[str, Any] = {
        each.name: getattr(schedule, each.name)
        for each in fields(schedule)
        if each.init and each.metadata["unit"] in ("RATE", "RATE,...")
    }
    for name, told in rates.items():
        several = isinstance(told, tuple)
        rates[name] = tuple(times * one for one in told) if several else times * told
    return replace(schedule, **rates)


def options_of(p: SimpleNamespace, n: int, factor: float) -> Options:
    """The options of `fastgd.train` that come nearest, for `n` rows."""
    times, batch = rate_factor(p, factor), batch_of(p, n)
    rate: float | Schedule = times * p.learning_rate_init
    if p.schedule is not None:
        rate = _multiplied(p.schedule, times)
    passed_on: dict[str, Any] = p.passed_on
    if "l1" in passed_on:
        l1 = [factor * each for each in p.l1] if isinstance(p.l1, tuple) else factor * p.l1
        passed_on = passed_on | {"l1": l1}
    return Options.of(
        {
            "learning_rate": rate,
            "batch_size": None if batch == n else batch,
            "shuffle": p.shuffle,
            "optimizer": optimizer_of(p, factor),
            "l2": factor * p.alpha / batch,
            "patience": MOST,
            "record": 0,
        }
        | passed_on
    )


def common_options(options: list[Options]) -> Options:
    """Options that ask as much of the loop as any of these."""
    optimizer = max((one.optimizer for one in options), key=lambda one: one.slots)
    rate, l2 = options[0].learning_rate, max(one.l2 for one in options)
    if optimizer.update_kind == "sgd" and not isinstance(rate, Schedule):
        rate = Constant(rate)  # an update of its own, whose numbers may change between two
    elif len(options) == 1:
        return options[0]
    return replace(options[0], optimizer=optimizer, l2=l2, learning_rate=rate)
