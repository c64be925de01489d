"""Learning rates that change: `learning_rate=schedules.Cosine(0.1, steps=1000, warmup=50)`.

Time t is the number of updates made so far: epochs in full batch, batches otherwise. In a warm-up
of n updates the rate rises in equal steps to its first value, rate (t + 1) / n; the schedule's own
time begins after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from fastgd.arguments.checks import finite_number, whole_number
from fastgd.names import SCHEDULES


@dataclass(frozen=True)
class Schedule:
    """What all schedules share: numbers, checked when one is made."""

    rate: float

    def __post_init__(self) -> None:
        for field in fields(self):
            argument, given = f"{field.name} of {type(self).__name__}", getattr(self, field.name)
            if field.name in ("every", "steps", "warmup"):
                value: float = whole_number(
                    argument, given, least=0 if field.name == "warmup" else 1, most=2**53
                )
            else:
                value = finite_number(
                    argument,
                    given,
                    positive=field.name == "factor",
                    least=0.0 if field.name == "decay" else None,
                )
            object.__setattr__(self, field.name, value)

    @property
    def name(self) -> str:
        """Its name, one of `names.SCHEDULES`."""
        return next(name for name, kind in KINDS.items() if type(self) is kind)

    @property
    def numbers(self) -> list[float]:
        """rate, warm-up and two numbers of its own, as compiled code gets them."""
        own = [
            float(getattr(self, field.name))
            for field in fields(self)
            if field.name not in ("rate", "warmup")
        ]
        return [self.rate, float(getattr(self, "warmup", 0)), *own, 0.0, 0.0][:4]

    @classmethod
    def of(cls, numbers: Iterable[float]) -> Schedule:
        """The one that has these `numbers`."""
        rate, warmup, *rest = numbers
        own = [field.name for field in fields(cls) if field.name not in ("rate", "warmup")]
        return cls(rate, **dict(zip(own, rest, strict=False)) | {"warmup": warmup})


@dataclass(frozen=True)
class Constant(Schedule):
    """rate."""

    warmup: int = 0


@dataclass(frozen=True)
class Step(Schedule):
    """rate factor^(t // every)."""

    every: int
    factor: float = 0.1
    warmup: int = 0


@dataclass(frozen=True)
class Exponential(Schedule):
    """rate factor^t."""

    factor: float
    warmup: int = 0


@dataclass(frozen=True)
class InverseTime(Schedule):
    """rate / (1 + decay t)."""

    decay: float
    warmup: int = 0


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from rate to `least` in `steps` updates, `least` from then on."""

    steps: int
    least: float = 0.0
    warmup: int = 0


KINDS: dict[str, type[Schedule]] = dict(
    zip(SCHEDULES, (Constant, Step, Exponential, InverseTime, Cosine), strict=True)
)


def check_learning_rate(argument: str, learning_rate: Any) -> float | Schedule:
    """A finite number, or a schedule of one of the known kinds."""
    if isinstance(learning_rate, Schedule):
        if type(learning_rate) not in KINDS.values():
            known = ", ".join(kind.__name__ for kind in KINDS.values())
            raise TypeError(
                f"{argument} must be a number or a schedule, one of {known}; got {learning_rate!r}"
            )
        return learning_rate
    return finite_number(argument, learning_rate)


def as_schedule(learning_rate: float | Schedule) -> Schedule:
    """A schedule; a number is a constant one."""
    return learning_rate if isinstance(learning_rate, Schedule) else Constant(learning_rate)
