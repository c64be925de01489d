"""A line on the terminal that says how far training has come; nothing where stderr is no terminal."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastgd.progress import Progress


class Line:
    """Use it as the `progress` of `train`, inside a `with` that leaves the terminal's line empty."""

    def __init__(self, title: str = ""):
        self.title = f"{title}  " if title else ""
        self.terminal = sys.stderr.isatty()
        self.width = 0
        self.next = 0.0

    def __enter__(self) -> Line:
        self._show(f"{self.title}compiling, or loading what was compiled before ...")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._show("")
        if self.terminal:
            sys.stderr.write("\r")

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if not self.terminal or now < self.next:
            return
        self.next = now + 0.1
        share = f"{100 * progress.epoch / progress.epochs:.0f} %"
        self._show(
            f"{self.title}epoch {progress.epoch:,} of {progress.epochs:,} ({share})  cost {progress.cost:.6g}  {progress.seconds:.1f} s"
        )

    def _show(self, text: str) -> None:
        if self.terminal:
            text = text[: shutil.get_terminal_size().columns - 1]  # a line that wraps can't be written over
            sys.stderr.write(f"\r{text:{self.width}}")
            sys.stderr.flush()
            self.width = len(text)
