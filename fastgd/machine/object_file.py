"""The names that an object file needs from elsewhere, read from its symbol table.

Not all that LLVM declares is needed, and some of what is needed it adds at the very end. Linux has
ELF, macOS Mach-O, Windows COFF.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

# what linkers make themselves, and a mark of code that has floats
_NO_NAMES = ("", ".TOC.", "_GLOBAL_OFFSET_TABLE_", "_fltused")

_ELF_SYMBOL_TABLE = 2  # a kind of section
_MACH_O_SYMBOL_TABLE = 2  # a kind of load command
_MACH_O_DEFINED_OR_DEBUGGING = 0xEE  # bits of a symbol's kind
_COFF_EXTERNAL = 2  # a symbol's kind


def undefined_names(code: bytes) -> list[str]:
    """The names, as C has them, of all that the code calls or reads and does not have itself."""
    names = {b"\x7fELF": _elf, b"\xcf\xfa\xed\xfe": _mach_o}.get(code[:4], _coff)
    return sorted(set(names(code)) - set(_NO_NAMES))


def _name(code: bytes, start: int) -> str:
    return code[start : code.index(b"\0", start)].decode()


def _elf(code: bytes) -> Iterator[str]:
    """The symbols of section 0, which is none; of files of 64 bits, in either order of bytes."""
    order = "<" if code[5] == 1 else ">"
    (start,) = struct.unpack_from(f"{order}Q", code, 40)
    size, count = struct.unpack_from(f"{order}2H", code, 58)
    sections = [struct.unpack_from(f"{order}2I4Q2I", code, start + i * size) for i in range(count)]
    for _, kind, _, _, place, length, link, _ in sections:
        if kind == _ELF_SYMBOL_TABLE:
            names = sections[link][4]
            symbols = struct.iter_unpack(f"{order}I2BH2Q", code[place : place + length])
            for name, _, _, section, _, _ in symbols:
                if not section:
                    yield _name(code, names + name)


def _mach_o(code: bytes) -> Iterator[str]:
    """The symbols of no section and no size; an underscore stands before each name of C."""
    (count,), place = struct.unpack_from("<I", code, 16), 32
    for _ in range(count):
        kind, length = struct.unpack_from("<2I", code, place)
        if kind == _MACH_O_SYMBOL_TABLE:
            start, many, names, _ = struct.unpack_from("<4I", code, place + 8)
            symbols = struct.iter_unpack("<I2BHQ", code[start : start + 16 * many])
            for name, kind, _, _, size in symbols:
                if not kind & _MACH_O_DEFINED_OR_DEBUGGING and not size:
                    yield _name(code, names + name).removeprefix("_")
        place += length


def _coff(code: bytes) -> Iterator[str]:
    """The external symbols of section 0, which is none, without a size.

    A name of more than 8 bytes stands behind the symbols. Some symbols take up several places.
    """
    start, count = struct.unpack_from("<2I", code, 8)
    names, i = start + 18 * count, 0
    while i < count:
        name, size, section, _, kind, more = struct.unpack_from("<8sIhH2B", code, start + 18 * i)
        i += 1 + more
        if kind == _COFF_EXTERNAL and section == size == 0:
            zeros, place = struct.unpack("<2I", name)
            yield name.rstrip(b"\0").decode() if zeros else _name(code, names + place)
