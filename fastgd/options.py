"""Options: how a network is trained, all but the data, the length of the run and what happens
between chunks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any

from fastgd.arguments.checks import finite_number, truth, whole_number
from fastgd.arguments.choices import check_name
from fastgd.arguments.per_layer import PerLayer, check_count, is_asked, per_layer
from fastgd.names import METHODS, SPACINGS
from fastgd.network import Network
from fastgd.optimizers import KINDS as OPTIMIZERS
from fastgd.optimizers import SGD, Optimizer, Rprop, check_optimizer
from fastgd.schedules import (
    KINDS,
    Constant,
    Plateau,
    Schedule,
    as_schedule,
    check_learning_rate,
)
from fastgd.state import MOST


def _by(check: Callable[..., Any], **bounds: Any) -> dict[str, Any]:
    """Of a field: `check(name, value, **bounds)` is its value, unless that is None by default."""
    return {"check": partial(check, **bounds), **bounds}


def _history_size(name: str, value: object) -> int:
    """Most points of a history; 0 for none."""
    most = whole_number(name, value, least=0)
    if most == 1:
        expected = "0, for no history, or a whole number of at least 2"
        raise ValueError(f"{name} must be {expected}; got 1")
    return most


@dataclass(frozen=True)
class Options:
    """The arguments of `train` of the same names, checked when they are put together.

    A ValueError or TypeError names what is wrong. What depends on the network and on the number of
    rows, the batch size above all, is left to `checked_for`.
    """

    method: str = field(default="backprop", metadata=_by(check_name, known=METHODS))
    learning_rate: float | Schedule = field(default=0.1, metadata=_by(check_learning_rate))
    eps: float = field(default=1e-3, metadata=_by(finite_number, positive=True))
    batch_size: int | None = None
    shuffle: bool = field(default=True, metadata=_by(truth))
    optimizer: Optimizer = field(default=SGD(), metadata=_by(check_optimizer))
    l2: PerLayer = field(default=0.0, metadata=_by(per_layer, least=0.0))
    l1: PerLayer = field(default=0.0, metadata=_by(per_layer, least=0.0))
    dropout: PerLayer = field(default=0.0, metadata=_by(per_layer, least=0.0, below=1.0))
    max_norm: float | None = field(default=None, metadata=_by(finite_number, positive=True))
    input_noise: float = field(default=0.0, metadata=_by(finite_number, least=0.0))
    clip_norm: float | None = field(default=None, metadata=_by(finite_number, positive=True))
    target_cost: float | None = field(default=None, metadata=_by(finite_number))
    patience: int | None = field(default=None, metadata=_by(whole_number, least=1, most=MOST))
    min_delta: float = field(default=0.0, metadata=_by(finite_number, least=0.0))
    restore_best: bool = field(default=False, metadata=_by(truth))
    record: int = field(default=1000, metadata=_by(_history_size))
    spacing: str = field(default="even", metadata=_by(check_name, known=SPACINGS))

    def __post_init__(self) -> None:
        for name, check in CHECKS.items():
            value = getattr(self, name)
            if value is not None or getattr(Options, name) is not None:
                object.__setattr__(self, name, check(name, value))
        if isinstance(self.optimizer, Rprop):
            rate, use = self.learning_rate, "for optimizer Rprop, its first step"
            if not isinstance(rate, (float, Constant)) or as_schedule(rate).numbers[1] > 0:
                raise ValueError(f"learning_rate must be a number {use}; got {rate}")
            if self.first_rate <= 0:
                raise ValueError(f"learning_rate must be above 0 {use}; got {self.first_rate:g}")

    @staticmethod
    def of(given: dict[str, Any], net: Network | None = None, n: int = 0) -> Options:
        """Options by name, among other arguments; `checked_for` a network and `n` rows, where it is
        given.
        """
        try:
            values = _in_order(given)
        except KeyError:
            values = _in_order(DEFAULTS | given)
        stay = _UNCHANGING.issuperset(map(type, values))
        return (_remembered if stay else _checked)(net, n, *values)

    def checked_for(self, net: Network, n: int) -> Options:
        """Options to train this network on `n` rows; ValueError or TypeError where they can't."""
        check_method(net, self.method)
        size = self.batch_size
        if size is not None:
            size = whole_number("batch_size", size, least=1, most=n)
        layers = len(net.layers)
        for name, count, what in (("l2", layers, "layers"), ("l1", layers, "layers"),
                                  ("dropout", layers - 1, "hidden layers")):  # fmt: skip
            check_count(name, getattr(self, name), count, what)
        if is_asked(self.dropout) and layers == 1:
            raise ValueError(f"dropout is for hidden layers, which {net} has none of")
        if isinstance(self.optimizer, Rprop) and size not in (None, n):
            why = "optimizer Rprop compares gradients of all rows"
            raise ValueError(f"{why}: batch_size must be None; got {size}")
        return self if size is self.batch_size else replace(self, batch_size=size)

    def to_dict(self) -> dict[str, Any]:
        """As a run keeps them."""
        return dict(vars(self))

    @property
    def modifies_gradient(self) -> bool:
        """Whether something is done to the gradient or the rate before an update."""
        decays = is_asked(self.l2) or is_asked(self.l1)
        changes = self.clip_norm is not None or isinstance(self.learning_rate, Schedule)
        return decays or changes or self.is_bounded

    @property
    def decays_by_layer(self) -> bool:
        """Whether weights are made smaller by numbers of each layer's own."""
        return isinstance(self.l2, tuple) or isinstance(self.l1, tuple)

    @property
    def is_bounded(self) -> bool:
        """Whether weights are, after every update."""
        return self.max_norm is not None

    @property
    def is_perturbed(self) -> bool:
        """Whether training is by rows or activations that chance has changed."""
        return is_asked(self.dropout) or self.input_noise != 0

    @property
    def update_kind(self) -> str:
        """The name of the update: "plain" where it is w - r g at a constant rate and nothing else,
        otherwise the optimizer's.
        """
        return (
            "plain"
            if self.optimizer.update_kind == "sgd" and not self.modifies_gradient
            else self.optimizer.update_kind
        )

    @property
    def first_rate(self) -> float:
        """The learning rate, or what its schedule begins with, warm-up apart."""
        rate = self.learning_rate
        return rate.rate if isinstance(rate, Schedule) else rate

    @property
    def monitors(self) -> bool:
        """Whether the cost of every epoch is looked at."""
        rules = self.target_cost is not None or self.patience is not None or self.restore_best
        return rules or isinstance(self.learning_rate, Plateau)


DEFAULTS = {each.name: each.default for each in fields(Options)}
_in_order = itemgetter(*DEFAULTS)
# types of values that stay what they are
_UNCHANGING = {int, float, bool, str, type(None), *KINDS.values(), *OPTIMIZERS.values()}
# of options by name: what makes a checked value of a name and a value
CHECKS = {each.name: each.metadata["check"] for each in fields(Options) if each.metadata}


def _checked(net: Network | None, n: int, *values: Any) -> Options:
    options = Options(*values)
    return options if net is None else options.checked_for(net, n)


_remembered = lru_cache(maxsize=256, typed=True)(_checked)


def check_method(net: Network, method: str) -> str:
    """`method` if it is known and serves the network's loss."""
    check_name("method", method, METHODS)
    if method == "layerwise" and net.loss != "squared_error":
        raise ValueError(f"method 'layerwise' needs loss 'squared_error'; got loss {net.loss!r}")
    return method
