"""What a command has worked for is saved before it is printed, in another place if need be."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable

from fastgd.system.files import reason_of
from fastgd.system.interrupt import Interrupt


def saved(save: Callable[[str], object], path: str) -> str | None:
    """The file that it is saved in: `path`, or one that a line on stderr names; None if in none.

    The first Ctrl-C waits until it is saved.
    """
    with Interrupt() as interrupt:
        place = _saved(save, path)
    if interrupt.asked:
        raise KeyboardInterrupt
    return place


def _saved(save: Callable[[str], object], path: str) -> str | None:
    try:
        save(path)
    except OSError as error:
        place: str | None = error.filename2
        told = reason_of(error)
        if place is None:
            place = _elsewhere(save, path)
            told += f"; it is saved in {place}" if place else "; nor can it be saved elsewhere"
        print(f"fastgd: error: {path}: {told}", file=sys.stderr)
        return place
    return path


def _elsewhere(save: Callable[[str], object], path: str) -> str | None:
    """A file in a new folder among the temporary ones."""
    try:
        place = os.path.join(tempfile.mkdtemp(prefix="fastgd-"), os.path.basename(path))
        save(place)
    except OSError:
        return None
    return place
