"""Parameters as CSV, one a row."""

from __future__ import annotations

import os

from fastgd.export.exported import Exported, write_text


def to_csv(of: Exported, path: str | os.PathLike[str]) -> None:
    """Write layer, unit, input and value of every parameter, in the order of the flat array; layers
    count from 1, units and inputs from 0, and a bias has no input.
    """
    lines = ["layer,unit,input,value"]
    for l, (W, b) in enumerate(of.layers, start=1):
        for j, row in enumerate(W):
            lines += [f"{l},{j},{k},{value!s}" for k, value in enumerate(row)]
        lines += [] if b is None else [f"{l},{j},,{value!s}" for j, value in enumerate(b)]
    write_text(path, "\n".join([*lines, ""]))
