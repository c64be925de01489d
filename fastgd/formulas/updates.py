"""The update of one parameter by each optimizer, compiled for one float or one vector of them, as
`optimizers` declares it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgd import numeric
from fastgd.formulas import vocabulary
from fastgd.machine import vector
from fastgd.machine.plain import compiled
from fastgd.optimizers import arithmetic
from fastgd.optimizers.sgd import sgd as plain_sgd

_VOCABULARY = {
    getattr(numeric, name): getattr(vocabulary, name)
    for name in numeric.__all__
    if hasattr(vocabulary, name)
} | {
    arithmetic.like: vector.like,
    arithmetic.where_positive: vector.where_positive,
    arithmetic.where_negative: vector.where_negative,
    arithmetic.some_positive: vector.some_positive,
}


def formula(function: Callable[..., Any]) -> Any:
    """A formula of `optimizers`, or of a user's."""
    return compiled(function, _VOCABULARY)


sgd = formula(plain_sgd)
sign = formula(arithmetic.sign)
