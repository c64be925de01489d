"""Row-major matrix products over spans, by the gemm of SciPy's BLAS at an address that is an argument; see `blas`."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastgd.simd import element_address


@intrinsic  # type: ignore[untyped-decorator]
def multiply(
    typing_context, gemm, transpose_a, transpose_b, rows, columns, inner, alpha, a, a_start, a_width, b, b_start, beta, c, c_start
):
    """C = alpha A B + beta C for the (rows, columns) matrix at c[c_start], A being (rows, inner) and B (inner, columns), all row by row.

    A transposed operand lies in memory as (inner, rows) or (columns, inner). A may be columns of a matrix that is `a_width` wide.
    """
    real = c.dtype

    def generate(context, builder, sig, args):
        gemm, transpose_a, transpose_b, rows, columns, inner, alpha = args[:7]
        a_width, beta = args[9], args[12]
        int_type = ir.IntType(32)

        def number(value):
            return cgutils.alloca_once_value(builder, builder.trunc(value, int_type))

        def flag(value):
            letter = builder.select(value, ir.Constant(ir.IntType(8), ord("T")), ir.Constant(ir.IntType(8), ord("N")))
            return cgutils.alloca_once_value(builder, letter)

        def address(index, count):
            return element_address(context, builder, sig.args[index], args[index], sig.args[index + 1], args[index + 1], count)

        # as a column-major BLAS sees them, all are transposed: C^T = B^T A^T
        one = rows.type(1)
        last_row, used = builder.select(transpose_a, inner, rows), builder.select(transpose_a, rows, inner)
        size_a = builder.add(builder.mul(builder.sub(last_row, one), a_width), used)
        operands = [
            flag(transpose_b),
            flag(transpose_a),
            number(columns),
            number(rows),
            number(inner),
            cgutils.alloca_once_value(builder, alpha),
            address(10, builder.mul(inner, columns)),
            number(builder.select(transpose_b, inner, columns)),
            address(7, size_a),
            number(a_width),
            cgutils.alloca_once_value(builder, beta),
            address(13, builder.mul(rows, columns)),
            number(columns),
        ]
        function_type = ir.FunctionType(ir.VoidType(), [operand.type for operand in operands])
        builder.call(builder.inttoptr(gemm, function_type.as_pointer()), operands)
        return context.get_dummy_value()

    size = types.intp
    return (
        types.void(size, types.boolean, types.boolean, size, size, size, real, a, a_start, size, b, b_start, real, c, c_start),
        generate,
    )
