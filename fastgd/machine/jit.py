"""How fastgd compiles: the flags of every kernel, in one place.

"contract" lets a product and a sum become one fused instruction. Nothing else is relaxed:
infinities, NaN and the order of sums are kept. Division follows IEEE instead of raising.
"""

from collections.abc import Callable
from typing import Any

import numba

if numba.config.DISABLE_JIT:
    raise RuntimeError("fastgd works by compiling: unset NUMBA_DISABLE_JIT")

FLAGS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract"},
    "no_cfunc_wrapper": True,
}
_INNER = {**FLAGS, "no_cpython_wrapper": True}  # called by compiled code only

# called. Numba would hand forceinline on, from a function that is being compiled to those that it
# calls
kernel: Callable[..., Any] = numba.njit(forceinline=False, **_INNER)
# compiled, then merged into its callers by LLVM
merged: Callable[..., Any] = numba.njit(forceinline=True, **_INNER)
# spliced into its callers where Numba's front end compiles them, otherwise merged
inline: Callable[..., Any] = numba.njit(inline="always", **_INNER)
# called by users' own compiled code and by Python; kept on disk by Numba, or not
_OUTER = {name: flag for name, flag in FLAGS.items() if name != "no_cfunc_wrapper"}
kept: Callable[..., Any] = numba.njit(cache=True, **_OUTER)
called: Callable[..., Any] = numba.njit(**_OUTER)
# those of them that take so little that a call would be a good part of it
kept_merged: Callable[..., Any] = numba.njit(cache=True, forceinline=True, **_OUTER)
called_merged: Callable[..., Any] = numba.njit(forceinline=True, **_OUTER)
