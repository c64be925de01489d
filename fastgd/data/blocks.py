"""Records as plain text: numbers are read at once, by pyarrow or NumPy, cells cut
when asked for.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.data.cells import numbers

_LARGE = 2**18  # bytes, for which pyarrow is worth its import


class Block(NamedTuple):
    """Some records of a file, a line for each; wherever the separator stands it is one."""

    text: bytes
    separator: str
    width: int  # cells of a record
    lines: Sequence[int]  # where the records begin in the file
    known: dict[int, Array]  # numbers that have been read, by the position of the column
    cut: dict[int, list[str]]  # and cells

    def cells(self, position: int) -> list[str]:
        """A column as text."""
        if position not in self.cut:
            lines = self.text[:-1].decode().split("\n")
            after = self.width - 1 - position
            if position <= after:
                cells = [
                    line.split(self.separator, position + 1)[position].strip() for line in lines
                ]
            else:
                cells = [
                    line.rsplit(self.separator, after + 1)[-1 - after].strip() for line in lines
                ]
            kept: dict[str, str] = {}
            self.cut[position] = [kept.setdefault(cell, cell) for cell in cells]
        return self.cut[position]

    def numbers(self, position: int) -> Array:
        """A column as numbers, NaN for what is none."""
        return self.known[position] if position in self.known else numbers(self.cells(position))

    def read(self, odd: set[int]) -> None:
        """Read the numbers of all columns but the odd ones, which are not numbers alone.

        Columns that turn out to be odd are added.
        """
        wanted = [position for position in range(self.width) if position not in odd]
        columns = None if self.cut else _matrix(self, wanted)
        for i, position in enumerate(wanted):
            values = self.known[position] = (
                self.numbers(position) if columns is None else columns[i]
            )
            if np.isnan(values).any():
                odd.add(position)


class CsvColumn(NamedTuple):
    """A column of a file."""

    blocks: list[Block]
    position: int

    @property
    def typed(self) -> bool:
        """Whether the cells are numbers by their type, not by their text."""
        return False

    def text(self) -> list[str]:
        """The cells, without the blanks around them."""
        return [cell for block in self.blocks for cell in block.cells(self.position)]

    def numbers(self) -> Array:
        """The cells as numbers, NaN for what is none."""
        return np.concatenate([block.numbers(self.position) for block in self.blocks])


def _matrix(block: Block, columns: list[int]) -> Sequence[Array] | None:
    """Columns as numbers; None where a cell is no number, or none that the reader takes."""
    if not columns:
        return []
    try:
        found = _by_numpy(block, columns) if len(block.text) < _LARGE else _by_arrow(block, columns)
    except ImportError:
        found = _by_numpy(block, columns)
    return found if found is not None and len(found[0]) == len(block.lines) else None


def _by_numpy(block: Block, columns: list[int]) -> Sequence[Array] | None:
    lines = io.StringIO(block.text.decode())
    try:
        return list(
            np.loadtxt(lines, delimiter=block.separator, comments=None, usecols=columns, ndmin=2).T
        )
    except ValueError:
        return None


def _by_arrow(block: Block, columns: list[int]) -> Sequence[Array] | None:
    from pyarrow import ArrowInvalid, BufferReader, csv, float64

    if block.text.startswith(codecs.BOM_UTF8):  # which would be skipped
        return None
    names = list(map(str, range(block.width)))
    wanted = [names[position] for position in columns]
    try:
        table = csv.read_csv(
            BufferReader(block.text),
            csv.ReadOptions(use_threads=False, block_size=len(block.text) + 1, column_names=names),
            csv.ParseOptions(delimiter=block.separator, quote_char=False, double_quote=False),
            csv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, float64()),
                null_values=[],
            ),
        )
    except ArrowInvalid:
        return None
    # its own conversion would import pandas, and its memory has gaps
    buffers = [column.combine_chunks().buffers()[1] for column in table.columns]
    return list(np.array([np.frombuffer(buffer, float, table.num_rows) for buffer in buffers]))
