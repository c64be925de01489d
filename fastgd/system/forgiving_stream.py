"""A text stream for decoration: writing to it ends nothing, whatever has become of it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any


class ForgivingStream:
    """A text stream, or None for a closed one, without its errors: what it refuses is dropped.

    What its encoding lacks is written as escapes.
    """

    def __init__(self, stream: Any):
        self.stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """All of it, as far as the caller can see."""
        with suppress(Exception):
            try:
                self.stream.write(text)
            except UnicodeEncodeError:
                encoding = self.stream.encoding
                self.stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def flush(self) -> None:
        """As far as that can be."""
        with suppress(Exception):
            self.stream.flush()

    def isatty(self) -> bool:
        """Whether it is a terminal, for all that is known."""
        with suppress(Exception):
            return bool(self.stream.isatty())
        return False
