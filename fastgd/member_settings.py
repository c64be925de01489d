"""What members of an ensemble have of their own: one value for each, of what `options` has for one
network.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.optimizers import Optimizer
from fastgd.options import Options
from fastgd.schedules import KINDS, Schedule
from fastgd.schedules.plateau import at_first
from fastgd.state import MOST, ArrayTable

# of options that members may have of their own, those that are numbers, and what stands for None
OWN_NUMBERS = (
    "l2", "l1", "dropout", "max_norm", "input_noise", "clip_norm", "target_cost", "patience",
    "min_delta",
)  # fmt: skip
BY_LAYER = ("l2", "l1", "dropout")  # those of which a member may have one for each layer
NONE = {"clip_norm": np.inf, "max_norm": np.inf, "target_cost": -np.inf, "patience": MOST}


# of several values, the one that asks for most
_LARGEST, _SMALLEST = ("l2", "l1", "dropout", "input_noise"), ("clip_norm", "max_norm")


@dataclass(frozen=True, eq=False)
class MemberSettings(ArrayTable):
    """What members of an ensemble have of their own: one value for each."""

    seeds: Array  # (members,) int64
    params: Array  # (members, n_params) initial ones
    epochs: Array  # (members,) int64, to train to
    rates: Array  # (members,) learning rate, or the first value of the schedule
    schedules: Array  # (members,) int64, place among schedules.KINDS; -1 for a number
    times: Array  # (members, 3 or more) warm-up and the schedule's own numbers
    numbers: Array  # (members, numbers) of the optimizer
    l2: Array  # (members,) or (members, layers)
    l1: Array  # (members,) or (members, layers)
    dropout: Array  # (members,) or (members, hidden layers)
    max_norm: Array  # (members,) inf for none
    input_noise: Array  # (members,)
    clip_norm: Array  # (members,) inf for none
    target_cost: Array  # (members,) -inf for none
    patience: Array  # (members,) int64; MOST for none
    min_delta: Array  # (members,)

    def __len__(self) -> int:
        return len(self.seeds)

    @property
    def monitored(self) -> Array:
        """(members,) bool: whose cost is looked at in every epoch."""
        return (self.target_cost > -np.inf) | (self.patience < MOST) | self.on_plateau

    @property
    def takes_a_loop(self) -> Array:
        """(members,) bool: who asks for more than numbers of a loop that others have, too."""
        perturbed = self._ask("dropout") | (self.input_noise != 0)
        by_layer = self.l2.ndim > 1 or self.l1.ndim > 1
        takes: Array = self.on_plateau | perturbed | (self.max_norm < np.inf) | by_layer
        return takes

    def _ask(self, name: str) -> Array:
        """(members,) bool: for whom a number of these is not 0, in any layer."""
        asks: Array = getattr(self, name).reshape(len(self), -1).any(axis=1)
        return asks

    @property
    def on_plateau(self) -> Array:
        """(members,) bool: whose rate depends on their costs."""
        on_plateau: Array = self.schedules == list(KINDS).index("plateau")
        return on_plateau

    def has_rates_of(self, other: MemberSettings) -> Array:
        """(members,) bool: whose learning rates are as in other settings."""
        if self.times.shape != other.times.shape:
            return np.zeros(len(self), bool)
        same = (self.rates == other.rates) & (self.schedules == other.schedules)
        alike: Array = same & (self.times == other.times).all(axis=1)
        return alike

    def first_plateaus(self) -> Array:
        """(members, 5) what states keep for that before the first update, (members, 0) for none."""
        return at_first(self.rates) if self.on_plateau.any() else np.zeros((len(self), 0))

    def kinds(self, optimizer: type[Optimizer]) -> Array:
        """(members,) int64: equal where a loop of one serves the other, with other numbers of
        their optimizer.
        """
        marks = np.array([
            self.schedules >= 0, self._ask("l2"), self._ask("l1"), self.clip_norm < np.inf,
            self.monitored, self.takes_a_loop,
        ])  # fmt: skip
        kinds: Array = 256 * optimizer.places_of_forms(self.numbers) + np.packbits(marks, axis=0)[0]
        return kinds

    def arguments(self, member: int, options: Options) -> dict[str, Any]:
        """The arguments of `train` that make it this member."""
        return {
            "params": self.params[member],
            "rng": int(self.seeds[member]),
            "epochs": int(self.epochs[member]),
        } | self.own_options(member, options)

    def own_options(self, member: int, options: Options) -> dict[str, Any]:
        """The options of this member, of those that may differ."""
        return {
            "learning_rate": self._learning_rate(member),
            "optimizer": type(options.optimizer).of(self.numbers[member].tolist()),
        } | self._own_numbers(member)

    def _own_numbers(self, member: int) -> dict[str, Any]:
        own = {name: _plain(getattr(self, name)[member]) for name in OWN_NUMBERS}
        return {name: None if value == NONE.get(name) else value for name, value in own.items()}

    def _learning_rate(self, member: int) -> float | Schedule:
        rate, place = float(self.rates[member]), int(self.schedules[member])
        kinds = list(KINDS.values())
        return rate if place < 0 else kinds[place].of([rate, *self.times[member].tolist()])

    def common_options(self, names: Iterable[str]) -> dict[str, Any]:
        """Of these options, in which members may differ, values that ask as much of a loop as those
        of any member.
        """
        return {name: self._common(name) for name in names}

    def _common(self, name: str) -> Any:
        if name == "learning_rate":
            has_one = self.schedules >= 0
            changes = (self.schedules > 0) | (self.times[:, 0] > 0)
            return self._learning_rate(int(np.argmax(2 * changes + has_one)))
        numbers = getattr(self, name)
        if name in _LARGEST:
            numbers = numbers.max(axis=0)
        else:
            numbers = numbers.min() if name in _SMALLEST else numbers[0]
        value = _plain(numbers)
        return None if value == NONE.get(name) else value


def _plain(numbers: Any) -> Any:
    """One of NumPy's numbers, or a tuple of them, as Python's own."""
    plain = numbers.tolist()
    return tuple(plain) if isinstance(plain, list) else plain


def not_asked(members: int) -> dict[str, Array]:
    """Settings that files had not before there were such, of members that do not ask for them."""
    names = ("l1", "dropout", "max_norm", "input_noise")
    return {name: np.full(members, NONE.get(name, 0.0)) for name in names}
