"""`fastgd sweep`: what optimizers and learning rates come to on a gate or on the rows of a file,
from many seeds.
"""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from fastgd.arguments.choices import check_name
from fastgd.cli.make_problem import make_problem
from fastgd.cli.members import Members, print_members, print_members_json, write_members
from fastgd.cli.options import (
    add_command,
    add_flag,
    add_json_flag,
    check_writable,
    names,
    number,
    seed,
    whole,
)
from fastgd.cli.problem_flags import (
    add_init_flag,
    add_problem_flags,
    add_validation_flag,
    check_source,
    files_read,
)
from fastgd.cli.problems import FILE_EPOCHS
from fastgd.cli.saving import saved
from fastgd.cli.training_flags import (
    OF_ONE_RATE,
    add_long_run_flags,
    add_option_flag,
    add_schedule_flags,
    long_run_arguments,
    option_arguments,
    scheduled_rate,
)
from fastgd.optimizers import KINDS
from fastgd.system.files import reason_of

if TYPE_CHECKING:
    from fastgd.cli.problems import Problem
    from fastgd.ensemble.runs import Runs
    from fastgd.samples import Samples

# options that all members share
_OF_ALL = ("l2", "l1", "dropout", "max_norm", "input_noise", "clip_norm")
GATE_SEEDS, FILE_SEEDS = 1000, 10
GATE_EPOCHS, GATE_COST = 100_000, 0.01
_EXAMPLES = """\
examples:
  fastgd sweep --gate xor --layers 2-2-1 --seeds 1000 --learning-rates 0.1,0.3,1,3
  fastgd sweep --gate xor --layers 2-4-1 --optimizers sgd,adam --learning-rates 0.01,0.1 --json
  fastgd sweep --gate nand --layers 2-1 --learning-rates 1,10 --out nand.csv
  fastgd sweep iris.csv --target species --layers 4-8-3 --learning-rates 0.01,0.1 --validation 0.2
  fastgd sweep big.csv --target y --layers 20-16-1 --learning-rates 0.1 --checkpoint big --resume

With --target-cost, a member learns if its cost reaches that within --epochs: printed are the share
that learn, and the median and the quartiles of their epochs. Without, those of the final costs, of
--validation rows where there are some, and the best member. `fastgd train` with its optimizer,
rate, seed and --init trains it again, to rounding, but draws other rows for a share of
--validation: here --seed draws the same ones for all members. Those that diverge are counted, and
are in no quartiles. What columns mean is as in `fastgd train`.
"""


def add(commands: Any) -> None:
    """The subcommand and its flags."""
    parser = add_command(
        commands, "sweep", "train many copies of a network, to see what settings come to", _EXAMPLES
    )
    add_problem_flags(parser)
    tried = parser.add_argument_group("settings")
    tried.add_argument(
        "--learning-rates", type=_rates, required=True, metavar="RATE[,RATE...]", help="to be tried"
    )
    tried.add_argument(
        "--optimizers",
        type=_optimizers,
        default=["sgd"],
        metavar="NAME[,NAME...]",
        help="to be tried (default: sgd)",
    )
    seeds = f"members of each setting (default: {GATE_SEEDS:,} on gates, {FILE_SEEDS} on files)"
    add_flag(tried, "--seeds", whole, "N", seeds)
    add_flag(tried, "--seed", seed, "N", "the first of them", 0)

    training = parser.add_argument_group("training")
    epochs = f"most of a member (default: {GATE_EPOCHS:,} on gates, {FILE_EPOCHS:,} on files)"
    add_flag(training, "--epochs", whole, "N", epochs)
    add_init_flag(training)
    add_option_flag(training, "batch_size")
    for name in _OF_ALL:
        add_option_flag(training, name)
    add_schedule_flags(training, OF_ONE_RATE)
    learned = f"a member has learned, and stops, at this (default: {GATE_COST:g} on gates)"
    add_option_flag(training, "target_cost", learned)
    add_option_flag(training, "patience")
    add_option_flag(training, "min_delta")
    add_validation_flag(training, "whose cost tells which member is best")
    add_long_run_flags(training, "FOLDER", "the members so far, a file for each optimizer,")

    result = parser.add_argument_group("result")
    result.add_argument("--out", metavar="FILE", help="write a line for each member, as CSV")
    add_json_flag(result, "the summary as JSON")
    parser.set_defaults(command=sweep)


def _rates(text: str) -> list[float]:
    return [number(part) for part in names(text)]


def _optimizers(text: str) -> list[str]:
    try:
        return list(dict.fromkeys(check_name("name", name, tuple(KINDS)) for name in names(text)))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def sweep(options: argparse.Namespace) -> int:
    """Train, print a line for each setting, write one for each member; the exit status, 130 after
    Ctrl-C.
    """
    share, validation_file = check_source("sweep", options)
    _complete(options)
    if options.out is not None:
        check_writable("--out", options.out, *files_read(options, validation_file))
    kept = long_run_arguments(options)
    if options.checkpoint is not None:
        _check_folder(options.checkpoint)
    problem = make_problem(options, share, validation_file)
    found = _train(options, problem, kept)
    is_saved = not options.out or saved(partial(write_members, found), options.out) == options.out
    (print_members_json if options.json else print_members)(options, problem, found)
    if any((members.runs.stopped_by == "interrupt").any() for members in found.values()):
        return 130 if is_saved else 2
    return 0 if is_saved and len(found) == len(options.optimizers) else 2


def _complete(options: argparse.Namespace) -> None:
    """Put in what the flags leave out; refuse those that do not go together."""
    from fastgd.arguments.checks import whole_number

    on_gate = options.gate is not None
    for name, of_gates, of_files in (
        ("seeds", GATE_SEEDS, FILE_SEEDS),
        ("epochs", GATE_EPOCHS, FILE_EPOCHS),
        ("target_cost", GATE_COST, None),
    ):
        if getattr(options, name) is None:
            setattr(options, name, of_gates if on_gate else of_files)
    whole_number("--seeds", options.seeds, least=1, most=2**63 - options.seed)
    if options.validation is not None and options.target_cost is not None:
        raise ValueError(
            "--validation is for files without --target-cost, which members reach on the rows that "
            "they are trained on"
        )
    if "rprop" in options.optimizers and min(options.learning_rates) <= 0:
        raise ValueError(
            "--learning-rates must be above 0 for rprop, its first step; got "
            f"{min(options.learning_rates):g}"
        )


def _check_folder(folder: str) -> None:
    """Refuse what is no folder that files can be written to, and can't become one."""
    if os.path.isfile(folder):
        raise ValueError(f"--checkpoint must name a folder; {folder} is a file")
    check_writable(
        "--checkpoint",
        os.path.join(folder, "members.npz") if os.path.isdir(folder) else folder.rstrip(os.sep),
    )


def _train(
    options: argparse.Namespace, problem: Problem, kept: dict[str, Any]
) -> dict[str, Members]:
    """The members of every optimizer, kept on the way by these arguments; after Ctrl-C, of those
    that had begun.

    Where one can't be trained, for want of memory or of room on the disk, those before it are not
    lost.
    """
    import numpy as np

    from fastgd.ensemble.train_many import train_many
    from fastgd.samples import apart, check_samples, check_validation

    samples = check_samples(problem.net, problem.X, problem.Y, problem.weights)
    samples, held_out = apart(
        samples, check_validation(problem.net, problem.validation, samples), options.seed
    )
    each = np.tile(
        options.seed + np.arange(options.seeds, dtype=np.int64), len(options.learning_rates)
    )
    tried = [scheduled_rate(options, rate, OF_ONE_RATE) for rate in options.learning_rates]
    rates = np.repeat(np.array(tried), options.seeds)
    first = np.stack(
        [
            problem.net.init(seed, options.init or problem.scheme)
            for seed in each[: options.seeds].tolist()
        ]
    )
    params = np.tile(first, (len(options.learning_rates), 1))
    given = option_arguments(options)
    for name, value in given.items():
        if isinstance(value, tuple):  # one a layer, which would be one a member
            given[name] = np.tile(value, (len(each), 1))
    more = {"params": params, "rng": each, "progress": True, **given}

    def of(samples: Samples, *arguments: Any, **more: Any) -> Runs:
        weights = samples.weights if len(samples.weights) else None
        return train_many(
            problem.net, samples.X, samples.Y, *arguments, sample_weight=weights, **more
        )

    found: dict[str, Members] = {}
    for optimizer in options.optimizers:
        if options.checkpoint is not None:
            os.makedirs(options.checkpoint, exist_ok=True)
            kept["checkpoint"] = os.path.join(options.checkpoint, f"{optimizer}.npz")
        try:
            runs = of(samples, options.epochs, rates, optimizer=optimizer, **more, **kept)
            validation = (
                None
                if held_out is None
                else of(held_out, 0, params=runs.params, threads=options.threads).cost
            )
        except (OSError, MemoryError) as error:
            if not found:
                raise
            print(
                f"fastgd: error: {optimizer}: {reason_of(error)}; the others are "
                f"{', '.join(found)}",
                file=sys.stderr,
            )
            break
        found[optimizer] = Members(runs, validation)
        if (runs.stopped_by == "interrupt").any():
            break
    return found
