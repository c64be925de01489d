"""What comes from a user as numbers becomes an array; the rest is refused, with what to call."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.checks import Array, shown
from fastgd.arguments.frames import array_of, columns_of, is_polars, kind_of

_BLOCK, _FEW, _VERY_FEW = 2**20, 2**10, 2**4  # numbers
_CLASSES = "reads text of numbers; labels become a column of 0 and 1 for each class"
_LABELS = f".astype(float) {_CLASSES}"
_ADVICE = {  # by kind of dtype
    "U": _LABELS,
    "S": _LABELS,
    "O": ".astype(float) makes numbers of objects that are numbers",
    "M": "(dates - dates.min()) / np.timedelta64(1, 'D') counts days",
    "m": "/ np.timedelta64(1, 's') counts seconds",
    "c": ".real and .imag are real",
    "V": "numpy.lib.recfunctions.structured_to_unstructured(...) makes columns of fields",
}
_ADVICE_ON_POLARS = {
    "M": "(dates - dates.min()).dt.total_days() counts days",
    "m": ".dt.total_seconds() counts seconds",
    "O": f".cast(float) {_CLASSES}",
}
# which make arrays or frames of what NumPy can't read
_METHODS = ("toarray", "todense", "toPandas", "collect", "compute")


def real_array(argument: str, value: ArrayLike, dtype: np.dtype[Any]) -> Array:
    """`value` as a C-contiguous array of `dtype`, finite everywhere; else refused."""
    if (
        type(value) is np.ndarray
        and value.dtype is dtype
        and value.flags.c_contiguous
        and are_finite(value.ravel())
    ):
        return value
    array = number_array(argument, value)
    converted = np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)
    first = _first_not_finite(converted.reshape(-1))
    if first is not None:
        place = tuple(int(i) for i in np.unravel_index(first, converted.shape))
        got = array[place] if place else array
        where = ", ".join(map(str, place)) + _name_of_column(value, place)
        raise ValueError(f"{argument} must be finite in {dtype}; got {got} at index {where}")
    return converted


def filled(shape: int | tuple[int, ...], value: float, dtype: type = np.float64) -> Array:
    """Numbers that are alike, as by `np.full`, of few in a fifth of its time."""
    array: Array = np.empty(shape, dtype)
    array.fill(value)
    return array


class Finite:
    """Whether all numbers of a flat array are finite, as they are at each call: the quickest look
    at what is filled again and again, which no `np.errstate` hears of.
    """

    def __init__(self, numbers: Array):
        self._numbers, self._marks = numbers, bytearray(numbers.size)
        self._finite = np.frombuffer(self._marks, np.bool_)

    def __call__(self) -> bool:
        np.isfinite(self._numbers, self._finite)
        return 0 not in self._marks


def are_finite(flat: Array) -> bool:
    """Whether all numbers of a flat array are. Of few, a sum that is finite says so, sooner than a
    look at each; of which `np.errstate` hears, unless the call is `quiet`.
    """
    size = flat.size
    is_sure = size <= _FEW and math.isfinite(
        sum(flat.tolist()) if size <= _VERY_FEW else flat.dot(flat)
    )
    return is_sure or _first_not_finite(flat) is None


def extremes(flat: Array) -> tuple[float, float]:
    """The least and the largest number of a flat array; of few, sooner by Python than by NumPy."""
    if flat.size <= _VERY_FEW:
        numbers = flat.tolist()
        return min(numbers), max(numbers)
    return float(flat.min()), float(flat.max())


def _first_not_finite(flat: Array) -> int | None:
    """Block by block: the array may be larger than memory."""
    for start in range(0, len(flat), _BLOCK):
        finite = np.isfinite(flat[start : start + _BLOCK])
        if np.count_nonzero(finite) < finite.size:  # sooner than `all` for a few
            return start + int(finite.argmin())
    return None


def rows(
    argument: str,
    value: ArrayLike,
    columns: int,
    of_what: object,
    dtype: np.dtype[Any],
) -> Array:
    """`value` as an (n, columns) array of `dtype`, n at least 1; a 1-D array is one column."""
    array = real_array(argument, value, dtype)
    shape = array.shape
    if array.ndim == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2 or array.shape[1] != columns:
        raise ValueError(f"{argument} must have shape (n, {columns}) for {of_what}; got {shape}")
    if len(array) == 0:
        raise ValueError(f"{argument} must have at least one row; got shape {shape}")
    return array


def number_array(argument: str, value: Any) -> Array:
    """`value` as an array of bools, integers or floats; a frame's missing values are NaN."""
    columns = columns_of(value)
    if columns is not None:
        for name, column in columns:
            kind = kind_of(column)
            if kind not in "biuf":
                which = "" if name is None else f"column {name!r} of "
                if is_polars(column):
                    advice = _ADVICE_ON_POLARS[kind]
                else:
                    advice = _ADVICE[kind] if kind in "Mmc" else _LABELS
                raise _refused(argument, f"{which}dtype {column.dtype}", advice)
        return array_of(value, columns)
    if isinstance(value, np.ma.MaskedArray):
        raise _refused(argument, "a masked array", "fill or drop what is masked")
    if (call := _how_to_read(value)) is not None:
        raise _refused(argument, shown(value), call)
    try:
        array = np.asarray(value)
    except ValueError as error:
        got = f"rows of different lengths ({_first_line(error)})"
        raise ValueError(f"{argument} must be an array of real numbers; got {got}") from None
    except Exception as error:  # libraries whose arrays live elsewhere say what to call
        raise _refused(argument, shown(value), _first_line(error)) from None
    if array.dtype.kind in "biuf":
        return array
    if isinstance(value, str):
        got = f"{shown(value)}, of dtype {array.dtype}"
        raise _refused(argument, got, "fastgd.data.read_table reads files")
    if array.dtype == object and array.ndim == 0:
        raise _refused(argument, f"{shown(value)}, of dtype object", "")
    raise _refused(argument, f"dtype {array.dtype}", _ADVICE.get(array.dtype.kind, ""))


def _name_of_column(value: Any, place: tuple[int, ...]) -> str:
    """`, column 'age'` for a place in a frame with names, nothing for one in an array."""
    columns = columns_of(value)
    return "" if columns is None or len(place) < 2 else f", column {columns[place[1]][0]!r}"


def _refused(argument: str, got: str, advice: str) -> TypeError:
    what_to_call = f": {advice}" if advice else ""
    return TypeError(f"{argument} must be an array of real numbers; got {got}{what_to_call}")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _how_to_read(value: Any) -> str | None:
    """What to call for an array, where NumPy would make none."""
    if getattr(value, "requires_grad", False) is True:
        return "call .detach().numpy() first"
    if isinstance(value, Mapping):
        return "np.column_stack(list(columns.values())) makes one of columns"
    if hasattr(value, "__array__") or isinstance(value, Sequence):
        return None
    for name in _METHODS:
        if callable(getattr(value, name, None)):
            return f"call .{name}() first"
    is_sequence = hasattr(value, "__getitem__") and hasattr(value, "__len__")
    return "call list(...) first" if isinstance(value, Iterable) and not is_sequence else None
