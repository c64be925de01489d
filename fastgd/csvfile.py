"""Reading CSV block by block: most blocks are checked and read in compiled code, those with quotes that matter by Python's csv."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, NamedTuple

import numpy as np

from fastgd.cells import is_number, numbers
from fastgd.checks import Array

SEPARATORS = (",", ";", "\t", "|", " ")
_BLOCK = 2**20  # bytes that are read at a time
_BLANKS = b" \t\r\n"
_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Header(NamedTuple):
    """The first record of a file."""

    source: str  # what messages call the file
    separator: str
    names: list[str]


@dataclass(frozen=True, eq=False)
class Block:
    """Some records of a file: their text, and the numbers that have been read."""

    header: Header
    text: bytes
    plain: bool  # a line is a record, and a separator is one wherever it stands
    lines: Sequence[int]  # where the records begin
    known: dict[int, Array]  # numbers, by the position of the column

    def cells(self, position: int) -> list[str]:
        """A column as text."""
        text, separator = self.text.decode(), self.header.separator
        if not self.plain:
            stream = io.StringIO(text, newline="")
            return [cells[position] for _, cells in _records(stream, self.header.source, separator, 1)]
        lines = text[:-1].split("\n")
        after = len(self.header.names) - 1 - position
        if position <= after:
            return [line.split(separator, position + 1)[position].strip() for line in lines]
        return [line.rsplit(separator, after + 1)[-1 - after].strip() for line in lines]

    def numbers(self, position: int) -> Array:
        """A column as numbers, NaN for what is none."""
        return self.known[position] if position in self.known else numbers(self.cells(position))


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


def read_csv(start: bytes, file: BinaryIO, source: str) -> tuple[Header, list[Block]]:
    """The records of a file in UTF-8, or in UTF-16 with a byte-order mark, of which `start` is read already; the first names the columns.

    A blank cell is a cell; blank lines at the end are none.

    Raises
    ------
    ValueError
        If it is malformed, naming the line.
    """
    lines = _Lines(start, file, source)
    header, line, text = _read_header(lines)
    blocks: list[Block] = []
    odd: set[int] = set()  # columns that are not numbers alone
    while text or (text := lines.take(_BLOCK)):
        try:
            block, line_after = _read_block(header, text, line, odd)
        except _UnfinishedError as error:
            more = lines.take(len(text))
            if not more:
                raise ValueError(str(error)) from None
            text += more
            continue
        blocks.append(block)
        line, text = line_after, b""
    if not blocks:
        raise ValueError(f"{source} has a header row and no rows")
    return header, blocks


class _UnfinishedError(Exception):
    """The text ends inside a quoted cell, or is wrong in its last line."""


class _Lines:
    """The bytes of a file in UTF-8, some whole lines at a time, up to the last line that is not blank."""

    def __init__(self, start: bytes, file: BinaryIO, source: str) -> None:
        self.file, self.source, self.rest = file, source, start.removeprefix(codecs.BOM_UTF8)
        for mark, encoding in _ENCODINGS:
            if start.startswith(mark):
                try:
                    whole = (start + file.read()).decode(encoding).encode()
                except UnicodeError as error:
                    raise ValueError(f"{source}: expected text in {encoding}, as its first bytes say; {error}") from None
                self.file, self.rest = io.BytesIO(whole), b""
                break

    def take(self, size: int) -> bytes:
        """About `size` bytes, to the end of a line that is not blank; none at the end of the file."""
        text = self.rest
        while more := self.file.read(size):
            text += more
            full = len(text.rstrip(_BLANKS))
            end = (text.find(b"\n", full) + 1 or text.rfind(b"\n", 0, full) + 1) if full else 0
            if end:
                self.rest = text[end:]
                return text[:end]
            size = len(text)
        self.rest = b""
        text = text.rstrip(_BLANKS)
        return text + b"\n" if text else b""


def _read_header(lines: _Lines) -> tuple[Header, int, bytes]:
    """The names of the columns, the line after them, and bytes that follow."""
    text = lines.take(_BLOCK)
    if not text:
        raise ValueError(f"{lines.source} is empty; expected a header row of column names, then rows")
    while True:
        decoded = _decoded(text, lines.source, 1)
        separator = _separator(decoded)
        stream = io.StringIO(decoded, newline="")
        try:
            names = next(_records(stream, lines.source, separator, 1))[1]
        except _UnfinishedError as error:
            if not (more := lines.take(len(text))):
                raise ValueError(str(error)) from None
            text += more
            continue
        rest = stream.read()
        line = 1 + _count_lines(decoded[: len(decoded) - len(rest)])
        _check_names(lines.source, names)
        return Header(lines.source, separator, names), line, rest.encode()


def _check_names(source: str, names: list[str]) -> None:
    """Refuse what is no header; a first column without a name may count the rows."""
    if names in ([], [""]):
        raise ValueError(f"{source}, line 1: expected a header row of column names; got a blank line")
    for position, name in enumerate(names):
        if not name and position:
            raise ValueError(f"{source}, line 1: column {position + 1} has no name")
        if name in names[:position]:
            raise ValueError(f"{source}, line 1: two columns, {names.index(name) + 1} and {position + 1}, have the name {name!r}")
    if all(map(is_number, names)) and names != [str(i) for i in range(len(names))]:
        raise ValueError(f"{source}, line 1: expected a header row of column names; got numbers")


def _separator(text: str) -> str:
    """The first that makes as many cells, at least two, of the first record as of the second; else the first that makes some."""
    found = []
    for separator in SEPARATORS:
        try:
            widths = [len(cells) for _, cells in islice(_records(io.StringIO(text, newline=""), "", separator, 1), 2)]
        except (ValueError, _UnfinishedError):
            continue
        if widths[0] > 1 and widths[0] == widths[-1] and len(widths) == 2:
            return separator
        if widths[0] > 1 and separator != " ":
            found.append(separator)
    return found[0] if found else ","


def _read_block(header: Header, text: bytes, line: int, odd: set[int]) -> tuple[Block, int]:
    """A block that begins in this line, and the line after it; `odd` columns are not read as numbers, and more may become so."""
    decoded = _decoded(text, header.source, line)
    plain = _plain(header, text)
    if plain is None:
        return _read_records(header, text, decoded, line, odd), line + _count_lines(decoded)
    rows = int(np.count_nonzero(np.frombuffer(plain, np.uint8) == ord("\n")))
    block = Block(header, plain, True, range(line, line + rows), {})
    wanted = [position for position in range(len(header.names)) if position not in odd]
    _keep(block, wanted, _matrix(header, plain, rows, wanted), odd)
    return block, line + rows


def _matrix(header: Header, text: bytes, rows: int, columns: list[int]) -> Sequence[Array] | None:
    """Columns of plain text as numbers; None where a cell is no number, or none that the reader takes."""
    if not columns:
        return []
    try:
        found = _by_arrow(header, text, columns)
    except ImportError:
        found = _by_numpy(header, text, columns)
    return found if found is not None and len(found[0]) == rows else None


def _by_numpy(header: Header, text: bytes, columns: list[int]) -> Sequence[Array] | None:
    lines = io.StringIO(text.decode())
    try:
        return list(np.loadtxt(lines, delimiter=header.separator, comments=None, usecols=columns, ndmin=2).T)
    except ValueError:
        return None


def _by_arrow(header: Header, text: bytes, columns: list[int]) -> Sequence[Array] | None:
    from pyarrow import ArrowInvalid, BufferReader, csv, float64

    if text.startswith(codecs.BOM_UTF8):  # which would be skipped
        return None
    names = list(map(str, range(len(header.names))))
    wanted = [names[position] for position in columns]
    try:
        table = csv.read_csv(
            BufferReader(text),
            csv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=names),
            csv.ParseOptions(delimiter=header.separator, quote_char=False, double_quote=False),
            csv.ConvertOptions(include_columns=wanted, column_types=dict.fromkeys(wanted, float64()), null_values=[]),
        )
    except ArrowInvalid:
        return None
    # its own conversion would import pandas, and its memory has gaps
    buffers = [column.combine_chunks().buffers()[1] for column in table.columns]
    return list(np.array([np.frombuffer(buffer, float, table.num_rows) for buffer in buffers]))


def _read_records(header: Header, text: bytes, decoded: str, line: int, odd: set[int]) -> Block:
    """A block as Python's csv reads it."""
    width = len(header.names)
    starts: list[int] = []
    rows: list[list[str]] = []
    for start, cells in _records(io.StringIO(decoded, newline=""), header.source, header.separator, line):
        if len(cells) != width:
            got = len(cells) if any(cells) or len(cells) > 1 else "a blank line"
            raise ValueError(f"{header.source}, line {start}: expected {width} cells, one a column; got {got}")
        starts.append(start)
        rows.append(cells)
    columns = list(zip(*rows, strict=True))
    wanted = [position for position in range(width) if position not in odd]
    block = Block(header, text, False, starts, {})
    _keep(block, wanted, [numbers(columns[position]) for position in wanted], odd)
    return block


def _keep(block: Block, positions: list[int], columns: Sequence[Array] | None, odd: set[int]) -> None:
    """The numbers of these columns, read from the cells one by one where they are None."""
    for i, position in enumerate(positions):
        values = block.known[position] = block.numbers(position) if columns is None else columns[i]
        if np.isnan(values).any():
            odd.add(position)


def _plain(header: Header, text: bytes) -> bytes | None:
    """The text with no quotes, and a line for each record; None where that can't be."""
    separator, width = header.separator.encode(), len(header.names)
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    if b'"' in text and width > 1:
        special = re.escape(separator) + rb"\n"
        text = re.sub(rb'(?<![^%b])"([^"%b]*)"(?=[%b])' % (special, special, special), rb"\1", text)
    if b'"' in text or b"\r" in text:
        return None
    if separator == b" ":
        text = re.sub(rb"^ | (?=\n)", b"", re.sub(rb" +", b" ", text), flags=re.MULTILINE)
    data = np.frombuffer(text, np.uint8)
    newline = data == ord("\n")
    ends = np.flatnonzero(newline | (data == separator[0]))
    whole = ends.size == np.count_nonzero(newline) * width and newline[ends[width - 1 :: width]].all()
    blank = width == 1 and (text.startswith(b"\n") or b"\n\n" in text)
    return text if whole and not blank else None


def _records(stream: io.StringIO, source: str, separator: str, line: int) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line that it begins in; the stream's first line is `line`."""
    reader = csv.reader(stream, delimiter=separator, strict=True, skipinitialspace=True)
    start = line
    try:
        for record in reader:
            cells = [cell.strip() for cell in record]
            if separator == " " and len(cells) > 1 and not cells[-1]:
                cells.pop()
            yield start, cells
            start = line + reader.line_num
    except csv.Error as error:
        message = f"{source}, line {start}: {error}"
        raise (ValueError(message) if stream.read(1) else _UnfinishedError(message)) from None


def _decoded(text: bytes, source: str, line: int) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        line += text.count(b"\n", 0, error.start)
        raise ValueError(f"{source}, line {line}: expected text in UTF-8; got byte 0x{text[error.start]:02x}") from None


def _count_lines(text: str) -> int:
    return sum(1 for _ in io.StringIO(text, newline=""))
