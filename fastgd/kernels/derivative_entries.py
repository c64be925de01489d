"""Compiled code of derivatives that no training asks for."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgd.machine.cache import Entry, entry

# modules of `kernels.matrix` and their functions
SLOPES = "slopes", "slopes"
HESSIAN_VECTOR = "tangents", "hessian_vector"
_SOURCE = '''"""The {function} of every network of a dtype."""

from fastgd.machine.jit import kernel
from fastgd.kernels.matrix import {module} as matrix

OPTIMIZATION = 2


@kernel
def {function}(address, zero, limit):
    matrix.{function}(address, zero)
'''


def source_of(module: str, function: str) -> str:
    """The module that a function is compiled from."""
    return _SOURCE.format(module=module, function=function)


def entry_of(module: str, function: str, dtype: np.dtype[Any]) -> Entry:
    """The compiled function."""
    return entry("matrix", source_of(module, function), function, dtype)
