"""Samples: rows of X and Y with their weights, checked; and those that are kept apart for
validation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.arrays import extremes, number_array, real_array, rows
from fastgd.arguments.checks import Array, finite_number
from fastgd.network import Network

_BLOCK = 4096  # rows that are moved at a time


class Samples(NamedTuple):
    """X is (n, inputs) and Y (n, outputs), of the network's dtype, C-contiguous; weights are (n,),
    or (0,) where all weigh the same. Each has a first axis where members have their own.

    Where a network has fewer targets than outputs, its columns of Y beyond them are zeros, so that
    kernels have rows of Y as wide as outputs; no loss reads them.
    """

    X: Array
    Y: Array
    weights: Array

    @classmethod
    def alike(cls, X: Array, Y: Array) -> Samples:
        """Samples that all weigh the same."""
        return cls(X, Y, X.ravel()[:0])

    @property
    def are_own(self) -> list[bool]:
        """Whether each of the arrays has a first axis of members."""
        return [array.ndim > axes for array, axes in zip(self, (2, 2, 1), strict=True)]

    def of(self, member: int) -> Samples:
        """Those of one member."""
        pairs = zip(self, self.are_own, strict=True)
        return Samples(*(array[member] if own else array for array, own in pairs))

    def divided(self, drawn: Array, given: tuple[Any, ...]) -> tuple[Samples, Samples]:
        """The samples that a (n,) mask leaves, and those that it draws: copies, unless ours are
        copies of what was `given` already.
        """
        pairs = [
            _divided(array, drawn, is_ours=_is_copy(array, value)) if len(array) else (array, array)
            for array, value in zip(self, given, strict=True)
        ]
        return Samples(*(left for left, _ in pairs)), Samples(*(apart for _, apart in pairs))


def _is_copy(array: Array, given: Any) -> bool:
    """Whether an array is certainly not the memory of what it was made of."""
    return isinstance(given, (list, tuple)) or (
        isinstance(given, np.ndarray) and not np.may_share_memory(array, given)
    )


def _divided(array: Array, drawn: Array, *, is_ours: bool) -> tuple[Array, Array]:
    """Rows that are left and rows that are drawn, each in their order; where the array is ours, in
    its place, the drawn ones last.
    """
    apart = array[drawn]
    if not is_ours:
        return array[~drawn], apart
    end = 0
    for start in range(0, len(array), _BLOCK):
        left = array[start : start + _BLOCK][~drawn[start : start + _BLOCK]]
        array[end : end + len(left)] = left
        end += len(left)
    array[end:] = apart
    return array[:end], array[end:]


def on_disk(array: Array) -> bool:
    """Whether an array is a file that is mapped into memory, or part of one."""
    base: Any = array
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            return True
        base = base.base
    return False


def check_data(
    net: Network, X: ArrayLike, Y: ArrayLike, *, of_members: bool = False
) -> tuple[Array, Array]:
    """X as (n, inputs) and Y as (n, outputs), of the network's dtype, or a ValueError or TypeError;
    with a first axis of members where each has its own.
    """
    if of_members:
        X, Y = (
            _of_members("X", X, partial(_inputs, net)),
            _of_members("Y", Y, partial(check_targets, net)),
        )
    else:
        X, Y = _inputs(net, X), check_targets(net, Y)
    if X.shape[-2] != Y.shape[-2]:
        counts = f"{X.shape[-2]} and {Y.shape[-2]}"
        raise ValueError(f"X and Y must have the same number of rows; got {counts}")
    return X, Y


def _inputs(net: Network, X: ArrayLike) -> Array:
    """X as (n, inputs)."""
    return rows("X", X, net.widths[0], net, net.dtype)


def _of_members(name: str, value: Any, check: Callable[[Any], Array]) -> Array:
    """Rows that all members share, or (members, n, columns)."""
    array = value if isinstance(value, np.ndarray) else number_array(name, value)
    if array.ndim != 3:
        return check(array if isinstance(value, (list, tuple)) else value)  # a frame has names
    members, n, columns = array.shape
    if members * n == 0:
        raise ValueError(
            f"{name} must have at least one row for each member; got shape {array.shape}"
        )
    return check(array.reshape(members * n, columns)).reshape(members, n, -1)


def check_targets(net: Network, Y: ArrayLike) -> Array:
    """Y as (n, outputs), with values that the loss is defined for; 0 beside those of a loss of two
    outputs for each target.
    """
    Y, (least, most) = rows("Y", Y, net.n_targets, net, net.dtype), net.loss_function.targets
    if (least, most) != (-np.inf, np.inf):
        _check_between(Y, least, most, net.loss)
    return np.pad(Y, ((0, 0), (0, net.n_targets))) if net.loss_function.of_pairs else Y


def _check_between(Y: Array, least: float, most: float, loss: str) -> None:
    """Refuse targets that a loss is not defined for."""
    lowest, highest = extremes(Y.reshape(-1))
    if lowest < least or highest > most:
        bounds = f"between {least:g} and {most:g}" if most < np.inf else f"at {least:g} or above"
        bounds = f"at {most:g} or below" if least == -np.inf else bounds
        raise ValueError(
            f"Y must lie {bounds} for loss {loss!r}; got values from {Y.min()} to {Y.max()}"
        )


def check_samples(
    net: Network, X: ArrayLike, Y: ArrayLike, sample_weight: Any, *, of_members: bool = False
) -> Samples:
    """Checked data and weights; with a first axis of members where each has its own."""
    X, Y = check_data(net, X, Y, of_members=of_members)
    if sample_weight is None:
        return check_classes(net, Samples.alike(X, Y))
    weights, n = real_array("sample_weight", sample_weight, net.dtype), X.shape[-2]
    if weights.ndim not in (1, 1 + of_members) or weights.shape[-1] != n:
        expected = f"({n},) or (members, {n})" if of_members else f"({n},)"
        raise ValueError(
            f"sample_weight must have shape {expected}, one for each row; got {weights.shape}"
        )
    check_weights(weights)
    return check_classes(net, Samples(X, Y, weights))


def check_classes(net: Network, samples: Samples) -> Samples:
    """The samples, unless targets of one that counts are all 0 for cross_entropy: of no class."""
    if net.loss_function.whole_layer:
        empty = ~samples.Y.any(axis=-1)
        if len(samples.weights):
            empty = empty & (samples.weights > 0)
        if empty.any():
            *member, row = np.argwhere(empty)[0].tolist()
            which = f"row {row} of member {member[0]}" if member else f"row {row}"
            raise ValueError(
                "Y must be above 0 somewhere in every row for loss 'cross_entropy'; "
                f"{which} is 0: leave it out, or let it weigh 0 by sample_weight"
            )
    return samples


def check_weights(weights: Array) -> None:
    """Refuse (..., n) weights of samples that can't be averaged by."""
    largest = weights.sum(axis=-1, dtype=np.float64).max()
    if not np.isfinite(largest):
        raise ValueError(f"sample_weight must have a finite sum; got {largest}")
    if (weights < 0).any() or not weights.any(axis=-1).all():
        lowest, highest = weights.min(), weights.max()
        raise ValueError(
            "sample_weight must be at least 0 everywhere and above 0 somewhere; got values from "
            f"{lowest} to {highest}"
        )


def check_validation(net: Network, validation: Any, samples: Samples) -> float | Samples | None:
    """A share of the rows that leaves some on either side, or samples of their own."""
    if validation is None:
        return None
    if isinstance(validation, (tuple, list)):
        if len(validation) != 2:
            raise ValueError(
                f"validation must be (X, Y) or a share of the rows; got {len(validation)} values"
            )
        try:
            return check_classes(net, Samples.alike(*check_data(net, *validation)))
        except (ValueError, TypeError) as error:
            raise type(error)(f"validation: {error}") from None
    share, n = finite_number("validation", validation, positive=True), len(samples.X)
    if on_disk(samples.X):
        raise ValueError(
            "validation must be (X, Y) where X is a memmap, whose rows are not copied into "
            f"memory; got {share:g}"
        )
    if not 0 < round(share * n) < n:
        raise ValueError(
            "validation must be (X, Y) or a share of the rows that leaves some for both; got "
            f"{share:g} of {n} rows"
        )
    return share


def classes_of(Y: Array) -> Array | None:
    """The class of each row, (n,), where targets are one-hot, or 0 and 1 in one column.

    None where they are not, or a class has a single row.
    """
    if not ((Y == 0) | (Y == 1)).all() or (Y.shape[1] > 1 and not (Y.sum(axis=1) == 1).all()):
        return None
    classes = Y[:, 0].astype(np.int64) if Y.shape[1] == 1 else Y.argmax(axis=1)
    counts = np.bincount(classes)
    return classes if counts[counts > 0].min() > 1 else None


def drawn_rows(Y: Array, share: float, seed: int) -> Array:
    """A (n,) mask of the rows that the seed draws, by parts of each class where there are some."""
    number = round(share * len(Y))
    order = np.random.default_rng([seed, 1]).permutation(len(Y))
    classes = classes_of(Y)
    drawn = np.zeros(len(Y), bool)
    drawn[order[:number] if classes is None else order[_of_each(classes[order], number)]] = True
    return drawn


def _of_each(classes: Array, number: int) -> Array:
    """Places of the first rows of each class, by its part of `number`; largest remainders gain."""
    _, first, classes = np.unique(classes, return_index=True, return_inverse=True)
    counts = np.bincount(classes)
    quotas, remainders = np.divmod(counts * number, len(classes))
    gains = np.lexsort((first, -remainders))  # of equal ones, that of the class that comes first
    quotas[gains[: number - quotas.sum()]] += 1
    place_in_class = np.arange(len(classes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.argsort(classes, kind="stable")[place_in_class < np.repeat(quotas, counts)]


def apart(
    samples: Samples,
    validation: float | Samples | None,
    seed: int,
    given: tuple[Any, ...] = (None, None, None),
) -> tuple[Samples, Samples | None]:
    """The samples to train on, and those to validate on; a share of them is drawn by the seed.
    `given` is how X, Y and weights came.
    """
    if not isinstance(validation, float):
        return samples, validation
    chosen, held_out = samples.divided(drawn_rows(samples.Y, validation, seed), given)
    for side, name in ((chosen, "training"), (held_out, "validation")):
        if len(side.weights) and not side.weights.any():
            raise ValueError(
                f"sample_weight must be above 0 somewhere among the {name} rows that seed {seed} "
                "draws; got zeros alone"
            )
    return chosen, held_out


def largest_input(samples: Samples, method: str) -> float:
    """The largest size of an input, which matters to methods that take differences; for others 1,
    and X is not read.
    """
    return float(max(samples.X.max(), -samples.X.min())) if method.endswith("difference") else 1.0
