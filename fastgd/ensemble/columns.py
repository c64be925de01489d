"""Where members stand, as the columns of a file: one array for each thing that is known of all."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.state import (
    BATCH,
    EPOCH,
    EPOCH_COST_SUM,
    NEXT_RECORD,
    PATIENCE_COST,
    PATIENCE_EPOCH,
    RECORDED,
    STOPPED,
    STOPS,
    STRIDE,
    UPDATES,
    State,
    start,
)

_WHOLE = {"params": "params", "slots": "slots", "powers": "powers", "points": "points"} | {
    "history": "costs",
    "plateau": "plateau",
}  # arrays of a State by their name in a file
_PARTS: dict[str, tuple[str, Any]] = {  # and places in others
    "epochs": ("cursor", EPOCH), "updates": ("cursor", UPDATES), "batch": ("cursor", BATCH),
    "epoch_cost_sum": ("sums", EPOCH_COST_SUM), "patience_cost": ("sums", PATIENCE_COST),
    "patience_epochs": ("cursor", PATIENCE_EPOCH),
    "recorded": ("cursor", [RECORDED, NEXT_RECORD, STRIDE]),
}  # fmt: skip
# a file names what members were stopped by, and has their costs beside their states
_ENDS = {"costs": np.dtype(np.float64), "stopped_by": np.array(STOPS).dtype}


def columns_of(states: State, cost: Array) -> dict[str, Array]:
    """Arrays of (members, ...) by name."""
    arrays, stopped_by = states.arrays(), np.array(STOPS)[states.cursor[:, STOPPED]]
    return {
        **{name: arrays[array] for name, array in _WHOLE.items()},
        **{name: arrays[array][:, places] for name, (array, places) in _PARTS.items()},
        **dict(zip(_ENDS, (cost, stopped_by), strict=True)),
    }


def from_columns(columns: dict[str, Array]) -> tuple[State, Array]:
    """States, and (members,) costs; ValueError if columns are not those, or can't be."""
    if "plateau" not in columns and "params" in columns:  # as files had it before there were such
        columns = columns | {"plateau": np.zeros((len(columns["params"]), 0))}
    known = [*_WHOLE, *_PARTS, *_ENDS]
    if other := columns.keys() ^ known:
        raise ValueError(f"states must have {', '.join(known)}; {', '.join(sorted(other))} differ")
    arrays = start(columns["params"], record=columns["points"].shape[-1] + 1).arrays()
    arrays |= {array: columns[name] for name, array in _WHOLE.items()}
    dtypes = {name: arrays[array].dtype for name, (array, _) in _PARTS.items()} | _ENDS
    for name, dtype in dtypes.items():
        if columns[name].dtype != dtype:
            found = f"{name} of its states is {columns[name].dtype}, not {dtype}"
            raise ValueError(f"it can't be gone on from: {found}")
    for name, (array, places) in _PARTS.items():
        arrays[array][:, places] = columns[name]
    is_stopped_by = columns["stopped_by"][:, None] == np.array(STOPS)
    if not is_stopped_by.any(axis=1).all():
        raise ValueError(f"its members must be stopped by one of {', '.join(STOPS[1:])}")
    arrays["cursor"][:, STOPPED] = is_stopped_by.argmax(axis=1)
    return State(**arrays), columns["costs"]
