"""`fastgd play`: a page on this machine where networks learn, until the command ends."""

from __future__ import annotations

import argparse
import shlex
import signal
import threading
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from fastgd.cli.options import add_command
from fastgd.names import OPTIMIZER_FLAGS, SCHEDULE_FLAGS

if TYPE_CHECKING:
    from fastgd.play.course import Course

_EXAMPLES = """\
examples:
  fastgd play
  fastgd play --no-browser

The page is served to this machine alone, at a random port and an address that nobody can guess;
nothing is loaded from elsewhere, and nothing is kept on disk. It ends with the command: Ctrl-C.
"""


def add(commands: Any) -> None:
    """The subcommand and its flags."""
    parser = add_command(
        commands, "play", "open a page where a network learns before your eyes", _EXAMPLES
    )
    _add_no_browser_flag(parser)
    parser.set_defaults(command=play)


def add_watch_flags(parser: argparse._ActionsContainer) -> None:
    """--watch and --no-browser, for commands that train."""
    text = "open a page on which costs, network and surface are watched, and may be paused"
    parser.add_argument("--watch", action="store_true", help=text)
    _add_no_browser_flag(parser)


def check_watch_flags(options: argparse.Namespace) -> None:
    """Refuse --no-browser for what opens none."""
    if options.no_browser and not options.watch:
        raise ValueError("--no-browser is for --watch")


def _add_no_browser_flag(parser: argparse._ActionsContainer) -> None:
    """--no-browser."""
    text = "print the address of the page, and open no browser"
    parser.add_argument("--no-browser", action="store_true", help=text)


def play(options: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C or SIGTERM."""
    from fastgd.page.browser import open_browser
    from fastgd.page.server import Page
    from fastgd.play.site import PlaySite
    from fastgd.play.warned import warnings_heard

    over = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: over.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with warnings_heard(), Page(PlaySite(command_of)) as page:
            print(page.address, flush=True)
            if not options.no_browser:
                open_browser(page.address)
            over.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


def command_of(course: Course) -> str | None:
    """`fastgd train` with the flags of a course, a line for each method; None for rows that the
    command does not know.
    """
    from fastgd.names import GATES

    settings, net = course.settings, course.net
    if settings.data not in (*GATES, "csv"):
        return None
    words = ["fastgd", "train"]
    words += (
        ["--gate", settings.data] if settings.data in GATES
        else [settings.file, "--target", course.problem.target]
    )  # fmt: skip
    words += ["--layers", "-".join(map(str, net.widths)), "--activation", ",".join(net.activations)]
    words += ["--loss", net.loss, "--init", settings.init or course.problem.scheme]
    words += ["--seed", f"{settings.seed}", "--epochs", f"{settings.epochs}"]
    words += ["--learning-rate", f"{settings.learning_rate!r}", *_update_flags(course)]
    words += [] if settings.batch_size is None else ["--batch-size", f"{settings.batch_size}"]
    words += [] if settings.l2 == 0 else ["--l2", f"{settings.l2!r}"]
    lines = []
    for method in settings.methods:
        own = [] if method == "backprop" else ["--method", method]
        own += ["--eps", f"{settings.eps!r}"] if "difference" in method else []
        lines.append(shlex.join([*words, *own]))
    return "\n".join(lines)


def _update_flags(course: Course) -> list[str]:
    """Flags of the optimizer and the schedule."""
    from fastgd import optimizers, schedules
    from fastgd.cli.described_flags import flags_of

    settings, words = course.settings, []
    given = next(iter(course.arguments.values()))
    for option, name, described, flags in (
        (
            "--optimizer",
            settings.optimizer,
            given["optimizer"],
            (optimizers.KINDS, OPTIMIZER_FLAGS),
        ),
        (
            "--schedule",
            settings.schedule,
            given["learning_rate"],
            (schedules.KINDS, SCHEDULE_FLAGS),
        ),
    ):
        if isinstance(described, float):
            continue
        words += [option, name]
        flag_of = {flag.name: text for text, flag in flags_of(*flags).items()}
        for each in fields(described):
            value = getattr(described, each.name)
            if each.name in flag_of and value != each.default:
                words += [flag_of[each.name], *_value(value)]
    return words


def _value(value: Any) -> list[str]:
    """As a flag has it; a switch has none."""
    if isinstance(value, bool):
        return []
    return [",".join(map(repr, value)) if isinstance(value, tuple) else repr(value)]
