"""Frames and series of pandas and polars as arrays. They are known by the modules that are loaded already; neither is imported."""

from __future__ import annotations

import sys
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from fastgd.arguments.checks import Array


def columns_of(value: Any) -> list[tuple[Any, Any]] | None:
    """Name and series of each column of a frame; of a series or a pandas extension array, of itself; None for anything else."""
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
    """A frame or series whose columns hold numbers as an array: its own where all are of one dtype, one of float64 otherwise."""
    if len({str(column.dtype) for _, column in columns}) == 1:
        array = np.asarray(value)
        if array.dtype.kind in "biuf":
            return array
    floats = np.empty((len(value), len(columns)))
    for i, (_, column) in enumerate(columns):
        floats[:, i] = _floats(column)
    return floats if len(value.shape) == 2 else floats[:, 0]


def kind_of(column: Any) -> str:
    """The kind of a series' dtype, as NumPy has a letter for it, missing values aside; objects that are all numbers are f."""
    dtype = column.dtype
    if hasattr(dtype, "is_numeric"):  # polars
        return "f" if dtype.is_numeric() else "b" if str(dtype) == "Boolean" else "M" if dtype.is_temporal() else "O"
    if dtype.kind == "O" and all(isinstance(cell, (Real, Decimal, np.bool_)) for cell in column.dropna()):
        return "f"
    return str(dtype.kind)


def _floats(column: Any) -> Array:
    """Float64, NaN where a value is missing."""
    if hasattr(column.dtype, "is_numeric"):
        return np.asarray(column.cast(float).to_numpy())
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
