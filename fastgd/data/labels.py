"""The classes of a target column: labels as they are written, or ints where all are written so."""

from __future__ import annotations

from collections.abc import Sequence, Sized

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.data.cells import (
    hint,
    is_identifier,
    is_missing,
    is_number,
    is_plain_whole,
    is_too_large,
    is_whole,
)
from fastgd.data.columns import Columns

Label = str | int


def widths(classes: Sized) -> tuple[int, ...]:
    """Output widths that serve these classes."""
    return {1: (), 2: (2, 1)}.get(len(classes), (len(classes),))


def names_of_outputs(
    targets: Sequence[str], classes: Sequence[Label] | None, outputs: int
) -> list[str]:
    """What each output of a network says: the class that it is for, which of two classes at one
    output is the second; or the target whose value.
    """
    if classes is None:
        return list(targets)
    return [str(label) for label in classes[-outputs:]]


def classes_of(
    columns: Columns, targets: Sequence[str], task: str, outputs: int | None
) -> tuple[Label, ...] | None:
    """The classes of the target column, sorted, or None if targets are values.

    A number that is spelled in two ways, 1 and 01, is two classes. It is refused where `task` is
    auto and it may be meant to be one.
    """
    if task == "values":
        return None
    if len(targets) > 1:
        if task == "classes":
            raise ValueError(f"classes need a single target column; got {', '.join(targets)}")
        return None
    name = targets[0]
    if task == "auto" and _are_values(columns.values(name), outputs):
        return None
    text = columns.text(name)
    spelled = sorted(set(text))
    _check_missing(columns, name, text, spelled)
    fits = outputs in widths(spelled)
    if (
        task == "auto"
        and any(map(is_number, spelled))
        and not fits
        and not any(map(is_identifier, spelled))
    ):
        _check_spelling(columns, name, spelled, outputs)
        # numbers, or numbers with a slip among them, which reading them as numbers will name
        return None
    if len(spelled) < 2:
        raise ValueError(
            f"{columns.source}, column {name!r}: classes must be at least two; got "
            f"{_label(spelled[0])!r} alone"
        )
    if outputs is not None and not fits:
        needed = " or ".join(map(str, widths(spelled)))
        raise ValueError(
            f"column {name!r} holds {len(spelled)} classes and needs {needed} outputs; got "
            f"{outputs}"
        )
    if all(map(is_number, spelled)):
        spelled.sort(key=float)
    return tuple(map(_label, spelled)) if all(map(is_plain_whole, spelled)) else tuple(spelled)


def positions_of(columns: Columns, name: str, classes: Sequence[Label]) -> Array:
    """(n,) the number of each row's class, -1 where it is none of these.

    Raises
    ------
    ValueError
        If a cell is the number that a class is, in another spelling.
    """
    cells = columns.cells[name].text()
    order = {str(label): position for position, label in enumerate(classes)}
    numbers = {float(label): label for label in order if is_number(label)}
    unknown = [cell for cell in dict.fromkeys(cells) if cell not in order]
    for cell in unknown:
        if is_number(cell) and float(cell) in numbers:
            known = numbers[float(cell)]
            raise ValueError(
                f"{columns.place(cells.index(cell), name)}: {cell!r} is not how class {known!r} "
                "was written in training"
            )
    order |= dict.fromkeys(unknown, -1)
    return np.fromiter(map(order.__getitem__, cells), np.int64, len(cells))


def _label(text: str) -> Label:
    return int(text) if is_plain_whole(text) else text


def _are_values(values: Array, outputs: int | None) -> bool:
    """Whether numbers are no classes: some are fractions, or they are too many for the outputs."""
    if not np.isfinite(values).all():
        return False
    return bool((values != np.floor(values)).any()) or len(np.unique(values)) > max(outputs or 2, 2)


def _check_missing(columns: Columns, name: str, text: list[str], spelled: Sequence[str]) -> None:
    """Refuse NA and the like among numbers, which would be one more class; in text
    they are text.
    """
    large = {cell for cell in spelled if is_too_large(cell)}
    numeric = large or columns.cells[name].typed
    wrong = (
        {cell for cell in spelled if is_missing(cell)}
        if numeric or any(map(is_number, spelled))
        else set()
    )
    if all(is_number(cell) or cell in large or cell in wrong for cell in spelled):
        wrong |= large
    if wrong:
        row = next(row for row, cell in enumerate(text) if cell in wrong)
        raise ValueError(
            f"{columns.place(row, name)}: expected a finite number; got {text[row]!r}"
            f"{hint(text[row])}"
        )


def _check_spelling(
    columns: Columns, name: str, spelled: Sequence[str], outputs: int | None
) -> None:
    """Refuse whole numbers that would fit `outputs` if two spellings of one were one class."""
    if not all(map(is_whole, spelled)) or outputs not in widths({float(cell) for cell in spelled}):
        return
    first: dict[float, str] = {}
    for cell in spelled:
        other = first.setdefault(float(cell), cell)
        if other != cell:
            raise ValueError(
                f"{columns.source}, column {name!r}: {other!r} and {cell!r} are one number and two "
                "classes; "
                "write them alike, or say what they are by task values or classes"
            )
