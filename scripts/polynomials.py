"""Prints the polynomials of fastgd/machine/elementary.py: Chebyshev interpolation at high precision, then rounding. Needs mpmath."""

from mpmath import chebyfit, cos, erf, erfc, exp, expm1, log, matrix, mp, mpf, pi, qr_solve, sqrt, taylor

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


def exp_tail(r):
    """(e^r - 1 - r) / r^2, by its series where r is small."""
    if abs(r) < mpf(10) ** -15:
        return taylor(exp, 0, 4)[2] + r / 6
    return (exp(r) - 1 - r) / r**2


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


def artanh_tail(z):
    """2 artanh(s) / s with z = s^2."""
    return mpf(2) if z == 0 else log((1 + sqrt(z)) / (1 - sqrt(z))) / sqrt(z)


def below(u):
    """The normal distribution's share below -u."""
    return erfc(u / sqrt(2)) / 2


half_ln2 = log(2) / 2
largest_z = ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2
for name, f, low, high, degrees in [
    ("exp tail", exp_tail, -half_ln2, half_ln2, {"float64": 9, "float32": 4}),
    ("step tail", step_tail(16), -mpf(1) / 2, mpf(1) / 2, {"float64": 5}),
    ("step tail", step_tail(8), -mpf(1) / 2, mpf(1) / 2, {"float32": 2}),
    ("log tail", log_tail, mpf(0), largest_z, {"float64": 6, "float32": 2}),
    ("artanh", artanh_tail, mpf(0), mpf(1) / 9, {"float64": 9, "float32": 4}),
    ("erf near", erf_near, mpf(0), mpf(1), {"float64": 11, "float32": 6}),
]:
    for dtype, degree in degrees.items():
        print(f"{name}, {dtype}:", ", ".join(repr(float(c)) for c in fit(f, low, high, degree)))
for dtype, degree, end in [("float64", 17, mpf(5)), ("float32", 6, mpf(3))]:
    coefficients = weighted_fit(erf_far, lambda u: erfc(1 + u) / erf(1 + u), mpf(0), end, degree)
    print(f"erf far, {dtype}:", ", ".join(repr(float(c)) for c in coefficients))
for dtype, degree, end in [("float64", 22, mpf("8.4")), ("float32", 8, mpf("5.6"))]:
    coefficients = weighted_fit(lambda u: -log(below(u)), below, mpf(0), end, degree)
    print(f"normal, {dtype}:", ", ".join(repr(float(c)) for c in coefficients))
for dtype, degree, end in [("float64", 12, mpf("8.5")), ("float32", 5, mpf("5.5"))]:  # of 16 steps, by r from -1/2 to 1/2
    shares = [lambda r, n=n, end=end: below((n + mpf(1) / 2 + r) * end / 16) for n in range(16)]
    steps = [fit(share, -mpf(1) / 2, mpf(1) / 2, degree) for share in shares]
    for k in range(degree + 1):
        print(f"normal by steps, {dtype}, r^{k}:", ", ".join(repr(float(step[k])) for step in steps))
