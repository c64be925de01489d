"""How arrays and numbers cross from Python into compiled code: as one table of addresses, lengths and numbers.

Compiling the conversion of fifty Python objects, or handing them from function to function, would take longer than compiling a small
kernel. A NamedTuple says what a table holds: its fields are `int`, `float`, NamedTuples, a Link to another table, or arrays: Integers
(int64), Doubles (float64) or Reals (of the network's dtype). `table_of` writes it; compiled code sees it as a `view.View`.
"""

from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, get_type_hints

import numpy as np

from fastgd.checks import Array

Integers = Annotated[Any, "an int64 array"]
Doubles = Annotated[Any, "a float64 array"]
Reals = Annotated[Any, "an array of the network's dtype"]
Link = Annotated[Any, "the table of another such NamedTuple, an int64 array"]


def table_of(values: tuple[Any, ...]) -> Array:
    """Two int64 a field: an array's address and length, or a number and 0. Valid as long as the arrays are alive."""
    return np.array(list(_rows(values)), np.int64).ravel()


def _rows(values: tuple[Any, ...]) -> Iterator[tuple[int, int]]:
    for (_, kind), value in zip(fields_of(type(values)), values, strict=True):
        if isinstance(value, tuple):
            yield from _rows(value)
        elif isinstance(value, np.ndarray):
            yield value.ctypes.data, value.size
        elif kind is float:
            yield int(np.float64(value).view(np.int64)), 0
        else:
            yield int(value), 0


@cache
def fields_of(cls: Any) -> list[tuple[str, Any]]:
    """Names and types of the fields of a table."""
    hints = get_type_hints(cls, include_extras=True)
    return [(name, hints[name]) for name in cls._fields]


def rows_of(kind: Any) -> int:
    """Rows of a field."""
    return sum(rows_of(inner) for _, inner in fields_of(kind)) if hasattr(kind, "_fields") else 1
