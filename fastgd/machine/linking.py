"""Object code linked into this process by llvmlite, with the C functions that it calls."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import suppress
from ctypes import c_int32, c_void_p
from ctypes.util import find_library
from functools import cache
from typing import Any

import llvmlite.binding as llvm

_lock = threading.Lock()
_linkers: list[Any] = []  # they own the code, and live as long as the process


def _libraries() -> Iterator[str | None]:
    """Where C functions are looked for: in the whole process, which Windows can't be asked for; in
    its C library and its kernel; by names that take long to find.
    """
    yield None
    yield from ("ucrtbase", "vcruntime140", "kernel32", "ntdll")
    yield find_library("m")
    yield find_library("c")


@cache
def c_function(name: str) -> int:
    """The address of a function of the C library or the system; ValueError if it is not there."""
    for library in _libraries():
        with suppress(OSError, AttributeError, TypeError):
            return int(ctypes.cast(getattr(ctypes.CDLL(library), name), c_void_p).value or 0)
    _linker()  # after which LLVM looks in this process too
    if address := llvm.address_of_symbol(name):
        return int(address)
    raise ValueError(f"it calls {name}, which is not there")


def _linker() -> Any:
    """An engine of LLVM's that links one object file: names in several of them may be the same."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(jit=True, codemodel="jitdefault", reloc="default")
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)


def linked(function: str, calls: list[str], code: bytes) -> Any:
    """The C function `int32 function(pointer, pointer, int64, a float of the dtype, int64)`; its
    arguments are numbers of ctypes', which it need not convert at each call.

    ValueError if the code calls what this process does not have, at which LLVM would abort.
    """
    for name in calls:
        llvm.add_symbol(name, c_function(name))
    with _lock:
        linker = _linker()
        linker.add_object_file(llvm.ObjectFileRef.from_data(code))
        address = _address(linker, function)
    return ctypes.CFUNCTYPE(c_int32)(address)


def linked_module(text: str, function: str) -> int:
    """The address of a function in a module of LLVM's language, compiled now."""
    with _lock:
        linker = _linker()
        linker.add_module(llvm.parse_assembly(text))
        return _address(linker, function)


def _address(linker: Any, function: str) -> int:
    linker.finalize_object()
    address = int(linker.get_function_address(function))
    _linkers.append(linker)
    if not address:
        raise ValueError(f"it has no function {function}")
    return address
