"""Numbers that are one for all layers of a network, or one for each."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgd.arguments.checks import finite_number, shown

PerLayer = float | tuple[float, ...]


def per_layer(argument: str, value: Any, **bounds: Any) -> PerLayer:
    """A number within the bounds of `finite_number`, or a tuple of them for several layers."""
    try:
        axes = 0 if isinstance(value, (str, bytes)) else np.ndim(value)
    except ValueError:  # rows of several lengths
        axes = 2
    if axes == 0:
        return finite_number(argument, value, **bounds)
    if axes != 1:
        raise ValueError(f"{argument} must be a number, or one a layer; got {shown(value)}")
    return tuple(finite_number(argument, each, **bounds) for each in value)


def check_count(argument: str, value: PerLayer, layers: int, what: str) -> None:
    """Refuse numbers of other than so many layers."""
    if isinstance(value, tuple) and len(value) != layers:
        raise ValueError(
            f"{argument} must be a number, or one for each of {layers} {what}; got {len(value)}"
        )


def of_layers(value: PerLayer, layers: int) -> tuple[float, ...]:
    """One for each of so many layers."""
    return value if isinstance(value, tuple) else (value,) * layers


def is_asked(value: PerLayer) -> bool:
    """Whether it is not 0 for every layer."""
    return any(value) if isinstance(value, tuple) else value != 0


def told(value: PerLayer) -> str:
    """0.1, or 0.1 and 0.2 by layer."""
    if isinstance(value, tuple):
        return f"{', '.join(f'{each:g}' for each in value)} by layer"
    return f"{value:g}"
