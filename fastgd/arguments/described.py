"""Fields of what a user describes by numbers, an optimizer or a schedule: what each is, what the
command says of it, and its bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, field, fields
from functools import partial
from typing import Any

from fastgd.arguments.checks import finite_number, shown, truth, whole_number

MOST_WHOLE = 2**53  # that a float64 can be


def _described(check: Callable[..., Any], unit: str | None, text: str, default: Any) -> Any:
    metadata = {"check": check, "unit": unit, "text": text}
    return (
        field(metadata=metadata)
        if default is MISSING
        else field(default=default, metadata=metadata)
    )


def number(unit: str, text: str, default: Any = MISSING, **bounds: Any) -> Any:
    """A field that is a number of at least 0, or within these bounds of `finite_number`."""
    check = partial(finite_number, **({"least": 0.0} | bounds))
    return _described(check, unit, text, default)


def share(text: str, default: Any = MISSING) -> Any:
    """A field that is a number in [0, 1)."""
    return number("SHARE", text, default, below=1.0)


def whole(text: str, default: Any = MISSING, least: int = 1) -> Any:
    """A field that is a whole number."""
    return _described(partial(whole_number, least=least, most=MOST_WHOLE), "N", text, default)


def switch(text: str) -> Any:
    """A field that is False by default."""
    return _described(truth, None, text, False)


def several(unit: str, text: str, check: Callable[..., Any]) -> Any:
    """A field of one number or more, each of which passes the check of one."""

    def check_all(argument: str, given: Any) -> tuple[Any, ...]:
        try:
            values = list(given)
        except TypeError:
            values = []
        if isinstance(given, (str, bytes)) or not values:
            raise TypeError(f"{argument} must be one number or more; got {shown(given)}")
        return tuple(check(argument, value) for value in values)

    return _described(check_all, f"{unit},...", text, MISSING)


def check_fields(described: Any) -> None:
    """Have each field of a frozen dataclass checked; an error names it and its class."""
    for each in fields(described):
        argument = f"{each.name} of {type(described).__name__}"
        check = each.metadata.get("check", _CHECK)
        object.__setattr__(described, each.name, check(argument, getattr(described, each.name)))


def not_by_default(described: Any) -> dict[str, Any]:
    """The fields of a dataclass that are not what they are by default, in order."""
    values = {each.name: getattr(described, each.name) for each in fields(described) if each.init}
    defaults = {each.name: each.default for each in fields(described)}
    return {name: value for name, value in values.items() if value != defaults[name]}


_CHECK = partial(finite_number, least=0.0)  # of a field that says nothing of itself
