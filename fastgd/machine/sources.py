"""The modules of fastgd as they are installed, read without importing them.

They may lie in a folder or in an archive, as text or as bytecode alone.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

_MODULES = ("activations", "losses", "names", "numeric", "state")
_PACKAGES = ("functions", "machine", "optimizers", "schedules", "formulas", "kernels")


def modules() -> list[str]:
    """The modules of fastgd that kernels are made of, or that say how."""
    return [*_MODULES, *(module for package in _PACKAGES for module in modules_of(package))]


@cache
def digest() -> str:
    """A hash of all these modules; OSError if what is installed can't be read."""
    whole = hashlib.sha256()
    for module in modules():
        whole.update(module.encode() + b"\0" + bytes_of(module))
    return whole.hexdigest()


def bytes_of(module: str) -> bytes:
    """The file of a module of fastgd, or of a package's own; OSError if it can't be read."""
    return bytes(_loader(module).get_data(_path(module)))


def folder() -> Path:
    """Where fastgd lies, be it a folder or within an archive."""
    return Path(_path("names")).parent


def data(name: str) -> bytes | None:
    """A file of the package that is no module, by its path in there; None if it is not there."""
    try:
        return bytes(_loader("names").get_data(str(folder() / name)))
    except OSError:
        return None


def modules_of(package: str) -> list[str]:
    """A package of fastgd, its modules and those of the packages in it, in order."""
    spec = find_spec(f"fastgd.{package}")
    assert spec is not None
    names = [package]
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
