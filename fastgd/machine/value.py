"""A float or a vector of floats as LLVM has it, with Python's arithmetic, so that a formula over it
reads as one.

Instructions are flagged "contract" alone: the fast-math flags of the caller change neither the
rounding nor the handling of infinities and NaN.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir

from fastgd.machine.by_processor import chosen
from fastgd.machine.internals import cgutils
from fastgd.machine.vector import instruction, resized, splat

_LN2_BELOW_FLOAT64 = 2.3190468138462996e-17  # ln 2 less its nearest float64


@dataclass(frozen=True)
class Format:
    """A format of floats."""

    dtype: Any
    bits: int
    mantissa: int  # bits that are stored of it

    @property
    def bias(self) -> int:
        return (1 << (self.bits - self.mantissa - 2)) - 1

    @property
    def ln2_high(self) -> float:
        return float(self.dtype(math.log(2)))

    @property
    def ln2_low(self) -> float:
        """What ln2_high lacks of ln 2."""
        return _LN2_BELOW_FLOAT64 if self.bits == 64 else math.log(2) - self.ln2_high

    @property
    def round_magic(self) -> float:
        """Adding it leaves the nearest whole number in the low bits of the mantissa."""
        return 1.5 * 2.0**self.mantissa

    def bits_of(self, number: float) -> int:
        """The number as the integer of the same bits."""
        return int(np.array(number, self.dtype).view(f"i{self.bits // 8}"))


_FORMATS = {
    "double": Format(np.float64, bits=64, mantissa=52),
    "float": Format(np.float32, bits=32, mantissa=23),
}


class Value:
    """A float or a vector of floats of LLVM, `ir`, with arithmetic."""

    def __init__(self, context: Any, builder: Any, ir_value: Any):
        self.context, self.builder, self.ir = context, builder, ir_value

    @property
    def is_vector(self) -> bool:
        return isinstance(self.ir.type, ir.VectorType)

    @property
    def format(self) -> Format:
        return _FORMATS[str(self.ir.type.element if self.is_vector else self.ir.type)]

    def _of(self, ir_value: Any) -> "Value":
        return Value(self.context, self.builder, ir_value)

    def const(self, number: float) -> "Value":
        return self._of(ir.Constant(self.ir.type, float(self.format.dtype(number))))

    def _coerce(self, other: Any) -> Any:
        return other.ir if isinstance(other, Value) else self.const(other).ir

    def __add__(self, other: Any) -> "Value":
        return self._of(self.builder.fadd(self.ir, self._coerce(other), flags=("contract",)))

    def __sub__(self, other: Any) -> "Value":
        return self._of(self.builder.fsub(self.ir, self._coerce(other), flags=("contract",)))

    def __mul__(self, other: Any) -> "Value":
        return self._of(self.builder.fmul(self.ir, self._coerce(other), flags=("contract",)))

    def __truediv__(self, other: Any) -> "Value":
        return self._of(self.builder.fdiv(self.ir, self._coerce(other), flags=("contract",)))

    def __neg__(self) -> "Value":
        return self._of(self.builder.fneg(self.ir))

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: float) -> "Value":
        return self.const(other) - self

    def __rtruediv__(self, other: float) -> "Value":
        return self.const(other) / self

    def fma(self, factor: Any, summand: Any) -> "Value":
        """self * factor + summand, rounded once on every machine."""
        return self._call("fma", factor, summand)

    def sqrt(self) -> "Value":
        return self._call("sqrt")

    def _call(self, name: str, *others: Any) -> "Value":
        """One of LLVM's intrinsic functions, of a vector of one lane where this is a float: Numba
        flags calls that return floats, and LLVM takes a flagged fma apart where the processor has
        no such instruction.
        """
        if not self.is_vector:
            one = ir.VectorType(self.ir.type, 1)
            x, *rest = (
                self._of(splat(self.builder, operand, one))
                for operand in (self.ir, *map(self._coerce, others))
            )
            return x._call(name, *rest).first_lane()
        kind = self.ir.type
        suffix = f"v{kind.count}{kind.element.intrinsic_name}"
        operands = [self.ir, *map(self._coerce, others)]
        signature = ir.FunctionType(kind, [kind] * len(operands))
        function = cgutils.get_or_insert_function(
            self.builder.module, signature, f"llvm.{name}.{suffix}"
        )
        return self._of(self.builder.call(function, operands))

    def where(self, condition: str, bound: Any, yes: Any, no: Any) -> "Value":
        """`yes` on the lanes where self `condition` bound holds; NaN takes `no`."""
        test = self.builder.fcmp_ordered(condition, self.ir, self._coerce(bound))
        return self._of(self.builder.select(test, self._coerce(yes), self._coerce(no)))

    def by_sign(self, yes: "Value", no: "Value") -> "Value":
        """`yes` on the lanes with a sign, also of 0 and NaN."""
        test = self.builder.icmp_signed("<", self._bits(), self._int(0))
        return self._of(self.builder.select(test, yes.ir, no.ir))

    def smaller(self, other: "Value") -> "Value":
        return self.where("<", other, self, other)

    def larger(self, other: "Value") -> "Value":
        return self.where(">", other, self, other)

    def at_most(self, bound: float) -> "Value":
        return self.where(">", bound, bound, self)

    def at_least(self, bound: float) -> "Value":
        return self.where("<", bound, bound, self)

    # -- the bits

    def _int(self, number: int) -> Any:
        element = ir.IntType(self.format.bits)
        return ir.Constant(
            ir.VectorType(element, self.ir.type.count) if self.is_vector else element, number
        )

    def _bits(self) -> Any:
        return self.builder.bitcast(self.ir, self._int(0).type)

    def _float_of_bits(self, bits: Any) -> "Value":
        return self._of(self.builder.bitcast(bits, self.ir.type))

    def power_of_two(self, offset: int, sign: int = 1) -> "Value":
        """2^(offset + n), or 2^(offset - n) by a `sign` of -1, for self = round_magic + n; zero
        where the exponent is the smallest.
        """
        shifted = self.builder.shl(self._bits(), self._int(self.format.mantissa))
        first = self._int((self.format.bias + offset) << self.format.mantissa)
        join = self.builder.add if sign > 0 else self.builder.sub
        return self._float_of_bits(join(first, shifted))

    def abs(self) -> "Value":
        return self._float_of_bits(
            self.builder.and_(self._bits(), self._int((1 << (self.format.bits - 1)) - 1))
        )

    def with_sign_of(self, other: "Value") -> "Value":
        sign = self.builder.and_(other._bits(), self._int(-(1 << (self.format.bits - 1))))
        return self._float_of_bits(self.builder.or_(self._bits(), sign))

    # -- looking numbers up, with AVX-512

    @property
    def looks_up(self) -> bool:
        """Whether the machine that is compiled for has what `less_nearest` and `power_of_steps` of
        vectors take.
        """
        return chosen(self.context).table != 0

    @property
    def steps(self) -> int:
        """Of an octave, in a table of powers of two that is looked up."""
        return 16 if self.format.bits == 64 else 8

    @property
    def bounds_at_once(self) -> bool:
        """Whether `within` is had, and chosen."""
        return self.is_vector and chosen(self.context).bounds_at_once

    def as_vector(self) -> "Value":
        """A vector with self, a single float, on every lane."""
        return self._of(
            splat(self.builder, self.ir, ir.VectorType(self.ir.type, 256 // self.format.bits))
        )

    def first_lane(self) -> "Value":
        return self._of(self.builder.extract_element(self.ir, ir.IntType(32)(0)))

    def _x86(self, name: str, *operands: Any) -> Any:
        """What an instruction makes of the operands, of the first one's type."""
        signature = ir.FunctionType(operands[0].type, [operand.type for operand in operands])
        return self.builder.call(
            cgutils.get_or_insert_function(self.builder.module, signature, f"llvm.x86.{name}"),
            operands,
        )

    def less_nearest(self) -> "Value":
        """self less the nearest whole number; 0 for an infinite one."""
        kind, size, number = self.ir.type, self.ir.type.count * self.format.bits, ir.IntType(32)
        name = f"avx512.mask.reduce.{'pd' if self.format.bits == 64 else 'ps'}.{size}"
        everywhere = ir.IntType(max(8, kind.count))(-1)
        rounding = [number(4)] if size == 512 else []  # as the processor is set to
        return self._of(
            self._x86(name, self.ir, number(8), ir.Constant(kind, None), everywhere, *rounding)
        )

    def within(self, bound: float) -> "Value":
        """self, or the bound with the sign of self where that is larger; the bound for NaN."""
        kind, size = self.ir.type, self.ir.type.count * self.format.bits
        name = f"avx512.mask.range.{'pd' if self.format.bits == 64 else 'ps'}.{size}"
        number, everywhere = ir.IntType(32), ir.IntType(max(8, kind.count))(-1)
        limit, nothing = self.const(bound).ir, ir.Constant(kind, None)
        rounding = [number(4)] if size == 512 else []
        return self._of(self._x86(name, self.ir, limit, number(2), nothing, everywhere, *rounding))

    def power_of_steps(self) -> "Value":
        """2^(n / steps) for self = round_magic + n; zero where that is half the smallest normal
        number, no better than that up to it.
        """
        f, builder, index, lanes = self.format, self.builder, self._bits(), self.ir.type.count
        # entries lack their steps at the place where adding n, shifted to whole octaves, puts them
        place = f.mantissa - (self.steps.bit_length() - 1)
        numbers = range(max(lanes, self.steps))
        entries = [f.bits_of(2.0 ** (j / self.steps)) - (j << place) for j in numbers]

        def table(*some: int) -> Any:
            bits = ir.Constant(ir.VectorType(index.type.element, len(some)), list(some))
            return builder.bitcast(bits, ir.VectorType(self.ir.type.element, len(some)))

        if f.bits == 64 and lanes == 4 and chosen(self.context).table == 256:
            # instructions by name: LLVM would join their tables to one of twice the bits; it does
            # not know that two such are the same, so that nothing is shared
            quarters = [table(*entries[i : i + 4]) for i in range(0, 16, 4)]
            places = builder.bitcast(index, self.ir.type)
            low, high = (
                instruction(builder, "vpermi2pd $3, $2, $0", "=v,0,v,v", places, *two)
                for two in (quarters[:2], quarters[2:])
            )
            eighth = builder.and_(index, self._int(8))
            found = builder.select(builder.icmp_signed("!=", eighth, self._int(0)), high, low)
        elif f.bits == 64:
            places = resized(builder, index, 8)
            found = self._x86(
                "avx512.vpermi2var.pd.512", table(*entries[:8]), places, table(*entries[8:])
            )
        else:
            name = "avx2.permps" if lanes == 8 else "avx512.permvar.sf.512"
            found = self._x86(name, table(*entries), index)
        power = builder.bitcast(resized(builder, found, lanes), index.type)
        return self._float_of_bits(builder.add(power, builder.shl(index, self._int(place))))
