"""What a schedule is: numbers, and the learning rate that they make of a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from fastgd.arguments.described import check_fields, number, whole

KINDS: dict[str, type[Schedule]] = {}  # by their names, as they are declared
_LEAST_NUMBERS = 4  # of `Schedule.numbers`


@dataclass(frozen=True)
class Schedule:
    """What all schedules share: numbers, checked when one is made. A subclass that says its rate is
    known by its name.

    Examples
    --------
    >>> fastgd.schedules.Step(0.1, every=100)
    Step(rate=0.1, every=100, factor=0.1, warmup=0)
    """

    rate: float = number("RATE", "the first learning rate, or the largest", least=None)
    at: ClassVar[Callable[..., Any]]  # the rate after t updates

    def __init_subclass__(cls) -> None:
        if "at" in vars(cls) and cls.__module__.startswith("fastgd."):  # compiled with it
            KINDS[_name_of(cls)] = cls

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def name(self) -> str:
        """Its name, one of KINDS."""
        return _name_of(type(self))

    @property
    def numbers(self) -> list[float]:
        """rate, warm-up and numbers of its own, as compiled code gets them: how many there are, and
        then each, of fields of several.
        """
        own: list[float] = []
        for name in own_fields(type(self)):
            value = getattr(self, name)
            own += [float(len(value)), *value] if isinstance(value, tuple) else [float(value)]
        lacking = _LEAST_NUMBERS - 2 - len(own)
        return [self.rate, float(getattr(self, "warmup", 0)), *own, *[0.0] * lacking]

    @classmethod
    def of(cls, numbers: Iterable[float]) -> Schedule:
        """The one that has these `numbers`, behind which there may be others."""
        rate, warmup, *own = numbers
        given: dict[str, Any] = {"warmup": warmup} if "warmup" in _names(cls) else {}
        for name in own_fields(cls):
            if _is_several(cls, name):
                count = int(own[0])
                given[name], own = tuple(own[1 : count + 1]), own[count + 1 :]
            else:
                given[name], own = own[0], own[1:]
        return cls(**given) if "rate" not in _names(cls) else cls(rate, **given)


def _name_of(cls: type) -> str:
    """inverse_time of InverseTime."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in cls.__name__).lstrip("_")


def _names(cls: Any) -> list[str]:
    return [field.name for field in fields(cls) if field.init]


def own_fields(cls: Any) -> list[str]:
    """The names of fields beside the rate and the warm-up, in order; those of several numbers come
    last.
    """
    own = [name for name in _names(cls) if name not in ("rate", "warmup")]
    return sorted(own, key=lambda name: _is_several(cls, name))


def _is_several(cls: Any, name: str) -> bool:
    return any(field.name == name and "tuple" in str(field.type) for field in fields(cls))


def warm_up() -> Any:
    """The field of a warm-up."""
    return whole("updates in which the rate first rises", 0, least=0)
