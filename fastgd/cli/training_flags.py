"""Flags of how a network learns: the update, when to stop, what long runs need; and what they are as arguments of `fastgd.train`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, NamedTuple

from fastgd.cli.options import check_name_flag, check_writable, number, same_file, seconds, whole
from fastgd.cli.problem_flags import add_validation_flag
from fastgd.names import OPTIMIZERS, SCHEDULES, SPACINGS

if TYPE_CHECKING:
    from fastgd.schedules import Schedule


class _Field(NamedTuple):
    """A flag for a field that some optimizers, or some schedules, have."""

    flag: str
    name: str  # of the field
    read: Callable[[str], float] | None  # how its text becomes a number; None for a switch
    metavar: str | None
    help: str


_OPTIMIZER_FIELDS = (
    _Field("--momentum", "momentum", number, "SHARE", "of the last step that is kept: sgd (default: 0)"),
    _Field("--nesterov", "nesterov", None, None, "look ahead by the momentum: sgd (default: without)"),
    _Field("--beta1", "beta1", number, "SHARE", "of the mean gradient that is kept: adam, adamw (default: 0.9)"),
    _Field("--beta2", "beta2", number, "SHARE", "of the mean square that is kept: adam, adamw (default: 0.999)"),
    _Field("--rho", "rho", number, "SHARE", "of the mean square that is kept: rmsprop (default: 0.99)"),
    _Field("--weight-decay", "weight_decay", number, "SHARE", "of every parameter, times the rate, taken off: adamw (default: 0.01)"),
    _Field("--optimizer-eps", "eps", number, "EPS", "added to the root: adagrad (default: 1e-10), rmsprop, adam, adamw (1e-8)"),
    _Field("--eta-minus", "eta_minus", number, "FACTOR", "of a step after a change of sign: rprop (default: 0.5)"),
    _Field("--eta-plus", "eta_plus", number, "FACTOR", "of a step after no change of sign: rprop (default: 1.2)"),
    _Field("--step-min", "step_min", number, "STEP", "least step: rprop (default: 1e-6)"),
    _Field("--step-max", "step_max", number, "STEP", "largest step: rprop (default: 50)"),
)
_SCHEDULE_FIELDS = (
    _Field("--decay-every", "every", whole, "N", "updates from one step down to the next: step"),
    _Field("--decay-factor", "factor", number, "FACTOR", "of the rate at every step (default: 0.1), or at every update: step, exponential"),
    _Field("--decay", "decay", number, "DECAY", "d of rate / (1 + d t): inverse_time"),
    _Field("--cosine-steps", "steps", whole, "N", "updates down to the least rate: cosine"),
    _Field("--least-rate", "least", number, "RATE", "at which it ends: cosine (default: 0)"),
    _Field("--warmup", "warmup", whole, "N", "updates in which the rate first rises, any schedule (default: 0)"),
)


def add_update_flags(parser: argparse._ActionsContainer) -> None:
    """What makes an update of a gradient."""
    parser.add_argument(
        "--optimizer",
        type=check_name_flag(OPTIMIZERS),
        default="sgd",
        metavar="NAME",
        help=f"{', '.join(OPTIMIZERS)} (default: %(default)s)",
    )
    parser.add_argument("--learning-rate", type=number, default=0.1, metavar="RATE", help="step along the gradient (default: %(default)s)")
    _add_fields(parser, _OPTIMIZER_FIELDS)
    parser.add_argument("--l2", type=number, default=0.0, metavar="L2", help="times a weight, added to its gradient (default: 0)")
    parser.add_argument("--clip-norm", type=number, metavar="NORM", help="largest norm of the gradient (default: any)")
    parser.add_argument(
        "--schedule",
        type=check_name_flag(SCHEDULES),
        default="constant",
        metavar="NAME",
        help=f"how the rate changes from update to update: {', '.join(SCHEDULES)} (default: %(default)s)",
    )
    _add_fields(parser, _SCHEDULE_FIELDS)


def add_stopping_flags(parser: argparse._ActionsContainer) -> None:
    """What ends a run before its epochs are done."""
    add_validation_flag(parser, "whose cost is watched")
    parser.add_argument("--target-cost", type=number, metavar="COST", help="stop when the cost is at most this")
    parser.add_argument("--patience", type=whole, metavar="N", help="stop after so many epochs without a lower cost")
    parser.add_argument("--min-delta", type=number, metavar="COST", help="lower by more than this counts as lower (default: 0)")
    parser.add_argument("--restore-best", action="store_true", help="end with the parameters of the least cost (default: the latest)")
    parser.add_argument("--max-seconds", type=seconds, metavar="TIME", help="stop after so long: 90, 90s, 10m or 2h")


def add_long_run_flags(parser: argparse._ActionsContainer, place: str = "FILE", what: str = "the run so far") -> None:
    """What long runs need; a checkpoint is `what`, in a `place`."""
    parser.add_argument("--checkpoint", metavar=place, help=f"keep {what} there, written while training goes on")
    parser.add_argument("--checkpoint-every", type=seconds, metavar="TIME", help="between two checkpoints: 90, 90s, 10m, 2h (default: 60)")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint, if there is one, to the same bits")
    parser.add_argument("--threads", type=whole, metavar="N", help="most threads to use; results do not depend on it (default: all)")


def add_history_flags(parser: argparse._ActionsContainer) -> None:
    """Which costs on the way are kept."""
    parser.add_argument("--record", type=whole, default=1000, metavar="N", help="most points of the history (default: %(default)s)")
    known = ", ".join(SPACINGS)
    parser.add_argument(
        "--spacing", type=check_name_flag(SPACINGS), default="even", metavar="NAME", help=f"of these points: {known} (default: %(default)s)"
    )


def update_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """The arguments of `train` that the flags of `add_update_flags` stand for."""
    from fastgd.optimizers import KINDS

    numbers = _fields_given(options, "optimizer", KINDS, _OPTIMIZER_FIELDS)
    return {
        "learning_rate": _learning_rate(options),
        "optimizer": KINDS[options.optimizer](**numbers),
        "l2": options.l2,
        "clip_norm": options.clip_norm,
    }


def stopping_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """Those of `add_stopping_flags`, without `validation`."""
    if options.min_delta is not None and options.patience is None:
        raise ValueError("--min-delta is for --patience N; none is given")
    names = ("target_cost", "patience", "restore_best", "max_seconds")
    return {**{name: getattr(options, name) for name in names}, "min_delta": options.min_delta or 0.0}


def long_run_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """Those of `add_long_run_flags`."""
    for flag in ("resume", "checkpoint-every"):
        if getattr(options, flag.replace("-", "_")) not in (None, False) and options.checkpoint is None:
            raise ValueError(f"--{flag} is for --checkpoint; none is given")
    every = 60.0 if options.checkpoint_every is None else options.checkpoint_every
    return {"checkpoint": options.checkpoint, "checkpoint_every": every, "resume": options.resume, "threads": options.threads}


def check_files(options: argparse.Namespace, *read: str) -> None:
    """Refuse files of --out and --checkpoint that can't be written, or are one, or among those that are read."""
    if options.out is not None:
        check_writable("--out", options.out, *read)
    if options.checkpoint is not None:
        check_writable("--checkpoint", options.checkpoint, *read)
        if options.out is not None and same_file(options.out, options.checkpoint):
            raise ValueError(f"--out and --checkpoint must be two files; got {options.out} and {options.checkpoint}")


def _add_fields(parser: argparse._ActionsContainer, flags: tuple[_Field, ...]) -> None:
    for field in flags:
        if field.read is None:
            parser.add_argument(field.flag, action="store_true", default=None, help=field.help)
        else:
            parser.add_argument(field.flag, type=field.read, metavar=field.metavar, help=field.help)


def _learning_rate(options: argparse.Namespace) -> float | Schedule:
    from fastgd.schedules import KINDS

    numbers = _fields_given(options, "schedule", KINDS, _SCHEDULE_FIELDS)
    if options.schedule == "constant" and not numbers:
        return float(options.learning_rate)
    return KINDS[options.schedule](options.learning_rate, **numbers)


def _fields_given(options: argparse.Namespace, choice: str, kinds: Mapping[str, type], flags: tuple[_Field, ...]) -> dict[str, Any]:
    """Fields of the chosen class that flags give; a flag of other classes, or a missing one, is refused by name."""
    chosen = getattr(options, choice)
    own = {field.name: field for field in fields(kinds[chosen])}
    given = {}
    for flag, name, *_ in flags:
        value = getattr(options, flag[2:].replace("-", "_"))
        if value is not None and name not in own:
            owners = [kind for kind, of in kinds.items() if name in {field.name for field in fields(of)}]
            raise ValueError(f"{flag} is for {', '.join(owners)}; got --{choice} {chosen}")
        if value is None and name in own and own[name].default is MISSING:
            raise ValueError(f"--{choice} {chosen} needs {flag}")
        if value is not None:
            given[name] = value
    return given
