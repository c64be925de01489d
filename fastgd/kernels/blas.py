"""Row-major matrix products over spans, by the gemm of SciPy's BLAS.

Compiled code that is kept on disk cannot hold the address of a function, so the address is an argument: `gemm_address` asks SciPy for
it, kernels pass it on.
"""

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

        def address(index):
            return element_address(context, builder, sig.args[index], args[index], sig.args[index + 1], args[index + 1])

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
            address(8),
            number(leading_b),
            address(6),
            number(leading_a),
            beta,
            address(11),
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
