"""What comes from a user becomes a number or a seed, or is refused by name."""

import math
import operator
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def whole_number(argument: str, value: object, least: int, most: int | None = None) -> int:
    """`value` as an int between `least` and `most`; bools and fractions are refused."""
    if type(value) is int and least <= value and (most is None or value <= most):
        return value
    expected = (
        f"a whole number of at least {least}"
        if most is None
        else f"a whole number from {least} to {most}"
    )
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{argument} must be {expected}; got {shown(value)}")
    if isinstance(value, (float, np.floating)):
        if not float(value).is_integer():
            raise ValueError(f"{argument} must be {expected}; got {shown(value)}")
        value = int(value)
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{argument} must be {expected}; got {shown(value)}") from None
    if number < least or (most is not None and number > most):
        raise ValueError(f"{argument} must be {expected}; got {number}")
    return number


def shown(value: object) -> str:
    """A value in an error message, on one line."""
    shape = getattr(value, "shape", ())
    if isinstance(shape, tuple) and shape:
        what = "an array" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
        return f"{what} of shape {shape}"
    text = " ".join(repr(value).split())
    return text if len(text) <= 200 else f"{text[:200]}..."


def finite_number(
    argument: str,
    value: object,
    *,
    positive: bool = False,
    least: float | None = None,
    below: float | None = None,
) -> float:
    """`value` as a finite float: above zero if `positive`, at least `least`, below `below`."""
    if type(value) is float and math.isfinite(value) and _lies(value, positive, least, below):
        return value
    bound = (
        ""
        if least is None
        else f" of at least {least:g}"
        if below is None
        else f" from {least:g} to below {below:g}"
    )
    if positive:
        bound = "" if below is None else f" below {below:g}"
    expected = f"a {'positive, ' if positive else ''}finite number{bound}"
    kind = getattr(getattr(value, "dtype", None), "kind", "f")
    if (
        isinstance(value, (bool, str, bytes, complex))
        or kind not in "iuf"
        or getattr(value, "shape", ()) != ()
    ):
        raise TypeError(f"{argument} must be {expected}; got {shown(value)}")
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{argument} must be {expected}; got {shown(value)}") from None
    if not (math.isfinite(number) and _lies(number, positive, least, below)):
        raise ValueError(f"{argument} must be {expected}; got {shown(value)}")
    return number


def _lies(number: float, positive: bool, least: float | None, below: float | None) -> bool:
    """Whether a number lies inside the bounds that there are."""
    return (
        (not positive or number > 0)
        and (least is None or number >= least)
        and (below is None or number < below)
    )


def truth(argument: str, value: object) -> bool:
    """`value` if it is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{argument} must be True or False; got {shown(value)}")
    return bool(value)


def seed_of(rng: object) -> int:
    """The seed behind `rng`: itself if it is an int, drawn from a Generator, drawn from the system
    for None.
    """
    if rng is None:
        return int(np.random.default_rng().integers(2**63))
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    if isinstance(rng, (bool, np.bool_)) or not isinstance(rng, (int, np.integer)):
        raise TypeError(f"rng must be an int, a numpy Generator or None; got {shown(rng)}")
    if not 0 <= rng < 2**63:
        raise ValueError(f"rng must be from 0 to 2**63 - 1 as an int; got {rng}")
    return int(rng)
