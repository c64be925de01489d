"""What an optimizer is: numbers, and how they and a gradient make an update of a parameter."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from typing import Any, ClassVar, NamedTuple

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.arguments.described import check_fields

KINDS: dict[str, type[Optimizer]] = {}  # by their names, as they are declared
FORMS: dict[str, tuple[type[Optimizer], Form]] = {}  # those of all of them
_LEAST_POWERS = 2  # numbers of a state for `Form.begin`, asked for or not


class Form(NamedTuple):
    """The update of one parameter, as a function of numbers by their names.

    update(w, g, ...) has the parameter w, its gradient g, and of these by name: the learning
    `rate`; fields of the optimizer; what `begin` makes. Whatever else it names is kept for the
    parameter from update to update, beginning at 0. It returns the new w, and what is kept, in
    order.

    begin(...) is made once before each update of all parameters, in float64. It has the rate,
    fields, and what it names besides, which is kept for all parameters together, beginning at 1. It
    returns what is kept, in order, and what it `makes`.

    Examples
    --------
    >>> def update(w, g, m, rate):
    ...     m = 0.9 * m + g
    ...     return w - rate * m, m
    >>> fastgd.optimizers.Form("heavy_ball", update).update(1.0, 0.5, 0.0, rate=0.1)
    (0.95, 0.5)
    """

    name: str
    update: Callable[..., Any]
    begin: Callable[..., Any] | None = None
    makes: tuple[str, ...] = ()


@cache
def names_of(function: Callable[..., Any] | None) -> tuple[str, ...]:
    """The names of a function's arguments."""
    return () if function is None else tuple(inspect.signature(function).parameters)


@lru_cache(maxsize=64)
def _form_of(optimizer: Optimizer) -> Form:
    return optimizer.forms[int(optimizer.places_of_forms(np.array(optimizer.numbers)))]


@dataclass(frozen=True)
class Optimizer:
    """What all optimizers share: numbers, checked when one is made. A subclass that declares forms
    is known by its name, in small letters.

    Examples
    --------
    >>> fastgd.Adam(beta1=0.8)
    Adam(beta1=0.8, beta2=0.999, eps=1e-08, amsgrad=False)
    """

    forms: ClassVar[tuple[Form, ...]]  # a later one serves an optimizer of an earlier one, too
    # fields of which each, where it is not 0, asks for the form that is further on by its place
    asks: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        if "forms" in vars(cls):
            _check_names(cls)
            KINDS[cls.__name__.lower()] = cls
            FORMS.update({form.name: (cls, form) for form in cls.forms})

    def __post_init__(self) -> None:
        check_fields(self)

    @classmethod
    @cache
    def field_names(cls) -> tuple[str, ...]:
        """The names of its fields, in order."""
        return tuple(each.name for each in fields(cls))

    @classmethod
    def places_of_forms(cls, numbers: Array) -> Array:
        """(...,) which of its forms serves each of (..., fields) numbers."""
        places = [cls.field_names().index(name) for name in cls.asks]
        asked = (numbers[..., places] != 0) * np.arange(1, len(places) + 1)
        result: Array = asked.max(axis=-1, initial=0)
        return result

    @property
    def update_kind(self) -> str:
        """The name of its update, one of FORMS; plain gradient descent is "sgd"."""
        return _form_of(self).name

    @property
    def numbers(self) -> list[float]:
        """Its fields, in order, as compiled code gets them."""
        return [float(getattr(self, name)) for name in self.field_names()]

    @property
    def slots(self) -> int:
        """Numbers kept for every parameter."""
        return len(kept_of(self.update_kind))

    @property
    def powers(self) -> int:
        """Numbers kept for all parameters together."""
        return max(_LEAST_POWERS, len(powers_of(self.update_kind)))

    def first_slots(self, params: Array, rate: Any) -> Array:
        """(..., slots, n_params): what is kept before the first update of (..., n_params)
        parameters, at a rate or at one for each.
        """
        return np.zeros((*params.shape[:-1], self.slots, params.shape[-1]), params.dtype)

    @classmethod
    def of(cls, numbers: Iterable[float]) -> Optimizer:
        """The one that has these `numbers`; fields that they are too few for are as by default."""
        return cls(
            *(
                bool(one) if isinstance(each.default, bool) else one
                for each, one in zip(fields(cls), numbers, strict=False)
            )
        )


def _check_names(cls: type[Optimizer]) -> None:
    """Refuse names of another optimizer; of a class that is declared again, the last one counts."""
    own = cls.__module__, cls.__qualname__
    known = {cls.__name__.lower(): KINDS.get(cls.__name__.lower())}
    known |= {form.name: FORMS[form.name][0] for form in cls.forms if form.name in FORMS}
    for name, other in known.items():
        if other is not None and (other.__module__, other.__qualname__) != own:
            raise ValueError(f"{cls.__qualname__} has a name of {other.__qualname__}: {name}")


def kept_of(kind: str) -> list[str]:
    """The names of what an update keeps for every parameter."""
    cls, form = FORMS[kind]
    known = {"w", "g", "rate", *cls.field_names(), *form.makes}
    return [name for name in names_of(form.update) if name not in known]


def made_of(kind: str) -> tuple[str, ...]:
    """The names of what is made once before an update; plain is sgd in registers."""
    return () if kind == "plain" else FORMS[kind][1].makes


def powers_of(kind: str) -> list[str]:
    """The names of what an update keeps for all parameters together."""
    cls, form = FORMS[kind]
    return [name for name in names_of(form.begin) if name not in {"rate", *cls.field_names()}]
