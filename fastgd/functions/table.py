"""Functions by what a user writes: `tanh`, `leaky_relu(0.2)`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic

from fastgd.arguments.choices import check_name
from fastgd.functions.function import Kind


class Table(Mapping[str, Kind], Generic[Kind]):
    """Those that are built in, by their names."""

    def __init__(self, functions: Iterable[object], kind: type[Kind]):
        self._functions = {each.name: each for each in functions if isinstance(each, kind)}
        self._by_numbers: dict[str, Kind] = {}

    def __getitem__(self, name: str) -> Kind:
        return self._functions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)

    def find(self, argument: str, text: str) -> Kind:
        """The function of this name, by the numbers that stand in brackets behind it.

        Raises
        ------
        ValueError, TypeError
            Naming the argument, if there is none, or it takes no such numbers.
        """
        if not isinstance(text, str) or not text.endswith(")"):
            return self[check_name(argument, text, list(self))]
        if text not in self._by_numbers:
            self._by_numbers[text] = self._with_numbers(argument, text)
        return self._by_numbers[text]

    def _with_numbers(self, argument: str, text: str) -> Kind:
        family, _, told = text[:-1].partition("(")
        function = self[check_name(argument, family.strip(), list(self))]
        try:
            numbers = [float(each) for each in told.split(",")]
        except ValueError:
            raise ValueError(f"{argument} must have numbers in brackets; got {text!r}") from None
        try:
            return function.by(*numbers)
        except TypeError as error:
            raise ValueError(f"{argument} can't be {text!r}: {error}") from None
