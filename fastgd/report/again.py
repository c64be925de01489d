"""What a report says of how to have a run again."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.data import gate
from fastgd.names import GATES, KERNELS_OF_ONE, SCHEMES
from fastgd.report import html
from fastgd.report.reproduce import call_of, command_of
from fastgd.report.told import Told


def again(run: Told, X: Array | None, Y: Array | None) -> list[str]:
    """In Python and, where one says it, by a command."""
    scheme = None if X is None or Y is None else scheme_of(run, X, Y)
    known = (
        "unless others were given"
        if scheme is None
        else f"by scheme {scheme}, as its first cost says"
    )
    words = (
        "A run keeps no rows: X and Y stand for them, and have to be those it was trained on, with "
        f"their weights if there were any. Its initial parameters are what net.init draws by the "
        f"seed {run.seed}, {known}."
    )
    if run.kernel not in KERNELS_OF_ONE:
        words += " It was trained with others in lanes: alone it comes to the same up to rounding."
    scheme = None if scheme == "auto" else scheme  # which is what a call draws by
    parts = [html.paragraph(words), html.code(call_of(run, scheme))]
    found = None if X is None or Y is None or run.table is not None else gate_of(X, Y)
    command = command_of(run, scheme, found)
    if command is not None:
        rows = "with arrays X and Y" if run.table is None else "of these columns"
        source = f"from a file {rows}" if found is None else f"since the rows are those of {found}"
        parts += [html.paragraph(f"Or by a command, {source}:"), html.code(command)]
        if run.table is not None and "--scale-inputs none" not in command:
            scaled = "Where its columns were scaled in another way than by default, add flags."
            parts.append(html.paragraph(scaled))
    return parts


def gate_of(X: Array, Y: Array) -> str | None:
    """The gate whose rows these are, if there is one."""
    for name in GATES:
        if all(map(np.array_equal, (X, Y), gate(name))):
            return name
    return None


def scheme_of(run: Told, X: Array, Y: Array) -> str | None:
    """By what scheme the seed makes parameters of the run's first cost, where that is the cost of
    all rows.
    """
    net: Any = run.net
    is_whole = run.options["batch_size"] is None and run.history.validation is None
    if not is_whole or run.history.epoch[0] != 0 or net.own_functions:
        return None
    for scheme in SCHEMES:
        cost = net.cost(net.init(run.seed, scheme), X, Y)
        if np.isclose(cost, run.history.cost[0], rtol=1e-5, atol=0):
            return scheme
    return None
