"""State: where a run stands, in flat arrays; all that has to be kept to go on from here to the same
bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from fastgd.arguments.checks import Array

MOST = 2**62  # epochs, and whatever is counted in them
# places in a cursor
PLACES = 10
(
    EPOCH,
    BATCH,
    UPDATES,
    RECORDED,
    NEXT_RECORD,
    STRIDE,
    STOPPED,
    BEST_EPOCH,
    PATIENCE_EPOCH,
    NON_FINITE,
) = range(PLACES)
# places in sums
EPOCH_COST_SUM, BEST, PATIENCE_COST, HELD_OUT = range(4)
# what the compiled loop was stopped by
STOPS = ("epochs", "target_cost", "patience")
VECTOR_BYTES = 32  # one AVX register; LLVM splits it where the machine's are shorter
# where no sum over lanes would take longer for it: a processor has more to do at a time
WIDE_VECTOR_BYTES = 64
_OF_PARAMETERS = ("params", "slots", "best")


@dataclass(frozen=True, eq=False)
class State:
    """Arrays that training changes in place.

    Those of parameters have `n_params` columns; while they are trained, zeros fill them up to whole
    vectors.
    """

    params: Array  # (n_params,)
    slots: Array  # (slots, n_params) what the optimizer keeps
    best: Array  # (n_params,) parameters at the least cost, or (0,)
    powers: Array  # (2,) float64: beta1^t and beta2^t of Adam
    cursor: Array  # (10,) int64: epochs, batches of a begun one, updates made, points recorded, ...
    # (4,) float64: batch costs of a begun epoch, least cost so far, that patience counts from,
    # latest of validation rows
    sums: Array
    points: Array  # (record - 1,) int64: epochs of the history
    costs: Array  # (record - 1,) float64
    held_out: Array  # (record - 1,) float64: costs of the validation rows, or (0,)

    @property
    def epoch(self) -> int:
        """Epochs finished."""
        return int(self.cursor[EPOCH])

    @property
    def recorded(self) -> int:
        """Points of the history."""
        return int(self.cursor[RECORDED])

    @property
    def stopped_by(self) -> str:
        """What the compiled loop was stopped by, "epochs" if by nothing else."""
        return STOPS[int(self.cursor[STOPPED])]

    @property
    def updates(self) -> int:
        """Updates made since the initial parameters, however many an epoch had."""
        return int(self.cursor[UPDATES])

    @property
    def is_full(self) -> bool:
        """Whether the history has no room for the cost that is to be recorded next."""
        return (
            self.recorded == len(self.points)
            and bool(self.cursor[NEXT_RECORD] == self.cursor[EPOCH])
            and not self.cursor[BATCH]
        )

    def thin_out(self) -> None:
        """Drop every other point of a full, evenly spaced history; the distance between its points
        doubles.
        """
        stride = 2 * int(self.cursor[STRIDE])
        kept = self.points % stride == 0
        done = int(kept.sum())
        for array in (self.points, self.costs, self.held_out):
            if len(array):
                array[:done] = array[kept]
        following = -(-int(self.cursor[NEXT_RECORD]) // stride) * stride
        self.cursor[[RECORDED, NEXT_RECORD, STRIDE]] = done, following, stride

    def fits(self, fresh: State, batches: int) -> bool:
        """Whether compiled code may go on from here where `fresh` is a state that begins, at
        `batches` an epoch: arrays of the same kind, and places that lie inside them.
        """
        same = all(
            array.dtype == other.dtype and array.shape == other.shape
            for array, other in zip(self, fresh, strict=True)
        )
        cursor, points = self.cursor, len(self.points)
        rooms = [MOST, batches - 1, MOST, points, MOST, MOST, len(STOPS) - 1, MOST, MOST, 1]
        return (
            same
            and bool((cursor >= 0).all())
            and bool((cursor <= rooms).all())
            and bool(cursor[STRIDE] >= 1)
        )

    def __iter__(self) -> Iterator[Array]:
        return iter(self.arrays().values())

    def arrays(self) -> dict[str, Array]:
        """The arrays by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self)

    def copy(self) -> State:
        """A state that shares no array with this one."""
        return State(**{name: array.copy() for name, array in self.arrays().items()})

    def widened(self, size: int) -> State:
        """A copy with `size` columns a parameter array, filled up with zeros, or cut."""
        return replace(
            self.copy(), **{name: _widened(getattr(self, name), size) for name in _OF_PARAMETERS}
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, State):
            return NotImplemented
        theirs = other.arrays()
        return all(
            np.array_equal(array, theirs[name], equal_nan=True)
            for name, array in self.arrays().items()
        )

    __hash__ = None  # type: ignore[assignment]


def start(
    params: Array,
    slots: Array | None = None,
    record: int = 2,
    *,
    keeps_best: bool = False,
    held_out: bool = False,
) -> State:
    """The state before the first update."""
    points = record - 1
    cursor = np.zeros(PLACES, np.int64)
    cursor[STRIDE] = 1
    return State(
        params=params.copy(),
        slots=np.zeros((0, len(params)), params.dtype) if slots is None else slots,
        best=params.copy() if keeps_best else params[:0].copy(),
        powers=np.ones(2),
        cursor=cursor,
        sums=np.array([0.0, np.inf, np.inf, np.nan]),
        points=np.zeros(points, np.int64),
        costs=np.full(points, np.nan),
        held_out=np.full(points if held_out else 0, np.nan),
    )


def _widened(array: Array, size: int) -> Array:
    if array.shape[-1] == 0:
        return array.copy()
    result = aligned((*array.shape[:-1], size), array.dtype)
    common = min(size, array.shape[-1])
    result[..., :common] = array[..., :common]
    return result


def aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Zeros that start at a cache line: a vector across two lines costs half as much again in small
    kernels.
    """
    line, size = 64, int(np.prod(shape)) * dtype.itemsize
    memory = np.zeros(size + line, np.uint8)
    start = -memory.ctypes.data % line
    return memory[start : start + size].view(dtype).reshape(shape)


def padded(size: int, dtype: np.dtype[Any]) -> int:
    """`size` rounded up to whole vectors."""
    lanes = VECTOR_BYTES // dtype.itemsize
    return -(-size // lanes) * lanes
