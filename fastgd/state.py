"""State: where a run stands, or every member of an ensemble, in flat arrays; all that has to be
kept to go on from here to the same bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from fastgd.arguments.arrays import filled
from fastgd.arguments.checks import Array
from fastgd.system.address import address_of

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
SUMS = 4
EPOCH_COST_SUM, BEST, PATIENCE_COST, HELD_OUT = range(SUMS)
# by what training was stopped: numbers of names, the first of which are for compiled loops
RUNNING, TARGET_COST, PATIENCE, EPOCHS, DIVERGED = range(5)
RULES = ("target_cost", "patience")
STOPS = ("", *RULES, "epochs", "diverged", "max_seconds", "callback", "interrupt")
VECTOR_BYTES = 32  # one AVX register; LLVM splits it where the machine's are shorter
# where no sum over lanes would take longer for it: a processor has more to do at a time
WIDE_VECTOR_BYTES = 64
_LINE = 64  # bytes of a cache line
_OF_PARAMETERS = ("params", "slots", "best")
Table = TypeVar("Table", bound="ArrayTable")


@dataclass(frozen=True, eq=False)
class ArrayTable:
    """What a dataclass of arrays can do. Where each has a first axis of members, a row of all of
    them is what one member has.
    """

    def arrays(self) -> dict[str, Array]:
        """The arrays by name."""
        return dict(vars(self))

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in vars(self).values())

    @property
    def layout(self) -> list[tuple[np.dtype[Any], tuple[int, ...]]]:
        """The dtypes and shapes of the arrays."""
        return [(array.dtype, array.shape) for array in vars(self).values()]

    @classmethod
    def of(cls: type[Table], arrays: dict[str, Array]) -> Table:
        """The table of these arrays, by name; sooner than by a call of the class."""
        table = object.__new__(cls)
        vars(table).update(arrays)
        return table

    def with_arrays(self: Table, **arrays: Array) -> Table:
        """A table with other arrays of these names."""
        return self.of(vars(self) | arrays)

    def copy(self: Table) -> Table:
        """A table that shares no array with this one."""
        return self.of({name: array.copy() for name, array in vars(self).items()})

    def __getitem__(self: Table, member: int | slice | Array) -> Table:
        """A view of what one member has, or several; a copy by an array of them."""
        return self.of({name: array[member] for name, array in vars(self).items()})

    def __setitem__(self: Table, member: int | slice | Array, part: Table) -> None:
        for name, array in vars(self).items():
            array[member] = getattr(part, name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return all(
            np.array_equal(array, getattr(other, name), equal_nan=True)
            for name, array in vars(self).items()
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class State(ArrayTable):
    """Arrays that training changes in place; those of an ensemble have a first axis of members.

    Those of parameters have `n_params` columns; while one run is trained, zeros fill them up to
    whole vectors.
    """

    params: Array  # (n_params,)
    slots: Array  # (slots, n_params) what the optimizer keeps
    best: Array  # (n_params,) parameters at the least cost, or (0,)
    powers: Array  # (powers,) float64 what it keeps for all of them, such as beta1^t and beta2^t
    cursor: Array  # (10,) int64: epochs, batches of a begun one, updates made, points recorded, ...
    # (4,) float64: batch costs of a begun epoch, least cost so far, that patience counts from,
    # latest of validation rows
    sums: Array
    # (5,) float64: what a schedule on a plateau keeps, see `schedules.plateau`; or (0,)
    plateau: Array
    points: Array  # (record - 1,) int64: epochs of the history
    costs: Array  # (record - 1,) float64
    held_out: Array  # (record - 1,) float64: costs of the validation rows, or (0,)

    # -- of one run

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
        return STOPS[int(self.cursor[STOPPED])] or "epochs"

    @property
    def updates(self) -> int:
        """Updates made since the initial parameters, however many an epoch had."""
        return int(self.cursor[UPDATES])

    @property
    def is_watched(self) -> bool:
        """Whether the least cost, and when it was, have been kept."""
        return math.isfinite(self.sums[BEST])

    # -- of one or of each member

    def fits(self, fresh: State, batches: int) -> bool:
        """Whether compiled code may go on from here where `fresh` is a state that begins, at
        `batches` an epoch: arrays of the same kind, and places that lie inside them.
        """
        cursor, points = self.cursor, self.points.shape[-1]
        rooms = [MOST, batches - 1, MOST, points, MOST, MOST, len(STOPS) - 1, MOST, MOST, 1]
        if self.layout != fresh.layout:
            return False
        is_full = cursor[..., RECORDED] == points  # which the first point of a history never finds
        return bool(
            ((cursor >= 0) & (cursor <= rooms)).all()
            and (cursor[..., STRIDE] > 0).all()
            and (cursor[..., NEXT_RECORD] >= is_full).all()
            and (self.points >= 0).all()
        )

    def widened(self, size: int) -> State:
        """A copy with `size` columns a parameter array, filled up with zeros."""
        arrays = {}
        for name, array in vars(self).items():
            if name in _OF_PARAMETERS and 0 < array.shape[-1] < size:
                arrays[name] = _widened(array, size)
            else:
                arrays[name] = array.copy()
        return self.of(arrays)

    def narrowed(self, n_params: int) -> State:
        """A view with `n_params` columns a parameter array, without what fills them up."""
        narrow = {name: getattr(self, name)[..., :n_params] for name in _OF_PARAMETERS}
        return self.with_arrays(**narrow)


def start(
    params: Array,
    slots: Array | None = None,
    record: int = 2,
    *,
    powers: int = 2,
    plateau: Array | None = None,
    keeps_best: bool = False,
    held_out: bool = False,
) -> State:
    """The state before the first update; without a history where `record` is 0.

    params : (..., n_params), of one run or of each member
    slots : (..., slots, n_params), none where they are not given
    """
    members, points = params.shape[:-1], max(0, record - 1)
    cursor, sums = np.zeros((*members, PLACES), np.int64), np.empty((*members, SUMS))
    cursor[..., NEXT_RECORD], cursor[..., STRIDE] = 0 if record else MOST, 1
    sums[:] = 0.0, np.inf, np.inf, np.nan
    return State(
        params=params.copy(),
        slots=np.zeros((*members, 0, params.shape[-1]), params.dtype) if slots is None else slots,
        best=params.copy() if keeps_best else params[..., :0].copy(),
        powers=np.ones((*members, powers)),
        cursor=cursor,
        sums=sums,
        plateau=np.zeros((*members, 0)) if plateau is None else plateau,
        points=np.zeros((*members, points), np.int64),
        costs=filled((*members, points), np.nan),
        held_out=filled((*members, points if held_out else 0), np.nan),
    )


def in_one_block(state: State) -> tuple[State, Array]:
    """A copy whose arrays lie in one block of bytes, one after the other, each from a cache line
    on, and that block: the state is kept, and put back, by one copy.
    """
    block, arrays, start = aligned((_bytes_of(state, *vars(state)),), np.dtype(np.uint8)), {}, 0
    for name, array in vars(state).items():
        memory = block[start : start + array.nbytes]
        arrays[name] = memory.view(array.dtype).reshape(array.shape)
        start += _bytes_of(state, name)
    result = State(**arrays)
    result[:] = state
    return result, block


def _bytes_of(state: State, *names: str) -> int:
    """Bytes of arrays in a block, up to whole cache lines."""
    return sum(-(-getattr(state, name).nbytes // _LINE) * _LINE for name in names)


def _widened(array: Array, size: int) -> Array:
    result = aligned((*array.shape[:-1], size), array.dtype)
    result[..., : array.shape[-1]] = array
    return result


def aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Zeros that start at a cache line: a vector across two lines costs half as much again in small
    kernels.
    """
    size = math.prod(shape) * dtype.itemsize
    memory = np.zeros(size + _LINE, np.uint8)
    start = -address_of(memory) % _LINE
    return memory[start : start + size].view(dtype).reshape(shape)


def padded(size: int, dtype: np.dtype[Any]) -> int:
    """`size` rounded up to whole vectors."""
    lanes = VECTOR_BYTES // dtype.itemsize
    return -(-size // lanes) * lanes
