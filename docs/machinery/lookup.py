"""What is looked up is written from the code itself: a comment on a page becomes names with their docstrings, the command, or a derivation.

`<!-- names: fastgd.train, fastgd.Run -->`, `<!-- command -->`, `<!-- derivation: 2-2-1 -->`.
"""

import argparse
import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

from sphinx.application import Sphinx

from machinery.public import MEMBERS

_MARK = re.compile(r"^<!-- (names|command|derivation)(?:: (.+))? -->$", re.MULTILINE)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", _write)
    return {"parallel_read_safe": True}


def _write(app: Sphinx, docname: str, source: list[str]) -> None:
    source[0] = _MARK.sub(lambda mark: "\n".join(_WRITERS[mark[1]](mark[2])), source[0])


def _names(names: str) -> Iterator[str]:
    """Text for autodoc, of each name, and of the members of a class that users call."""
    yield "```{eval-rst}"
    for name in re.split(r",\s*", names):
        room, _, last = name.rpartition(".")
        kind = "class" if inspect.isclass(getattr(importlib.import_module(room), last)) else "function"
        yield f".. auto{kind}:: {name}"
        if name in MEMBERS:
            yield f"   :members: {', '.join(MEMBERS[name])}"
        yield ""
    yield "```"


def _command(_: Any) -> Iterator[str]:
    """All subcommands and their flags, by their parsers."""
    from fastgd.cli.main import _parser

    parser = _parser()
    yield f"{escaped(parser.description)}\n"
    yield from ("```none", parser.epilog.strip(), "```", "")
    for name, subparser in subparsers(parser).items():
        yield f"## fastgd {name}\n"
        yield f"{escaped(subparser.description)}\n"
        for group in subparser._action_groups:
            actions = [action for action in group._group_actions if not isinstance(action, argparse._HelpAction)]
            if actions:
                yield f"**{group.title}**\n"
            for action in actions:
                yield from (f"`{spelt(action)}`", f": {escaped(explained(subparser, action))}", "")
        if subparser.epilog:
            yield from ("```none", subparser.epilog.strip(), "```", "")


def subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """{name: parser} of the subcommands."""
    (action,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    return dict(action.choices)


def spelt(action: argparse.Action) -> str:
    """--flag, with what it takes, or the name of what stands alone."""
    takes = action.metavar or ("{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper())
    if not action.option_strings:
        return str(action.metavar or action.dest)
    flags = ", ".join(action.option_strings)
    return flags if action.nargs == 0 else f"{flags} {takes}"


def explained(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """Its help, with its default."""
    return parser._get_formatter()._expand_help(action) if action.help else ""


def escaped(text: Any) -> str:
    """Text as Markdown that shows just this."""
    return re.sub(r"([\\`*_{}\[\]<>#$|~])", r"\\\1", str(text))


def _derivation(widths: str) -> Iterator[str]:
    """What `fastgd derive` writes of a network, as a part of the page."""
    from fastgd import MLP

    for line in MLP(*map(int, widths.split("-"))).derivation("markdown").splitlines():
        yield f"#{line}" if line.startswith("#") else line


_WRITERS = {"names": _names, "command": _command, "derivation": _derivation}
