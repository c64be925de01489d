"""Values of functions that are being translated: what LLVM has, with its type, and what is known
meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types

from fastgd.machine.internals import cpu_target
from fastgd.machine.span import Span
from fastgd.machine.vector import Vector, splat

CONTRACT = ("contract",)
FLOATS = (types.float64, types.float32)
NUMBERS = (types.float64, types.float32, types.uint64, types.int64, types.boolean)  # widest first
LITERALS = {
    bool: types.boolean, int: types.int64, float: types.float64, np.bool_: types.boolean,
    np.int64: types.int64, np.uint64: types.uint64, np.float64: types.float64,
    np.float32: types.float32,
}  # fmt: skip


class UntranslatableError(Exception):
    """A function holds what is not known here; Numba may know it."""


class Operand(NamedTuple):
    """A value of compiled code."""

    type: Any
    ir: Any


class Static(NamedTuple):
    """An object that is known while compiling: a number, a function, a tuple of them."""

    value: Any


NONE = Operand(types.none, None)


class Builder(ir.IRBuilder):  # type: ignore[misc]
    """An LLVM builder by whose operations products and sums may be fused, and nothing else is
    relaxed. What has flags of its own keeps them.
    """

    def call(self, *args: Any, **options: Any) -> Any:
        result = super().call(*args, **options)
        if isinstance(result.type, (ir.DoubleType, ir.FloatType)):
            result.fastmath.add(*CONTRACT)
        return result


def _contracting(name: str) -> Any:
    plain = getattr(ir.IRBuilder, name)

    def instruction(self: Any, *operands: Any, name: str = "", flags: Any = ()) -> Any:
        return plain(self, *operands, name, flags or CONTRACT)

    return instruction


for _name in ("fadd", "fsub", "fmul", "fdiv", "fcmp_ordered", "fcmp_unordered"):
    setattr(Builder, _name, _contracting(_name))


class Context:
    """What code for LLVM asks Numba's own context of, beside what is answered here."""

    def __init__(self, fail: Callable[[Any], None]):
        self._fail = fail

    def __getattr__(self, name: str) -> Any:
        found = getattr(cpu_target.target_context, name)
        setattr(self, name, found)  # so that it is asked for once
        return found

    @property
    def call_conv(self) -> Context:
        return self

    def return_user_exc(self, builder: Any, *exception: Any) -> None:
        """Leave the compiled function, for an index outside an array."""
        self._fail(builder)

    def get_constant(self, kind: Any, number: Any) -> Any:
        """A number as an LLVM constant."""
        return ir.Constant(self.get_value_type(kind), number)

    def cast(self, builder: Any, value: Any, old: Any, new: Any) -> Any:
        """A value of type `old` as one of type `new`."""
        if old == new:
            return value
        llvm_type = self.get_value_type(new)
        if isinstance(new, Vector):
            if isinstance(old, Vector):
                wider = new.dtype.bitwidth > old.dtype.bitwidth
                return (builder.fpext if wider else builder.fptrunc)(value, llvm_type)
            return splat(builder, self.cast(builder, value, old, new.dtype), llvm_type)
        if old not in NUMBERS or new not in NUMBERS:
            raise UntranslatableError(f"a {old} is no {new}")
        if new == types.boolean:
            return truth(builder, Operand(old, value)).ir
        if old in FLOATS and new in FLOATS:
            convert = builder.fpext if new == types.float64 else builder.fptrunc
        elif old in FLOATS:
            convert = builder.fptosi if new == types.int64 else builder.fptoui
        elif new in FLOATS:
            convert = builder.sitofp if old == types.int64 else builder.uitofp
        elif old == types.boolean:
            convert = builder.zext
        else:
            return value
        return convert(value, llvm_type)


def literal(context: Context, builder: Any, value: Any) -> Operand:
    """A number, or a tuple of numbers, as a value of compiled code."""
    if type(value) is tuple:
        return tuple_of(context, builder, [literal(context, builder, each) for each in value])
    if type(value) not in LITERALS:
        raise UntranslatableError(f"{value!r} is no number")
    kind = LITERALS[type(value)]
    number = value.item() if isinstance(value, np.generic) else value
    if kind == types.int64 and not -(2**63) <= number < 2**63:
        raise UntranslatableError(f"{number} is no int64")
    return Operand(kind, context.get_constant(kind, number))


def tuple_of(context: Context, builder: Any, operands: list[Operand], cls: Any = None) -> Operand:
    """A tuple of values; a named one if it is of the class `cls`."""
    kinds = [each.type for each in operands]
    if cls is None:
        kind = types.Tuple(kinds)
    elif len(set(kinds)) == 1:
        kind = types.NamedUniTuple(kinds[0], len(kinds), cls)
    else:
        kind = types.NamedTuple(kinds, cls)
    value = ir.Constant(context.get_value_type(kind), ir.Undefined)
    for i, each in enumerate(operands):
        value = builder.insert_value(value, each.ir, i)
    return Operand(kind, value)


def truth(builder: Any, operand: Operand) -> Operand:
    """Whether a number is not 0."""
    kind, value = operand
    if kind == types.boolean:
        return operand
    if kind not in NUMBERS:
        raise UntranslatableError(f"a {kind} is neither true nor false")
    compare = builder.fcmp_unordered if kind in FLOATS else builder.icmp_signed
    return Operand(types.boolean, compare("!=", value, ir.Constant(value.type, 0)))


def item(context: Context, builder: Any, tup: Operand, index: Operand | Static) -> Operand:
    """tup[index]; of numbers of one type, by an index known at run time too."""
    kind = tup.type
    if isinstance(index, Static):
        place = range(len(kind))[index.value]
        return Operand(kind.types[place], builder.extract_value(tup.ir, place))
    if not isinstance(kind, types.UniTuple) or index.type != types.int64:
        raise UntranslatableError(f"{kind}[{index.type}]")
    result = builder.extract_value(tup.ir, len(kind) - 1)
    for i in range(len(kind) - 1):
        is_here = builder.icmp_signed("==", index.ir, index.ir.type(i))
        result = builder.select(is_here, builder.extract_value(tup.ir, i), result)
    return Operand(kind.dtype, result)


def length(builder: Any, operand: Operand) -> Operand | Static:
    """len of a span, or of a tuple, where it is known."""
    if isinstance(operand.type, types.BaseTuple):
        return Static(len(operand.type))
    if not isinstance(operand.type, Span):
        raise UntranslatableError(f"len of {operand.type}")
    return Operand(types.int64, builder.extract_value(operand.ir, 1))
