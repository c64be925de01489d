"""The library's bar, and before it a line that says what is waited for; nothing where stderr is no
terminal.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fastgd.system.forgiving_stream import ForgivingStream
from fastgd.training.progress import Bar

if TYPE_CHECKING:
    from fastgd.training.progress import Progress

_CLEAR = "\r\x1b[K"


class WaitingBar(Bar):
    """The `progress` of `train`, which enters it when it starts to compile."""

    def __enter__(self) -> WaitingBar:
        title = f"{self.title}: " if self.title else ""
        self._show(f"{title}compiling, or loading what was compiled before ...")
        return self

    def __exit__(self, kind: type[BaseException] | None = None, *more: object) -> None:
        super().__exit__(kind, *more)
        self._show("")

    def __call__(self, progress: Progress) -> None:
        if self.bar is None:
            self._show("")
        super().__call__(progress)

    def _show(self, text: str) -> None:
        file = ForgivingStream(sys.stderr)
        if file.isatty():
            print(_CLEAR, text, sep="", end="", file=file, flush=True)
