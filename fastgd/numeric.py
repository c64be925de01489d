"""exp, log, tanh, sigmoid and friends for single floats and for vectors, in float64 and float32, without a branch or a call.

Each function is a formula over `_Value`, which emits LLVM instructions flagged "contract" alone: the fast-math flags of the
caller change neither the rounding nor the handling of infinities and NaN. Error bounds are tested against mpmath in
tests/test_numeric.py. Results below 1.5 times the smallest normal number may be flushed to zero. The polynomials are printed by
scripts/polynomials.py.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastgd.simd import real_type

_LN2_BELOW_FLOAT64 = 2.3190468138462996e-17  # ln 2 less its nearest float64


@dataclass(frozen=True)
class _Format:
    """What the functions need to know about a float format."""

    dtype: Any
    bits: int
    mantissa: int  # stored bits of the mantissa
    exp_tail: tuple[float, ...]  # (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2
    log_tail: tuple[float, ...]  # (log((1 + s) / (1 - s)) - 2 s) / s^3 in s^2, for 1 / sqrt 2 <= (1 + s) / (1 - s) <= sqrt 2

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


_FORMATS = {
    types.float64: _Format(
        dtype=np.float64,
        bits=64,
        mantissa=52,
        exp_tail=(
            0.5000000000000001, 0.16666666666666669, 0.041666666666624164, 0.008333333333330065, 0.0013888888917196719,
            0.00019841269863040545, 2.4801521322368692e-05, 2.7557268480310024e-06, 2.7620075879983367e-07, 2.5100375832561234e-08,
        ),
        log_tail=(
            0.666666666666667, 0.39999999999899505, 0.28571428625975487, 0.2222221113479508, 0.18182889125261723,
            0.15331721600556042, 0.14616449685043406,
        ),
    ),
    types.float32: _Format(
        dtype=np.float32,
        bits=32,
        mantissa=23,
        exp_tail=(0.5, 0.1666657702559799, 0.041666554662050534, 0.008363173074513711, 0.001392617611993558),
        log_tail=(0.6666668503957586, 0.3998878056602198, 0.2957994939197279),
    ),
}  # fmt: skip


class _Value:
    """An LLVM float or vector of floats with arithmetic, so that formulas read as such."""

    def __init__(self, builder: Any, ir_value: Any, format: _Format):
        self.builder, self.ir, self.format = builder, ir_value, format

    def _of(self, ir_value: Any) -> "_Value":
        return _Value(self.builder, ir_value, self.format)

    def const(self, number: float) -> "_Value":
        return self._of(ir.Constant(self.ir.type, float(self.format.dtype(number))))

    def _coerce(self, other: Any) -> Any:
        return other.ir if isinstance(other, _Value) else self.const(other).ir

    def __add__(self, other: Any) -> "_Value":
        return self._of(self.builder.fadd(self.ir, self._coerce(other), flags=("contract",)))

    def __sub__(self, other: Any) -> "_Value":
        return self._of(self.builder.fsub(self.ir, self._coerce(other), flags=("contract",)))

    def __mul__(self, other: Any) -> "_Value":
        return self._of(self.builder.fmul(self.ir, self._coerce(other), flags=("contract",)))

    def __truediv__(self, other: Any) -> "_Value":
        return self._of(self.builder.fdiv(self.ir, self._coerce(other), flags=("contract",)))

    def __neg__(self) -> "_Value":
        return self._of(self.builder.fneg(self.ir))

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: float) -> "_Value":
        return self.const(other) - self

    def __rtruediv__(self, other: float) -> "_Value":
        return self.const(other) / self

    def fma(self, factor: Any, summand: Any) -> "_Value":
        """self * factor + summand, rounded once on every machine."""
        return self._call("fma", factor, summand)

    def sqrt(self) -> "_Value":
        return self._call("sqrt")

    def _call(self, name: str, *others: Any) -> "_Value":
        """One of LLVM's intrinsic functions."""
        kind = self.ir.type
        element = kind.element if isinstance(kind, ir.VectorType) else kind
        suffix = f"v{kind.count}" if isinstance(kind, ir.VectorType) else ""
        operands = [self.ir, *map(self._coerce, others)]
        signature = ir.FunctionType(kind, [kind] * len(operands))
        function = cgutils.get_or_insert_function(self.builder.module, signature, f"llvm.{name}.{suffix}{element.intrinsic_name}")
        return self._of(self.builder.call(function, operands))

    def where(self, condition: str, bound: Any, yes: Any, no: Any) -> "_Value":
        """`yes` on the lanes where self `condition` bound holds; NaN takes `no`."""
        test = self.builder.fcmp_ordered(condition, self.ir, self._coerce(bound))
        return self._of(self.builder.select(test, self._coerce(yes), self._coerce(no)))

    def at_most(self, bound: float) -> "_Value":
        return self.where(">", bound, bound, self)

    def at_least(self, bound: float) -> "_Value":
        return self.where("<", bound, bound, self)

    # -- the bits

    def _int(self, number: int) -> Any:
        element = ir.IntType(self.format.bits)
        vector = isinstance(self.ir.type, ir.VectorType)
        return ir.Constant(ir.VectorType(element, self.ir.type.count) if vector else element, number)

    def _bits(self) -> Any:
        return self.builder.bitcast(self.ir, self._int(0).type)

    def _float_of_bits(self, bits: Any) -> "_Value":
        return self._of(self.builder.bitcast(bits, self.ir.type))

    def power_of_two(self, offset: int) -> "_Value":
        """2^(n + offset) for self = round_magic + n; zero where the exponent is the smallest."""
        shifted = self.builder.shl(self._bits(), self._int(self.format.mantissa))
        return self._float_of_bits(self.builder.add(shifted, self._int((self.format.bias + offset) << self.format.mantissa)))

    def inverse_power_of_two(self) -> "_Value":
        """2^-n for self = round_magic + n; zero where the exponent is the smallest."""
        shifted = self.builder.shl(self._bits(), self._int(self.format.mantissa))
        return self._float_of_bits(self.builder.sub(self._int(self.format.bias << self.format.mantissa), shifted))

    def abs(self) -> "_Value":
        return self._float_of_bits(self.builder.and_(self._bits(), self._int((1 << (self.format.bits - 1)) - 1)))

    def with_sign_of(self, other: "_Value") -> "_Value":
        sign = self.builder.and_(other._bits(), self._int(-(1 << (self.format.bits - 1))))
        return self._float_of_bits(self.builder.or_(self._bits(), sign))


def _polynomial(x: _Value, coefficients: tuple[float, ...]) -> _Value:
    """sum of c_k x^k by halving (Estrin): the chain of dependent operations is as short as it can be."""
    terms = [x.const(c) for c in coefficients]
    while len(terms) > 1:
        if len(terms) == 3:  # as long a chain without the square
            return terms[0] + (terms[1] + terms[2] * x) * x
        pairs = [low + high * x for low, high in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[2 * len(pairs) :]
        x = x * x
    return terms[0]


@dataclass(frozen=True)
class _Exponential:
    """e^x = 2^n (first + r4 rest) (1 - lacking).

    x = n ln 2 + r takes r to be x - n fl(ln 2); `lacking` is n times what fl(ln 2) lacks. The parts are left apart, so that each
    function can join them with the fewest dependent operations.
    """

    shifted: _Value  # round_magic + n
    first: _Value
    r4: _Value
    rest: _Value
    lacking: _Value


def _exponential(x: _Value, sign: int = 1) -> _Exponential:
    """The parts of e^(sign x)."""
    f, c = x.format, x.format.exp_tail
    shifted = x * (sign / math.log(2)) + f.round_magic
    n = shifted - f.round_magic
    r = n.fma(-f.ln2_high, x) if sign > 0 else -n.fma(f.ln2_high, x)
    r2 = r * r
    first = (r + 1.0) + r2 * (r * c[1] + c[0])
    return _Exponential(shifted, first, r2 * r2, _polynomial(r, c[2:]), n * f.ln2_low)


def _exp(x: _Value) -> _Value:
    # 2 (2^(n - 1) e^r), since 2^n overflows before e^x does; the clamps end in an exact 0 and in inf
    bias = x.format.bias
    e = _exponential(x.at_least(-(bias - 1) * math.log(2)).at_most((bias + 1.3) * math.log(2)))
    half = e.shifted.power_of_two(-1) * ((e.first - e.lacking * e.first) + e.r4 * e.rest)
    return half + half


def _sigmoid_parts(x: _Value) -> tuple[_Value, _Exponential]:
    """t = 2^-n, corrected, and the parts of e^r, of e^-x = e^r / t."""
    # the clamps end in t = 0, where the sigmoid would be no normal number, and where it is 1
    limit = x.format.bias * math.log(2)
    e = _exponential(x.at_least(-limit).at_most(limit), sign=-1)
    power = e.shifted.inverse_power_of_two()
    return power + power * e.lacking, e


def _sigmoid(x: _Value) -> _Value:
    # 1 / (1 + e^-x) = t / (t + e^r)
    t, e = _sigmoid_parts(x)
    return t / ((e.first + t) + e.r4 * e.rest)


def _tanh(x: _Value) -> _Value:
    # tanh |x| = u / (u + 1) with u = (e^(2 |x|) - 1) / 2 = 2^n p + (2^n - 1) / 2, p = (e^(2 h) - 1) / 2, |x| = n ln 2 / 2 + h. Where n is
    # large enough for what fl(ln 2) lacks, so is u, whose error hardly matters. Beyond the clamp the result is 1 to the last bit.
    f = x.format
    bounded = x.abs().at_most((f.mantissa + 4) * math.log(2) / 2)
    shifted = bounded * (2 / math.log(2)) + f.round_magic
    h = (shifted - f.round_magic).fma(-f.ln2_high / 2, bounded)
    h2 = h * h
    p = h + h2 * _polynomial(h, tuple(2.0 ** (k + 1) * c for k, c in enumerate(f.exp_tail)))
    scale, half = shifted.power_of_two(0), shifted.power_of_two(-1)
    u = scale * p + (half - 0.5)
    return (u / (u + 1.0)).with_sign_of(x)


def _log(x: _Value) -> _Value:
    # x = 2^k m with sqrt(1/2) <= m < sqrt 2, s = (m - 1) / (m + 1): log m = f - s (f - s^2 tail), f = m - 1
    f, builder = x.format, x.builder
    tiny = 2.0 ** (1 - f.bias)
    scaled = x.where("<", tiny, x * 2.0**f.mantissa * 2.0, x)
    below_one = x._int((f.bias << f.mantissa) - int(np.array(math.sqrt(0.5), f.dtype).view(f"i{f.bits // 8}")))
    bits = builder.add(scaled._bits(), below_one)
    k = builder.sub(builder.lshr(bits, x._int(f.mantissa)), x._int(f.bias))
    fraction = builder.and_(bits, x._int((1 << f.mantissa) - 1))
    m = x._float_of_bits(builder.sub(builder.add(fraction, x._int(f.bias << f.mantissa)), below_one))
    n = x._of(builder.sitofp(k, x.ir.type))
    n = x.where("<", tiny, n - (f.mantissa + 1.0), n)
    d = m - 1.0
    s = d / (d + 2.0)
    z = s * s
    half_square = d * d * 0.5
    rest = d - (half_square - (s * (half_square + z * _polynomial(z, f.log_tail)) + n * f.ln2_low))
    result = n.fma(f.ln2_high, rest)
    result = x.where("==", math.inf, x, result)
    result = x.where("==", 0.0, -math.inf, result)
    return x.where(">=", 0.0, result, math.nan)


def _log1p(x: _Value) -> _Value:
    # log u plus what rounding 1 + x to u lost
    u = x + 1.0
    return _log(u) + (x - (u - 1.0)) / u


def _lanewise(name: str) -> Any:
    """A formula that calls the mathematical library once a lane: exact over the whole range, not fast."""

    def formula(x: _Value) -> _Value:
        builder = x.builder
        vector = isinstance(x.ir.type, ir.VectorType)
        element = x.ir.type.element if vector else x.ir.type
        function = builder.module.declare_intrinsic(f"llvm.{name}", [element])
        if not vector:
            return x._of(builder.call(function, [x.ir]))
        result = x.ir
        for lane in range(x.ir.type.count):
            index = ir.Constant(ir.IntType(32), lane)
            value = builder.call(function, [builder.extract_element(x.ir, index)])
            result = builder.insert_element(result, value, index)
        return x._of(result)

    return formula


def _define(name: str, formula: Any, doc: str) -> Any:
    def function(typing_context, x):
        real = real_type(x)
        if real is None:
            return None

        def generate(context, builder, sig, args):
            return formula(_Value(builder, args[0], _FORMATS[real])).ir

        return x(x), generate

    function.__name__ = name
    function.__doc__ = doc
    return intrinsic(function)


exp = _define("exp", _exp, "e^x; 0 below the logarithm of the smallest normal number, inf above that of the largest.")
log = _define("log", _log, "The natural logarithm; -inf at 0, NaN below.")
log1p = _define("log1p", _log1p, "log(1 + x) for 0 <= x <= 1, accurate where x is small.")
sigmoid = _define("sigmoid", _sigmoid, "1 / (1 + e^-x), notes 002 (9).")
tanh = _define("tanh", _tanh, "The hyperbolic tangent.")
sin = _define("sin", _lanewise("sin"), "The sine, from the mathematical library.")
cos = _define("cos", _lanewise("cos"), "The cosine, from the mathematical library.")


sqrt = _define("sqrt", _Value.sqrt, "The square root, rounded right.")


@intrinsic  # type: ignore[untyped-decorator]
def sigmoid_parts(typing_context, x):
    """t and u with e^-x = u / t, so that sigmoid(x + c) = t / (t + u e^-c) for small c; for c of 40 or more, not where exponents can't hold
    e^-x.
    """
    real = real_type(x)
    if real is None:
        return None

    def generate(context, builder, sig, args):
        t, e = _sigmoid_parts(_Value(builder, args[0], _FORMATS[real]))
        return context.make_tuple(builder, sig.return_type, [t.ir, (e.first + e.r4 * e.rest).ir])

    return types.UniTuple(x, 2)(x), generate


@intrinsic  # type: ignore[untyped-decorator]
def fma(typing_context, x, factor, summand):
    """x * factor + summand, rounded once."""
    real = real_type(x)
    if real is None:
        return None

    def generate(context, builder, sig, args):
        return _Value(builder, args[0], _FORMATS[real]).fma(*(_Value(builder, arg, _FORMATS[real]) for arg in args[1:])).ir

    return x(x, x, x), generate
