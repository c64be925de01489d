"""What a training of many members goes on from: nothing, runs or a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastgd.ensemble.runs import Runs
from fastgd.ensemble.settings import MemberSettings
from fastgd.ensemble.state import EnsembleState, arrays_of
from fastgd.mlp import MLP
from fastgd.options import Options
from fastgd.state import MOST
from fastgd.training.checkpoint import Checkpoint

_ARGUMENTS = {
    "seeds": "rng",
    "rates": "learning_rate",
    "schedules": "learning_rate",
    "times": "learning_rate",
    "numbers": "optimizer",
}  # where Each has another name for it


@dataclass(frozen=True)
class OriginOfMany:
    """What a training goes on from, made by `origin_of_many`."""

    # arguments, those that were left open being those of what it goes on from
    given: dict[str, Any]
    further: Runs | None = None  # runs given as `params`, after which `epochs` are further ones
    before: Runs | None = None
    what: str = "params"  # how errors call it
    checkpoint: str | None = None  # the file that it is from, if it is from one

    @property
    def kernel(self) -> str | None:
        """The kernel before."""
        return self.before.kernel if self.before is not None else None

    @property
    def seconds(self) -> float:
        """Of training before."""
        return self.before.seconds if self.before is not None else 0.0

    def to_train_to(self, settings: MemberSettings) -> MemberSettings:
        """With the epochs to train to; ValueError if they are too many, or fewer
        than there were.
        """
        if self.before is None:
            return settings
        done = (
            self.further.epochs if self.further is not None else np.zeros(len(settings), np.int64)
        )
        least, most = self.before.epochs - done, MOST - done
        wrong = (settings.epochs < least) | (settings.epochs > most)
        if wrong.any():
            i = int(wrong.argmax())
            raise ValueError(
                f"epochs must be from {max(least[i], 0)} to {most[i]} for member {i} to go on from "
                f"{self.what}; got {settings.epochs[i]}"
            )
        return replace(settings, epochs=settings.epochs + done)

    def states(
        self, settings: MemberSettings, options: Options, kernel: str, batches: int
    ) -> EnsembleState:
        """Where members stand; ValueError if that is not where such a training could."""
        before, fresh = self.before, EnsembleState.at_start(settings, options)
        if before is None:
            return fresh
        states = before.states
        if self.checkpoint is not None:
            _check_same(before, options, settings, kernel, self.checkpoint)
            states = states.resumed(settings.epochs)
        else:
            states = states.resumed_from(
                before.options,
                before.settings,
                settings,
                options,
                batches if kernel != "lanes" else 0,
            )
        if not states.fits(fresh, batches):
            raise ValueError(
                f"{self.what} can't be gone on from: its members do not stand where such a "
                "training could"
            )
        return states


def origin_of_many(
    net: MLP, given: dict[str, Any], members: int, file: Checkpoint[Runs] | None
) -> OriginOfMany:
    """`file` is the checkpoint to resume, if there is something in it."""
    resumed = file.load() if file is not None else None
    further = given["params"] if isinstance(given["params"], Runs) else None
    before = further if resumed is None else resumed
    if before is None:
        return OriginOfMany(given)
    checkpoint = str(file.path) if file is not None and resumed is not None else None
    what = "params" if checkpoint is None else f"checkpoint {checkpoint!r}"
    for runs, name in ((further, "params"), (resumed, what)):
        if runs is not None and runs.net != net:
            raise ValueError(f"{name} must be of {net}; got runs of {runs.net}")
        if runs is not None and len(runs) != members:
            raise ValueError(f"{name} must be of {members} members; got {len(runs)}")
    if given["params"] is None or further is not None:
        given = given | {"params": before.settings.params if further is None else further.params}
    if given["rng"] is None:
        given = given | {"rng": before.seeds}
    return OriginOfMany(given, further, before, what, checkpoint)


def _check_same(
    before: Runs, options: Options, settings: MemberSettings, kernel: str, path: str
) -> None:
    """Refuse to go on with a training that is not the one of the checkpoint, naming
    the difference.
    """
    old, new = (
        before.options.to_dict() | {"kernel": before.kernel},
        options.to_dict() | {"kernel": kernel},
    )
    # these are compared below, the optimizer's numbers too
    of_members = settings.own_options(0, options).keys() - {"optimizer"}
    for name in sorted(new.keys() - of_members):
        then, now = old.get(name), new[name]
        if type(then) is not type(now) if name == "optimizer" else then != now:
            raise ValueError(
                f"checkpoint {path!r} was made with {name} {then}; got {now}. To start afresh, "
                "delete it"
            )
    theirs, ours = arrays_of(before.settings), arrays_of(settings)
    for name in sorted(
        (theirs.keys() | ours.keys()) - {"epochs"}, key=lambda name: name == "params"
    ):
        argument = _ARGUMENTS.get(name, name)
        if name not in theirs or name not in ours or theirs[name].shape != ours[name].shape:
            raise ValueError(
                f"checkpoint {path!r} was made with another {argument}. To start afresh, delete it"
            )
        differ = (theirs[name] != ours[name]).reshape(len(settings), -1).any(axis=1)
        if differ.any():
            i = int(differ.argmax())
            then, now = (
                before.settings.arguments(i, before.options)[argument],
                settings.arguments(i, options)[argument],
            )
            what, got = (
                ("other params", "")
                if argument == "params"
                else (f"{argument} {then}", f"; got {now}")
            )
            raise ValueError(
                f"checkpoint {path!r} was made with {what} for member {i}{got}. To start afresh, "
                "delete it"
            )
