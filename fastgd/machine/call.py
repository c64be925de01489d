"""Calls from one compiled kernel of another, at an address: what few trainings need is compiled by
itself, and found when it is needed.
"""

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

from fastgd.machine.internals import cgutils
from fastgd.machine.struct_view import StructView


@intrinsic  # type: ignore[untyped-decorator]
def call(typing_context, address, view, limit):
    """Call the kernel at an address for a struct, which is what it takes one for, and a limit."""
    if not isinstance(view, StructView):
        return None

    def generate(context, builder, sig, args):
        word, real = ir.IntType(64), context.get_value_type(view.real)
        pointer = ir.IntType(8).as_pointer()
        kernel = ir.FunctionType(ir.IntType(32), [pointer, pointer, word, real, word])
        places = [  # once a function: on the stack, a place for each turn of a loop would pile up
            builder.bitcast(cgutils.alloca_once(builder, pointer), pointer)
            for _ in ("result", "exception")
        ]
        taken = [*places, builder.ptrtoint(args[1], word), ir.Constant(real, 0.0), args[2]]
        status = builder.call(builder.inttoptr(args[0], kernel.as_pointer()), taken)
        if config.BOUNDSCHECK:
            failed = builder.icmp_signed("!=", status, status.type(0))
            with builder.if_then(failed, likely=False):
                context.call_conv.return_user_exc(builder, IndexError, ("outside an array",))
        return context.get_dummy_value()

    return types.void(types.int64, view, types.int64), generate
