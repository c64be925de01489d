"""What is wrong with settings, in the library's own words, beside the field that it is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")


class SettingsError(ValueError):
    """`errors` are texts by the names of fields."""

    def __init__(self, errors: dict[str, str]):
        super().__init__("; ".join(errors.values()))
        self.errors = errors


class Errors(dict[str, str]):
    """Errors by fields, the first of each."""

    def of(self, field: str, make: Callable[[], T], names: Mapping[str, str] | None = None) -> T:
        """What `make` returns; where it raises, its words are kept for the field whose name, a key
        of `names`, they mention first, or for `field`, and a SettingsError is raised.
        """
        try:
            return make()
        except (ValueError, TypeError, OverflowError) as error:
            text = " ".join(str(error).split())
            self.setdefault(_mentioned(text, names or {}) or field, text)
            raise SettingsError(self) from None

    def check(self) -> None:
        """Raise if there are any."""
        if self:
            raise SettingsError(self)


def _mentioned(text: str, names: Mapping[str, str]) -> str | None:
    """The field of the name that a text has first."""
    places = [
        (found.start(), field)
        for name, field in names.items()
        if (found := re.search(rf"\b{re.escape(name)}\b", text))
    ]
    return min(places)[1] if places else None
