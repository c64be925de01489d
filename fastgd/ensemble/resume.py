"""What a training of many members goes on from, and whether it is still the same training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from fastgd.ensemble.runs import Runs
from fastgd.member_settings import MemberSettings
from fastgd.mlp import MLP
from fastgd.optimizers import SGD
from fastgd.state import MOST, State
from fastgd.training.checkpoint import Checkpoint
from fastgd.training.resume import Origin, origin_of, resumed_from


def origin_of_many(
    net: MLP, given: dict[str, Any], members: int, file: Checkpoint[Runs] | None
) -> tuple[Origin[Runs], dict[str, Any]]:
    """What is gone on from, and the arguments, those that were left open being those of before."""
    origin = origin_of(Runs, given["params"], file)
    for runs, name in ((origin.further, "params"), (origin.resumed, origin.what)):
        if runs is not None and runs.net != net:
            raise ValueError(f"{name} must be of {net}; got runs of {runs.net}")
        if runs is not None and len(runs) != members:
            raise ValueError(f"{name} must be of {members} members; got {len(runs)}")
    if origin.further is not None:
        given = given | {"params": origin.further.params}
    elif origin.resumed is not None and given["params"] is None:
        given = given | {"params": origin.resumed.settings.params}
    if origin.before is not None and given["rng"] is None:
        given = given | {"rng": origin.before.seeds}
    return origin, given


def to_train_to(origin: Origin[Runs], settings: MemberSettings) -> MemberSettings:
    """With the epochs to train to; ValueError if they are too many, or fewer than there were."""
    if origin.before is None:
        return settings
    done = np.zeros(len(settings), np.int64) if origin.further is None else origin.further.epochs
    least, most = origin.before.epochs - done, MOST - done
    wrong = (settings.epochs < least) | (settings.epochs > most)
    if wrong.any():
        i = int(wrong.argmax())
        raise ValueError(
            f"epochs must be from {max(least[i], 0)} to {most[i]} for member {i} to go on from "
            f"{origin.what}; got {settings.epochs[i]}"
        )
    return replace(settings, epochs=settings.epochs + done)


def gone_on(origin: Origin[Runs], fresh: Runs, batches: int) -> Runs:
    """The members where they go on, of which `fresh` begin; ValueError if that is not where such a
    training could.
    """
    before = origin.before
    if before is None:
        return fresh
    if origin.resumed is not None:
        _check_same(origin, before, fresh)
        runs = before.reopened(fresh.settings)
    else:
        # in lanes, members can't go on in the middle of an epoch
        count = 0 if fresh.kernel == "lanes" else batches
        states = resumed_from(
            _known(before), before.options, before.stopped_by, fresh.states, fresh.options, count,
            before.settings.has_rates_of(fresh.settings),
        )  # fmt: skip
        runs = replace(fresh, states=states)
    if not runs.states.fits(fresh.states, batches):
        raise ValueError(
            f"{origin.what} can't be gone on from: its members do not stand where such a training "
            "could"
        )
    return replace(runs, options=fresh.options, seconds=before.seconds)


def _known(before: Runs) -> State:
    """Where members stand; without momentum, it is no velocity that one kept beside others."""
    states = before.states
    if not isinstance(before.options.optimizer, SGD):
        return states
    has_momentum = before.settings.numbers[:, :1, None] != 0
    return replace(states, slots=np.where(has_momentum, states.slots, states.params.dtype.type(0)))


def _check_same(origin: Origin[Runs], before: Runs, fresh: Runs) -> None:
    """Refuse to go on with a training that is not the one of the checkpoint, naming the
    difference.
    """
    old, new = before.settings, fresh.settings
    then, now = before.options.to_dict(), fresh.options.to_dict()
    if type(then["optimizer"]) is type(now["optimizer"]):  # whose numbers are compared below
        then["optimizer"] = now["optimizer"]
    shared = now.keys() - (new.own_options(0, fresh.options).keys() - {"optimizer"})
    origin.check_same(
        then | {"kernel": before.kernel},
        {name: now[name] for name in sorted(shared)} | {"kernel": fresh.kernel},
    )
    theirs, differ = old.arrays(), np.zeros(len(new), bool)
    for name, ours in new.arrays().items():
        if theirs[name].shape != ours.shape:
            raise origin.was_made_with(f"another {name}")
        if name != "epochs":
            differ |= (theirs[name] != ours).reshape(len(new), -1).any(axis=1)
    if differ.any():
        i = int(differ.argmax())
        was, given = old.arguments(i, before.options), new.arguments(i, fresh.options)
        del given["params"], given["epochs"]
        origin.check_same(was, given, f" for member {i}")
        raise origin.was_made_with(f"other params for member {i}")
