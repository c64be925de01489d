"""A course as Python, and as commands, that train it: from which anybody has the same numbers."""

from __future__ import annotations

import shlex

from fastgd.names import GATES
from fastgd.options import Options
from fastgd.play.course import Course
from fastgd.play.racer import first_run
from fastgd.play.settings import SHAPES
from fastgd.report.reproduce import call_of, command_of
from fastgd.training.run import Run


def python_of(course: Course) -> str:
    """A program whose runs are those of the page; a table stands in a file of its name."""
    first, *others = (call_of(run, course.scheme) for run in _runs(course))
    begin, network = first.split("\n\n", 1)
    again = [call[call.index("run = ") :] for call in others]
    imports = "import numpy as np\n\n" if course.settings.data == "points" else ""
    return "\n".join([f"{imports}{begin}\n", _data(course), network, *again])


def commands_of(course: Course) -> str | None:
    """A command for each method; None for rows that the command does not know."""
    settings = course.settings
    if settings.data not in (*GATES, "csv"):
        return None
    gate = settings.data if settings.data in GATES else None
    commands = [command_of(run, course.scheme, gate) for run in _runs(course)]
    file = shlex.quote(settings.file)
    lines = [command.replace("ROWS.csv", file, 1) for command in commands if command is not None]
    return "\n".join(lines) or None


def _runs(course: Course) -> list[Run]:
    """As they are to be, without what the page alone asks for: points of the history."""
    own = {"record": Options.record, "spacing": Options.spacing}
    return [
        first_run(course, method).with_values(
            epochs=course.settings.epochs,
            options=Options.of(arguments | own).to_dict(),
            table=course.problem.table,
        )
        for method, arguments in course.arguments.items()
    ]


def _data(course: Course) -> str:
    settings = course.settings
    if settings.data in GATES:
        return f"X, Y = fastgd.data.gate({settings.data!r})"
    if settings.data in SHAPES:
        call = f"{settings.data}({settings.rows}, {settings.noise!r}, {settings.seed})"
        return f"X, Y = fastgd.data.{call}"
    if settings.data == "csv":
        names = f"{settings.file!r}, {course.problem.target!r}"
        meant = f"outputs={course.net.widths[-1]}, output={course.net.activations[-1]!r}"
        return f"table, X, Y = fastgd.data.read_table(\n    {names},\n    {meant},\n)"
    rows = "\n".join(f"    {point[0]!r}, {point[1]!r}, {point[2]}," for point in settings.points)
    return f"points = np.array([\n{rows}\n]).reshape(-1, 3)\nX, Y = points[:, :2], points[:, 2:]"
