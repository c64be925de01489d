"""What is declared of a function, beside what it has: its derivative, and its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fastgd.functions.derivative import derivative
from fastgd.functions.formula import Formula
from fastgd.functions.function import Function, computed

if TYPE_CHECKING:
    from fastgd.arguments.checks import Array

_COUNT = 1000
_CLOSE = 1e-6


def points(seed: int = 0) -> Array:
    """(1000,) numbers on both sides of 0, of the sizes that a network sees, none of them round."""
    import numpy as np

    rng = np.random.default_rng(seed)
    near = rng.normal(size=_COUNT // 2) * 2.0
    far = 10.0 ** rng.uniform(-3, 1.3, _COUNT - len(near)) * rng.choice([-1, 1], _COUNT - len(near))
    mixed: Array = rng.permutation(np.concatenate([near, far]))
    return mixed


def check_slope(
    function: Function, by: Formula, at: Mapping[str, Array], given: Mapping[str, Array]
) -> None:
    """ValueError unless the derivative that was given is the function's by this variable, at the
    points where that is finite.

    `at` has the function's arguments, `given` those of the derivative.
    """
    import numpy as np

    exact, ours = computed(derivative(function.value, by), at), computed(function.slope, given)
    counts = np.isfinite(exact) & np.isfinite(computed(function.value, at))
    if not counts.any():
        raise ValueError(
            f"{function.what} {function.name!r} must have a derivative that is a finite number "
            f"somewhere; got none at {_COUNT} points from -20 to 20"
        )
    with np.errstate(all="ignore"):
        wrong = counts & ~(np.abs(ours - exact) <= _CLOSE * (1 + np.abs(exact)))
    if wrong.any():
        first = int(np.argmax(wrong))
        where = ", ".join(f"{name} = {value[first]:.6g}" for name, value in given.items())
        raise ValueError(
            f"derivative of {function.what} {function.name!r} must be its function's; got "
            f"{ours[first]:.6g} at {where}, where that is {exact[first]:.6g}"
        )


def check_bounds(function: Function, bounds: tuple[float, float], z: Array, a: Array) -> None:
    """ValueError if a value a of the function lies outside, by more than rounding."""
    import numpy as np

    slack = _CLOSE * (1 + np.abs(a))
    outside = (a < bounds[0] - slack) | (a > bounds[1] + slack)
    if outside.any():
        first = int(np.argmax(outside))
        raise ValueError(
            f"bounds of {function.what} {function.name!r} must hold all of its values; got "
            f"{bounds}, and {a[first]:.6g} at z = {z[first]:.6g}"
        )
