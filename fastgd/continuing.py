"""Going on from a run: how much of its state still means the same under new options."""

from __future__ import annotations

import numpy as np

from fastgd.checks import Array
from fastgd.options import Options
from fastgd.run import Run
from fastgd.state import (
    BATCH,
    BEST,
    BEST_EPOCH,
    EPOCH,
    HELD_OUT,
    MARK,
    MARK_EPOCH,
    MOST,
    NEXT_RECORD,
    PENDING,
    RECORDED,
    STOPS,
    STRIDE,
    State,
)


def taken_up(before: Run, fresh: State, options: Options, batches: int) -> State:
    """The state in which training goes on; `fresh` is one that begins, for the same options, at `batches` an epoch.

    Slots stay with their optimizer, the batch in the epoch with the batches, the history where it is recorded in the same way. The
    stop rules begin anew if one of them ended the run, or if they watched something else.
    """
    n, earlier, was = before.net.n_params, before.state, before.options
    state = fresh.copy()
    state.params[:n] = before.params
    state.cursor[[EPOCH, BEST_EPOCH, MARK_EPOCH]] = before.epochs
    if earlier is None:
        _take_history(state, before.history.epoch[:-1], before.history.cost[:-1], np.zeros(0), 1, options)
        return state

    state.params[:n] = earlier.params
    if type(was["optimizer"]) is type(options.optimizer) and len(earlier.slots) == len(state.slots):
        state.slots[:, :n] = earlier.slots
        state.powers[:] = earlier.powers
    same = was["batch_size"] == options.batch_size and was["shuffle"] == options.shuffle
    if same and earlier.cursor[BATCH] < batches:
        state.cursor[BATCH], state.sums[PENDING] = earlier.cursor[BATCH], earlier.sums[PENDING]
    if before.stopped_by not in STOPS[1:] and bool(len(earlier.held_out)) == bool(len(state.held_out)):
        state.cursor[[BEST_EPOCH, MARK_EPOCH]] = earlier.cursor[[BEST_EPOCH, MARK_EPOCH]]
        state.sums[[BEST, MARK]] = earlier.sums[[BEST, MARK]]
        if len(state.best) and len(earlier.best):
            state.best[:n] = earlier.best
        elif len(state.best):  # which were best is not known
            state.sums[BEST] = np.inf
    if len(state.held_out) and len(earlier.held_out):
        state.sums[HELD_OUT] = earlier.sums[HELD_OUT]
    done = earlier.recorded
    if was["record"] == options.record and was["spacing"] == options.spacing:
        state.cursor[[RECORDED, NEXT_RECORD, STRIDE]] = earlier.cursor[[RECORDED, NEXT_RECORD, STRIDE]]
        state.points[:], state.costs[:] = earlier.points, earlier.costs
        if len(state.held_out) and len(earlier.held_out):
            state.held_out[:] = earlier.held_out
    else:
        _take_history(state, earlier.points[:done], earlier.costs[:done], earlier.held_out[:done], int(earlier.cursor[STRIDE]), options)
    return state


def _take_history(state: State, points: Array, costs: Array, held_out: Array, stride: int, options: Options) -> None:
    """Put as many of the points into the state as it has room for, evenly chosen; half as many where they can't be thinned out later."""
    room = len(state.points) if options.spacing == "even" else (len(state.points) + 1) // 2
    kept = points % stride == 0
    while kept.sum() > room:
        stride *= 2
        kept = points % stride == 0
    done = int(kept.sum())
    state.points[:done], state.costs[:done] = points[kept], costs[kept]
    if len(state.held_out) and len(held_out):
        state.held_out[:done] = held_out[kept]
    first = max(state.epoch + int(state.cursor[BATCH] > 0), int(points[-1]) + 1 if len(points) else 0)
    following = -(-first // stride) * stride if done < len(state.points) or done > 1 else MOST
    state.cursor[[RECORDED, NEXT_RECORD, STRIDE]] = done, following, stride
