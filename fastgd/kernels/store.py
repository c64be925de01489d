"""Compiled kernels on disk: machine code in a cache folder, called without Numba, whose start takes longer than most trainings.

A kernel is a C function `status(result, exception, address of a table, zero, limit)`, as Numba compiles one without Python objects. Its
file holds a line of facts and an object file; llvmlite links it into the process. A file's name ends in a hash of the text of its
module, of every source file that kernels are made of, of the versions of Python, Numba and llvmlite, of the processor and of the settings
that change the code: an edited source is another file, and nothing stale is ever run. Code is loaded from the folder, so it is used only if
it belongs to this user and nobody else may write to it. Whatever goes wrong with it, the kernel is compiled in memory instead, and where
it can't be kept, a warning says so once.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import hashlib
import json
import os
import platform
import re
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ctypes.util import find_library
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import platformdirs

from fastgd.caution import warn
from fastgd.checks import Array
from fastgd.files import replace_file

_lock = threading.Lock()
_linkers: list[Any] = []  # they own the code, and live as long as the process
_has_warned = False
_FILE_NAME = re.compile(r"(matrix|unrolled|lanes)_\w+_[0-9a-f]{20}\.kernel")
PACKAGE = Path(__file__).parent.parent
_KERNEL_SOURCES = (
    "jit",
    "dispatch",
    "names",
    "simd",
    "spans",
    "numeric",
    "activations",
    "losses",
    "state",
    "updates",
    "values",
    "kernels/*",
)
# of numba.config, whose flags are NUMBA_...
_SETTINGS = ("BOUNDSCHECK", "OPT", "CPU_NAME", "CPU_FEATURES", "ENABLE_AVX", "DEBUGINFO_DEFAULT")


def folder() -> Path:
    """The cache folder: FASTGD_CACHE_DIR, or the platform's own place."""
    chosen = os.environ.get("FASTGD_CACHE_DIR")
    return Path(chosen).expanduser().resolve() if chosen else Path(platformdirs.user_cache_path("fastgd")).resolve()


# -- what a kernel depends on --------------------------------------------------------------------------------------------------------


def _source_files() -> Iterator[Path]:
    for pattern in _KERNEL_SOURCES:
        yield from sorted(PACKAGE.glob(f"{pattern}.py"))


@cache
def _fingerprint() -> str:
    """A hash of all that shapes compiled code besides the module's own text."""
    digest = hashlib.sha256()
    for path in _source_files():
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    digest.update("\0".join([platform.python_version(), version("numba"), version("llvmlite"), *_machine(), *_settings()]).encode())
    return digest.hexdigest()


def _machine() -> tuple[str, str, str]:
    return llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def _settings() -> list[str]:
    """Numba's settings that change code, read without Numba: from its environment variables and its file in the working directory."""
    file = Path(".numba_config.yaml")
    chosen = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith("NUMBA_") and name[6:] in _SETTINGS]
    return [*chosen, file.read_text(encoding="utf-8") if file.is_file() else ""]


# -- the folder ----------------------------------------------------------------------------------------------------------------------


def _place() -> Path:
    """The cache folder, made if it is not there; OSError where it is not this user's alone."""
    place = folder()
    if place.exists() and not place.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "it is no folder")
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid"):  # on Windows, profile folders are private by their access lists
        status = place.lstat()
        if status.st_uid != os.getuid():
            raise PermissionError(errno.EPERM, "it belongs to another user")
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise PermissionError(errno.EPERM, "others may write to it")
    return place


def trouble() -> str | None:
    """Why nothing can be kept in the cache folder; None if something can."""
    try:
        with tempfile.TemporaryFile(dir=_place()):
            return None
    except OSError as error:
        return _reason(error)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _warn_once(error: OSError) -> None:
    """Say, once a process, that what is compiled can't be kept."""
    global _has_warned
    if not _has_warned:
        _has_warned = True
        advice = "until it can, every process compiles anew; FASTGD_CACHE_DIR names another folder"
        warn(f"compiled code can't be kept in {folder()}: {_reason(error)}; {advice}")


def _write(path: Path, facts: dict[str, Any], code: bytes) -> None:
    """Put a whole file in its place, or none."""
    line = json.dumps({**facts, "sha256": hashlib.sha256(code).hexdigest()}).encode()
    replace_file(path, lambda file: file.write(line + b"\n" + code), mode=0o600)


def _read(path: Path) -> tuple[dict[str, Any], bytes]:
    """Facts and code of a file; ValueError if it is damaged."""
    line, _, code = path.read_bytes().partition(b"\n")
    facts = json.loads(line)
    if facts["sha256"] != hashlib.sha256(code).hexdigest():
        raise ValueError(f"{path} is damaged")
    return facts, code


def entries() -> list[tuple[str, int, str]]:
    """What the cache folder holds: for every kernel its name, its bytes and what it is."""
    found = []
    for path in _files():
        try:
            title = _read(path)[0]["title"]
        except (OSError, ValueError, KeyError, TypeError):
            title = "damaged"
        found.append((path.stem, path.stat().st_size, title))
    return found


def clear() -> int:
    """Delete every kernel; how many those were."""
    files = _files()
    for file in files:
        file.unlink(missing_ok=True)
    return len(files)


def _files() -> list[Path]:
    """The kernels, and nothing else that may lie in the folder."""
    return sorted(path for path in folder().glob("*.kernel") if _FILE_NAME.fullmatch(path.name))


# -- linking, and compiling what is not there ---------------------------------------------------------------------------------------


@cache
def _c_function(name: str) -> int:
    """The address of a function of the C library; ValueError if it has none of this name."""
    for library in (None, find_library("m"), find_library("c")):
        with suppress(OSError, AttributeError, TypeError):
            function = getattr(ctypes.CDLL(library), name)
            return int(ctypes.cast(function, ctypes.c_void_p).value or 0)
    raise ValueError(f"compiled code calls {name}, which is not there")


def _linker() -> Any:
    """An engine of LLVM's that links one object file into this process: names in several of them may be the same."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True, codemodel="jitdefault", reloc="default")
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)


def _linked(facts: dict[str, Any], code: bytes, dtype: np.dtype[Any]) -> Any:
    """The C function; ValueError if it calls what this process does not have, at which LLVM would abort."""
    for name in facts["calls"]:
        llvm.add_symbol(name, _c_function(name))
    real = {"float64": ctypes.c_double, "float32": ctypes.c_float}[dtype.name]
    with _lock:
        linker = _linker()
        linker.add_object_file(llvm.ObjectFileRef.from_data(code))
        linker.finalize_object()
        address = linker.get_function_address(facts["function"])
        _linkers.append(linker)
    if not address:
        raise ValueError("compiled code lacks its function")
    return ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, real, ctypes.c_int64)(address)


@contextmanager
def _no_garbage_collected() -> Iterator[None]:
    """Compiling makes many objects that live until its end: looking for those that do not takes a tenth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Entry:
    """A compiled function of a table and a limit; read from disk, or compiled, when it is called first.

    Machine code that can't be read or written is a reason to compile in memory and to warn, never an error.
    """

    def __init__(self, name: str, source: str, function: str, dtype: np.dtype[Any]):
        self.name, self.source, self.function, self.dtype = name, source, function, dtype
        self._function: Any = None
        self._preparing = threading.Lock()

    def __call__(self, table: Array, limit: int) -> None:
        with self._preparing:
            if self._function is None:
                self._function = self._prepare()
        result, exception = ctypes.c_void_p(), ctypes.c_void_p()
        if self._function(ctypes.byref(result), ctypes.byref(exception), table.ctypes.data, 0.0, limit):
            raise IndexError("compiled code reached outside an array")  # which only NUMBA_BOUNDSCHECK=1 looks for

    def _prepare(self) -> Any:
        try:
            return _linked(*_read(_place() / f"{self.name}.kernel"), self.dtype)
        except Exception:
            return self._compile()

    def _compile(self) -> Any:
        with _no_garbage_collected():
            from fastgd.kernels.machine_code import machine_code  # starts Numba

            facts, code = machine_code(self.source, self.function, self.dtype)
        title = self.source.partition("\n")[0].strip('"').partition(" Written by")[0]
        linked = _linked(facts, code, self.dtype)
        try:
            _write(_place() / f"{self.name}.kernel", {"title": title, **facts}, code)
        except OSError as error:
            _warn_once(error)
        return linked


@cache
def entry(title: str, source: str, function: str, dtype: np.dtype[Any]) -> Entry:
    """The function of this name in the module of this text."""
    key = hashlib.sha256(f"{_fingerprint()}\0{dtype}\0{source}".encode()).hexdigest()[:20]
    return Entry(f"{title}_{function}_{key}", source, function, dtype)
