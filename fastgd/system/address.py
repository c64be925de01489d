"""Where the numbers of an array lie. Asked for it, NumPy makes an object of ctypes, which takes a
microsecond; but the address stands in the array itself, at a place that C's interface fixes.
"""

import ctypes
import sys
import sysconfig
from functools import cache
from typing import Any

import numpy as np

_PLACE = 16  # of the address in an array, an object of Python's: bytes
_word_at = ctypes.c_int64.from_address


@cache
def stands_in_arrays() -> bool:
    """Whether addresses stand where they are looked for; in another Python they may not."""
    traits = sys.byteorder, ctypes.sizeof(ctypes.c_void_p), sys.implementation.name
    if traits != ("little", 8, "cpython") or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return False
    samples = np.zeros((2, 3)), np.zeros(9, np.float32)[2:], np.zeros((3, 0), np.int64)
    return all(_word_at(id(each) + _PLACE).value == each.ctypes.data for each in samples)


def address_of(array: np.ndarray[Any, np.dtype[Any]]) -> int:
    """The address of its first number."""
    return _word_at(id(array) + _PLACE).value if stands_in_arrays() else int(array.ctypes.data)
