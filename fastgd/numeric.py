"""The vocabulary of one's own mathematics: functions of numbers, by which an activation or a loss
is written once.

Called with floats or arrays they are computed by NumPy; with a symbol, by which
`fastgd.Activation` and `fastgd.Loss` call a function once, they write down what is computed, from
which compiled code is made. Whatever has a method `__numeric__(name, arguments)` is computed by it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

__all__ = [
    "abs", "cos", "erf", "exp", "expm1", "fma", "log", "log1p", "maximum", "minimum", "normal_cdf",
    "normal_pdf", "sigmoid", "sign", "sin", "softplus", "sqrt", "tanh", "where",
]  # fmt: skip


def _computed(name: str, *arguments: Any) -> Any:
    """What a symbol among the arguments makes of it, or NumPy."""
    for each in arguments:
        if hasattr(each, "__numeric__"):
            return each.__numeric__(name, arguments)
    result = _NUMPY[name](*arguments)
    return result.item() if getattr(result, "shape", None) == () else result


def exp(x: Any) -> Any:
    """e^x.

    Examples
    --------
    >>> fastgd.numeric.exp(1.0)
    2.718281828459045
    """
    return _computed("exp", x)


def expm1(x: Any) -> Any:
    """e^x - 1, accurate where x is small.

    Examples
    --------
    >>> fastgd.numeric.expm1(1e-10)
    1.00000000005e-10
    """
    return _computed("expm1", x)


def log(x: Any) -> Any:
    """The natural logarithm.

    Examples
    --------
    >>> fastgd.numeric.log(8.0) / fastgd.numeric.log(2.0)
    3.0
    """
    return _computed("log", x)


def log1p(x: Any) -> Any:
    """log(1 + x), accurate where x is small.

    Examples
    --------
    >>> fastgd.numeric.log1p(1e-10)
    9.999999999500001e-11
    """
    return _computed("log1p", x)


def sqrt(x: Any) -> Any:
    """The square root.

    Examples
    --------
    >>> fastgd.numeric.sqrt(2.0)
    1.4142135623730951
    """
    return _computed("sqrt", x)


def sin(x: Any) -> Any:
    """The sine.

    Examples
    --------
    >>> fastgd.numeric.sin(np.array([0.0, 0.5])).round(3)
    array([0.   , 0.479])
    """
    return _computed("sin", x)


def cos(x: Any) -> Any:
    """The cosine.

    Examples
    --------
    >>> fastgd.numeric.cos(0.0)
    1.0
    """
    return _computed("cos", x)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent.

    Examples
    --------
    >>> fastgd.numeric.tanh(np.array([-1.0, 0.0, 1.0])).round(3)
    array([-0.762,  0.   ,  0.762])
    """
    return _computed("tanh", x)


def sigmoid(x: Any) -> Any:
    """1 / (1 + e^-x).

    Examples
    --------
    >>> fastgd.numeric.sigmoid(np.array([-1.0, 0.0, 1.0])).round(3)
    array([0.269, 0.5  , 0.731])
    """
    return _computed("sigmoid", x)


def softplus(x: Any) -> Any:
    """log(1 + e^x).

    Examples
    --------
    >>> fastgd.numeric.softplus(0.0)
    0.6931471805599453
    """
    return _computed("softplus", x)


def erf(x: Any) -> Any:
    """The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.

    Examples
    --------
    >>> fastgd.numeric.erf(1.0)
    0.8427007929497149
    """
    return _computed("erf", x)


def normal_cdf(x: Any) -> Any:
    """The share of the normal distribution below x, within the rounding of 1.

    Examples
    --------
    >>> fastgd.numeric.normal_cdf(0.0)
    0.5
    """
    return _computed("normal_cdf", x)


def abs(x: Any) -> Any:  # noqa: A001
    """x without its sign.

    Examples
    --------
    >>> fastgd.numeric.abs(-2.0)
    2.0
    """
    return _computed("abs", x)


def sign(x: Any) -> Any:
    """1, 0 or -1.

    Examples
    --------
    >>> fastgd.numeric.sign(-2.0)
    -1.0
    """
    return _computed("sign", x)


def maximum(x: Any, y: Any) -> Any:
    """The larger of two.

    Examples
    --------
    >>> fastgd.numeric.maximum(1.0, 2.0)
    2.0
    """
    return _computed("maximum", x, y)


def minimum(x: Any, y: Any) -> Any:
    """The smaller of two.

    Examples
    --------
    >>> fastgd.numeric.minimum(1.0, 2.0)
    1.0
    """
    return _computed("minimum", x, y)


def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, y elsewhere; conditions are comparisons, joined by `&` and `|`.

    Examples
    --------
    >>> z = np.array([-1.0, 2.0])
    >>> fastgd.numeric.where(z > 0, z, 0.1 * z)
    array([-0.1,  2. ])
    """
    return _computed("where", condition, x, y)


def normal_pdf(x: Any) -> Any:
    """The density of the normal distribution, within the rounding of its largest.

    Examples
    --------
    >>> round(fastgd.numeric.normal_pdf(0.0), 4)
    0.3989
    """
    return _computed("normal_pdf", x)


def fma(x: Any, factor: Any, summand: Any) -> Any:
    """x * factor + summand, which compiled code rounds once.

    Examples
    --------
    >>> fastgd.numeric.fma(2.0, 3.0, 1.0)
    7.0
    """
    return _computed("fma", x, factor, summand)


def _numpy(name: str) -> Callable[..., Any]:
    def compute(*arguments: Any) -> Any:
        import numpy as np

        with np.errstate(all="ignore"):
            return getattr(np, name)(*arguments)

    return compute


def _sigmoid(x: Any) -> Any:
    import numpy as np

    small = np.exp(-np.abs(x))
    return np.where(np.greater_equal(x, 0), 1.0, small) / (1.0 + small)


def _softplus(x: Any) -> Any:
    import numpy as np

    return np.logaddexp(0.0, x)


def _erf(x: Any) -> Any:
    import numpy as np

    return np.vectorize(math.erf, otypes=[float])(x)


_NUMPY: dict[str, Callable[..., Any]] = {name: _numpy(name) for name in __all__}
_NUMPY |= {"sigmoid": _sigmoid, "softplus": _softplus, "erf": _erf}
_NUMPY["normal_cdf"] = lambda x: 0.5 * (1.0 + _erf(x * math.sqrt(0.5)))
_NUMPY["normal_pdf"] = lambda x: _NUMPY["exp"](-0.5 * x * x) / math.sqrt(2 * math.pi)
_NUMPY["fma"] = lambda x, factor, summand: x * factor + summand
