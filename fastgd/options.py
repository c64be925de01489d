"""Options: how a network is trained, all but the data, the length of the run and what happens between chunks."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from fastgd.arguments.checks import check_name, finite_number, truth, whole_number
from fastgd.names import METHODS, SPACINGS
from fastgd.network import Network
from fastgd.optimizers import SGD, Optimizer, Rprop, check_optimizer
from fastgd.schedules import Constant, Schedule, as_schedule, check_learning_rate
from fastgd.state import MOST


@dataclass(frozen=True)
class Options:
    """The arguments of `train` of the same names, checked by `check_options`."""

    method: str = "backprop"
    learning_rate: float | Schedule = 0.1
    eps: float = 1e-3
    batch_size: int | None = None
    shuffle: bool = True
    optimizer: Optimizer = field(default_factory=SGD)
    l2: float = 0.0
    clip_norm: float | None = None
    target_cost: float | None = None
    patience: int | None = None
    min_delta: float = 0.0
    restore_best: bool = False
    record: int = 1000
    spacing: str = "even"

    def to_dict(self) -> dict[str, Any]:
        """As a run keeps them."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def modifies_gradient(self) -> bool:
        """Whether something is done to the gradient or the rate before an update."""
        return self.l2 != 0 or self.clip_norm is not None or isinstance(self.learning_rate, Schedule)

    @property
    def update_kind(self) -> str:
        """The name of the update: "plain" where it is w - r g at a constant rate and nothing else, otherwise the optimizer's."""
        return "plain" if self.optimizer.update_kind == "sgd" and not self.modifies_gradient else self.optimizer.update_kind

    @property
    def first_rate(self) -> float:
        """The learning rate, or what its schedule begins with, warm-up apart."""
        rate = self.learning_rate
        return rate.rate if isinstance(rate, Schedule) else rate

    @property
    def monitors(self) -> bool:
        """Whether the cost of every epoch is looked at."""
        return self.target_cost is not None or self.patience is not None or self.restore_best


def check_method(net: Network, method: str) -> str:
    """`method` if it is known and serves the network's loss."""
    check_name("method", method, METHODS)
    if method == "layerwise" and net.loss != "squared_error":
        raise ValueError(f"method 'layerwise' needs loss 'squared_error'; got loss {net.loss!r}")
    return method


def check_batch_size(batch_size: object, n: int) -> int | None:
    """Rows of a batch, at most `n`, or None for all of them."""
    return None if batch_size is None else whole_number("batch_size", batch_size, least=1, most=n)


def check_options(net: Network, n: int, given: dict[str, Any]) -> Options:
    """Options for `n` rows, or a ValueError or TypeError that names what is wrong."""

    def optional(name: str, check: Any, **bounds: Any) -> Any:
        return None if given[name] is None else check(name, given[name], **bounds)

    options = Options(
        method=check_method(net, given["method"]),
        learning_rate=check_learning_rate(given["learning_rate"]),
        eps=finite_number("eps", given["eps"], positive=True),
        batch_size=check_batch_size(given["batch_size"], n),
        shuffle=truth("shuffle", given["shuffle"]),
        optimizer=check_optimizer(given["optimizer"]),
        l2=finite_number("l2", given["l2"], least=0.0),
        clip_norm=optional("clip_norm", finite_number, positive=True),
        target_cost=optional("target_cost", finite_number),
        patience=optional("patience", whole_number, least=1, most=MOST),
        min_delta=finite_number("min_delta", given["min_delta"], least=0.0),
        restore_best=truth("restore_best", given["restore_best"]),
        record=whole_number("record", given["record"], least=2),
        spacing=check_name("spacing", given["spacing"], SPACINGS),
    )
    if isinstance(options.optimizer, Rprop):
        if options.batch_size not in (None, n):
            raise ValueError(f"optimizer Rprop compares gradients of all rows: batch_size must be None; got {options.batch_size}")
        if not isinstance(options.learning_rate, (float, Constant)) or as_schedule(options.learning_rate).numbers[1] > 0:
            raise ValueError(f"learning_rate must be a number for optimizer Rprop, its first step; got {options.learning_rate}")
        if options.first_rate <= 0:
            raise ValueError(f"learning_rate must be above 0 for optimizer Rprop, its first step; got {options.first_rate:g}")
    return options
