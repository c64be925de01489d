"""`fastgd train`: a network on a gate or on the rows of a file."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from fastgd.cli.make_problem import make_problem
from fastgd.cli.options import add_command, add_flag, add_json_flag, seed, whole
from fastgd.cli.play import add_watch_flags, check_watch_flags
from fastgd.cli.problem_flags import add_init_flag, add_problem_flags, check_source, files_read
from fastgd.cli.problems import FILE_EPOCHS, GATE_EPOCHS
from fastgd.cli.saving import saved
from fastgd.cli.summary import print_json, print_line, print_run, print_saved
from fastgd.cli.training_flags import (
    add_choice,
    add_long_run_flags,
    add_option_flags,
    add_stopping_flags,
    add_update_flags,
    check_files,
    long_run_arguments,
    option_arguments,
)
from fastgd.names import KERNELS_OF_ONE

if TYPE_CHECKING:
    from fastgd.cli.problems import Problem
    from fastgd.training.on_page import OnPage
    from fastgd.training.run import Run

_EXAMPLES = """\
examples:
  fastgd train --gate xor --layers 2-2-1
  fastgd train --gate nand --method finite_difference --eps 0.1
  fastgd train iris.csv --target species --layers 4-8-3 --out iris.npz
  fastgd train houses.csv --target price,rent --inputs area,rooms,year --layers 3-16-2
  fastgd train iris.csv --target species --layers 4-8-3 --validation 0.2 --patience 50
  fastgd train big.csv --target y --layers 20-64-1 --max-seconds 2h --checkpoint big.npz --resume

A CSV file has a header row, and commas, semicolons, tabs, bars or blanks between its cells; it is
in UTF-8, or in UTF-16 with a byte-order mark. An .npz file has arrays X and Y. Text in a target
column makes classes, one output each; so do whole numbers of as many different values as there are
outputs. Two classes also fit one output, which is then 0 or 1.
"""


def add(commands: Any) -> None:
    """The subcommand and its flags."""
    parser = add_command(
        commands, "train", "train a network on a gate or on the rows of a file", _EXAMPLES
    )
    add_problem_flags(parser)
    training = parser.add_argument_group("training")
    epochs = f"passes over the rows (default: {GATE_EPOCHS:,} on gates, {FILE_EPOCHS:,} on files)"
    add_flag(training, "--epochs", whole, "N", epochs)
    add_option_flags(training, "training")
    draws = "of initial values, of the order of rows, of validation rows"
    add_flag(training, "--seed", seed, "N", draws, 0)
    add_init_flag(training)
    add_choice(training, "--kernel", KERNELS_OF_ONE, "auto")

    add_update_flags(parser.add_argument_group("optimizer"))
    add_stopping_flags(parser.add_argument_group("stopping"))
    add_long_run_flags(
        parser.add_argument_group(
            "long runs",
            "Ctrl-C ends training; the run so far is saved and summed up. A second one ends all at "
            "once.",
        )
    )

    add_watch_flags(parser.add_argument_group("watching"))

    result = parser.add_argument_group("result")
    result.add_argument(
        "--out",
        metavar="FILE",
        help="save the run, with columns, classes and scales; `fastgd predict` reads it",
    )
    add_json_flag(result, "the summary as JSON")
    add_option_flags(result, "history")
    parser.set_defaults(command=train)


def train(options: argparse.Namespace) -> int:
    """Train, save and print; the exit status, 130 after Ctrl-C."""
    # before any file is read
    share, validation_file = check_source("train", options)
    check_watch_flags(options)
    arguments = option_arguments(options) | long_run_arguments(options)
    check_files(options, *files_read(options, validation_file))
    problem = make_problem(options, share, validation_file)
    resumed = _resumed(options)
    run = _run(options, problem, arguments)
    asked_for = options.out
    if asked_for:
        options.out = saved(run.save, asked_for)
    if options.json:
        print_json(options, run, {"data": problem.data(), **problem.facts(run)})
    else:
        print_line("data", problem.title)
        if resumed is not None:
            print_line("resumed", f"at epoch {resumed:,}, from {options.checkpoint}")
        print_run(run, options.checkpoint, problem.validated_on)
        for title, text in problem.lines(run):
            print_line(title, text)
        print_saved(options)
    if options.out != asked_for:
        return 2
    return 130 if run.stopped_by == "interrupt" else 0


def _page(options: argparse.Namespace, problem: Problem) -> OnPage:
    """The page on which it is watched."""
    from fastgd.page.pictures import Scene
    from fastgd.training.on_page import OnPage

    inputs, outputs = problem.names
    scene = Scene(problem.net, problem.X, problem.Y, inputs, outputs, problem.title)
    return OnPage(scene, options.method, opens=not options.no_browser)


def _resumed(options: argparse.Namespace) -> int | None:
    """The epoch at which the checkpoint stands that training goes on from, if there is one."""
    from fastgd.training.run import load_run

    if not options.resume or not os.path.exists(options.checkpoint):
        return None
    try:
        return load_run(options.checkpoint).epochs
    except (OSError, ValueError):  # which training refuses, in words that tell more
        return None


def _run(options: argparse.Namespace, problem: Problem, arguments: dict[str, Any]) -> Run:
    """The trained network; where it diverged, the last good one is saved if it is to be."""
    import numpy as np

    from fastgd.cli.bar import WaitingBar
    from fastgd.training import train as training
    from fastgd.training.history import History
    from fastgd.training.run import DivergedError, Run

    net = problem.net
    # a run that begins, so that checkpoints have the table too
    start = Run(
        net, net.init(options.seed, options.init or problem.scheme), np.nan, 0, 0.0, options.kernel,
        options.seed, "epochs", History(np.zeros(0, np.int64), np.zeros(0)), {},
        table=None if problem.table is None else problem.table.to_dict(),
    )  # fmt: skip
    try:
        return training.train(
            net,
            problem.X,
            problem.Y,
            problem.epochs if options.epochs is None else options.epochs,
            params=start,
            rng=options.seed,
            kernel=options.kernel,
            sample_weight=problem.weights,
            validation=problem.validation,
            progress=_page(options, problem) if options.watch else WaitingBar(),
            **arguments,
        )
    except DivergedError as error:
        place = saved(error.run.save, options.out) if options.out else None
        if place is None:
            raise
        raise ValueError(f"{error}; the last good run is saved in {place}") from None
