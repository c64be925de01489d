"""Settings: all that a page says of a training, checked in its plain form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any

from fastgd.arguments.checks import finite_number, seed_of, shown, whole_number
from fastgd.arguments.choices import check_name
from fastgd.names import GATES, METHODS, SCHEMES
from fastgd.optimizers import KINDS as OPTIMIZERS
from fastgd.play.errors import Errors
from fastgd.schedules import KINDS as SCHEDULES
from fastgd.state import MOST

SHAPES = ("spiral", "circles", "moons")
DATA = (*GATES, *SHAPES, "csv", "points")
MOST_ROWS = 5_000
MOST_POINTS = 1_000
MOST_UNITS = 256
MOST_LAYERS = 8
Check = Callable[[str, Any], Any]


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be text; got {shown(value)}")
    return value


def _seed(name: str, value: Any) -> int:
    try:
        return seed_of(whole_number(name, value, least=0))
    except ValueError as error:
        raise ValueError(str(error).replace("rng", name)) from None


def _or_none(check: Check, name: str, value: Any) -> Any:
    return None if value is None else check(name, value)


def _named(known: tuple[str, ...], name: str, value: Any) -> str:
    return check_name(name, value, known)


def _list(name: str, value: Any, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        got = f"{len(value)}" if isinstance(value, list) else shown(value)
        raise ValueError(f"{name} must be a list of at most {most}; got {got}")
    return value


def _hidden(name: str, value: Any) -> tuple[tuple[int, str], ...]:
    layers = []
    for place, pair in enumerate(_list(name, value, MOST_LAYERS), 1):
        if not isinstance(pair, list) or len(pair) != 2:
            raise TypeError(f"{name} must be pairs of units and an activation; got {shown(pair)}")
        units = whole_number(f"units of hidden layer {place}", pair[0], least=1, most=MOST_UNITS)
        layers.append((units, _text(f"activation of hidden layer {place}", pair[1])))
    return tuple(layers)


def _points(name: str, value: Any) -> tuple[tuple[float, float, int], ...]:
    points = []
    for place, point in enumerate(_list(name, value, MOST_POINTS), 1):
        if not isinstance(point, list) or len(point) != 3:
            raise TypeError(f"{name} must be x, y and a class each; got {shown(point)}")
        x = finite_number(f"x of point {place}", point[0])
        y = finite_number(f"y of point {place}", point[1])
        points.append((x, y, whole_number(f"class of point {place}", point[2], least=0, most=1)))
    return tuple(points)


def _methods(name: str, value: Any) -> tuple[str, ...]:
    methods = tuple(_named(METHODS, "method", each) for each in _list(name, value, len(METHODS)))
    if not methods or len(set(methods)) < len(methods):
        raise ValueError(f"{name} must be at least one of {', '.join(METHODS)}, each once")
    return methods


def _numbers(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{name} must be numbers by names; got {shown(value)}")
    return value


def _by(check: Check, default: Any) -> Any:
    return field(default=default, metadata={"check": check})


@dataclass(frozen=True)
class Settings:
    """Fields by the names that the page has for them. Numbers of optimizers and schedules, and
    names of functions, are checked where they are used.
    """

    data: str = _by(partial(_named, DATA), "xor")
    rows: int = _by(partial(whole_number, least=2, most=MOST_ROWS), 200)
    noise: float = _by(partial(finite_number, least=0.0), 0.03)
    csv: str = _by(_text, "")
    file: str = _by(_text, "data.csv")  # the name of the CSV
    target: str = _by(_text, "")  # empty for its last column
    points: tuple[tuple[float, float, int], ...] = _by(_points, ())
    hidden: tuple[tuple[int, str], ...] = _by(_hidden, ((2, "sigmoid"),))
    output: str = _by(_text, "")  # empty for what suits the data; so is what follows
    loss: str = _by(_text, "")
    init: str = _by(partial(_named, ("", *SCHEMES)), "")
    seed: int = _by(_seed, 0)
    learning_rate: float = _by(finite_number, 0.5)
    schedule: str = _by(partial(_named, tuple(SCHEDULES)), "constant")
    schedule_numbers: dict[str, Any] = field(default_factory=dict, metadata={"check": _numbers})
    optimizer: str = _by(partial(_named, tuple(OPTIMIZERS)), "sgd")
    optimizer_numbers: dict[str, Any] = field(default_factory=dict, metadata={"check": _numbers})
    batch_size: int | None = _by(partial(_or_none, partial(whole_number, least=1)), None)
    l2: float = _by(partial(finite_number, least=0.0), 0.0)
    methods: tuple[str, ...] = _by(_methods, ("backprop",))
    eps: float = _by(partial(finite_number, positive=True), 0.1)
    epochs: int = _by(partial(whole_number, least=1, most=MOST), 100_000_000)

    @classmethod
    def of(cls, given: Any) -> Settings:
        """Of what the page sends; a SettingsError by fields where it is wrong."""
        errors = Errors()
        if not isinstance(given, dict):
            errors["form"] = f"settings must be values by names; got {shown(given)}"
        errors.check()
        known = {each.name: each for each in fields(cls)}
        for name in given:
            if name not in known:
                errors["form"] = f"unknown setting {name!r}; known: {', '.join(known)}"
        values = {}
        for name, value in given.items():
            if name in known:
                try:
                    values[name] = known[name].metadata["check"](name, value)
                except (ValueError, TypeError) as error:
                    errors[name] = " ".join(str(error).split())
        errors.check()
        return cls(**values)
