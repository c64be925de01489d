"""Reading CSV block by block: most are checked by NumPy, the others by Python's csv."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, NamedTuple

import numpy as np

from fastgd.data.blocks import Block
from fastgd.data.cells import is_number

SEPARATORS = (",", ";", "\t", "|", " ")
_BLOCK = 2**20  # bytes that are read at a time
_NEWLINE, _QUOTE, _APART = ord("\n"), ord('"'), "\x1f"
_LINE_END = re.compile(rb"\r?\n|\r(?!\Z)")
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


def read_csv(start: bytes, file: BinaryIO, source: str) -> tuple[Header, list[Block]]:
    """The records of a file of which `start` is read already; the first names the columns.

    It is in UTF-8, or in UTF-16 with a byte-order mark. Blank lines at its end are none.

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
            block, line_after = _read_block(header, text, line)
        except _UnfinishedError as error:
            more = lines.take(len(text))
            if not more:
                raise ValueError(str(error)) from None
            text += more
            continue
        block.read(odd)
        blocks.append(block)
        line, text = line_after, b""
    if not blocks:
        raise ValueError(f"{source} has a header row and no rows")
    return header, blocks


class _UnfinishedError(Exception):
    """The text ends inside a quoted cell, or is wrong in its last line."""


class _Lines:
    """A file in UTF-8, some whole lines at a time, up to the last line that is not blank."""

    def __init__(self, start: bytes, file: BinaryIO, source: str) -> None:
        self.file, self.source, self.rest = file, source, start.removeprefix(codecs.BOM_UTF8)
        for mark, encoding in _ENCODINGS:
            if start.startswith(mark):
                try:
                    whole = (start + file.read()).decode(encoding).encode()
                except UnicodeError as error:
                    raise ValueError(
                        f"{source}: expected text in {encoding}, as its first bytes say; {error}"
                    ) from None
                self.file, self.rest = io.BytesIO(whole), b""
                break

    def take(self, size: int) -> bytes:
        """About `size` bytes, to the end of a line that is not blank; none at the end."""
        text = self.rest
        while more := self.file.read(size):
            text += more
            full = len(text.rstrip(_BLANKS))
            after = _LINE_END.search(text, full) if full else None
            end = after.end() if after else text.rfind(b"\n", 0, full) + 1
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
        raise ValueError(
            f"{lines.source} is empty; expected a header row of column names, then rows"
        )
    if b"\0" in text.partition(b"\n")[0]:
        expected = "text in UTF-8, or in UTF-16 with a byte-order mark"
        raise ValueError(f"{lines.source}, line 1: expected {expected}; got byte 0x00")
    while True:
        decoded = _decoded(text, lines.source, 1)
        separator, nameless = _separator(decoded)
        stream = io.StringIO(decoded, newline="")
        try:
            names = [name.strip() for name in next(_records(stream, lines.source, separator, 1))[1]]
            names = ["", *names] if nameless else names
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
        raise ValueError(
            f"{source}, line 1: expected a header row of column names; got a blank line"
        )
    for position, name in enumerate(names):
        if not name and position:
            raise ValueError(f"{source}, line 1: column {position + 1} has no name")
        if name in names[:position]:
            raise ValueError(
                f"{source}, line 1: two columns, {names.index(name) + 1} and {position + 1}, have "
                f"the name {name!r}"
            )
    if all(map(is_number, names)) and names != [str(i) for i in range(len(names))]:
        raise ValueError(f"{source}, line 1: expected a header row of column names; got numbers")


def _separator(text: str) -> tuple[str, bool]:
    """What makes as many cells of the first record as of the second, and at least two.

    Where nothing does, what makes some of the first, for messages about the second. And whether a
    name is left out before the first one: of blanks, between which R and pandas write no empty one.
    """
    found = []
    for separator in SEPARATORS:
        try:
            records = _records(io.StringIO(text, newline=""), "", separator, 1)
            first, second, *_ = (*(cells for _, cells in islice(records, 2)), [])
        except (ValueError, _UnfinishedError):
            continue
        if len(first) > 1 and len(first) == len(second):
            return separator, False
        counts = len(second) == len(first) + 1 and second[0] in ("0", "1")  # maybe the rows
        if len(first) > 1 and separator != " ":
            found.append(separator)
        elif len(first) > 1 and counts and not found:
            return separator, True
    return found[0] if found else ",", False


def _read_block(header: Header, text: bytes, line: int) -> tuple[Block, int]:
    """A block that begins in this line, and the line after it."""
    decoded = _decoded(text, header.source, line)
    plain = _plain(header, text)
    if plain is None:
        block, line = _records_block(header, decoded, line), line + _count_lines(decoded)
    else:
        rows = int(np.count_nonzero(np.frombuffer(plain[0], np.uint8) == _NEWLINE))
        block = Block(*plain, len(header.names), range(line, line + rows), {}, {})
        line += rows
    return block, line


def _records_block(header: Header, decoded: str, line: int) -> Block:
    """A block that Python's csv reads, written anew without quotes."""
    width = len(header.names)
    starts: list[int] = []
    rows: list[list[str]] = []
    for start, cells in _records(
        io.StringIO(decoded, newline=""), header.source, header.separator, line
    ):
        if len(cells) != width:
            got = len(cells) if len(cells) > 1 or "".join(cells).strip() else "a blank line"
            raise ValueError(
                f"{header.source}, line {start}: expected {width} cells, one a column; got {got}"
            )
        starts.append(start)
        rows.append(cells)
    text = "\n".join(map(_APART.join, rows)) + "\n"
    if text.count("\n") == len(rows) and text.count(_APART) == len(rows) * (width - 1):
        return Block(text.encode(), _APART, width, starts, {}, {})
    # some cells have lines of their own
    cut = {i: [cell.strip() for cell in cells] for i, cells in enumerate(zip(*rows, strict=True))}
    return Block(b"", _APART, width, starts, {}, cut)


def _plain(header: Header, text: bytes) -> tuple[bytes, str] | None:
    """The text with no quotes and a line for each record, and its separator.

    None where that needs care: quotes that do more than to enclose cells, records that do not fit.
    """
    separator, width = header.separator, len(header.names)
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    quoted = b'"' in text
    if separator == " " and not quoted:
        text = re.sub(rb"^ | (?=\n)", b"", re.sub(rb" +", b" ", text), flags=re.MULTILINE)
    if b"\r" in text or (width == 1 and (quoted or text.startswith(b"\n") or b"\n\n" in text)):
        return None
    data = np.frombuffer(text, np.uint8)
    newline = data == _NEWLINE
    end = newline | (data == ord(separator))
    if quoted:
        quotes = np.flatnonzero(data == _QUOTE)
        first, last = quotes[::2], quotes[1::2]
        if len(first) != len(last) or _APART.encode() in text:
            return None
        inside = np.zeros(len(data), np.int8)
        inside[first], inside[last] = 1, -1
        outside = np.cumsum(inside, dtype=np.int8) == 0
        end &= outside
        if (
            not (newline <= outside).all()
            or not (end[first - 1] | (first == 0)).all()
            or not end[last + 1].all()
        ):
            return None
        data, separator = np.where(end & ~newline, np.uint8(ord(_APART)), data), _APART
        kept = data != _QUOTE
        data, newline, end = data[kept], newline[kept], end[kept]
        text = data.tobytes()
    ends = np.flatnonzero(end)
    whole = (
        ends.size == np.count_nonzero(newline) * width and newline[ends[width - 1 :: width]].all()
    )
    return (text, separator) if whole else None


def _records(
    stream: io.StringIO, source: str, separator: str, line: int
) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line that it begins in; the stream's first line is `line`."""
    reader = csv.reader(stream, delimiter=separator, strict=True, skipinitialspace=True)
    start = line
    try:
        for record in reader:
            if separator == " " and len(record) > 1 and not record[-1]:
                record.pop()
            yield start, record
            start = line + reader.line_num
    except csv.Error as error:
        message = f"{source}, line {start}: {error}"
        raise (ValueError(message) if stream.read(1) else _UnfinishedError(message)) from None


def _decoded(text: bytes, source: str, line: int) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        line += text.count(b"\n", 0, error.start)
        raise ValueError(
            f"{source}, line {line}: expected text in UTF-8; got byte 0x{text[error.start]:02x}"
        ) from None


def _count_lines(text: str) -> int:
    return sum(1 for _ in io.StringIO(text, newline=""))
