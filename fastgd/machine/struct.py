"""How arrays and numbers cross from Python into compiled code: as one struct of addresses, lengths
and numbers.

Compiling the conversion of fifty Python objects, or handing them from function to function, would
take longer than compiling a small kernel. A NamedTuple says what a struct holds: its fields are
`int`, `float`, NamedTuples, a Pointer to another struct, or arrays: Integers (int64), Doubles
(float64) or Reals (of the network's dtype). `struct_of` writes it; compiled code sees it as a
`struct_view.StructView`.
"""

import struct
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, get_type_hints

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.system.address import address_of

Integers = Annotated[Any, "an int64 array"]
Doubles = Annotated[Any, "a float64 array"]
Reals = Annotated[Any, "an array of the network's dtype"]
Pointer = Annotated[Any, "the struct of another such NamedTuple, an int64 array"]

_WORD, _DOUBLE = struct.Struct("=q"), struct.Struct("=d")
_INT64, _FLOAT64 = np.dtype(np.int64), np.dtype(np.float64)
# of arrays; Reals are of the struct's own
_DTYPES = {Integers: _INT64, Doubles: _FLOAT64, Pointer: _INT64}


def struct_of(
    values: tuple[Any, ...], real: np.dtype[Any], known: Mapping[int, list[int]] | None = None
) -> Array:
    """Two int64 a field: an array's address and length, or a number and 0. Valid as long as the
    arrays are alive.

    Its Reals are of the dtype `real`. Asking arrays for their addresses is what takes time; `known`
    are the `words_of` inner NamedTuples by their id.

    Raises
    ------
    TypeError
        For an array of another dtype than compiled code reads it as, or that does not lie row by
        row.
    """
    return np.array(words_of(values, real, known or {}), np.int64)


def words_of(
    values: tuple[Any, ...], real: np.dtype[Any], known: Mapping[int, list[int]]
) -> list[int]:
    """The struct as a list."""
    numbers: list[int] = []
    for (name, kind, dtype), value in zip(_dtypes_of(type(values)), values, strict=True):
        if isinstance(value, tuple):
            numbers += known.get(id(value)) or words_of(value, real, known)
        elif isinstance(value, np.ndarray):
            expected = real if dtype is None else dtype
            if value.dtype != expected or not value.flags.c_contiguous:
                place, order = (
                    f"{type(values).__name__}.{name}",
                    "" if value.flags.c_contiguous else ", not row by row",
                )
                raise TypeError(
                    f"{place} must be a C-contiguous array of {expected}; got {value.dtype}{order}"
                )
            numbers += address_of(value) if value.size else 0, value.size
        elif kind is float:
            numbers += word_of(value), 0
        else:
            numbers += int(value), 0
    return numbers


def word_of(number: float) -> int:
    """A number as it stands in a struct."""
    word: int = _WORD.unpack(_DOUBLE.pack(number))[0]
    return word


@cache
def fields_of(cls: Any) -> list[tuple[str, Any]]:
    """Names and types of the fields of a struct."""
    hints = get_type_hints(cls, include_extras=True)
    return [(name, hints[name]) for name in cls._fields]


@cache
def _dtypes_of(cls: Any) -> list[tuple[str, Any, np.dtype[Any] | None]]:
    """Names and types of the fields of a struct, with the dtypes of arrays that are not Reals."""
    return [(name, kind, _DTYPES.get(kind)) for name, kind in fields_of(cls)]


def rows_of(kind: Any) -> int:
    """Rows of a field."""
    return sum(rows_of(inner) for _, inner in fields_of(kind)) if hasattr(kind, "_fields") else 1


def place_of(cls: Any, *names: str) -> int:
    """Where the address or number of a field stands in a struct of `cls`, or of a field of that
    field, and so on by `names`.
    """
    rows, kind = 0, cls
    for wanted in names:
        for name, inner in fields_of(kind):
            if name == wanted:
                kind = inner
                break
            rows += rows_of(inner)
        else:
            raise ValueError(f"{kind.__name__} has no field {wanted!r}")
    return 2 * rows


def empty_of(cls: Any, real: np.dtype[Any]) -> Any:
    """A NamedTuple of arrays of no numbers, and of zeros: for a struct that is not looked at."""
    values = (
        empty_of(kind, real)
        if hasattr(kind, "_fields")
        else kind(0)
        if kind in (int, float)
        else np.zeros(0, _DTYPES.get(kind, real))
        for _, kind in fields_of(cls)
    )
    return cls(*values)
