"""Row-major matrix products over spans, by the gemm of SciPy's BLAS.

Compiled code that is kept on disk cannot hold the address of a function, so the address is an argument: `gemm_address` asks SciPy for
it, kernels pass it on.
"""

import threading
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic

from fastgd.simd import element_address


def gemm_address(dtype: np.dtype[Any]) -> int:
    """The address of dgemm or sgemm."""
    name = {"float64": "dgemm", "float32": "sgemm"}[dtype.name]
    return int(get_cython_function_address("scipy.linalg.cython_blas", name))


class _OneThread:
    """While anyone is inside, BLAS runs on one thread: the bits of a product depend on the number of threads.

    The number belongs to the process, so the first to enter sets it and the last to leave puts it back.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.limit: Any = None

    def __enter__(self) -> None:
        from threadpoolctl import threadpool_limits

        with self.lock:
            if self.inside == 0:
                gemm_address(np.dtype("float64"))  # loads the library: the limit holds for those that are loaded
                self.limit = threadpool_limits(1, user_api="blas")
            self.inside += 1

    def __exit__(self, *exception: object) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                self.limit.restore_original_limits()


one_thread = _OneThread()


@intrinsic  # type: ignore[untyped-decorator]
def multiply(typing_context, gemm, transpose_a, transpose_b, rows, columns, inner, a, a_start, b, b_start, beta, c, c_start):
    """C = A B + beta C for the (rows, columns) matrix at c[c_start], A being (rows, inner) and B (inner, columns), all row by row.

    A transposed operand lies in memory as (inner, rows) or (columns, inner).
    """
    real = c.dtype

    def generate(context, builder, sig, args):
        gemm, transpose_a, transpose_b, rows, columns, inner = args[:6]
        int_type, real_type = ir.IntType(32), context.get_value_type(real)

        def number(value):
            return cgutils.alloca_once_value(builder, builder.trunc(value, int_type))

        def flag(value):
            letter = builder.select(value, ir.Constant(ir.IntType(8), ord("T")), ir.Constant(ir.IntType(8), ord("N")))
            return cgutils.alloca_once_value(builder, letter)

        def address(index, height, width):
            count = builder.mul(height, width)
            return element_address(context, builder, sig.args[index], args[index], sig.args[index + 1], args[index + 1], count)

        # the transposes are what column-major BLAS sees: C^T = B^T A^T
        leading_a = builder.select(transpose_a, rows, inner)
        leading_b = builder.select(transpose_b, inner, columns)
        one = cgutils.alloca_once_value(builder, ir.Constant(real_type, 1.0))
        beta = cgutils.alloca_once_value(builder, args[10])
        operands = [
            flag(transpose_b),
            flag(transpose_a),
            number(columns),
            number(rows),
            number(inner),
            one,
            address(8, inner, columns),
            number(leading_b),
            address(6, rows, inner),
            number(leading_a),
            beta,
            address(11, rows, columns),
            number(columns),
        ]
        function_type = ir.FunctionType(ir.VoidType(), [operand.type for operand in operands])
        builder.call(builder.inttoptr(gemm, function_type.as_pointer()), operands)
        return context.get_dummy_value()

    size = types.intp
    return (
        types.void(size, types.boolean, types.boolean, size, size, size, a, a_start, b, b_start, real, c, c_start),
        generate,
    )
