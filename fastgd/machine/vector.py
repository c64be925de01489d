"""Vectors of floats as values of compiled code.

Whether LLVM turns a loop over four samples into one packed instruction depends on the day. Here the
vector is explicit: `spans.load` reads neighbouring floats of a flat array as one value, arithmetic
works lane by lane, `spans.store` writes it back, `lane_sum` adds the lanes in a fixed order. A
function that uses only arithmetic and the operations of this file and of `numeric` runs unchanged
on a single float and on a vector.

Arithmetic between a vector and a number broadcasts the number and rounds it to the vector's dtype,
so that a literal never widens float32 lanes. For single floats `like(x, 0.5)` is the literal of x's
dtype.
"""

import operator
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, lower_builtin, lower_cast, models, register_model

from fastgd.machine.internals import typing_of
from fastgd.state import VECTOR_BYTES

llvm.initialize_native_asmparser()  # for `instruction`


class Vector(types.Type):  # type: ignore[misc]
    """The numba type of `lanes` neighbouring floats of type `dtype`, which fill `size` bytes."""

    def __init__(self, dtype: Any, size: int = VECTOR_BYTES) -> None:
        self.dtype = dtype
        self.lanes = size * 8 // dtype.bitwidth
        super().__init__(name=f"Vector({dtype} x {self.lanes})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, vector: Any) -> None:
        super().__init__(
            manager,
            vector,
            ir.VectorType(manager.lookup(vector.dtype).get_value_type(), vector.lanes),
        )


def splat(builder: Any, value: Any, vector_type: Any) -> Any:
    """The LLVM vector whose lanes all hold `value`."""
    index = ir.Constant(ir.IntType(32), 0)
    first = builder.insert_element(ir.Constant(vector_type, ir.Undefined), value, index)
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), vector_type.count), 0)
    return builder.shuffle_vector(first, ir.Constant(vector_type, ir.Undefined), zeros)


def resized(builder: Any, value: Any, lanes: int) -> Any:
    """The LLVM vector of the first lanes of `value`, of up to twice as many as it has; nothing is
    said of those that it lacks.
    """
    if value.type.count == lanes:
        return value
    chosen = ir.Constant(ir.VectorType(ir.IntType(32), lanes), list(range(lanes)))
    return builder.shuffle_vector(value, ir.Constant(value.type, ir.Undefined), chosen)


def instruction(builder: Any, text: str, constraints: str, *operands: Any) -> Any:
    """What the instruction of this text makes of the operands, all of one type, and its own."""
    kind = operands[0].type
    signature = ir.FunctionType(kind, [kind] * len(operands))
    return builder.asm(signature, text, constraints, operands, side_effect=False)


@lower_cast(types.Number, Vector)  # type: ignore[untyped-decorator]
def _number_to_vector(context: Any, builder: Any, from_type: Any, to_type: Any, value: Any) -> Any:
    scalar = context.cast(builder, value, from_type, to_type.dtype)
    return splat(builder, scalar, context.get_value_type(to_type))


@lower_cast(Vector, Vector)  # type: ignore[untyped-decorator]
def _vector_to_vector(context: Any, builder: Any, from_type: Any, to_type: Any, value: Any) -> Any:
    convert = (
        builder.fptrunc if to_type.dtype.bitwidth < from_type.dtype.bitwidth else builder.fpext
    )
    return convert(value, context.get_value_type(to_type))


def _common(*args: Any) -> Any:
    """The vector type of an operation on vectors and numbers, or None."""
    vectors = {a for a in args if isinstance(a, Vector)}
    known = all(isinstance(a, (Vector, types.Number)) for a in args)
    return vectors.pop() if known and len(vectors) == 1 else None


def _define_operator(symbol: Any, instruction: str) -> None:
    @typing_of(symbol)
    def signature(*args: Any) -> Any:
        vector = _common(*args)
        return None if vector is None else vector(*[vector] * len(args))

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*args)

    lower_builtin(symbol, *[Vector] * (1 if instruction == "fneg" else 2))(lower)


for _symbol, _instruction in [
    (operator.add, "fadd"),
    (operator.iadd, "fadd"),
    (operator.sub, "fsub"),
    (operator.isub, "fsub"),
    (operator.mul, "fmul"),
    (operator.imul, "fmul"),
    (operator.truediv, "fdiv"),
    (operator.neg, "fneg"),
]:
    _define_operator(_symbol, _instruction)


def real_type(ty: Any) -> Any:
    """The float type behind `ty`, which is a float or a Vector; None for anything else."""
    if isinstance(ty, Vector):
        return ty.dtype
    return ty if ty in (types.float32, types.float64) else None


@intrinsic  # type: ignore[untyped-decorator]
def like(typing_context, x, number):
    """The number, or a vector of as many lanes as x has, rounded to x's dtype; a number on every
    lane if x is a vector.
    """
    if real_type(x) is None:
        return None

    def generate(context, builder, sig, args):
        return context.cast(builder, args[1], sig.args[1], sig.return_type)

    return x(x, number), generate


@intrinsic  # type: ignore[untyped-decorator]
def plus(typing_context, x, y):
    """x + y as an addition of its own, into which no product is fused: where a product is late,
    that is less to wait for.
    """
    if real_type(x) is None or x != y:
        return None

    def generate(context, builder, sig, args):
        # which says nothing of a sum, and keeps Numba from flagging it "contract"
        return builder.fadd(*args, flags=("arcp",))

    return x(x, y), generate


@intrinsic  # type: ignore[untyped-decorator]
def stay_scalar(typing_context):
    """In the body of a loop of few turns, keeps LLVM from vectorizing it at ten times its size."""

    def generate(context, builder, sig, args):
        builder.asm(ir.FunctionType(ir.VoidType(), []), "", "", [], side_effect=True)
        return context.get_dummy_value()

    return types.void(), generate


def features_of(context: Any) -> set[str]:
    """LLVM's names of what the machine that is compiled for has, each behind a "+"."""
    return set(context.codegen().magic_tuple()[2].split(","))


def has_avx512(context: Any) -> bool:
    """Whether the machine that is compiled for has AVX-512 for vectors of any length."""
    return {"+avx512vl", "+avx512dq"} <= features_of(context)


def has_fma(context: Any) -> bool:
    """Whether it has an instruction that adds a product, as all of arm64 have."""
    is_arm64 = llvm.get_process_triple().startswith(("aarch64", "arm64"))
    return is_arm64 or "+fma" in features_of(context)


@intrinsic  # type: ignore[untyped-decorator]
def all_between(typing_context, x, low, high):
    """Whether low < x < high on every lane; not where one of them is NaN."""
    if not isinstance(x, Vector):
        return None

    def generate(context, builder, sig, args):
        value, least, most = args
        inside = builder.and_(
            builder.fcmp_ordered(">", value, least), builder.fcmp_ordered("<", value, most)
        )
        bits = ir.IntType(x.lanes)
        return builder.icmp_unsigned("==", builder.bitcast(inside, bits), ir.Constant(bits, -1))

    return types.boolean(x, x, x), generate


@intrinsic  # type: ignore[untyped-decorator]
def some_positive(typing_context, x):
    """Whether x > 0, on any lane if x is a vector."""
    if real_type(x) is None:
        return None

    def generate(context, builder, sig, args):
        above = builder.fcmp_ordered(">", args[0], context.get_constant_null(x))
        if not isinstance(x, Vector):
            return above
        bits = ir.IntType(x.lanes)
        return builder.icmp_unsigned("!=", builder.bitcast(above, bits), ir.Constant(bits, 0))

    return types.boolean(x), generate


@intrinsic  # type: ignore[untyped-decorator]
def first_lane(typing_context, vector):
    """The number on the first lane."""
    if not isinstance(vector, Vector):
        return None

    def generate(context, builder, sig, args):
        return builder.extract_element(args[0], ir.Constant(ir.IntType(32), 0))

    return vector.dtype(vector), generate


@intrinsic  # type: ignore[untyped-decorator]
def lane(typing_context, vector, place):
    """The number on the lane at this place."""
    if not isinstance(vector, Vector):
        return None

    def generate(context, builder, sig, args):
        return builder.extract_element(args[0], builder.trunc(args[1], ir.IntType(32)))

    return vector.dtype(vector, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def first_lanes(typing_context, vector, count, rest):
    """A vector with the number `rest` on all but the first `count` lanes."""
    if not isinstance(vector, Vector):
        return None

    def generate(context, builder, sig, args):
        lane = ir.IntType(32)
        lanes = ir.VectorType(lane, vector.lanes)
        count = splat(builder, builder.trunc(args[1], lane), lanes)
        is_first = builder.icmp_signed("<", ir.Constant(lanes, list(range(vector.lanes))), count)
        return builder.select(is_first, args[0], args[2])

    return vector(vector, types.int64, vector), generate


def _select(name, condition):
    @intrinsic
    def choose(typing_context, x, yes, no):
        if real_type(x) is None:
            return None

        def generate(context, builder, sig, args):
            zero = context.get_constant_null(sig.args[0])
            return builder.select(builder.fcmp_ordered(condition, args[0], zero), args[1], args[2])

        return x(x, x, x), generate

    choose.__doc__ = f"`yes` where x {condition} 0, `no` elsewhere and where x is NaN."
    return choose


def _compare(condition):
    @intrinsic
    def choose(typing_context, x, y, yes, no):
        if real_type(x) is None:
            return None

        def generate(context, builder, sig, args):
            first, second, *chosen = args
            return builder.select(builder.fcmp_ordered(condition, first, second), *chosen)

        return x(x, x, x, x), generate

    choose.__doc__ = f"`yes` where x {condition} y, `no` elsewhere and where one of them is NaN."
    return choose


where_less, where_less_equal, where_equal = (_compare(sign) for sign in ("<", "<=", "=="))
where_positive = _select("where_positive", ">")
where_negative = _select("where_negative", "<")
