"""Arithmetic of functions that are being translated, by Numba's rules.

Where numbers meet, the wider type is taken: float64 for an int64 and a float32, the vector for a
vector and a number. Integers are divided downwards, and to 0 by 0; nothing raises.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from fastgd.machine.internals import cgutils
from fastgd.machine.translation.values import (
    FLOATS,
    NUMBERS,
    Context,
    Operand,
    UntranslatableError,
)
from fastgd.machine.vector import Vector

_ON_FLOATS = {
    operator.add: "fadd", operator.sub: "fsub", operator.mul: "fmul", operator.truediv: "fdiv",
}  # fmt: skip
_ON_INTEGERS = {
    operator.add: "add", operator.sub: "sub", operator.mul: "mul", operator.xor: "xor",
    operator.and_: "and_", operator.or_: "or_", operator.lshift: "shl",
}  # fmt: skip


def common_type(first: Any, second: Any) -> Any:
    """The type of numbers or vectors that values of both types can be cast to."""
    if first == second:
        return first
    if isinstance(first, Vector) and second in NUMBERS:
        return first
    if isinstance(second, Vector) and first in NUMBERS:
        return second
    if first not in NUMBERS or second not in NUMBERS or {first, second} == {*NUMBERS[2:4]}:
        raise UntranslatableError(f"{first} and {second} have no type in common")
    if types.float32 in (first, second) and types.boolean not in (first, second):
        return types.float64  # where an int64 or a float64 is the other
    return min(first, second, key=NUMBERS.index)


def binary(context: Context, builder: Any, symbol: Any, left: Operand, right: Operand) -> Operand:
    """left `symbol` right."""
    if symbol is operator.pow:
        return _power(builder, left, right)
    kind = common_type(left.type, right.type)
    if symbol is operator.truediv and kind not in FLOATS and not isinstance(kind, Vector):
        kind = types.float64
    x, y = (context.cast(builder, each.ir, each.type, kind) for each in (left, right))
    if kind in FLOATS or isinstance(kind, Vector):
        if symbol in _ON_FLOATS:
            return Operand(kind, getattr(builder, _ON_FLOATS[symbol])(x, y))
    elif kind != types.boolean:
        if symbol in _ON_INTEGERS:
            return Operand(kind, getattr(builder, _ON_INTEGERS[symbol])(x, y))
        if symbol is operator.rshift:
            return Operand(kind, (builder.ashr if kind == types.int64 else builder.lshr)(x, y))
        if symbol in (operator.floordiv, operator.mod) and kind == types.int64:
            return Operand(kind, _divided(builder, x, y, symbol is operator.mod))
    raise UntranslatableError(f"{symbol.__name__} of {left.type} and {right.type}")


def _divided(builder: Any, x: Any, y: Any, remainder: bool) -> Any:
    """x // y, or x % y; 0 where y is 0."""
    zero, one = y.type(0), y.type(1)
    known = y.constant if isinstance(y, ir.Constant) else None
    if known == 0:
        return zero
    if known is not None and known > 0 and not known & (known - 1):
        if remainder:
            return builder.and_(x, y.type(known - 1))
        return builder.ashr(x, y.type(known.bit_length() - 1))
    is_zero = builder.icmp_signed("==", y, zero)
    by = builder.select(is_zero, one, y) if known is None else y
    rest = builder.srem(x, by)
    other_side = builder.icmp_signed("<", builder.xor(rest, by), zero)
    below = builder.and_(builder.icmp_signed("!=", rest, zero), other_side)
    if remainder:
        result = builder.add(rest, builder.select(below, by, zero))
    else:
        result = builder.sub(builder.sdiv(x, by), builder.zext(below, x.type))
    return result if by is y else builder.select(is_zero, zero, result)


def _power(builder: Any, left: Operand, right: Operand) -> Operand:
    """left ** right, a literal of a few products."""
    count = right.ir.constant if isinstance(right.ir, ir.Constant) else None
    if left.type not in FLOATS or right.type != types.int64 or count != 2:
        raise UntranslatableError(f"{left.type} ** {right.type}")
    return Operand(left.type, builder.fmul(left.ir, left.ir))


def negative(builder: Any, operand: Operand) -> Operand:
    """-x."""
    kind, value = operand
    if kind == types.int64:
        return Operand(kind, builder.neg(value))
    if kind in FLOATS or isinstance(kind, Vector):
        return Operand(kind, builder.fneg(value))
    raise UntranslatableError(f"- of {kind}")


def compare(context: Context, builder: Any, symbol: str, left: Operand, right: Operand) -> Operand:
    """left `symbol` right, of numbers."""
    kind = common_type(left.type, right.type)
    if kind not in NUMBERS:
        raise UntranslatableError(f"{symbol} of {kind}")
    x, y = (context.cast(builder, each.ir, each.type, kind) for each in (left, right))
    if kind not in FLOATS:
        test = builder.icmp_signed if kind == types.int64 else builder.icmp_unsigned
    else:
        test = builder.fcmp_unordered if symbol == "!=" else builder.fcmp_ordered
    return Operand(types.boolean, test(symbol, x, y))


# -- functions of Python's and NumPy's -------------------------------------------------------------


def _extreme(symbol: str) -> Any:
    def of(context: Context, builder: Any, *operands: Operand) -> Operand:
        best = operands[0]
        for each in operands[1:]:
            better = compare(context, builder, symbol, each, best)
            kind = common_type(best.type, each.type)
            x, y = (context.cast(builder, o.ir, o.type, kind) for o in (each, best))
            best = Operand(kind, builder.select(better.ir, x, y))
        return best

    return of


def _as(kind: Any) -> Any:
    def of(context: Context, builder: Any, operand: Operand) -> Operand:
        return Operand(kind, context.cast(builder, operand.ir, operand.type, kind))

    return of


def _of_math(name: str) -> Any:
    """A function of the C library's, or of LLVM's, of float64; of float32 where all are."""

    def of(context: Context, builder: Any, *operands: Operand) -> Operand:
        if not all(each.type in FLOATS for each in operands):
            raise UntranslatableError(f"{name} of {[each.type for each in operands]}")
        single = all(each.type == types.float32 for each in operands)
        kind = types.float32 if single else types.float64
        values = [context.cast(builder, each.ir, each.type, kind) for each in operands]
        real = context.get_value_type(kind)
        signature = ir.FunctionType(real, [real] * len(values))
        if name.startswith("llvm."):
            called = f"{name}.{real.intrinsic_name}"
        else:
            called = f"{name}f" if single else name
        function = cgutils.get_or_insert_function(builder.module, signature, called)
        return Operand(kind, builder.call(function, values))

    return of


def _floor(context: Context, builder: Any, operand: Operand) -> Operand:
    whole = _of_math("floor")(context, builder, operand)
    return Operand(types.int64, context.cast(builder, whole.ir, whole.type, types.int64))


BUILTINS: dict[Any, Any] = {
    min: _extreme("<"), max: _extreme(">"), int: _as(types.int64), float: _as(types.float64),
    bool: _as(types.boolean), np.bool_: _as(types.boolean), np.int64: _as(types.int64),
    np.uint64: _as(types.uint64), np.float64: _as(types.float64), math.sqrt: _of_math("sqrt"),
    math.cos: _of_math("llvm.cos"), math.pow: _of_math("llvm.pow"), math.floor: _floor,
}  # fmt: skip
