"""Row-major matrix products over spans, by the gemm of SciPy's BLAS at an address that is an argument; see `blas`."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastgd.simd import element_address


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
