"""Compiled kernels on disk: generated modules in a cache folder, imported from there, so that Numba keeps their machine code beside them.

A module's name ends in a hash of its text, of every source file that kernels are made of, of the versions of Python, Numba and llvmlite
and of the settings that change the code: an edited source is another module, and nothing stale is ever run. Code is loaded from the
folder, so it is used only if it belongs to this user and nobody else may write to it. Whatever goes wrong with it, the module is
compiled in memory instead.
"""

import hashlib
import importlib.util
import os
import platform
import re
import stat
import sys
import tempfile
import threading
import types
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
import platformdirs

_loading = threading.Lock()
_MODULE_NAME = re.compile(r"(matrix|unrolled)_[0-9a-f]{20}")
PACKAGE = Path(__file__).parent.parent
_KERNEL_SOURCES = ("jit", "names", "simd", "numeric", "activations", "losses", "schedules", "state", "updates", "kernels/*")


def folder() -> Path:
    """The cache folder: FASTGD_CACHE_DIR, or the platform's own place."""
    chosen = os.environ.get("FASTGD_CACHE_DIR")
    return Path(chosen).expanduser().resolve() if chosen else Path(platformdirs.user_cache_path("fastgd")).resolve()


def _source_files() -> Iterator[Path]:
    for pattern in _KERNEL_SOURCES:
        yield from sorted(PACKAGE.glob(f"{pattern}.py"))


@cache
def _fingerprint() -> str:
    """A hash of all that shapes compiled code besides the module's own text."""
    digest = hashlib.sha256()
    for path in _source_files():
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    config = numba.config
    settings = (config.BOUNDSCHECK, config.OPT, config.CPU_NAME, config.CPU_FEATURES, config.DEBUGINFO_DEFAULT)
    versions = (platform.python_version(), numba.__version__, llvmlite.__version__, *map(str, settings))
    digest.update("\0".join(versions).encode())
    return digest.hexdigest()


def _is_private(path: Path) -> bool:
    """Whether `path` is a folder of this user that nobody else may write to."""
    if not hasattr(os, "getuid"):
        return path.is_dir()  # Windows: profile folders are private by their access lists
    status = path.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _write_atomically(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _module_name(name: str) -> str:
    return f"fastgd_kernel_{name}"


def _from_disk(name: str, source: str) -> types.ModuleType:
    """The module of this text, written to the cache folder first if it is not there; OSError where the folder can't be used."""
    place = folder()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_private(place):
        raise OSError(f"{place} may be written to by others")
    path = place / f"{name}.py"
    if not path.exists() or path.read_text(encoding="utf-8") != source:
        _write_atomically(path, source)
    spec = importlib.util.spec_from_file_location(_module_name(name), path)
    if spec is None or spec.loader is None:
        raise OSError(f"{path} is no module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # before it is run: Numba keeps the name of the module it finds there, and imports it
    with _loading:  # machine code lies beside its module, in the folder that was looked at
        elsewhere, numba.config.CACHE_DIR = (
            numba.config.CACHE_DIR,
            "",
        )
        try:
            spec.loader.exec_module(module)
        finally:
            numba.config.CACHE_DIR = elsewhere
    return module


def _in_memory(name: str, source: str) -> types.ModuleType:
    module = types.ModuleType(_module_name(name))
    exec(compile(source.replace("cache=True", "cache=False"), f"<{name}>", "exec"), module.__dict__)
    return module


def entries() -> list[tuple[str, int, str]]:
    """What the cache folder holds: for every generated module its name, its bytes with its machine code, and its first line."""
    found = []
    for path in _modules():
        files = [path, *path.parent.glob(f"__pycache__/{path.stem}.*")]
        title = path.read_text(encoding="utf-8").partition("\n")[0].strip('"')
        found.append((path.stem, sum(file.stat().st_size for file in files), title))
    return found


def clear() -> int:
    """Delete every generated module and its machine code; how many files those were."""
    files = [file for path in _modules() for file in [path, *path.parent.glob(f"__pycache__/{path.stem}.*")]]
    for file in files:
        file.unlink(missing_ok=True)
    return len(files)


def _modules() -> list[Path]:
    """The generated modules, and nothing else that may lie in the folder."""
    return sorted(path for path in folder().glob("*_*.py") if _MODULE_NAME.fullmatch(path.stem))


class Entry:
    """A compiled function of a generated module; compiled, or read from disk, at the first call with arguments of its types.

    Machine code that can't be read or written is a reason to compile in memory, never an error.
    """

    def __init__(self, name: str, source: str, function: str):
        self.name, self.source, self.function = name, source, function
        self._compiled: dict[tuple[Any, ...], Callable[..., Any]] = {}

    def __call__(self, *args: Any) -> Any:
        types = tuple(map(numba.typeof, args))
        if types not in self._compiled:
            self._compiled[types] = self._prepare(types)
        return self._compiled[types](*args)

    def _prepare(self, types: tuple[Any, ...]) -> Callable[..., Any]:
        try:
            compiled = getattr(_from_disk(self.name, self.source), self.function)
            compiled.compile(types)
        except Exception:
            compiled = getattr(_in_memory(self.name, self.source), self.function)
            compiled.compile(types)
        return compiled  # type: ignore[no-any-return]


@cache
def entry(title: str, source: str, function: str) -> Entry:
    """The function of this name in the module of this text."""
    key = hashlib.sha256((_fingerprint() + source).encode()).hexdigest()[:20]
    return Entry(f"{title}_{key}", source, function)
