"""Files of rows, CSV with a header or .npz with X and Y, as named columns; errors
name the place.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple, Protocol

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.data.blocks import CsvColumn
from fastgd.data.cells import hint
from fastgd.data.cells import numbers as words_of
from fastgd.data.csvfile import read_csv
from fastgd.system import warn as caution

_ZIP = b"PK\x03\x04"


class Column(Protocol):
    """Where the cells of a column are, and how they are read."""

    @property
    def typed(self) -> bool:
        """Whether the cells are numbers by their type, not by their text."""

    def text(self) -> list[str]:
        """The cells as text."""

    def numbers(self) -> Array:
        """The cells as float64, NaN for what is no number."""


class ArrayColumn(NamedTuple):
    """Cells in an array, of numbers or of text."""

    cells: Array

    @property
    def typed(self) -> bool:
        return self.cells.dtype.kind != "U"

    def text(self) -> list[str]:
        """Whole numbers without a point."""
        if self.cells.dtype.kind == "f":
            return [str(int(cell)) if cell.is_integer() else str(cell) for cell in self.cells]
        return list(map(str, self.cells.tolist()))

    def numbers(self) -> Array:
        return self.cells.astype(float) if self.typed else words_of(self.cells.tolist())


class TextColumn(NamedTuple):
    """Cells in a list."""

    cells: list[str]

    @property
    def typed(self) -> bool:
        return False

    def text(self) -> list[str]:
        return self.cells

    def numbers(self) -> Array:
        return words_of(self.cells)


class RowsOfColumn(NamedTuple):
    """Some rows of a column."""

    column: Column
    rows: Array

    @property
    def typed(self) -> bool:
        return self.column.typed

    def text(self) -> list[str]:
        text = self.column.text()
        return [text[row] for row in self.rows]

    def numbers(self) -> Array:
        return np.asarray(self.column.numbers()[self.rows])


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of a file.

    Attributes
    ----------
    source : str, what messages call the file
    cells : dict of str to Column, in the order of the file
    lines : where each row stands: the line of a CSV that it begins in, the row of an .npz
    targets : names of the columns that an .npz holds as Y
    unit : what `lines` counts

    Examples
    --------
    >>> np.savetxt("line.csv", [[1, 2], [2, 4]], delimiter=",", header="x,y", comments="")
    >>> columns = fastgd.data.read_columns("line.csv")
    >>> len(columns), columns.names, columns.numbers("y").tolist()
    (2, ('x', 'y'), [2.0, 4.0])
    """

    source: str
    cells: dict[str, Column]
    lines: Sequence[int] | Array
    targets: tuple[str, ...] = field(default=())
    unit: str = "line"

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(self.cells)

    def check_known(self, argument: str, names: Sequence[str]) -> None:
        """Refuse a name that is no column, and one that comes twice."""
        for position, name in enumerate(names):
            if name not in self.cells:
                raise ValueError(
                    f"{argument}: {self.source} has no column {name!r}; it has: "
                    f"{', '.join(self.names)}"
                )
            if name in names[:position]:
                raise ValueError(f"{argument}: column {name!r} is named twice")

    @property
    def places(self) -> list[str]:
        """Where each row stands, in words."""
        return [f"{self.unit} {line}" for line in self.lines]

    def place(self, row: int, name: str) -> str:
        """Where a cell stands, for messages."""
        return f"{self.source}, {self.unit} {self.lines[row]}, column {name!r}"

    def text(self, name: str) -> list[str]:
        """The column's cells as text, none empty."""
        cells = self.cells[name].text()
        if "" in cells:
            raise ValueError(f"{self.place(cells.index(''), name)}: missing value{hint('')}")
        return cells

    def values(self, name: str) -> Array:
        """The column as float64, NaN for what is no number."""
        return self.cells[name].numbers()

    def numbers(self, name: str) -> Array:
        """The column as float64, finite everywhere."""
        values = self.values(name)
        finite = np.isfinite(values)
        if not finite.all():
            row = int(np.argmin(finite))
            cell = self.cells[name].text()[row]
            wrong = f"expected a finite number; got {cell!r}" if cell else "missing value"
            raise ValueError(f"{self.place(row, name)}: {wrong}{hint(cell)}")
        return values

    def only(self, names: Sequence[str], *, text: bool) -> Columns:
        """These columns alone, as text or as numbers, which do without the rest of the file."""
        cells: dict[str, Column] = {}
        for name in names:
            cells[name] = (
                TextColumn(self.cells[name].text()) if text else ArrayColumn(self.values(name))
            )
        return Columns(self.source, cells, self.lines, self.targets, self.unit)

    def take(self, rows: Sequence[int] | Array) -> Columns:
        """These rows alone."""
        rows = np.asarray(rows)
        columns: dict[str, Column] = {
            name: RowsOfColumn(column, rows) for name, column in self.cells.items()
        }
        return Columns(self.source, columns, np.asarray(self.lines)[rows], self.targets, self.unit)


def read_columns(path: str | os.PathLike[str]) -> Columns:
    """Read a CSV file with a header row, or an .npz file with arrays X and, if known, Y.

    CSV is text in UTF-8, or in UTF-16 with a byte-order mark. Commas, semicolons, tabs, bars or
    blanks separate its cells, whichever suits the first two records; blanks around a cell are no
    part of it. A first column without a name whose cells count the rows, from 0 or from 1, is left
    out, with a warning. The columns of an .npz are named x1, x2, ... and y1, y2, ...

    Raises
    ------
    OSError
        If the file can't be read.
    ValueError
        If it is no such file, naming the line and the column.

    Examples
    --------
    >>> np.savetxt("line.csv", [[1, 2], [2, 4]], delimiter=";", header="x;y", comments="")
    >>> fastgd.data.read_columns("line.csv").names
    ('x', 'y')
    """
    with open(path, "rb") as file:
        return columns_of(file, os.fspath(path))


def parse_columns(data: bytes, source: str) -> Columns:
    """The columns in the bytes of a CSV or .npz file that messages call `source`."""
    return columns_of(io.BytesIO(data), source)


def columns_of(file: BinaryIO, source: str) -> Columns:
    """The columns of an open CSV or .npz file, read from here on, that messages call `source`."""
    start = file.read(len(_ZIP))
    return (
        _from_npz(start + file.read(), source) if start == _ZIP else _from_csv(start, file, source)
    )


def _from_csv(start: bytes, file: BinaryIO, source: str) -> Columns:
    header, blocks = read_csv(start, file, source)
    lines: Sequence[int] | Array = range(blocks[0].lines[0], blocks[-1].lines[-1] + 1)
    if len(lines) != sum(len(block.lines) for block in blocks):
        lines = np.concatenate([block.lines for block in blocks])
    columns: dict[str, Column] = {name: CsvColumn(blocks, i) for i, name in enumerate(header.names)}
    if "" in columns:
        counted = columns.pop("").numbers()
        if (
            not columns
            or not (counted == np.arange(len(counted)) + counted[0]).all()
            or counted[0] not in (0, 1)
        ):
            raise ValueError(f"{source}, line 1: column 1 has no name")
        caution.warn(
            f"{source}: the first column, which has no name, counts the rows; it is left out"
        )
    return Columns(source, columns, lines)


def _from_npz(data: bytes, source: str) -> Columns:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in ("X", "Y") if name in archive.files}
            found = ", ".join(archive.files)
    # zipfile, zlib, struct and numpy raise errors of no common ancestor for damaged files
    except Exception as error:
        raise ValueError(f"{source} is no whole .npz file of plain arrays: {error}") from None
    if "X" not in arrays:
        raise ValueError(f"{source} has no array X; it has: {found}")
    columns: dict[str, Column] = {}
    for name, array in arrays.items():
        kinds, expected = (
            ("biuf", "real numbers") if name == "X" else ("biufU", "real numbers or text")
        )
        if array.dtype.kind not in kinds or array.ndim not in (1, 2):
            raise ValueError(
                f"{source}: {name} must be rows of {expected}; got shape {array.shape} of dtype "
                f"{array.dtype}"
            )
        if len(array) != len(arrays["X"]) or array.size == 0:
            raise ValueError(
                f"{source}: X and Y must have the same number of rows, at least one; got shape "
                f"{array.shape} for {name}"
            )
        table = array.reshape(len(array), -1)
        columns |= {
            f"{name.lower()}{i + 1}": ArrayColumn(table[:, i]) for i in range(table.shape[1])
        }
    return Columns(
        source,
        columns,
        range(len(arrays["X"])),
        tuple(name for name in columns if name[0] == "y"),
        "row",
    )
