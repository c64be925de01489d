"""Prints the polynomials of fastgd/machine/elementary.py: Chebyshev interpolation at high precision, then rounding. Needs mpmath."""

from mpmath import chebyfit, exp, expm1, log, mp, mpf, sqrt, taylor

mp.dps = 60


def fit(f, low, high, degree):
    """Coefficients of the near-minimax polynomial of f on [low, high], constant term first."""
    return chebyfit(f, [low, high], degree + 1)[::-1]


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


half_ln2 = log(2) / 2
largest_z = ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2
for name, f, low, high, degrees in [
    ("exp tail", exp_tail, -half_ln2, half_ln2, {"float64": 9, "float32": 4}),
    ("step tail", step_tail(16), -mpf(1) / 2, mpf(1) / 2, {"float64": 5}),
    ("step tail", step_tail(8), -mpf(1) / 2, mpf(1) / 2, {"float32": 2}),
    ("log tail", log_tail, mpf(0), largest_z, {"float64": 6, "float32": 2}),
]:
    for dtype, degree in degrees.items():
        print(f"{name}, {dtype}:", ", ".join(repr(float(c)) for c in fit(f, low, high, degree)))
