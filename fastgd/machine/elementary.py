"""exp, log, tanh, sigmoid and friends for single floats and for vectors, in float64 and float32,
without a branch or a call.

Each function is a formula over `values.Value`. Error bounds are tested against mpmath in
tests/test_numeric.py. Results below 1.5 times the smallest normal number may be flushed to zero.
The polynomials are printed by scripts/polynomials.py.
"""

import math
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastgd.machine.jit import merged
from fastgd.machine.value import Value
from fastgd.machine.vector import like, real_type

# polynomials by the bits of a float, constant term first
EXP_TAIL = {  # (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2
    64: ( 0.5000000000000001, 0.16666666666666669, 0.041666666666624164, 0.008333333333330065,
    0.0013888888917196719, 0.00019841269863040545, 2.4801521322368692e-05, 2.7557268480310024e-06,
    2.7620075879983367e-07, 2.5100375832561234e-08, ), 32: (0.5, 0.1666657702559799,
    0.041666554662050534, 0.008363173074513711, 0.001392617611993558),
}  # fmt: skip
_EXP_RATIO = {  # A and B in r^2, e^r being (A + r B) / (A - r B), on |r| <= ln 2 / 2
    64: (
        (1.0, 0.11110779920249408, 0.000991732348767602),
        (0.5, 0.013887232934582602, 3.304120750941491e-05),
    ), 32: ((1.0, 0.09997485827951123), (0.49999999906024706, 0.00832082510897571)),
}  # fmt: skip
STEP_TAIL = {  # (2^(-r / steps) - 1) / r on |r| <= 1 / 2, with `Value.steps`
    64: ( -0.04332169878499661, 0.0009383847928089873, -1.355080777749983e-05,
    1.4676100321837672e-07, -1.2716085030349987e-09, 9.181334960907254e-12, ),
    32: (-0.08664339756999316, 0.0037539794749038994, -0.00010841409201484886),
}  # fmt: skip
# (log((1 + s) / (1 - s)) - 2 s) / s^3 in s^2, for 1 / sqrt 2 <= (1 + s) / (1 - s) <= sqrt 2
_LOG_TAIL = {
    64: ( 0.666666666666667, 0.39999999999899505, 0.28571428625975487, 0.2222221113479508,
    0.18182889125261723, 0.15331721600556042, 0.14616449685043406, ), 32: (0.6666668503957586,
    0.3998878056602198, 0.2957994939197279),
}  # fmt: skip


def polynomial(x: Value, coefficients: tuple[float, ...]) -> Value:
    """sum of c_k x^k by halving (Estrin): the chain of dependent operations is as short as it can
    be.
    """
    terms = [x.const(c) for c in coefficients]
    while len(terms) > 1:
        if len(terms) == 3:  # as long a chain without the square
            return terms[0] + (terms[1] + terms[2] * x) * x
        pairs = [low + high * x for low, high in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[2 * len(pairs) :]
        x = x * x
    return terms[0]


def _exponential(x: Value, sign: int = 1) -> tuple[Value, Value, Value, Value]:
    """round_magic + n, first, rest and lacking with e^(sign x) = 2^n (first + rest) (1 - lacking),
    left apart, so that each function can join them with the fewest dependent operations.

    sign x is n ln 2 + r, r taken to be sign x - n fl(ln 2), and lacking n times what that lacks.
    """
    f, c = x.format, EXP_TAIL[x.format.bits]
    shifted = x * (sign / math.log(2)) + f.round_magic
    n = shifted - f.round_magic
    r = n.fma(-f.ln2_high, x) if sign > 0 else -n.fma(f.ln2_high, x)
    r2 = r * r
    first = (r + 1.0) + r2 * (r * c[1] + c[0])
    return shifted, first, r2 * r2 * polynomial(r, c[2:]), n * f.ln2_low


def exp_of(x: Value) -> Value:
    # 2 (2^(n - 1) e^r), since 2^n overflows before e^x does; the clamps end in an exact 0 and in
    # inf
    bias = x.format.bias
    bounded = x.at_least(-(bias - 1) * math.log(2)).at_most((bias + 1.3) * math.log(2))
    shifted, first, rest, lacking = _exponential(bounded)
    half = shifted.power_of_two(-1) * ((first - lacking * first) + rest)
    return half + half


def _between_clamps(x: Value, alone: bool, negative: bool) -> Value:
    """x up to where t = 0, the sigmoid being no normal number, and to where it is 1, by far, but
    products of two t are finite; unless t is `alone`, where both bounds may be alike, or x is
    `negative`, where there is one.
    """
    least, most = x.format.bias * math.log(2), 3 * x.format.bias // 8 * math.log(2)
    if alone and x.bounds_at_once:
        return x.within(least)
    bounded = x.at_least(-least)
    return bounded if negative else bounded.at_most(most)


def _parts_by_octaves(_: Value, bounded: Value) -> tuple[Value, Value, Value]:
    """`sigmoid_parts_of`: t = 2^-n, corrected, and u = e^r."""
    shifted, first, rest, lacking = _exponential(bounded, sign=-1)
    power = shifted.power_of_two(0, sign=-1)
    t = power + power * lacking
    return t, first + rest, (first + t) + rest


def _parts_by_ratio(x: Value, bounded: Value) -> tuple[Value, Value, Value]:
    """`sigmoid_parts_of`: t = 2^n (A + r B), corrected, and u = A - r B, where x is n ln 2 + r:
    fewer operations, more of them dependent.
    """
    f, (even, odd) = x.format, _EXP_RATIO[x.format.bits]
    shifted = bounded * (1 / math.log(2)) + f.round_magic
    n = shifted - f.round_magic
    r = n.fma(-f.ln2_high, bounded)
    z, power = r * r, shifted.power_of_two(0)
    a, b = polynomial(z, even), r * polynomial(z, odd)
    t, u = (a + b) * power.fma(n * -f.ln2_low, power), a - b
    return t, u, t + u


def power_of_rest(r: Value, tail: tuple[float, ...], first: float = 1.0) -> Value:
    """`first` times 2^(-r / steps), by a `STEP_TAIL` times that."""
    c, r2 = tail, r * r
    u = r2.fma(r.fma(c[2], c[1]), r.fma(c[0], first))
    if len(c) == 3:
        return u
    return (r2 * r2).fma(r2.fma(c[5], r.fma(c[4], c[3])), u)


def _parts_by_table(x: Value, bounded: Value) -> tuple[Value, Value, Value]:
    """`sigmoid_parts_of`: t = 2^(n / steps), corrected, and u = 2^(-r / steps), where x steps /
    ln 2 is n + r but for its rounding: a table saves nearly half of the polynomial, and the clamps
    are not on the way from x to u.
    """
    f, steps = x.format, x.steps
    per = steps / math.log(2)
    u = power_of_rest((x * per).less_nearest(), STEP_TAIL[f.bits])
    y = bounded * per
    rounded = y.fma(-f.ln2_low / steps, y.fma(-f.ln2_high / steps, bounded))
    power = (y + f.round_magic).power_of_steps()
    t = power.fma(rounded, power)
    return t, u, u + t


def sigmoid_parts_of(
    x: Value, alone: bool = False, negative: bool = False
) -> tuple[Value, Value, Value]:
    """t and u with e^-x = u / t, and t + u; where t is not `alone`, products of two are finite. By
    the fewest dependent operations, or where x is `negative`, or 0, by the fewest.
    """
    if x.looks_up and not x.is_vector:
        t, u, total = sigmoid_parts_of(x.as_vector(), alone, negative)
        return t.first_lane(), u.first_lane(), total.first_lane()
    without_table = _parts_by_ratio if negative else _parts_by_octaves
    parts = _parts_by_table if x.looks_up else without_table
    return parts(x, _between_clamps(x, alone, negative))


def _sigmoid(x: Value) -> Value:
    # 1 / (1 + e^-x) = t / (t + u)
    t, _, total = sigmoid_parts_of(x, alone=True)
    return t / total


def _tanh(x: Value) -> Value:
    # tanh |x| = u / (u + 1) with u = (e^(2 |x|) - 1) / 2 = 2^n p + (2^n - 1) / 2, p = (e^(2 h) - 1)
    # / 2, |x| = n ln 2 / 2 + h. Where n is
    # large enough for what fl(ln 2) lacks, so is u, whose error hardly matters. Beyond the clamp
    # the result is 1 to the last bit.
    f = x.format
    bounded = x.abs().at_most((f.mantissa + 4) * math.log(2) / 2)
    shifted = bounded * (2 / math.log(2)) + f.round_magic
    h = (shifted - f.round_magic).fma(-f.ln2_high / 2, bounded)
    h2 = h * h
    p = h + h2 * polynomial(h, tuple(2.0 ** (k + 1) * c for k, c in enumerate(EXP_TAIL[f.bits])))
    scale, half = shifted.power_of_two(0), shifted.power_of_two(-1)
    u = scale * p + (half - 0.5)
    return (u / (u + 1.0)).with_sign_of(x)


def _log(x: Value) -> Value:
    # x = 2^k m with sqrt(1/2) <= m < sqrt 2, s = (m - 1) / (m + 1): log m = f - s (f - s^2 tail), f
    # = m - 1
    f, builder = x.format, x.builder
    tiny = 2.0 ** (1 - f.bias)
    scaled = x.where("<", tiny, x * 2.0**f.mantissa * 2.0, x)
    below_one = x._int((f.bias << f.mantissa) - f.bits_of(math.sqrt(0.5)))
    bits = builder.add(scaled._bits(), below_one)
    k = builder.sub(builder.lshr(bits, x._int(f.mantissa)), x._int(f.bias))
    fraction = builder.and_(bits, x._int((1 << f.mantissa) - 1))
    m = x._float_of_bits(
        builder.sub(builder.add(fraction, x._int(f.bias << f.mantissa)), below_one)
    )
    n = x._of(builder.sitofp(k, x.ir.type))
    n = x.where("<", tiny, n - (f.mantissa + 1.0), n)
    d = m - 1.0
    s = d / (d + 2.0)
    z = s * s
    half_square = d * d * 0.5
    rest = d - (
        half_square - (s * (half_square + z * polynomial(z, _LOG_TAIL[f.bits])) + n * f.ln2_low)
    )
    result = n.fma(f.ln2_high, rest)
    result = x.where("==", math.inf, x, result)
    result = x.where("==", 0.0, -math.inf, result)
    return x.where(">=", 0.0, result, math.nan)


def _log1p(x: Value) -> Value:
    # log u plus what rounding 1 + x to u lost
    u = x + 1.0
    result = _log(u) + (x - (u - 1.0)) / u
    return u.where("==", 0.0, -math.inf, u.where("==", math.inf, u, result))


def _lanewise(name: str) -> Any:
    """A formula that calls the mathematical library once a lane: exact over the whole range, not
    fast.
    """

    def formula(x: Value) -> Value:
        builder = x.builder
        element = x.ir.type.element if x.is_vector else x.ir.type
        function = builder.module.declare_intrinsic(f"llvm.{name}", [element])
        if not x.is_vector:
            return x._of(builder.call(function, [x.ir]))
        result = x.ir
        for lane in range(x.ir.type.count):
            index = ir.Constant(ir.IntType(32), lane)
            value = builder.call(function, [builder.extract_element(x.ir, index)])
            result = builder.insert_element(result, value, index)
        return x._of(result)

    return formula


def define(name: str, formula: Any, doc: str) -> Any:
    def function(typing_context, x):
        if real_type(x) is None:
            return None

        def generate(context, builder, sig, args):
            return formula(Value(context, builder, args[0])).ir

        return x(x), generate

    function.__name__ = name
    function.__doc__ = doc
    return intrinsic(function)


exp = define("exp", exp_of, "e^x; 0 below the log of the least normal number, inf above the most.")
log = define("log", _log, "The natural logarithm; -inf at 0, NaN below.")
log1p = define("log1p", _log1p, "log(1 + x), accurate where x is small.")
sigmoid = define("sigmoid", _sigmoid, "1 / (1 + e^-x), notes 002 (9).")
tanh = define("tanh", _tanh, "The hyperbolic tangent.")
sin = define("sin", _lanewise("sin"), "The sine, from the mathematical library.")
cos = define("cos", _lanewise("cos"), "The cosine, from the mathematical library.")
sqrt = define("sqrt", Value.sqrt, "The square root, rounded right.")


@intrinsic  # type: ignore[untyped-decorator]
def sigmoid_parts(typing_context, x):
    """t and u with e^-x = u / t, so that sigmoid(x + c) = t / (t + u e^-c) for |c| <= 10."""
    if real_type(x) is None:
        return None

    def generate(context, builder, sig, args):
        t, u, _ = sigmoid_parts_of(Value(context, builder, args[0]))
        return context.make_tuple(builder, sig.return_type, [t.ir, u.ir])

    return types.UniTuple(x, 2)(x), generate


@intrinsic  # type: ignore[untyped-decorator]
def fma(typing_context, x, factor, summand):
    """x * factor + summand, rounded once."""
    if real_type(x) is None:
        return None

    def generate(context, builder, sig, args):
        first, *others = (Value(context, builder, arg) for arg in args)
        return first.fma(*others).ir

    return x(x, x, x), generate


@merged
def quotients(x, first, second):
    """x / first and x / second by one division."""
    ratio = x / (first * second)
    return ratio * second, ratio * first


@merged
def residuals(x, first, second, target):
    """x / first - target and x / second - target by one division, and with nothing to subtract
    after it.
    """
    ratio = like(x, 1.0) / (first * second)
    return ratio * ((x - target * first) * second), ratio * ((x - target * second) * first)
