"""Compiled kernels on disk: machine code in a cache folder, called without Numba, whose start takes
longer than most trainings.

A kernel is a C function `status(result, exception, address of a table, zero, limit)`, as Numba
compiles one without Python objects. Its file is a `kernel_file`; llvmlite links its code into the
process. A file's name ends in a hash of the text of its module, of every source file that kernels
are made of, of the versions of Python, Numba and llvmlite, of the processor and of the settings
that change the code: an edited source is another file, and nothing stale is ever run. Code is
loaded from the folder, so it is used only if it belongs to this user and nobody else may write to
it. What it does not hold may be `ready_made`, or is compiled. Whatever goes wrong with the folder,
the kernel is compiled in memory instead, and where it can't be kept, a warning says so once.
"""

from __future__ import annotations

import ctypes
import gc
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.machine import kernel_file, ready_made
from fastgd.machine.cache_folder import checked, folder, known_folder, made, reason_of
from fastgd.machine.fingerprint import fingerprint
from fastgd.machine.linking import linked
from fastgd.system.address import address_of
from fastgd.system.warn import say

_has_warned = False


def _warn_once(text: str) -> None:
    """Say, once a process, that what is compiled can't be kept."""
    global _has_warned
    if not _has_warned:
        _has_warned = True
        say(f"compiled code can't be kept{text}")


def _warn_of_folder(error: Exception) -> None:
    place = known_folder()
    where = f" in {place}" if place else ""
    advice = "until it can, every process compiles anew; FASTGD_CACHE_DIR names another folder"
    _warn_once(f"{where}: {reason_of(error)}; {advice}")


def _warn_of_numba(error: Exception) -> None:
    import numba

    trouble = f"Numba {numba.__version__} is not as fastgd knows it ({reason_of(error)})"
    _warn_once(f": {trouble}; every process compiles anew, for longer; another version may help")


@contextmanager
def _no_garbage_collected() -> Iterator[None]:
    """Compiling makes many objects that live until its end: looking for those that do not takes a
    tenth of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Entry:
    """A compiled function of a table and a limit. When it is called first, it is read from the
    cache folder, or from the package, or compiled.

    Machine code that can't be read or written is a reason to compile in memory and to warn, never
    an error.
    """

    def __init__(self, name: str, source: str, function: str, dtype: np.dtype[Any]):
        self.name, self.source, self.function, self.dtype = name, source, function, dtype
        self._function: Any = None
        self._preparing = threading.Lock()

    def __call__(self, table: Array, limit: int) -> None:
        self.call_of(table, limit)()

    def call_of(self, table: Array, limit: int = 0) -> Callable[[], None]:
        """The call with this table and limit, to be made as often as wanted: arguments are
        converted once.
        """
        return self.calls_of(table, ctypes.c_int64(limit))

    def calls_of(self, table: Array, limit: ctypes.c_int64) -> Callable[[], None]:
        """The call with this table, and the limit that this number has when it is made."""
        function, arguments = self._ready(), self._arguments(table, limit)

        def call(alive: Array = table) -> None:
            if function(*arguments):
                raise _outside()

        return call

    def for_each(self, tables: Array, limit: int = 0) -> None:
        """A call with each row of (calls, places) tables, one after the other."""
        function, arguments = self._ready(), self._arguments(tables, ctypes.c_int64(limit))
        address, step = arguments[2], tables.strides[0]
        for _ in range(len(tables)):
            if function(*arguments):
                raise _outside()
            address.value += step

    def _arguments(self, table: Array, limit: ctypes.c_int64) -> tuple[Any, ...]:
        """As the C function takes them; the third one is the address of the table."""
        result, exception = ctypes.c_void_p(), ctypes.c_void_p()
        zero = (ctypes.c_double if self.dtype.itemsize == 8 else ctypes.c_float)()
        address = ctypes.c_int64(address_of(table))
        return ctypes.byref(result), ctypes.byref(exception), address, zero, limit

    def address(self) -> int:
        """Where its machine code is; 0 where Numba holds that."""
        function = self._ready()
        is_linked = isinstance(function, ctypes.CFUNCTYPE(ctypes.c_int32))
        return int(ctypes.cast(function, ctypes.c_void_p).value or 0) if is_linked else 0

    def c_address(self) -> int:
        """Where a C function is that other compiled code may call, whoever holds it."""
        address = self.address()
        if not address:
            from fastgd.machine import object_code

            address = object_code.address_in_memory(self.source, self.function, self.dtype)
        return address

    def _ready(self) -> Any:
        with self._preparing:
            if self._function is None:
                self._function = self._prepare()
        return self._function

    def _prepare(self) -> Any:
        what, found = "compiled code", self._kept()
        if found is None:
            found = ready_made.find(self.source, self.function, self.dtype)
            what = "ready-made code of"
        if found is None:
            return self._compile()
        facts, code = found
        try:
            return linked(facts["function"], facts["calls"], code)
        except Exception as error:
            function = self._compile()
            reason = f"can't be linked: {reason_of(error)}"
            say(f"the {what} {self.name} {reason}; it is compiled anew")
            return function

    def _kept(self) -> tuple[dict[str, Any], bytes] | None:
        """Facts and code of the cache folder; None if they are not there yet, or damaged."""
        try:
            return kernel_file.read((checked(folder()) / self._file_name).read_bytes())
        except Exception:  # what keeps it from being written is said then
            return None

    @property
    def _file_name(self) -> str:
        """Of the code in the folder; ValueError if nobody knows what it is made of."""
        if not self.name:
            raise ValueError("the sources of fastgd can't be read")
        return f"{self.name}.kernel"

    def _compile(self) -> Any:
        with _no_garbage_collected(), np.errstate(all="ignore"):  # whatever the caller's is
            from fastgd.machine import object_code  # starts Numba

            text = self.source, self.function, self.dtype
            try:
                facts, code = object_code.machine_code(*text)
            except Exception as error:
                function = object_code.in_memory(*text)  # fails too if it is the text's fault
                _warn_of_numba(error)
                return function
        title = kernel_file.title_of(self.source)
        function = linked(facts["function"], facts["calls"], code)
        try:
            name = self._file_name  # if it has one, the folder is made
            kernel_file.write(made() / name, {"title": title, **facts}, code, mode=0o600)
        except Exception as error:
            _warn_of_folder(error)
        return function


@cache
def entry(title: str, source: str, function: str, dtype: np.dtype[Any]) -> Entry:
    """The function of this name in the module of this text."""
    try:
        key = hashlib.sha256(f"{fingerprint()}\0{dtype}\0{source}".encode()).hexdigest()[:20]
    except Exception:  # nobody knows what it is compiled from
        return Entry("", source, function, dtype)
    return Entry(f"{title}_{function}_{key}", source, function, dtype)


def _outside() -> IndexError:
    """Which only NUMBA_BOUNDSCHECK=1 looks for."""
    return IndexError("compiled code reached outside an array")
