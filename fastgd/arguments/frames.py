"""Frames and series of pandas and polars as arrays; neither library is imported for it."""

from __future__ import annotations

import sys
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from fastgd.arguments.checks import Array


def columns_of(value: Any) -> list[tuple[Any, Any]] | None:
    """Name and series of each column of a frame, or of a series itself; None for anything else."""
    pandas: Any = sys.modules.get("pandas")
    polars: Any = sys.modules.get("polars")
    if hasattr(pandas, "DataFrame"):
        if isinstance(value, pandas.DataFrame):
            return [(name, value.iloc[:, i]) for i, name in enumerate(value.columns)]
        if isinstance(value, pandas.Series):
            return [(value.name, value)]
        if isinstance(value, pandas.api.extensions.ExtensionArray):
            return [(None, pandas.Series(value))]
    if hasattr(polars, "DataFrame"):
        if isinstance(value, polars.DataFrame):
            return [(name, value.get_column(name)) for name in value.columns]
        if isinstance(value, polars.Series):
            return [(value.name, value)]
    return None


def array_of(value: Any, columns: list[tuple[Any, Any]]) -> Array:
    """A frame or series of numbers as an array, of float64 where columns have several dtypes."""
    if len({str(column.dtype) for _, column in columns}) == 1:
        array = np.asarray(value)
        if array.dtype.kind in "biuf":
            return array
    floats = np.empty((len(value), len(columns)))
    for i, (_, column) in enumerate(columns):
        floats[:, i] = _floats(column)
    return floats if len(value.shape) == 2 else floats[:, 0]


def is_polars(column: Any) -> bool:
    """Whether a series is of polars."""
    return hasattr(column.dtype, "is_numeric")


def kind_of(column: Any) -> str:
    """NumPy's letter for the kind of a series, missing values aside; f for objects all numbers."""
    dtype = column.dtype
    if is_polars(column):
        if dtype.is_temporal():
            return "m" if str(dtype).startswith("Duration") else "M"
        return "f" if dtype.is_numeric() or str(dtype) == "Boolean" else "O"
    numbers = (Real, Decimal, np.bool_)
    if dtype.kind == "O" and all(isinstance(cell, numbers) for cell in column.dropna()):
        return "f"
    return str(dtype.kind)


def _floats(column: Any) -> Array:
    """Float64, NaN where a value is missing."""
    if is_polars(column):
        return np.asarray(column.cast(float).to_numpy())
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
