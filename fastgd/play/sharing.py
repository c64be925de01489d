"""A course as Python that trains it, from which anybody has the same numbers."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from fastgd.names import GATES
from fastgd.options import Options
from fastgd.play.course import Course
from fastgd.play.settings import SHAPES

_CALLS = 4  # of the indentation of arguments


def python_of(course: Course) -> str:
    """A program whose last run is that of the page; the CSV stands in a file of its name."""
    settings = course.settings
    lines = ["import fastgd", "", *_data(course), _network(course)]
    scheme = settings.init or course.problem.scheme
    given = {
        "params": f'net.init({settings.seed}, "{scheme}")', "rng": f"{settings.seed}",
        **_options(course),
    }  # fmt: skip
    methods = settings.methods
    if len(methods) > 1:
        lines += [f"for method in {_text(methods)}:"]
        given["method"] = "method"
    elif methods[0] != "backprop":
        given["method"] = _text(methods[0])
    indent = " " * (_CALLS if len(methods) > 1 else 0)
    lines.append(f"{indent}run = fastgd.train(")
    rate = _rate(course)
    lines.append(f"{indent}{' ' * _CALLS}net, X, Y, {settings.epochs:_}, {rate},")
    lines += [f"{indent}{' ' * _CALLS}{name}={value}," for name, value in given.items()]
    lines += [f"{indent})", f"{indent}print(run)"]
    return "\n".join(lines) + "\n"


def _data(course: Course) -> list[str]:
    settings = course.settings
    if settings.data in GATES:
        return [f"X, Y = fastgd.data.gate({_text(settings.data)})"]
    if settings.data in SHAPES:
        call = f"{settings.data}({settings.rows}, {settings.noise!r}, {settings.seed})"
        return [f"X, Y = fastgd.data.{call}"]
    if settings.data == "csv":
        problem, net = course.problem, course.net
        return [
            "table, X, Y = fastgd.data.read_table(",
            f"    {_text(settings.file)}, {_text(problem.target)},",
            f"    outputs={net.widths[-1]}, output={_text(net.activations[-1])},",
            ")",
        ]
    rows = [f"    {point[0]!r}, {point[1]!r}, {point[2]}," for point in settings.points]
    return [
        "import numpy as np", "", "points = np.array([", *rows, "]).reshape(-1, 3)",
        "X, Y = points[:, :2], points[:, 2:]",
    ]  # fmt: skip


def _network(course: Course) -> str:
    net = course.net
    widths = ", ".join(map(str, net.widths))
    return (
        f"net = fastgd.MLP({widths}, activation={_text(list(net.activations))}, "
        f"loss={_text(net.loss)})"
    )


def _rate(course: Course) -> str:
    rate = next(iter(course.arguments.values()))["learning_rate"]
    if isinstance(rate, float):
        return repr(rate)
    return f"fastgd.schedules.{_call(rate, rate.rate)}"


def _options(course: Course) -> dict[str, str]:
    """Arguments that are not as by default."""
    given = next(iter(course.arguments.values()))
    told = {}
    if course.settings.optimizer != "sgd" or course.settings.optimizer_numbers:
        told["optimizer"] = f"fastgd.{_call(given['optimizer'])}"
    for name in ("batch_size", "l2"):
        if given[name] != getattr(Options, name):
            told[name] = repr(given[name])
    if any("difference" in method for method in course.settings.methods):
        told["eps"] = repr(given["eps"])
    return told


def _call(described: Any, *first: Any) -> str:
    """Adam(beta1=0.8): an object by its numbers that are not as by default."""
    numbers = [repr(each) for each in first]
    for each in fields(described):
        value = getattr(described, each.name)
        if each.init and each.name != "rate" and value != each.default:
            numbers.append(f"{each.name}={value!r}")
    return f"{type(described).__name__}({', '.join(numbers)})"


def _text(value: Any) -> str:
    """As Python has it, names in double quotes."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    parts = ", ".join(map(_text, value))
    return f"[{parts}]" if isinstance(value, list) else f"({parts})"
