"""What the page lets choose: all that the library knows, as it declares it."""

from __future__ import annotations

from dataclasses import MISSING, asdict, fields
from typing import Any

from fastgd import optimizers, schedules
from fastgd.activations import ACTIVATIONS
from fastgd.losses import LOSSES
from fastgd.names import GATES, METHODS, SCHEMES
from fastgd.play.settings import (
    MOST_LAYERS,
    MOST_POINTS,
    MOST_ROWS,
    MOST_UNITS,
    SHAPES,
    Settings,
)


def choices() -> dict[str, Any]:
    """Names, numbers with their defaults and what they are, and the settings to begin with."""
    return {
        "gates": GATES,
        "shapes": SHAPES,
        "activations": [name for name in ACTIVATIONS if name != "softmax"],
        "outputs": list(ACTIVATIONS),
        "losses": [name for name, each in LOSSES.items() if not each.of_pairs],
        "inits": SCHEMES,
        "methods": METHODS,
        "optimizers": {name: _numbers(kind) for name, kind in optimizers.KINDS.items()},
        "schedules": {name: _numbers(kind) for name, kind in schedules.KINDS.items()},
        "most": {
            "rows": MOST_ROWS,
            "points": MOST_POINTS,
            "units": MOST_UNITS,
            "layers": MOST_LAYERS,
        },
        "defaults": asdict(Settings()),
    }


def _numbers(kind: Any) -> list[dict[str, Any]]:
    """The fields of an optimizer or a schedule, all but the rate."""
    return [
        {
            "name": each.name,
            "unit": each.metadata.get("unit"),  # None for a switch, ... at its end for several
            "text": each.metadata.get("text", ""),
            "default": None if each.default is MISSING else each.default,
        }
        for each in fields(kind)
        if each.init and each.name != "rate"
    ]
