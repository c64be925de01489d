"""What a training goes on from: parameters, a run or a checkpoint; and how much of a state still
means the same under new options.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgd.arguments.checks import Array, seed_of, whole_number
from fastgd.mlp import MLP
from fastgd.options import Options
from fastgd.state import (
    BATCH,
    BEST,
    BEST_EPOCH,
    EPOCH,
    EPOCH_COST_SUM,
    HELD_OUT,
    MOST,
    NEXT_RECORD,
    PATIENCE_COST,
    PATIENCE_EPOCH,
    RECORDED,
    STOPS,
    STRIDE,
    UPDATES,
    State,
)
from fastgd.training.checkpoint import Checkpoint, check_same
from fastgd.training.run import History, Run


@dataclass(frozen=True)
class Origin:
    """What a training goes on from, made by `origin_of`."""

    params: Array  # (n_params,)
    seed: int
    last: int  # the epoch to train to
    before: Run | None  # a run to go on from
    what: str  # how errors call it
    checkpoint: str | None  # the file that it is from, if it is from one

    def run(self, net: MLP, options: Options, kernel: str) -> Run:
        """The run that begins; ValueError if it is not the one of the checkpoint."""
        before = self.before
        run = Run(
            net, self.params.copy(), np.nan, 0, before.seconds if before else 0.0, kernel,
            self.seed, "epochs", History(np.zeros(0, np.int64), np.zeros(0)), options.to_dict(),
            table=before.table if before else None,
        )  # fmt: skip
        if before is not None and self.checkpoint is not None:
            check_same(before, run, self.checkpoint)
        return run

    def state(self, fresh: State, options: Options, batches: int) -> State:
        """The state that training goes on in, where `fresh` is one that begins; ValueError if it is
        not one of such a training.
        """
        before = self.before
        if before is None:
            return fresh
        state = before.state if self.checkpoint is not None else None
        if state is None:
            state = resumed_from(before, fresh, options, batches)
        if not state.widened(fresh.params.size).fits(fresh, batches):
            raise ValueError(
                f"{self.what} can't be gone on from: its state is not one of such a training"
            )
        return state


def origin_of(
    net: MLP,
    params: Array | Run | None,
    rng: int | np.random.Generator | None,
    epochs: int,
    file: Checkpoint[Run] | None,
) -> Origin:
    """`file` is the checkpoint to resume, if there is something in it. After a run given as
    `params`, `epochs` are further ones.
    """
    resumed = file.load() if file is not None else None
    given = params if isinstance(params, Run) else None
    before = given if resumed is None else resumed
    checkpoint = str(file.path) if file is not None and resumed is not None else None
    what = "params" if checkpoint is None else f"checkpoint {checkpoint!r}"
    if before is not None and before.net != net:
        raise ValueError(f"{what} must be a Run of {net}; got one of {before.net}")
    last = whole_number(
        "epochs", epochs + (given.epochs if given is not None else 0), least=0, most=MOST
    )
    if resumed is not None and resumed.epochs > last:
        raise ValueError(
            f"epochs must be at least {resumed.epochs - last + epochs} to go on from {what}; got "
            f"{epochs}"
        )
    seed = before.seed if before is not None and rng is None else seed_of(rng)
    if before is not None:
        values = before.params
    else:
        values = params if isinstance(params, np.ndarray) else net.init(seed)
    return Origin(values, seed, last, before, what, checkpoint)


def what_stays(
    was: Options,
    now: Options,
    slots: int,
    batch: Any,
    batches: int,
    stopped_by: Any,
) -> tuple[bool, Any, Any, bool]:
    """Whether so many slots, a place in an epoch of so many batches, what stop rules count from and
    the history mean the same still; `batch` and `stopped_by` are of one run or of each member.
    """
    return (
        type(was.optimizer) is type(now.optimizer) and slots == now.optimizer.slots,
        ((was.batch_size, was.shuffle) == (now.batch_size, now.shuffle)) & (batch < batches),
        ~np.isin(stopped_by, STOPS[1:]),  # by a rule
        (was.record, was.spacing) == (now.record, now.spacing),
    )


def resumed_from(before: Run, fresh: State, options: Options, batches: int) -> State:
    """The state in which training goes on; `fresh` is one that begins, for the same options, at
    `batches` an epoch.

    Updates are counted on, whatever made them. Slots stay with their optimizer, the batch in the
    epoch with the batches, the history where it is recorded in the same way. The stop rules begin
    anew if one of them ended the run, or if they watched something else.
    """
    n, earlier = before.net.n_params, before.state
    state = fresh.copy()
    state.params[:n] = before.params
    state.cursor[[EPOCH, BEST_EPOCH, PATIENCE_EPOCH]] = before.epochs
    if earlier is None:
        state.cursor[UPDATES] = before.epochs * batches  # for want of a count
        _take_history(
            state, before.history.epoch[:-1], before.history.cost[:-1], np.zeros(0), 1, options
        )
        return state

    state.params[:n] = earlier.params
    state.cursor[UPDATES] = earlier.updates
    was, slots, batch = Options.of(before.options), len(earlier.slots), earlier.cursor[BATCH]
    stays = what_stays(was, options, slots, batch, batches, before.stopped_by)
    slots_stay, place_stays, rules_stay, history_stays = stays
    if slots_stay:
        state.slots[:, :n] = earlier.slots
        state.powers[:] = earlier.powers
    if place_stays:
        state.cursor[BATCH], state.sums[EPOCH_COST_SUM] = batch, earlier.sums[EPOCH_COST_SUM]
    if rules_stay and bool(len(earlier.held_out)) == bool(len(state.held_out)):
        state.cursor[[BEST_EPOCH, PATIENCE_EPOCH]] = earlier.cursor[[BEST_EPOCH, PATIENCE_EPOCH]]
        state.sums[[BEST, PATIENCE_COST]] = earlier.sums[[BEST, PATIENCE_COST]]
        if len(state.best) and len(earlier.best):
            state.best[:n] = earlier.best
        elif len(state.best):  # which were best is not known
            state.sums[BEST] = np.inf
    if len(state.held_out) and len(earlier.held_out):
        state.sums[HELD_OUT] = earlier.sums[HELD_OUT]
    done = earlier.recorded
    if history_stays:
        state.cursor[[RECORDED, NEXT_RECORD, STRIDE]] = earlier.cursor[
            [RECORDED, NEXT_RECORD, STRIDE]
        ]
        state.points[:], state.costs[:] = earlier.points, earlier.costs
        if len(state.held_out) and len(earlier.held_out):
            state.held_out[:] = earlier.held_out
    else:
        _take_history(
            state,
            earlier.points[:done],
            earlier.costs[:done],
            earlier.held_out[:done],
            int(earlier.cursor[STRIDE]),
            options,
        )
    return state


def _take_history(
    state: State, points: Array, costs: Array, held_out: Array, stride: int, options: Options
) -> None:
    """Put as many of the points into the state as it has room for, evenly chosen; half as many
    where they can't be thinned out later.
    """
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
    state.cursor[[RECORDED, NEXT_RECORD, STRIDE]] = done, following, stride
