"""The modules of fastgd as they are installed, read without importing them.

They may lie in a folder or in an archive, as text or as bytecode alone.
"""

from __future__ import annotations

from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any


def bytes_of(module: str) -> bytes:
    """The file of a module of fastgd; OSError if it can't be read."""
    return bytes(_loader(module).get_data(_path(module)))


def modules_of(package: str) -> list[str]:
    """The modules of a package of fastgd and of the packages in it, in order."""
    spec = find_spec(f"fastgd.{package}")
    assert spec is not None
    names: list[str] = []
    for each in iter_modules(spec.submodule_search_locations):
        name = f"{package}.{each.name}"
        names += modules_of(name) if each.ispkg else [name]
    return sorted(names)


def _loader(module: str) -> Any:
    spec = find_spec(f"fastgd.{module}")
    assert spec is not None
    return spec.loader


def _path(module: str) -> str:
    return str(_loader(module).get_filename(f"fastgd.{module}"))
