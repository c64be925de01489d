"""`fastgd play`: a page on this machine where networks learn, until the command ends."""

from __future__ import annotations

import argparse
import signal
import threading
from typing import Any

from fastgd.cli.options import add_command

_EXAMPLES = """\
examples:
  fastgd play
  fastgd play --no-browser

The page is served to this machine alone, at a random port and an address that nobody can guess;
nothing is loaded from elsewhere, and nothing is kept on disk. It ends with the command: Ctrl-C.
"""

_LOOK_SECONDS = 0.5


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
        with warnings_heard(), Page(PlaySite()) as page:
            print(page.address, flush=True)
            if not options.no_browser:
                open_browser(page.address)
            while not over.wait(_LOOK_SECONDS):  # Windows hears no Ctrl-C while it waits
                pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0
