"""What a cell of text says: a number, that a value is missing, or text, such as a label."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from fastgd.arguments.checks import Array

_NOT_FINITE = ("nan", "inf", "infinity")
_MISSING = ("", "na", "n/a", "#n/a", "<na>", "null", "none", "?", "-", *_NOT_FINITE)
# 1e400, which a wider float may have written; 0047583311587E590003 is an identifier
_AS_NUMBERS_ARE_WRITTEN = re.compile(r"[+-]?(0|[1-9]\d*)?(\.\d*)?(e[+-]?\d{1,4})?", re.IGNORECASE)
_MONTH = (
    "(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?"
    "|oct(ober)?|nov(ember)?|dec(ember)?)"
)
_DATE = (
    r"\d{1,4}([-/.])\d{1,2}\2\d{1,4}|\d{4}[-/]\d{1,2}"
    rf"|(\d{{1,2}}[-/. ]*)?{_MONTH}[-/. ]*\d{{2,4}}|{_MONTH}[. ]*\d{{1,2}}, *\d{{4}}"
)
_TIME = r"\d{1,2}:\d{2}(:\d{2}(\.\d*)?)?"
_THOUSANDS = "write thousands without a separator, decimals after a point"
_HINTS = (
    (r"[+-]?[\d.,]+\s*%", "write percentages without the sign"),
    (r"[+-]?\d{1,3}(,\d{2,3})*,\d{3}(\.\d*)?", _THOUSANDS),  # of India too, 1,23,456
    (r"[+-]?\d{1,3}(['\u2019 \u00a0\u202f]\d{3})+([.,]\d*)?", _THOUSANDS),
    (r"[+-]?\d{1,3}(\.\d{3})+(,\d*)?", _THOUSANDS),
    (r"[+-]?\d*,\d+(e[+-]?\d+)?", "write decimals after a point"),
    (
        rf"({_DATE})([T ]+{_TIME}.*)?|{_TIME}",
        "write dates and times as numbers, such as days or seconds since the first, or leave the "
        "column out of the inputs",
    ),
    (r"[+-]?[$€£¥]\s*[\d.,]+|[\d.,]+\s*[$€£¥]", "write amounts without the currency"),
    (
        r"[^\W\d_].*",
        "write words as numbers, such as a column of 0 and 1 for each, or leave the column out of "
        "the inputs",
    ),
)


def number(cell: str) -> float:
    """The number that a cell is, NaN for none; Python would also take 1_000."""
    try:
        return math.nan if "_" in cell else float(cell)
    except ValueError:
        return math.nan


def numbers(cells: Sequence[str]) -> Array:
    """The numbers that (n,) cells are, NaN for none."""
    if "_" not in "".join(cells):
        try:
            return np.fromiter(map(float, cells), float, len(cells))
        except ValueError:
            pass
    return np.fromiter(map(_Numbers().__getitem__, cells), float, len(cells))


def is_number(cell: str) -> bool:
    """Whether a cell is a finite number."""
    return math.isfinite(number(cell))


def is_missing(cell: str) -> bool:
    """Whether a cell among numbers stands for a value that is not there: NA, ?, nan, -inf."""
    return cell.lower() in _MISSING or (cell[:1] in ("+", "-") and cell[1:].lower() in _NOT_FINITE)


def is_too_large(cell: str) -> bool:
    """Whether a cell is a number, written as numbers are, that float64 can't hold."""
    return math.isinf(number(cell)) and _AS_NUMBERS_ARE_WRITTEN.fullmatch(cell) is not None


def is_identifier(cell: str) -> bool:
    """Whether a cell is text that reads as a number too large: 0047583311587E590003."""
    return math.isinf(number(cell)) and not is_missing(cell) and not is_too_large(cell)


def is_whole(cell: str) -> bool:
    """Whether a cell is a whole number, in any spelling: 12, 012, 12.0, 1.2e1."""
    return is_number(cell) and float(cell).is_integer()


def is_plain_whole(cell: str) -> bool:
    """Whether a cell is a whole number, spelled as an int is printed."""
    return re.fullmatch(r"0|-?[1-9][0-9]*", cell) is not None and is_number(cell)


def hint(cell: str) -> str:
    """What to do about a missing value, a date, a percentage, a number with separators or a word;
    nothing for others.
    """
    if is_missing(cell):
        return "; fill it in, or leave out the row"
    return next(
        (f"; {what}" for pattern, what in _HINTS if re.fullmatch(pattern, cell, re.IGNORECASE)), ""
    )


class _Numbers(dict[str, float]):
    """The numbers of cells, each text read once."""

    def __missing__(self, cell: str) -> float:
        self[cell] = value = number(cell)
        return value
