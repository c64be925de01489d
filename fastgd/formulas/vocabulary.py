"""The names that the text of an activation or a loss is compiled by."""

# ruff: noqa: F401
from fastgd.machine.elementary import (
    cos,
    exp,
    fma,
    log,
    log1p,
    sigmoid,
    sin,
    sqrt,
    tanh,
)
from fastgd.machine.jit import merged
from fastgd.machine.normal import normal_cdf, normal_pdf
from fastgd.machine.special import absolute, erf, expm1, softplus, softplus_slope
from fastgd.machine.vector import like, where_equal, where_less, where_less_equal
