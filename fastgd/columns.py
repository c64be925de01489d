"""Reading a file of rows, CSV with a header or .npz with X and Y, into named columns; what is malformed is refused with its place."""

from __future__ import annotations

import codecs
import csv
import io
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastgd.checks import Array

_ZIP = b"PK\x03\x04"
_MISSING = ("na", "n/a", "#n/a", "<na>", "nan", "+nan", "-nan", "null", "none", "?", "-")


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of a file, each a list of text cells or, from .npz, an array.

    Attributes
    ----------
    source : str, what messages call the file
    cells : dict of str to list of str or array, in the order of the file
    places : list of str, where each row stands: "line 7" of a CSV, "row 6" of an .npz
    targets : names of the columns that an .npz holds as Y
    """

    source: str
    cells: dict[str, list[str] | Array]
    places: list[str]
    targets: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.places)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(self.cells)

    def check_known(self, argument: str, names: Sequence[str]) -> None:
        """Refuse a name that is no column, and one that comes twice."""
        for position, name in enumerate(names):
            if name not in self.cells:
                raise ValueError(f"{argument}: {self.source} has no column {name!r}; it has: {', '.join(self.names)}")
            if name in names[:position]:
                raise ValueError(f"{argument}: column {name!r} is named twice")

    def text(self, name: str) -> list[str]:
        """The column's cells as text, none empty."""
        cells = list(map(str, self.cells[name]))
        for place, cell in zip(self.places, cells, strict=True):
            if not cell:
                raise ValueError(f"{self.source}, {place}, column {name!r}: missing value")
        return cells

    def numbers(self, name: str) -> Array:
        """The column as float64, finite everywhere."""
        cells = self.cells[name]
        numeric = isinstance(cells, np.ndarray) and cells.dtype.kind != "U"
        values = np.array(cells, dtype=float) if numeric else np.array([_number(cell) for cell in cells])
        if not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values)))
            cell = str(cells[row])
            wrong = f"expected a finite number; got {cell!r}" if cell else "missing value"
            raise ValueError(f"{self.source}, {self.places[row]}, column {name!r}: {wrong}")
        return values

    def take(self, rows: Sequence[int]) -> Columns:
        """These rows alone."""
        cells: dict[str, list[str] | Array] = {name: [column[i] for i in rows] for name, column in self.cells.items()}
        return Columns(self.source, cells, [self.places[i] for i in rows], self.targets)


def is_number(cell: object) -> bool:
    """Whether a cell is a finite number."""
    return math.isfinite(_number(cell))


def is_missing(cell: str) -> bool:
    """Whether a cell among numbers stands for a value that is not there: NA, ?, nan, or a number too large to be finite."""
    return cell.lower() in ("", *_MISSING) or math.isinf(_number(cell))


def is_numeric(cells: Sequence[str] | Array) -> bool:
    """Whether there are numbers among the cells, be they too large to be finite."""
    if isinstance(cells, np.ndarray) and cells.dtype.kind != "U":
        return True
    return any(is_number(cell) or _overflows(str(cell)) for cell in cells)


def _overflows(cell: str) -> bool:
    return math.isinf(_number(cell)) and any(character.isdigit() for character in cell)


def _number(cell: Any) -> float:
    """`cell` as a float, NaN for what is none; Python would also take 1_000."""
    try:
        return math.nan if isinstance(cell, str) and "_" in cell else float(cell)
    except ValueError:
        return math.nan


def read_columns(path: str | os.PathLike[str]) -> Columns:
    """Read a CSV file with a header row, in UTF-8 and separated by commas, or an .npz file with arrays X and, if known, Y.

    The columns of an .npz are named x1, x2, ... and y1, y2, ...

    Raises
    ------
    OSError
        If the file can't be read.
    ValueError
        If it is no such file, naming the line and the column.
    """
    with open(path, "rb") as file:
        return parse_columns(file.read(), os.fspath(path))


def parse_columns(data: bytes, source: str) -> Columns:
    """The columns in the bytes of a CSV or .npz file that messages call `source`."""
    return _from_npz(data, source) if data.startswith(_ZIP) else _from_csv(data, source)


def _from_csv(data: bytes, source: str) -> Columns:
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{source}, line {line}: expected text in UTF-8; got byte 0x{data[error.start]:02x}") from None
    records = _records(text, source)
    if not records:
        raise ValueError(f"{source} is empty; expected a header row of column names, then rows")
    names = records[0][1]
    _check_header(source, names)
    if len(records) == 1:
        raise ValueError(f"{source} has a header row and no rows")
    for line, cells in records[1:]:
        if len(cells) != len(names):
            raise ValueError(f"{source}, line {line}: expected {len(names)} cells, one a column; got {len(cells)}")
    columns = zip(*(cells for _, cells in records[1:]), strict=True)
    return Columns(source, dict(zip(names, map(list, columns), strict=True)), [f"line {line}" for line, _ in records[1:]])


def _records(text: str, source: str) -> list[tuple[int, list[str]]]:
    """Each record with the line that it begins in; blank lines at the end are none, others are empty records."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    records = []
    line = 1
    try:
        for cells in reader:
            records.append((line, [cell.strip() for cell in cells]))
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"{source}, line {line}: {error}") from None
    while records and records[-1][1] in ([], [""]):
        records.pop()
    return records


def _check_header(source: str, names: list[str]) -> None:
    if not names:
        raise ValueError(f"{source}, line 1: expected a header row of column names; got a blank line")
    for position, name in enumerate(names):
        if not name:
            raise ValueError(f"{source}, line 1: column {position + 1} has no name")
        if name in names[:position]:
            raise ValueError(f"{source}, line 1: two columns, {names.index(name) + 1} and {position + 1}, have the name {name!r}")
    if all(map(is_number, names)) and names != [str(i) for i in range(len(names))]:
        raise ValueError(f"{source}, line 1: expected a header row of column names; got numbers")
    if len(names) == 1 and any(separator in names[0] for separator in ";\t"):
        raise ValueError(f"{source}, line 1: expected columns separated by commas; got {names[0]!r}")


def _from_npz(data: bytes, source: str) -> Columns:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in ("X", "Y") if name in archive.files}
            found = ", ".join(archive.files)
    except Exception as error:  # zipfile, zlib, struct and numpy raise errors of no common ancestor for damaged files
        raise ValueError(f"{source} is no whole .npz file of plain arrays: {error}") from None
    if "X" not in arrays:
        raise ValueError(f"{source} has no array X; it has: {found}")
    cells: dict[str, list[str] | Array] = {}
    for name, array in arrays.items():
        kinds, expected = ("biuf", "real numbers") if name == "X" else ("biufU", "real numbers or text")
        if array.dtype.kind not in kinds or array.ndim not in (1, 2):
            raise ValueError(f"{source}: {name} must be rows of {expected}; got shape {array.shape} of dtype {array.dtype}")
        if len(array) != len(arrays["X"]) or array.size == 0:
            raise ValueError(f"{source}: X and Y must have the same number of rows, at least one; got shape {array.shape} for {name}")
        table = array.reshape(len(array), -1)
        cells |= {f"{name.lower()}{i + 1}": table[:, i] for i in range(table.shape[1])}
    return Columns(source, cells, [f"row {i}" for i in range(len(arrays["X"]))], tuple(name for name in cells if name[0] == "y"))
