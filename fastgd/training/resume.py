"""What a training goes on from: nothing, a run or runs, or a checkpoint; and how much of a state
still means the same under new options.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, Generic

import numpy as np

from fastgd.arguments.checks import Array, seed_of, whole_number
from fastgd.mlp import MLP
from fastgd.options import Options
from fastgd.schedules.plateau import SEEN
from fastgd.state import (
    BATCH,
    BEST,
    BEST_EPOCH,
    EPOCH,
    EPOCH_COST_SUM,
    HELD_OUT,
    MOST,
    PATIENCE_COST,
    PATIENCE_EPOCH,
    RECORDED,
    RULES,
    STRIDE,
    UPDATES,
    State,
    start,
)
from fastgd.training.checkpoint import Checkpoint, Kept
from fastgd.training.run import Run

# places that lie side by side: in a history, and of the best
_PLACE = slice(RECORDED, STRIDE + 1)
_BEST_EPOCHS, _BEST_COSTS = slice(BEST_EPOCH, PATIENCE_EPOCH + 1), slice(BEST, PATIENCE_COST + 1)


@dataclass(frozen=True)
class Origin(Generic[Kept]):
    """What a training goes on from, made by `origin_of`."""

    further: Kept | None = None  # given as `params`, after which `epochs` are further ones
    resumed: Kept | None = None  # of a checkpoint
    path: str = ""  # of its file

    @property
    def before(self) -> Kept | None:
        """A run to go on from, or runs."""
        return self.further if self.resumed is None else self.resumed

    @property
    def what(self) -> str:
        """How errors call it."""
        return "params" if self.resumed is None else f"checkpoint {self.path!r}"

    def check_same(self, then: dict[str, Any], now: dict[str, Any], whose: str = "") -> None:
        """Refuse to go on with a training that is not the one of the checkpoint, naming the first
        difference.
        """
        for name, value in now.items():
            if self.resumed is not None and then.get(name) != value:
                raise self.was_made_with(f"{name} {then.get(name)}{whose}", f"; got {value}")

    def was_made_with(self, other: str, got: str = "") -> ValueError:
        """That the checkpoint is of another training."""
        return ValueError(f"{self.what} was made with {other}{got}. To start afresh, delete it")


def origin_of(kind: type[Kept], params: object, file: Checkpoint[Kept] | None) -> Origin[Kept]:
    """`file` is the checkpoint to resume, if there is something in it."""
    further = params if isinstance(params, kind) else None
    return Origin(further, file.load(), str(file.path)) if file is not None else Origin(further)


def seed_and_last(
    net: MLP, rng: int | np.random.Generator | None, epochs: int, origin: Origin[Run]
) -> tuple[int, int]:
    """The seed, and the epoch to train to; after a run given as `params`, `epochs` are further
    ones.
    """
    before, further, resumed = origin.before, origin.further, origin.resumed
    if before is not None and before.net != net:
        raise ValueError(f"{origin.what} must be a Run of {net}; got one of {before.net}")
    last = whole_number(
        "epochs", epochs + (0 if further is None else further.epochs), least=0, most=MOST
    )
    if resumed is not None and resumed.epochs > last:
        raise ValueError(
            f"epochs must be at least {resumed.epochs - last + epochs} to go on from "
            f"{origin.what}; got {epochs}"
        )
    return before.seed if before is not None and rng is None else seed_of(rng), last


def check_checkpoint_of(origin: Origin[Run], run: Run) -> None:
    """ValueError if `run`, which begins, is not the one of the checkpoint, if there is one."""
    if origin.resumed is not None:
        origin.check_same(_identity(origin.resumed), _identity(run))


def gone_on(origin: Origin[Run], fresh: State, options: Options, batches: int) -> State:
    """The state that a run goes on in, where `fresh` is one that begins; ValueError if it is not
    one of such a training.
    """
    before = origin.before
    if before is None:
        return fresh
    state = before.state
    if state is None:
        state = _state_of(before, batches)
        state = resumed_from(state, None, before.stopped_by, fresh, options, batches, False)
    elif origin.resumed is None:
        was = Options.of(before.options)
        same_rates = was.learning_rate == options.learning_rate
        state = resumed_from(state, was, before.stopped_by, fresh, options, batches, same_rates)
    wide = state if state.params.size == fresh.params.size else state.widened(fresh.params.size)
    if not wide.fits(fresh, batches):
        raise ValueError(
            f"{origin.what} can't be gone on from: its state is not one of such a training"
        )
    return wide


def _identity(run: Run) -> dict[str, Any]:
    """What the training of a checkpoint must have in common with the one that goes on."""
    return {"rng": run.seed, "kernel": run.kernel} | run.options


def _state_of(run: Run, batches: int) -> State:
    """Where a run stands of which no more is known."""
    history, state = run.history, start(run.params, record=len(run.history.epoch))
    state.cursor[[EPOCH, BEST_EPOCH, PATIENCE_EPOCH]] = run.epochs
    state.cursor[[UPDATES, RECORDED]] = run.epochs * batches, len(state.points)
    state.points[:], state.costs[:] = history.epoch[:-1], history.cost[:-1]
    return state


def resumed_from(
    earlier: State,
    was: Options | None,
    stopped_by: Any,
    fresh: State,
    options: Options,
    batches: int,
    same_rates: bool | Array,
) -> State:
    """The state in which training goes on, of one run or of each member; `fresh` is one that
    begins, for the same options, at `batches` an epoch. How it was trained may not be known.

    Updates are counted on, whatever made them. Slots stay with their optimizer, the batch in the
    epoch with the batches, the history where it is recorded in the same way. The stop rules begin
    anew if one of them ended the run, or if they watched something else. A schedule on a plateau
    stays where it is if they watch the same, and learning rates are the same, which may be told of
    each member.
    """
    state, n = fresh.copy(), earlier.params.shape[-1]
    epochs, batch = earlier.cursor[..., EPOCH], earlier.cursor[..., BATCH]
    state.params[..., :n] = earlier.params
    for place in (EPOCH, BEST_EPOCH, PATIENCE_EPOCH):
        state.cursor[..., place] = epochs
    state.cursor[..., UPDATES] = earlier.cursor[..., UPDATES]
    state.plateau[..., SEEN:] = epochs[..., None]
    if was is None:
        _take_histories(state, earlier, options)
        return state

    slots = earlier.slots.shape[-2]
    if type(was.optimizer) is type(options.optimizer) and slots == options.optimizer.slots:
        state.slots[..., :n], state.powers[:] = earlier.slots, earlier.powers
    if (was.batch_size, was.shuffle) == (options.batch_size, options.shuffle):
        stays = batch < batches
        np.copyto(state.cursor[..., BATCH], batch, where=stays)
        sums = state.sums[..., EPOCH_COST_SUM], earlier.sums[..., EPOCH_COST_SUM]
        np.copyto(*sums, where=stays)
    looked, looks = earlier.held_out.shape[-1] > 0, state.held_out.shape[-1] > 0
    if looked == looks:
        by_rule = reduce(or_, (stopped_by == rule for rule in RULES))
        goes_on = np.logical_not(by_rule)[..., None]
        for array, old, places in (
            (state.cursor, earlier.cursor, _BEST_EPOCHS),
            (state.sums, earlier.sums, _BEST_COSTS),
        ):
            np.copyto(array[..., places], old[..., places], where=goes_on)
        if state.plateau.shape == earlier.plateau.shape:
            same = np.asarray(same_rates)[..., None]
            np.copyto(state.plateau, earlier.plateau, where=same)
        if state.best.shape[-1] and earlier.best.shape[-1]:
            np.copyto(state.best[..., :n], earlier.best, where=goes_on)
        elif state.best.shape[-1]:  # which were best is not known
            state.sums[..., BEST] = np.inf
    if looked and looks:
        state.sums[..., HELD_OUT] = earlier.sums[..., HELD_OUT]
    if (was.record, was.spacing) == (options.record, options.spacing):
        state.cursor[..., _PLACE] = earlier.cursor[..., _PLACE]
        state.points[:], state.costs[:] = earlier.points, earlier.costs
        if looked and looks:
            state.held_out[:] = earlier.held_out
    else:
        _take_histories(state, earlier, options)
    return state


def _take_histories(state: State, earlier: State, options: Options) -> None:
    """Put the points of an earlier history into the state, be it of one run or of each member."""
    if state.points.shape[-1] == 0:
        return
    if state.points.ndim == 1:
        _take_history(state, earlier, options)
        return
    for member in range(len(state.points)):
        _take_history(state[member], earlier[member], options)


def _take_history(state: State, earlier: State, options: Options) -> None:
    """Put as many of the points into the state as it has room for, evenly chosen; half as many
    where they can't be thinned out later.
    """
    done, stride = earlier.recorded, int(earlier.cursor[STRIDE])
    points, costs = earlier.points[:done], earlier.costs[:done]
    held_out = earlier.held_out[:done]
    room = len(state.points) if options.spacing == "even" else (len(state.points) + 1) // 2
    kept = points % stride == 0
    while kept.sum() > room:
        stride *= 2
        kept = points % stride == 0
    done = int(kept.sum())
    state.points[:done], state.costs[:done] = points[kept], costs[kept]
    if len(state.held_out) and len(held_out):
        state.held_out[:done] = held_out[kept]
    first = max(
        state.epoch + int(state.cursor[BATCH] > 0), int(points[-1]) + 1 if len(points) else 0
    )
    following = -(-first // stride) * stride if done < len(state.points) or done > 1 else MOST
    state.cursor[_PLACE] = done, following, stride
