"""`fastgd train`: a network on a gate or on the rows of a file."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from fastgd.cli.options import add_command, add_network_flags, check_name_flag, number, seed, whole, widths
from fastgd.cli.problems import FILE_EPOCHS, GATE_EPOCHS, file_problem, gate_problem
from fastgd.cli.summary import print_json, print_line, print_run, print_saved
from fastgd.cli.training_flags import (
    add_history_flags,
    add_long_run_flags,
    add_stopping_flags,
    add_update_flags,
    check_files,
    long_run_arguments,
    stopping_arguments,
    update_arguments,
)
from fastgd.names import GATES, KERNELS_OF_ONE, METHODS, SCALES, SCHEMES, TARGET_SCALES, TASKS

if TYPE_CHECKING:
    from fastgd.cli.problems import Problem
    from fastgd.run import Run

_EXAMPLES = """\
examples:
  fastgd train --gate xor --layers 2-2-1
  fastgd train --gate nand --method finite_difference --eps 0.1
  fastgd train iris.csv --target species --layers 4-8-3 --out iris.npz
  fastgd train houses.csv --target price,rent --inputs area,rooms,year --layers 3-16-2 --batch-size 32
  fastgd train iris.csv --target species --layers 4-8-3 --optimizer adam --validation 0.2 --patience 50 --restore-best
  fastgd train big.csv --target y --layers 20-64-1 --epochs 1e6 --max-seconds 2h --checkpoint big.npz --resume

A CSV file has a header row, commas and UTF-8; an .npz file has arrays X and Y. Text in a target column makes classes, one output
each; so do whole numbers of as many different values as there are outputs. Two classes also fit one output, which is then 0 or 1.
"""


def add(commands: Any) -> None:
    """The subcommand and its flags."""
    parser = add_command(commands, "train", "train a network on a gate or on the rows of a file", _EXAMPLES)
    data = parser.add_argument_group("data")
    data.add_argument("file", nargs="?", help="CSV with a header row, or .npz with arrays X and Y")
    data.add_argument("--gate", choices=GATES, help="a gate of the notes instead of a file")
    data.add_argument("--target", action="append", metavar="COLUMN[,COLUMN...]", help="columns to learn (default: Y of an .npz)")
    data.add_argument("--inputs", action="append", metavar="COLUMN[,COLUMN...]", help="columns to learn from (default: all others)")
    data.add_argument("--sample-weight", metavar="COLUMN", help="what each row weighs, a column that is no input; 0 leaves it out")
    data.add_argument("--task", choices=TASKS, help="what the target holds (default: auto, see below)")
    data.add_argument("--scale-inputs", choices=SCALES, help="mean 0 and deviation 1, [0, 1], or as is (default: standard)")
    data.add_argument(
        "--scale-targets",
        choices=TARGET_SCALES,
        help="of values; auto: standard for identity, none for softmax, [-1, 1] for tanh and sin, [0, 1] for others (default: auto)",
    )

    model = parser.add_argument_group("network")
    model.add_argument(
        "--layers", type=widths, metavar="W-W-...", help="widths, inputs first: 4-8-3 (default for gates: 2-1, 2-2-1 for xor and xnor)"
    )
    add_network_flags(
        model,
        activation="sigmoid on gates, tanh on files, where one name leaves the output to --output",
        output="as --activation on gates; softmax for classes, sigmoid for two in one output, identity for values",
        loss="cross_entropy for softmax, binary_cross_entropy for two classes in one sigmoid output, else squared_error",
    )

    training = parser.add_argument_group("training")
    training.add_argument(
        "--epochs", type=whole, metavar="N", help=f"passes over the rows (default: {GATE_EPOCHS:,} on gates, {FILE_EPOCHS:,} on files)"
    )
    training.add_argument(
        "--method", type=check_name_flag(METHODS), default="backprop", metavar="NAME", help=f"{', '.join(METHODS)} (default: %(default)s)"
    )
    training.add_argument(
        "--eps", type=number, default=1e-3, metavar="EPS", help="step of the two difference methods (default: %(default)s)"
    )
    training.add_argument("--batch-size", type=whole, metavar="N", help="rows of a batch (default: all rows at once)")
    training.add_argument(
        "--no-shuffle", action="store_true", help="keep the order of the rows in batches (default: a new one every epoch)"
    )
    training.add_argument(
        "--seed",
        type=seed,
        default=0,
        metavar="N",
        help="of initial values, of the order of rows, of validation rows (default: %(default)s)",
    )
    training.add_argument(
        "--init", type=check_name_flag(SCHEMES), metavar="SCHEME", help=f"{', '.join(SCHEMES)} (default: uniform on gates, auto on files)"
    )
    training.add_argument(
        "--kernel",
        type=check_name_flag(KERNELS_OF_ONE),
        default="auto",
        metavar="NAME",
        help=f"{', '.join(KERNELS_OF_ONE)} (default: %(default)s)",
    )

    add_update_flags(parser.add_argument_group("optimizer"))
    add_stopping_flags(parser.add_argument_group("stopping"))
    add_long_run_flags(
        parser.add_argument_group(
            "long runs", "Ctrl-C ends training; the run so far is saved and summed up. A second one ends all at once."
        )
    )

    result = parser.add_argument_group("result")
    result.add_argument("--out", metavar="FILE", help="save the run, with columns, classes and scales; `fastgd predict` reads it")
    result.add_argument("--json", action="store_true", help="print the summary as JSON and nothing else")
    add_history_flags(result)
    parser.set_defaults(command=train)


def train(options: argparse.Namespace) -> int:
    """Train, save and print; the exit status, 130 after Ctrl-C."""
    if (options.file is None) == (options.gate is None):
        raise ValueError("train needs a file or --gate, one of the two; see fastgd train --help")
    # before any file is read
    share, validation_file = _validation(options)
    arguments = {**update_arguments(options), **stopping_arguments(options), **long_run_arguments(options)}
    check_files(options, *(path for path in (options.file, validation_file) if path is not None))
    problem = gate_problem(options, share) if options.gate else file_problem(options, share, validation_file)
    run = _run(options, problem, arguments)
    if options.json:
        print_json(options, run, problem.facts(run))
    else:
        print_line("data", problem.title)
        print_run(run, options.checkpoint, problem.validated_on)
        for title, text in problem.lines(run):
            print_line(title, text)
        print_saved(options)
    return 130 if run.stopped_by == "interrupt" else 0


def _validation(options: argparse.Namespace) -> tuple[float | None, str | None]:
    """What --validation gives, a share of the rows or a file."""
    text = options.validation
    if text is None:
        return None, None
    try:
        share = float(text)
    except ValueError:
        if options.gate or not text:
            raise ValueError(f"--validation must be a share of the rows{'' if options.gate else ', or a file'}; got {text!r}") from None
        return None, text
    if not 0 < share < 1:
        raise ValueError(f"--validation must be a share of the rows between 0 and 1, or a file; got {text!r}")
    return share, None


def _run(options: argparse.Namespace, problem: Problem, arguments: dict[str, Any]) -> Run:
    """The trained network, saved if it is to be."""
    import numpy as np

    from fastgd import training
    from fastgd.cli.bar import WaitingBar
    from fastgd.run import DivergedError, History, Run

    net = problem.net
    # a run that begins, so that checkpoints have the table too
    start = Run(
        net, net.init(options.seed, options.init or problem.scheme), np.nan, 0, 0.0, options.kernel, options.seed, "epochs",
        History(np.zeros(0, np.int64), np.zeros(0)), {}, table=None if problem.table is None else problem.table.to_dict(),
    )  # fmt: skip
    try:
        run = training.train(
            net,
            problem.X,
            problem.Y,
            problem.epochs if options.epochs is None else options.epochs,
            params=start,
            rng=options.seed,
            method=options.method,
            eps=options.eps,
            batch_size=options.batch_size,
            shuffle=not options.no_shuffle,
            kernel=options.kernel,
            sample_weight=problem.weights,
            validation=problem.validation,
            record=options.record,
            spacing=options.spacing,
            progress=WaitingBar(),
            **arguments,
        )
    except DivergedError as error:
        if not options.out:
            raise
        error.run.save(options.out)
        raise ValueError(f"{error}; the last good run is saved in {options.out}") from None
    if options.out:
        run.save(options.out)
    return run
