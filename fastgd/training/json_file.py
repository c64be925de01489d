"""Runs as JSON, for other programs to read, and read back: docs/lookup/json.md says what is where.

Numbers are written so that they are read as the very same; what JSON has no number for is text:
"inf", "-inf", "nan".
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.mlp import MLP
from fastgd.training.json_checks import numbers

VERSION = 1
_KEYS = (
    "version", "network", "layers", "table", "cost", "epochs", "seconds", "kernel", "seed",
    "stopped_by", "stalled", "options", "history", "state",
)  # fmt: skip
_HISTORY = {"epoch": "int64", "cost": "float64", "validation": "float64"}


def written(net: MLP, facts: dict[str, Any], arrays: dict[str, Array]) -> str:
    """The text of a run of these facts, which say no format, and arrays."""
    layers = [
        {"W": W.tolist(), "b": None if b is None else b.tolist()}
        for W, b in net.unpack(arrays["params"])
    ]
    history = {
        name: _numbers(arrays[f"history_{name}"])
        for name in _HISTORY
        if f"history_{name}" in arrays
    }
    state = {
        name.removeprefix("state_"): {
            "dtype": array.dtype.name,
            "shape": array.shape,
            "values": _numbers(array.ravel()),
        }
        for name, array in arrays.items()
        if name.startswith("state_")
    }
    others = {name: _told(value) for name, value in facts.items() if name not in ("net", "kind")}
    whole = {
        "fastgd": "run",
        "version": VERSION,
        "network": facts["net"],
        "layers": layers,
        **others,
        "history": history,
        "state": state,
    }
    return json.dumps(whole, allow_nan=False, indent=1) + "\n"


def read(text: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """Facts and arrays of a text; any error if it is none of a run."""
    whole = json.loads(text)
    if not isinstance(whole, dict) or whole.pop("fastgd", None) != "run":
        raise ValueError("it is JSON of something else")
    missing = [name for name in _KEYS if name not in whole]
    if missing:
        raise ValueError(f"it has no {', '.join(missing)}")
    version = whole.pop("version")
    if version is True or version != VERSION:
        raise ValueError(f"it has version {version}; this version of fastgd reads {VERSION}")
    widths = whole["network"]["widths"]
    layers = whole.pop("layers")
    if len(layers) != len(widths) - 1:
        raise ValueError(f"layers must be {len(widths) - 1}, by the widths; got {len(layers)}")
    parts = []
    for i, layer in enumerate(layers):
        inputs, outputs = widths[i : i + 2]
        parts.append(_array(f"W of layers[{i}]", layer["W"], (outputs, inputs)).ravel())
        if layer["b"] is not None:
            parts.append(_array(f"b of layers[{i}]", layer["b"], (outputs,)))
    arrays: dict[str, Array] = {"params": np.concatenate(parts)}
    history = whole.pop("history")
    for name, values in history.items():
        shape, dtype = (len(history["epoch"]),), _HISTORY[name]
        arrays[f"history_{name}"] = _array(f"{name} of history", values, shape, dtype)
    for name, told in whole.pop("state").items():
        values = _array(f"{name} of state", told["values"], None, told["dtype"])
        arrays[f"state_{name}"] = values.reshape(told["shape"])
    texts = "network", "table"  # in which there is no such number
    facts = {name: each if name in texts else _read(each) for name, each in whole.items()}
    return {"kind": "run", "net": facts.pop("network"), **facts}, arrays


def _numbers(array: Array) -> list[Any]:
    numbers: list[Any] = _told(array.tolist())
    return numbers


def _told(value: Any) -> Any:
    """With text where a number is none of JSON's."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [_told(each) for each in value]
    if isinstance(value, dict):
        return {name: _told(each) for name, each in value.items()}
    return value


def _read(value: Any) -> Any:
    """A number for such a text, be it inside an object."""
    if isinstance(value, dict):
        return {name: _read(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_read(each) for each in value]
    return float(value) if value in ("inf", "-inf", "nan") else value


def _array(name: str, values: Any, shape: tuple[int, ...] | None, dtype: str = "float64") -> Array:
    """Lists of numbers, and of texts that stand for some, as an array; of one dimension by no
    shape.
    """
    return numbers(name, _read(values), dtype, (len(values),) if shape is None else shape)
