"""expm1, softplus, erf and the absolute value, as `elementary` has its functions.

The first three are within 2.5, 4.5 and 1.5 units in the last place. The polynomials are printed by
scripts/polynomials.py.
"""

import math

from fastgd.machine.elementary import (
    EXP_TAIL,
    define,
    exp_of,
    polynomial,
    sigmoid_parts_of,
)
from fastgd.machine.value import Value

# polynomials by the bits of a float, constant term first
_ARTANH_TAIL = {  # (2 artanh(s) - 2 s) / s^3 in s^2, for |s| <= 1 / 3
    64: (
        0.6666666666667802, 0.3999999999597852, 0.28571429063700343, 0.2222219267222853,
        0.181828194882236, 0.15364220272468837, 0.13586931204368516, 0.09900065900552946,
        0.17744927506225908,
    ),
    32: (0.6666641046806315, 0.4002179085483948, 0.27998173258429904, 0.2802763956827145),
}  # fmt: skip
_NEAR = {  # erf(x) / x - 1 in x^2, for |x| <= 1
    64: (
        0.12837916709551256, -0.37612638903183543, 0.11283791670945006, -0.02686617064323777,
        0.0052239776071164225, -0.0008548325975389692, 0.00012055294904839707,
        -1.492473690741966e-05, 1.6447424703317362e-06, -1.6208483801871705e-07,
        1.3720064546777686e-08, -7.795898827002142e-10,
    ),
    32: (
        0.12837916584835093, -0.37612626666720334, 0.11283594715160218, -0.026854212010626412,
        0.005189087423433974, -0.000801686428716587, 7.875875062685488e-05,
    ),
}  # fmt: skip
_FAR = {  # -log erfc(1 + u), as good as erf needs it, up to where that is 1
    64: (
        1.8496055099332482, 2.638967514234776, 0.8431072563593973, 0.041561098025287416,
        -0.010033825180340617, 0.0019779012182863714, -0.0002373164273954782,
        -2.6296386681032528e-05, 2.7199150375514624e-05, -9.67169329038008e-06,
        2.1323150390331287e-06, -2.0512064931337593e-07, -5.783307361392379e-08,
        3.331906251573084e-08, -8.498830113436506e-09, 1.3155287392337188e-09,
        -1.1895254387391002e-10, 4.8478352068685295e-12,
    ),
    32: (
        1.8496055152366375, 2.6389669183972733, 0.8431170893514355, 0.04150582070750866,
        -0.00989981099132464, 0.001832888554842072, -0.00018737525354481775,
    ),
}  # fmt: skip


def _decay_parts(x: Value) -> tuple[Value, Value, Value]:
    """t and u with e^-|x| = t / u, and t + u."""
    return sigmoid_parts_of(-x.abs(), alone=True, negative=True)


def _softplus(x: Value) -> Value:
    # max(x, 0) + log(1 + e), e = e^-|x| = t / u, which is 2 artanh of s / 2, s = t / (u + t / 2)
    t, u, _ = _decay_parts(x)
    s = t / (t * 0.5 + u)
    z = s * s
    tail = tuple(c / 2.0 ** (3 + 2 * k) for k, c in enumerate(_ARTANH_TAIL[x.format.bits]))
    return (s * z) * polynomial(z, tail) + (x.larger(x.const(0.0)) + s)


def _softplus_slope(x: Value) -> Value:
    t, u, total = _decay_parts(x)
    return x.by_sign(t, u) / total


def _expm1(x: Value) -> Value:
    # 2^n p + (2^n - 1) with p = e^h - 1 and x = n ln 2 + h, in halves, since 2^n overflows before
    # e^x does
    f = x.format
    bounded = x.at_least(-(f.mantissa + 4) * math.log(2)).at_most((f.bias + 1.3) * math.log(2))
    shifted = bounded * (1 / math.log(2)) + f.round_magic
    n = shifted - f.round_magic
    h = n.fma(-f.ln2_low, n.fma(-f.ln2_high, bounded))
    p = h + h * h * polynomial(h, EXP_TAIL[f.bits])
    scale = shifted.power_of_two(-1)
    half = scale * p + (scale - 0.5)
    return half + half


def _erf(x: Value) -> Value:
    # x times a polynomial up to 1, 1 - erfc |x| beyond, where that is e to one; 1 to the last bit
    # where that ends
    f, size = x.format, x.abs()
    u = size.at_most(6.0 if f.bits == 64 else 4.0) - 1.0
    far = (1.0 - exp_of(-polynomial(u, _FAR[f.bits]))).with_sign_of(x)
    return size.where("<", 1.0, x.fma(polynomial(x * x, _NEAR[f.bits]), x), far)


absolute = define("absolute", Value.abs, "x without its sign.")
expm1 = define("expm1", _expm1, "e^x - 1, accurate where x is small.")
softplus = define("softplus", _softplus, "log(1 + e^x).")
softplus_slope = define(
    "softplus_slope", _softplus_slope, "The sigmoid, by the same e^-|x| as the softplus."
)
erf = define("erf", _erf, "The error function, 2 / sqrt(pi) times the integral of e^(-t^2).")
