"""Standard output for what programs read: CSV and JSON are UTF-8 there, whatever the terminal's
encoding.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any


@contextmanager
def utf8_output() -> Iterator[IO[str]]:
    """Standard output, in UTF-8 within; where it is not made of bytes, as it is."""
    out = sys.stdout
    if not isinstance(out, io.TextIOWrapper):
        yield out
        return
    encoding, errors = out.encoding, out.errors
    out.reconfigure(encoding="utf-8", errors="strict")
    try:
        yield out
        out.flush()
    finally:
        out.reconfigure(encoding=encoding, errors=errors)


def print_facts(facts: dict[str, Any]) -> None:
    """Facts as JSON."""
    with utf8_output() as out:
        print(json.dumps(facts, indent=2), file=out)


def printable(text: str) -> str:
    """Words with what standard output can't say written out, as \\u732b."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
