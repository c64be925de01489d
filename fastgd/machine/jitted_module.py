"""Modules of functions that a user's own compiled code calls, as Numba compiles and keeps them.

Numba keeps machine code beside the file that a function is from, by the file's date: the text of a
module is a file of the cache folder, whose name has a hash of it and of all that it is made of.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from fastgd.machine.cache_folder import made
from fastgd.machine.fingerprint import fingerprint
from fastgd.system.files import as_text, replace_file


def module_of(title: str, source: Callable[[str], str]) -> ModuleType:
    """The module of a text, whose functions Numba keeps on disk; in memory alone where nothing can
    be kept.

    `source` is given the decorator of `machine.jit` by which functions are compiled.
    """
    text = source("kept")
    name = f"{title}_{hashlib.sha256(text.encode()).hexdigest()[:20]}"
    place = f"<fastgd {name}>"
    try:
        name = f"{title}_{hashlib.sha256(f'{fingerprint()}{text}'.encode()).hexdigest()[:20]}"
        path = made() / f"{name}.py"
        _put(path, text)
        place = str(path)
    except Exception:  # no folder, or nobody knows what the code is made of
        text = source("called")
    # by its name, Numba finds what it has kept of the functions, and of those that call them
    module = sys.modules[f"fastgd_{name}"] = ModuleType(f"fastgd_{name}")
    module.__file__ = place
    exec(compile(text, place, "exec", dont_inherit=True), module.__dict__)
    return module


def _put(path: Path, text: str) -> None:
    """A file of this text, which is not touched if it is there."""
    with suppress(OSError):
        if path.read_text(encoding="utf-8") == text:
            return
    replace_file(path, as_text(lambda file: file.write(text)), mode=0o600)
