"""Atomic operations on integers that threads share, and waiting."""

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastgd.machine.span import Span, element_address

_WORD = types.int64


def _address(context, builder, sig, args):
    return element_address(context, builder, sig.args[0], args[0], sig.args[1], args[1])


def _is_shared(span) -> bool:
    return isinstance(span, Span) and span.dtype == _WORD


@intrinsic  # type: ignore[untyped-decorator]
def read(typing_context, span, index):
    """span[index]; what its writer wrote before it is seen after it."""
    if not _is_shared(span):
        return None

    def generate(context, builder, sig, args):
        return builder.load_atomic(_address(context, builder, sig, args), "acquire", 8)

    return _WORD(span, index), generate


@intrinsic  # type: ignore[untyped-decorator]
def write(typing_context, span, index, value):
    """span[index] = value, after all that was written before."""
    if not _is_shared(span):
        return None

    def generate(context, builder, sig, args):
        builder.store_atomic(args[2], _address(context, builder, sig, args), "release", 8)
        return context.get_dummy_value()

    return types.void(span, index, _WORD), generate


@intrinsic  # type: ignore[untyped-decorator]
def add(typing_context, span, index, value):
    """span[index] += value, at one instant; what it was before."""
    if not _is_shared(span):
        return None

    def generate(context, builder, sig, args):
        return builder.atomic_rmw("add", _address(context, builder, sig, args), args[2], "acq_rel")

    return _WORD(span, index, _WORD), generate


@intrinsic  # type: ignore[untyped-decorator]
def give_way(typing_context, address):
    """Let another thread of this processor run: a call of the C function `int f(void)` at an
    address.
    """

    def generate(context, builder, sig, args):
        function = ir.FunctionType(ir.IntType(32), []).as_pointer()
        builder.call(builder.inttoptr(args[0], function), [])
        return context.get_dummy_value()

    return types.void(types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def relax(typing_context):
    """Tell the processor that this is a loop of waiting."""
    machine = llvm.get_process_triple().partition("-")[0]

    def generate(context, builder, sig, args):
        if machine == "x86_64":
            pause = ir.FunctionType(ir.VoidType(), [])
            builder.call(builder.module.declare_intrinsic("llvm.x86.sse2.pause", fnty=pause), [])
        elif machine in ("aarch64", "arm64"):
            hint = ir.FunctionType(ir.VoidType(), [ir.IntType(32)])
            builder.call(
                builder.module.declare_intrinsic("llvm.aarch64.hint", fnty=hint),
                [ir.Constant(ir.IntType(32), 1)],
            )
        return context.get_dummy_value()

    return types.void(), generate
