"""Flags of how a network learns: the update, when to stop, what long runs need; and what they are
as arguments of `fastgd.train`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any, NamedTuple

from fastgd import optimizers, schedules
from fastgd.cli.options import (
    add_flag,
    check_name_flag,
    check_writable,
    number,
    same_file,
    seconds,
    whole,
)
from fastgd.cli.problem_flags import add_validation_flag
from fastgd.names import OPTIMIZERS, SCHEDULES
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
    "l2": _Flag("update", "L2", "times a weight, added to its gradient"),
    "clip_norm": _Flag("update", "NORM", "largest norm of the gradient (default: any)"),
    "target_cost": _Flag("stopping", "COST", "stop when the cost is at most this"),
    "patience": _Flag("stopping", "N", "stop after so many epochs without a lower cost"),
    "min_delta": _Flag("stopping", "COST", "lower by more than this counts as lower"),
    "restore_best": _Flag("stopping", None, "end with parameters of least cost (default: latest)"),
    "record": _Flag("history", "N", "most points of the history"),
    "spacing": _Flag("history", "NAME", "of these points: "),
}
_OPTIONS = {option.name: option for option in fields(Options)}


class _Field(NamedTuple):
    """What a flag says of a field that some optimizers, or some schedules, have."""

    name: str  # of the field
    metavar: str | None  # N for a whole number, None for a switch
    help: str


_OPTIMIZER_FIELDS = {
    "--momentum": _Field("momentum", "SHARE", "of the last step that is kept: sgd (default: 0)"),
    "--nesterov": _Field("nesterov", None, "look ahead by the momentum: sgd (default: without)"),
    "--beta1": _Field(
        "beta1", "SHARE", "of the mean gradient that is kept: adam, adamw (default: 0.9)"
    ),
    "--beta2": _Field(
        "beta2", "SHARE", "of the mean square that is kept: adam, adamw (default: 0.999)"
    ),
    "--rho": _Field("rho", "SHARE", "of the mean square that is kept: rmsprop (default: 0.99)"),
    "--weight-decay": _Field(
        "weight_decay",
        "SHARE",
        "of every parameter, times the rate, taken off: adamw (default: 0.01)",
    ),
    "--optimizer-eps": _Field(
        "eps", "EPS", "added to the root: adagrad (default: 1e-10), rmsprop, adam, adamw (1e-8)"
    ),
    "--eta-minus": _Field(
        "eta_minus", "FACTOR", "of a step after a change of sign: rprop (default: 0.5)"
    ),
    "--eta-plus": _Field(
        "eta_plus", "FACTOR", "of a step after no change of sign: rprop (default: 1.2)"
    ),
    "--step-min": _Field("step_min", "STEP", "least step: rprop (default: 1e-6)"),
    "--step-max": _Field("step_max", "STEP", "largest step: rprop (default: 50)"),
}
_SCHEDULE_FIELDS = {
    "--decay-every": _Field("every", "N", "updates from one step down to the next: step"),
    "--decay-factor": _Field(
        "factor",
        "FACTOR",
        "of the rate at every step (default: 0.1), or at every update: step, exponential",
    ),
    "--decay": _Field("decay", "DECAY", "d of rate / (1 + d t): inverse_time"),
    "--cosine-steps": _Field("steps", "N", "updates down to the least rate: cosine"),
    "--least-rate": _Field("least", "RATE", "at which it ends: cosine (default: 0)"),
    "--warmup": _Field(
        "warmup", "N", "updates in which the rate first rises, any schedule (default: 0)"
    ),
}


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
        read = whole if str(option.type).startswith("int") else number
        text += "" if default is None else f" (default: {default:g})"
        add_flag(parser, flag, read, metavar, text)


def add_choice(parser: Any, flag: str, known: Sequence[str], default: str, text: str = "") -> None:
    """A flag for one of the known names."""
    text += f"{', '.join(known)} (default: {default})"
    read = check_name_flag(known)
    parser.add_argument(flag, type=read, default=default, metavar="NAME", help=text)


def add_update_flags(parser: argparse._ActionsContainer) -> None:
    """What makes an update of a gradient."""
    add_choice(parser, "--optimizer", OPTIMIZERS, OPTIMIZERS[0])
    _add_fields(parser, _OPTIMIZER_FIELDS)
    add_option_flags(parser, "update")
    text = "how the rate changes from update to update: "
    add_choice(parser, "--schedule", SCHEDULES, SCHEDULES[0], text)
    _add_fields(parser, _SCHEDULE_FIELDS)


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
        numbers = _fields_given(options, "optimizer", optimizers.KINDS, _OPTIMIZER_FIELDS)
        given["optimizer"] = optimizers.KINDS[options.optimizer](**numbers)
        numbers = _fields_given(options, "schedule", schedules.KINDS, _SCHEDULE_FIELDS)
        if numbers or options.schedule != "constant":
            rate = given.get("learning_rate", Options.learning_rate)
            given["learning_rate"] = schedules.KINDS[options.schedule](rate, **numbers)
    return given


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


def _add_fields(parser: argparse._ActionsContainer, flags: Mapping[str, _Field]) -> None:
    for flag, (_, metavar, text) in flags.items():
        if metavar is None:
            parser.add_argument(flag, action="store_true", default=None, help=text)
        else:
            add_flag(parser, flag, whole if metavar == "N" else number, metavar, text)


def _fields_given(
    options: argparse.Namespace, choice: str, kinds: Mapping[str, type], flags: Mapping[str, _Field]
) -> dict[str, Any]:
    """Fields of the chosen class that flags give; a flag of other classes, or a missing one, is
    refused by name.
    """
    chosen = getattr(options, choice)
    own = {field.name: field for field in fields(kinds[chosen])}
    given = {}
    for flag, (name, *_) in flags.items():
        value = getattr(options, flag[2:].replace("-", "_"))
        if value is not None and name not in own:
            owners = [
                kind for kind, of in kinds.items() if name in {field.name for field in fields(of)}
            ]
            raise ValueError(f"{flag} is for {', '.join(owners)}; got --{choice} {chosen}")
        if value is None and name in own and own[name].default is MISSING:
            raise ValueError(f"--{choice} {chosen} needs {flag}")
        if value is not None:
            given[name] = value
    return given
