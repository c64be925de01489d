"""Prints the polynomials of fastgd/machine/elementary.py: Chebyshev interpolation at high precision, then rounding. Needs mpmath."""

from argparse import ArgumentParser

from mpmath import chebyfit, cos, cosh, erf, erfc, exp, expm1, log, matrix, mp, mpf, pi, polyval, qr_solve, sqrt, tanh, taylor

ArgumentParser(description=__doc__).parse_args()

mp.dps = 60


def fit(f, low, high, degree):
    """Coefficients of the near-minimax polynomial of f on [low, high], constant term first."""
    return chebyfit(f, [low, high], degree + 1)[::-1]


def weighted_fit(f, weight, low, high, degree):
    """Those of the polynomial whose error times the weight has the least squares at Chebyshev's points."""
    count = 6 * degree
    points = [low + (high - low) * (1 + cos(pi * (2 * k + 1) / (2 * count))) / 2 for k in range(count)]
    equations = matrix([[weight(x) * x**j for j in range(degree + 1)] for x in points])
    return list(qr_solve(equations, matrix([weight(x) * f(x) for x in points]))[0])


def rational_fit(f, weight, low, high, above, below, rounds=5):
    """Coefficients of the quotient of polynomials of these degrees, the lower one's first being 1, likewise: each round weighs the
    errors by the lower polynomial of the one before.
    """
    count = 5 * (above + below)
    points = [low + (high - low) * (1 + cos(pi * (2 * k + 1) / (2 * count))) / 2 for k in range(count)]
    lower = [mpf(1)] * count
    for _ in range(rounds):
        scales = [weight(x) / d for x, d in zip(points, lower, strict=True)]
        rows = zip(points, scales, strict=True)
        equations = matrix([[w * x**j for j in range(above + 1)] + [-w * f(x) * x**j for j in range(1, below + 1)] for x, w in rows])
        found = list(qr_solve(equations, matrix([w * f(x) for x, w in zip(points, scales, strict=True)]))[0])
        ratio = found[: above + 1], [mpf(1), *found[above + 1 :]]
        lower = [polyval(ratio[1][::-1], x) for x in points]
    return ratio


def exp_tail(r):
    """(e^r - 1 - r) / r^2, by its series where r is small."""
    if abs(r) < mpf(10) ** -15:
        return taylor(exp, 0, 4)[2] + r / 6
    return (exp(r) - 1 - r) / r**2


def half_tanh(z):
    """tanh(r / 2) / r with z = r^2: where it is B / A, e^r is (A + r B) / (A - r B)."""
    return mpf(1) / 2 if z == 0 else tanh(sqrt(z) / 2) / sqrt(z)


def error_of_exp(z):
    """The relative error of e^r by that of `half_tanh`."""
    return 2 * sqrt(z) * cosh(sqrt(z) / 2) ** 2


def step_tail(steps):
    """(2^(-r / steps) - 1) / r."""
    rate = log(2) / steps
    return lambda r: -rate if r == 0 else expm1(-r * rate) / r


def log_tail(z):
    """(log((1 + s) / (1 - s)) - 2 s) / s^3 with z = s^2."""
    if z < mpf(10) ** -15:
        return mpf(2) / 3 + 2 * z / 5
    s = sqrt(z)
    return (log((1 + s) / (1 - s)) - 2 * s) / s**3


def erf_near(z):
    """erf(x) / x - 1 with z = x^2."""
    return (2 / sqrt(pi) if z == 0 else erf(sqrt(z)) / sqrt(z)) - 1


def erf_far(u):
    """-log erfc(1 + u)."""
    return -log(erfc(1 + u))


def density(u):
    """The normal distribution's."""
    return exp(-u * u / 2) / sqrt(2 * pi)


def mills(u):
    """The share of the normal distribution below -u, by its density there."""
    return erfc(u / sqrt(2)) / 2 / density(u)


half_ln2 = log(2) / 2
largest_z = ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2
for name, f, low, high, degrees in [
    ("exp tail", exp_tail, -half_ln2, half_ln2, {"float64": 9, "float32": 4}),
    ("step tail by 16", step_tail(16), -mpf(1) / 2, mpf(1) / 2, {"float64": 5}),
    ("step tail by 8", step_tail(8), -mpf(1) / 2, mpf(1) / 2, {"float32": 2}),
    ("log tail", log_tail, mpf(0), largest_z, {"float64": 6, "float32": 2}),
    ("erf near", erf_near, mpf(0), mpf(1), {"float64": 11, "float32": 6}),
]:
    for dtype, degree in degrees.items():
        print(f"{name}, {dtype}:", ", ".join(repr(float(c)) for c in fit(f, low, high, degree)))
for dtype, degree in [("float64", 8), ("float32", 3)]:
    coefficients = weighted_fit(log_tail, lambda z: z, mpf(0), mpf(1) / 9, degree)
    print(f"artanh tail, {dtype}:", ", ".join(repr(float(c)) for c in coefficients))
for dtype, degree, end in [("float64", 17, mpf(5)), ("float32", 6, mpf(3))]:
    coefficients = weighted_fit(erf_far, lambda u: erfc(1 + u) / erf(1 + u), mpf(0), end, degree)
    print(f"erf far, {dtype}:", ", ".join(repr(float(c)) for c in coefficients))
for dtype, above, below, end in [("float64", 6, 7, mpf("8.5")), ("float32", 3, 4, mpf("5.5"))]:
    for name, part in zip(("above", "below"), rational_fit(mills, density, mpf(0), end, above, below), strict=True):
        print(f"Mills' ratio, {name}, {dtype}:", ", ".join(repr(float(c)) for c in part))
for dtype, degree in [("float64", 2), ("float32", 1)]:
    ratio = rational_fit(half_tanh, error_of_exp, mpf(0), half_ln2**2, degree, degree)
    for name, part in zip(("B", "A"), ratio, strict=True):
        print(f"exp ratio, {name}, {dtype}:", ", ".join(repr(float(c)) for c in part))
