"""Flags of how a network learns: the update, when to stop, what long runs need; and what they are
as arguments of `fastgd.train`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from fastgd import optimizers, schedules
from fastgd.cli.described_flags import add_field_flags, fields_given, flags_of
from fastgd.cli.options import (
    add_flag,
    check_name_flag,
    check_writable,
    number,
    one_or_more,
    same_file,
    seconds,
    whole,
)
from fastgd.cli.problem_flags import add_validation_flag
from fastgd.names import OPTIMIZER_FLAGS, SCHEDULE_FLAGS
from fastgd.options import Options


class _Flag(NamedTuple):
    """What an option's flag has beside the name, the type and the default of the option."""

    group: str
    metavar: str | None  # None for a switch
    help: str  # to which known names, and the default, are added


_FLAGS = {
    "method": _Flag("training", "NAME", ""),
    "eps": _Flag("training", "EPS", "step of the two difference methods"),
    "batch_size": _Flag("training", "N", "rows of a batch (default: all rows at once)"),
    "shuffle": _Flag("training", None, "keep the rows in order (default: a new one every epoch)"),
    "learning_rate": _Flag("update", "RATE", "step along the gradient"),
    "l2": _Flag(
        "update", "L2[,L2...]", "times a weight, added to its gradient; one, or one a layer"
    ),
    "l1": _Flag("update", "L1[,L1...]", "times the sign of a weight, likewise"),
    "dropout": _Flag(
        "update", "SHARE[,SHARE...]", "of hidden activations that an update drops; likewise"
    ),
    "max_norm": _Flag("update", "NORM", "largest norm of a unit's weights (default: any)"),
    "input_noise": _Flag("update", "DEVIATION", "of what an update adds to inputs"),
    "clip_norm": _Flag("update", "NORM", "largest norm of the gradient (default: any)"),
    "target_cost": _Flag("stopping", "COST", "stop when the cost is at most this"),
    "patience": _Flag("stopping", "N", "stop after so many epochs without a lower cost"),
    "min_delta": _Flag("stopping", "COST", "lower by more than this counts as lower"),
    "restore_best": _Flag("stopping", None, "end with parameters of least cost (default: latest)"),
    "record": _Flag("history", "N", "most points of the history"),
    "spacing": _Flag("history", "NAME", "of these points: "),
}
_OPTIONS = {option.name: option for option in fields(Options)}


_OPTIMIZER_FLAGS = flags_of(optimizers.KINDS, OPTIMIZER_FLAGS)
# those that have one rate, which may be one of several to be tried
OF_ONE_RATE = {name: kind for name, kind in schedules.KINDS.items() if name != "rates"}


def add_option_flags(parser: argparse._ActionsContainer, group: str) -> None:
    """The flags of this group."""
    for name, flag in _FLAGS.items():
        if flag.group == group:
            add_option_flag(parser, name)


def add_option_flag(parser: argparse._ActionsContainer, name: str, text: str = "") -> None:
    """The flag for an option; it says `text`, if that is given."""
    option, flag, metavar = _OPTIONS[name], f"--{name.replace('_', '-')}", _FLAGS[name].metavar
    default: Any = option.default
    text = text or _FLAGS[name].help
    if metavar is None:
        flag, value = (flag.replace("--", "--no-"), False) if default else (flag, True)
        parser.add_argument(flag, dest=name, action="store_const", const=value, help=text)
    elif "known" in option.metadata:
        add_choice(parser, flag, option.metadata["known"], default, text)
    else:
        kind = str(option.type).partition(" ")[0]
        read: Any = {"int": whole, "PerLayer": one_or_more}.get(kind, number)
        text += "" if default is None else f" (default: {default:g})"
        add_flag(parser, flag, read, metavar, text)


def add_choice(parser: Any, flag: str, known: Sequence[str], default: str, text: str = "") -> None:
    """A flag for one of the known names."""
    text += f"{', '.join(known)} (default: {default})"
    read = check_name_flag(known)
    parser.add_argument(flag, type=read, default=default, metavar="NAME", help=text)


def add_update_flags(parser: argparse._ActionsContainer) -> None:
    """What makes an update of a gradient."""
    add_choice(parser, "--optimizer", tuple(optimizers.KINDS), "sgd")
    add_field_flags(parser, _OPTIMIZER_FLAGS)
    add_option_flags(parser, "update")
    add_schedule_flags(parser, schedules.KINDS)


def add_schedule_flags(parser: argparse._ActionsContainer, kinds: Mapping[str, Any]) -> None:
    """One of these schedules, and its numbers."""
    text = "how the rate changes from update to update: "
    add_choice(parser, "--schedule", tuple(kinds), "constant", text)
    add_field_flags(parser, flags_of(kinds, SCHEDULE_FLAGS))


def add_stopping_flags(parser: argparse._ActionsContainer) -> None:
    """What ends a run before its epochs are done."""
    add_validation_flag(parser, "whose cost is watched")
    add_option_flags(parser, "stopping")
    add_flag(parser, "--max-seconds", seconds, "TIME", "stop after so long: 90, 90s, 10m or 2h")


def add_long_run_flags(
    parser: argparse._ActionsContainer, place: str = "FILE", what: str = "the run so far"
) -> None:
    """What long runs need; a checkpoint is `what`, in a `place`."""
    parser.add_argument(
        "--checkpoint", metavar=place, help=f"keep {what} there, written while training goes on"
    )
    every = "between two checkpoints: 90, 90s, 10m, 2h (default: 60)"
    add_flag(parser, "--checkpoint-every", seconds, "TIME", every)
    resume = "go on from the checkpoint, if there is one, to the same bits"
    parser.add_argument("--resume", action="store_const", const=True, help=resume)
    threads = "most threads to use; results do not depend on it (default: all)"
    add_flag(parser, "--threads", whole, "N", threads)


def option_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """The arguments of `train` that flags for options stand for, as far as they are given."""
    given = _given(options, *_OPTIONS)
    if "min_delta" in given and "patience" not in given:
        raise ValueError("--min-delta is for --patience N; none is given")
    if "optimizer" in given:
        numbers = fields_given(options, "optimizer", optimizers.KINDS, _OPTIMIZER_FLAGS)
        given["optimizer"] = optimizers.KINDS[options.optimizer](**numbers)
        if options.schedule == "rates" and "learning_rate" in given:
            raise ValueError("--learning-rate is for other schedules than rates; got both")
        rate = given.get("learning_rate", Options.learning_rate)
        scheduled = scheduled_rate(options, rate, schedules.KINDS)
        given |= {} if scheduled is rate else {"learning_rate": scheduled}
    return given


def scheduled_rate(options: argparse.Namespace, rate: float, kinds: Mapping[str, Any]) -> Any:
    """The rate, or the schedule of these kinds that the flags ask for by it."""
    numbers = fields_given(options, "schedule", kinds, flags_of(kinds, SCHEDULE_FLAGS))
    if not numbers and options.schedule == "constant":
        return rate
    if options.schedule != "rates":
        numbers["rate"] = rate
    return kinds[options.schedule](**numbers)


def long_run_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """The arguments of `train` for long runs, as far as their flags are given."""
    given = _given(options, "max_seconds", "checkpoint", "checkpoint_every", "resume", "threads")
    for name in ("resume", "checkpoint_every"):
        if name in given and "checkpoint" not in given:
            raise ValueError(f"--{name.replace('_', '-')} is for --checkpoint; none is given")
    return given


def _given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    given = {name: getattr(options, name, None) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def check_files(options: argparse.Namespace, *read: str) -> None:
    """Refuse files of --out and --checkpoint that can't be written, or are one, or among those that
    are read.
    """
    if options.out is not None:
        check_writable("--out", options.out, *read)
    if options.checkpoint is not None:
        check_writable("--checkpoint", options.checkpoint, *read)
        if options.out is not None and same_file(options.out, options.checkpoint):
            raise ValueError(
                f"--out and --checkpoint must be two files; got {options.out} and "
                f"{options.checkpoint}"
            )
