"""What a page's settings give to learn: a gate, two classes of points, a table, or points of the
user's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastgd import data
from fastgd.arguments.checks import Array
from fastgd.data.columns import parse_columns
from fastgd.data.labels import names_of_outputs
from fastgd.data.table import Table
from fastgd.names import GATES
from fastgd.play.errors import Errors
from fastgd.play.settings import SHAPES, Settings


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows with their names, and how a network learns them where settings do not say."""

    X: Array  # (n, inputs)
    Y: Array  # (n, outputs)
    inputs: Sequence[str]
    outputs: Sequence[str]
    title: str
    output: str
    loss: str
    scheme: str
    columns: tuple[str, ...] = ()  # of a table, which may be targets
    target: str = ""
    table: dict[str, Any] | None = None
    least_bounds: tuple[float, float] | None = None  # of a surface


def problem_of(settings: Settings, errors: Errors) -> Problem:
    """The problem of these settings; errors are kept for their fields, and raised."""
    if settings.data in GATES:
        return _gate(settings.data)
    if settings.data in SHAPES:
        return _shape(settings)
    make: Callable[[Settings], Problem] = _table if settings.data == "csv" else _points
    return errors.of(settings.data, lambda: make(settings), {"target": "target"})


def _gate(name: str) -> Problem:
    X, Y = data.gate(name)
    title = f"The gate {name.upper()}"
    return Problem(X, Y, ("x1", "x2"), (name,), title, "sigmoid", "squared_error", "uniform")


def _of_classes(X: Array, Y: Array, title: str) -> Problem:
    """Two classes in the plane."""
    loss = "binary_cross_entropy"
    return Problem(X, Y, ("x1", "x2"), ("class 1",), title, "sigmoid", loss, "auto")


def _shape(settings: Settings) -> Problem:
    make = {"spiral": data.spiral, "circles": data.circles, "moons": data.moons}[settings.data]
    X, Y = make(settings.rows, settings.noise, settings.seed)
    return _of_classes(X, Y, f"{settings.data.capitalize()}, {settings.rows:,} points")


def _points(settings: Settings) -> Problem:
    if len({point[2] for point in settings.points}) < 2:
        raise ValueError("points must be of both classes: put at least one of each on the surface")
    points = np.array(settings.points, float)
    problem = _of_classes(points[:, :2], points[:, 2:], f"Your {len(points):,} points")
    return replace(problem, least_bounds=(-1.0, 1.0))  # where others are put


def _table(settings: Settings) -> Problem:
    if not settings.csv.strip():
        raise ValueError("choose a CSV file, with a header row of column names")
    columns = parse_columns(settings.csv.encode(), settings.file)
    target = settings.target or columns.names[-1]
    # classes are found by how many outputs they would have
    first = Table.fit(columns, [target])
    outputs = (
        None if first.classes is None else 1 if len(first.classes) == 2 else len(first.classes)
    )
    output = "identity" if outputs is None else "sigmoid" if outputs == 1 else "softmax"
    loss = {"identity": "squared_error", "sigmoid": "binary_cross_entropy"}
    table = Table.fit(columns, [target], outputs=outputs, output=settings.output or output)
    return Problem(
        table.encode(columns), table.encode_targets(columns), table.inputs,
        names_of_outputs(table.targets, table.classes, table.outputs),
        f"{settings.file}: {len(columns):,} rows, {target} by scaled inputs",
        output, loss.get(output, "cross_entropy"), "auto", columns.names, target,
        table.to_dict(),
    )  # fmt: skip
