"""What the formulas of updates are written in, beside + - * /, each other and `fastgd.numeric`:
functions of numbers, which compiled code has of its own for floats and for vectors.

Here they are NumPy's, so that a formula can be read, run and tried without being compiled.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgd.numeric import fma, sqrt


def like(x: Any, number: Any) -> Any:
    """The number in the precision of x."""
    return np.asarray(x).dtype.type(number) if np.ndim(number) == 0 else number


def where_positive(x: Any, yes: Any, no: Any) -> Any:
    """`yes` where x > 0, `no` elsewhere."""
    return np.where(x > 0, yes, no)


def where_negative(x: Any, yes: Any, no: Any) -> Any:
    """`yes` where x < 0, `no` elsewhere."""
    return np.where(x < 0, yes, no)


def some_positive(x: Any) -> Any:
    """Whether x > 0, for any of several that are computed at once."""
    return np.any(x > 0)


# -- of these


def average(m: Any, x: Any, rho: Any) -> Any:
    """Exponential moving average: rho m + (1 - rho) x."""
    return fma(like(m, 1.0 - rho), x, like(m, rho) * m)


def mean_square(s: Any, g: Any, rho: Any) -> Any:
    """The average of g^2; of its two products the other one is rounded alone."""
    return fma(like(s, rho), s, like(s, 1.0 - rho) * (g * g))


def scaled(w: Any, m: Any, s: Any, rate: Any, eps: Any) -> Any:
    """A step along m divided by the root of the mean square s."""
    return w - rate * m / (sqrt(s) + like(s, eps))


def decayed(rate: Any, weight_decay: Any) -> Any:
    """What is left of 1 after an update's decay."""
    return 1.0 - rate * like(rate, weight_decay)


def smaller(x: Any, y: Any) -> Any:
    """The smaller of two."""
    return where_positive(x - y, y, x)


def larger(x: Any, y: Any) -> Any:
    """The larger of two."""
    return where_negative(x - y, y, x)


def sign(x: Any) -> Any:
    """1, 0 or -1, as x is above, at or below 0."""
    return where_positive(x, like(x, 1.0), where_negative(x, like(x, -1.0), 0.0 * x))
