"""The smallest kernel as an entry of the cache, its file whole and damaged: what tests of compiled code on disk share."""

from pathlib import Path

import numpy as np
import pytest

import fastgd
from fastgd.machine import cache

TINY = '''"""Tiny."""

from typing import NamedTuple

from fastgd.machine.jit import kernel
from fastgd.machine.struct import Integers
from fastgd.machine.struct_view import viewer


class Cell(NamedTuple):
    cell: Integers


cell_of = viewer(Cell)


@kernel
def twice(address, zero, limit):
    cell_of(address, zero).cell[0] = 2 * limit
'''

PACKAGE = Path(fastgd.__file__).parent
FLOAT64 = np.dtype("float64")


def twice(entry, n):
    """What the compiled function writes into its cell."""
    cell = np.zeros(1, np.int64)
    entry(np.array([cell.ctypes.data, 1]), n)
    return int(cell[0])


def fresh():
    """An entry that has not been called, as in a new process."""
    return cache.Entry("tiny_0", TINY, "twice", FLOAT64)


def kernel_file(folder):
    return folder / "tiny_0.kernel"


def damaged(whole):
    """Files that are no kernel, or a bad one."""
    line, _, code = whole.partition(b"\n")
    middle = len(whole) // 2
    return {
        "empty": b"",
        "cut": whole[:middle],
        "noise": np.random.default_rng(0).bytes(len(whole)),
        "a flipped bit": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "other code": line + b"\n" + b"x" + code[1:],
        "no facts": b"{}\n" + code,
        "a list": b"[]\n" + code,
    }


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A cache folder of this test's own."""
    place = tmp_path / "cache"
    monkeypatch.setenv("FASTGD_CACHE_DIR", str(place))
    return place


@pytest.fixture
def compilations(monkeypatch):
    """The names of entries that are compiled."""
    names, compile_entry = [], cache.Entry._compile
    monkeypatch.setattr(cache.Entry, "_compile", lambda self: names.append(self.name) or compile_entry(self))
    return names
