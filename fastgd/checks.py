"""What comes from a user becomes a number, a seed or a float array, or is refused by name."""

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Array = np.ndarray[Any, np.dtype[Any]]
_BLOCK = 2**20  # numbers


def whole_number(argument: str, value: object, least: int, most: int | None = None) -> int:
    """`value` as an int between `least` and `most`; bools and fractions are refused."""
    expected = f"a whole number of at least {least}" if most is None else f"a whole number from {least} to {most}"
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{argument} must be {expected}; got {value!r}")
    if isinstance(value, (float, np.floating)):
        if not float(value).is_integer():
            raise ValueError(f"{argument} must be {expected}; got {value!r}")
        value = int(value)
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{argument} must be {expected}; got {value!r}") from None
    if number < least or (most is not None and number > most):
        raise ValueError(f"{argument} must be {expected}; got {number}")
    return number


def shown(value: object) -> str:
    """A value in an error message, on one line."""
    return f"an array of shape {value.shape}" if isinstance(value, np.ndarray) and value.ndim else repr(value)


def finite_number(argument: str, value: object, *, positive: bool = False, least: float | None = None, below: float | None = None) -> float:
    """`value` as a finite float: above zero if `positive`, at least `least`, below `below`."""
    bound = "" if least is None else f" of at least {least:g}" if below is None else f" from {least:g} to below {below:g}"
    expected = "a positive, finite number" if positive else f"a finite number{bound}"
    kind = getattr(getattr(value, "dtype", None), "kind", "f")
    if isinstance(value, (bool, str, bytes, complex)) or kind not in "iuf" or getattr(value, "shape", ()) != ():
        raise TypeError(f"{argument} must be {expected}; got {shown(value)}")
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{argument} must be {expected}; got {shown(value)}") from None
    outside = (positive and number <= 0) or (least is not None and number < least) or (below is not None and number >= below)
    if not math.isfinite(number) or outside:
        raise ValueError(f"{argument} must be {expected}; got {shown(value)}")
    return number


def truth(argument: str, value: object) -> bool:
    """`value` if it is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{argument} must be True or False; got {value!r}")
    return bool(value)


def real_array(argument: str, value: ArrayLike, dtype: np.dtype[Any]) -> Array:
    """`value` as a C-contiguous array of `dtype`, finite everywhere; complex, text and object arrays are refused."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{argument} must be an array of real numbers; got a masked array: fill or drop what is masked")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{argument} must be an array of real numbers; got rows of different lengths ({error})") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{argument} must be an array of real numbers; got dtype {array.dtype}")
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)
    first = _first_not_finite(converted.reshape(-1))
    if first is not None:
        place = tuple(int(i) for i in np.unravel_index(first, converted.shape))
        shown = array[place] if place else array
        raise ValueError(f"{argument} must be finite in {dtype}; got {shown} at index {', '.join(map(str, place))}")
    return converted


def _first_not_finite(flat: Array) -> int | None:
    """Block by block: the array may be larger than memory."""
    for start in range(0, len(flat), _BLOCK):
        finite = np.isfinite(flat[start : start + _BLOCK])
        if not finite.all():
            return start + int(finite.argmin())
    return None


def rows(argument: str, value: ArrayLike, columns: int, of_what: str, dtype: np.dtype[Any]) -> Array:
    """`value` as an (n, columns) array of `dtype`, n at least 1; a 1-D array is one column."""
    array = real_array(argument, value, dtype)
    if array.ndim == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2 or array.shape[1] != columns:
        raise ValueError(f"{argument} must have shape (n, {columns}) for {of_what}; got {np.shape(value)}")
    if len(array) == 0:
        raise ValueError(f"{argument} must have at least one row; got shape {np.shape(value)}")
    return array


def seed_of(rng: object) -> int:
    """The seed behind `rng`: itself if it is an int, drawn from a Generator, drawn from the system for None."""
    if rng is None:
        return int(np.random.default_rng().integers(2**63))
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    if isinstance(rng, (bool, np.bool_)) or not isinstance(rng, (int, np.integer)):
        raise TypeError(f"rng must be an int, a numpy Generator or None; got {rng!r}")
    if not 0 <= rng < 2**63:
        raise ValueError(f"rng must be from 0 to 2**63 - 1 as an int; got {rng}")
    return int(rng)
