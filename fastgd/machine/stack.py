"""Memory of a call of compiled code."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastgd.machine.internals import cgutils
from fastgd.state import WIDE_VECTOR_BYTES


def on_stack(count: int) -> Any:
    """The function `place(array)`, in compiled code: a pointer to so many numbers of the array's
    dtype, not yet set, which are there until the function that calls it returns.
    """

    @intrinsic  # type: ignore[untyped-decorator]
    def place(typing_context, array):
        if not isinstance(array, types.Array):
            return None

        def generate(context, builder, sig, args):
            number = context.get_data_type(array.dtype)
            memory = cgutils.alloca_once(builder, ir.ArrayType(number, count))
            memory.align = WIDE_VECTOR_BYTES
            return builder.bitcast(memory, number.as_pointer())

        return types.CPointer(array.dtype)(array), generate

    return place
