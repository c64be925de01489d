"""Pixels as a file of PNG, and that as an address of data which a page can hold."""

from __future__ import annotations

import base64
import struct
import zlib

from fastgd.arguments.checks import Array


def png(pixels: Array) -> bytes:
    """The file of pixels (rows, columns, 3) of uint8: red, green, blue."""
    rows, columns, _ = pixels.shape
    lines = b"".join(b"\0" + pixels[row].tobytes() for row in range(rows))
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    parts = (
        _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines, 9)) + _chunk(b"IEND", b"")
    )
    return b"\x89PNG\r\n\x1a\n" + parts


def data_address(pixels: Array) -> str:
    """data:image/png;base64, and the file."""
    return f"data:image/png;base64,{base64.b64encode(png(pixels)).decode()}"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
