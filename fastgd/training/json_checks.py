"""What a run's JSON says, checked by name: anybody may have changed it, and no digest tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from fastgd.arguments.checks import Array, shown, truth, whole_number
from fastgd.arguments.choices import check_name
from fastgd.data.table import Table
from fastgd.network import Network
from fastgd.options import Options
from fastgd.state import STOPS

_DTYPES = ("float64", "float32", "int64")


def numbers(name: str, values: Any, dtype: str, shape: Sequence[int]) -> Array:
    """Lists of numbers as an array; ValueError or TypeError if they have another shape, or one of
    them is none.
    """
    kind = np.dtype(check_name(f"dtype of {name}", dtype, _DTYPES))
    array, shape = np.array(values, object), tuple(shape)
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}; got {array.shape}")
    types = (int,) if kind.kind == "i" else (int, float)
    for value in array.flat:
        if type(value) not in types:
            expected = "whole numbers" if kind.kind == "i" else "numbers"
            raise TypeError(f"{name} must be {expected}; got {shown(value)}")
    return array.astype(kind)


def check(net: Network, options: dict[str, Any], facts: dict[str, Any]) -> None:
    """ValueError or TypeError where options or facts of a run of this network are none."""
    unknown = options.keys() - vars(Options()).keys()
    if unknown:
        raise ValueError(f"options has {min(unknown)!r}, which is none")
    Options(**options)
    for name, check_fact in _FACTS.items():
        check_fact(name, facts[name])
    if facts["table"] is not None:
        _check_table(net, facts["table"])


def _check_table(net: Network, told: Any) -> None:
    if not isinstance(told, dict):
        raise TypeError(f"table must be an object or null; got {shown(told)}")
    table = Table.from_dict(told)
    wide = len(table.inputs), table.outputs
    if wide != (net.widths[0], net.widths[-1]):
        raise ValueError(
            f"table must be of {net.widths[0]} inputs and {net.widths[-1]} outputs; got {wide[0]} "
            f"and {wide[1]}"
        )
    for name in ("input_shift", "input_scale", "target_shift", "target_scale"):
        each = getattr(table, name)
        if not np.isfinite(numbers(f"{name} of table", each, "float64", (len(each),))).all():
            raise ValueError(f"{name} of table must be finite; got {shown(each)}")
    for column in (*table.inputs, *table.targets):
        _text("columns of table", column)


def _number(name: str, value: object) -> None:
    if type(value) not in (int, float):
        raise TypeError(f"{name} must be a number; got {shown(value)}")


def _text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be text; got {shown(value)}")


_FACTS: dict[str, Callable[[str, Any], Any]] = {
    "cost": _number,
    "epochs": partial(whole_number, least=0),
    "seconds": _number,
    "kernel": _text,
    "seed": partial(whole_number, least=0),
    "stopped_by": partial(check_name, known=STOPS[1:]),
    "stalled": truth,
}
