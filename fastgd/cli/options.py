"""Flags that commands share, and how their text is read."""

from __future__ import annotations

import argparse
import difflib
import math
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from fastgd.activations import ACTIVATIONS
from fastgd.losses import LOSSES
from fastgd.names import DTYPES
from fastgd.system.files import check_place

if TYPE_CHECKING:
    from fastgd.mlp import MLP


_UNITS = {"s": 1, "m": 60, "h": 3600}


class Parser(argparse.ArgumentParser):
    """Bad flags are one line, like every other error; -1e-3 is a number, which argparse of Python
    3.11 takes for a flag.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._negative_number_matcher = re.compile(
            r"-((\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(e[-+]?\d+)?|inf|infinity|nan)$", re.IGNORECASE
        )

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse has it; what a command does not know is refused by that command, which names
        the flag that may be meant.
        """
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            flag = unknown[0].partition("=")[0]
            meant = difflib.get_close_matches(flag, self._option_string_actions, 1, 0.75)
            hint = f"; did you mean {meant[0]}?" if meant else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return namespace, unknown

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"fastgd: error: {message} (see {self.prog} --help)\n")


def add_command(commands: Any, name: str, summary: str, epilog: str) -> argparse.ArgumentParser:
    """A subcommand's parser, with examples at its end."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    return parser


def add_flag(
    parser: argparse._ActionsContainer,
    flag: str,
    read: Callable[[str], Any],
    metavar: str,
    text: str,
    default: float | None = None,
) -> None:
    """A flag for one value, read from its text; the help adds the default, if there is one."""
    text += "" if default is None else f" (default: {default:,})"
    parser.add_argument(flag, type=read, default=default, metavar=metavar, help=text)


def add_layers_flag(parser: argparse.ArgumentParser, example: str) -> None:
    """--layers, which must be given."""
    text = f"widths, inputs first: {example}"
    parser.add_argument("--layers", type=widths, required=True, metavar="W-W-...", help=text)


def add_json_flag(parser: argparse._ActionsContainer, what: str) -> None:
    """--json, for what is printed as words otherwise."""
    parser.add_argument("--json", action="store_true", help=f"print {what} and nothing else")


def whole(text: str) -> int:
    """A whole number: 1000, 1_000 or 1e3."""
    try:
        return int(text)
    except ValueError:
        value = number(text)
        if value.is_integer():
            return int(value)
    raise argparse.ArgumentTypeError(f"expected a whole number; got {text!r}")


def number(text: str) -> float:
    """A finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected a finite number; got {text!r}")
    return value


def numbers(text: str) -> tuple[float, ...]:
    """Finite numbers between commas."""
    return tuple(number(part) for part in names(text))


def one_or_more(text: str) -> float | tuple[float, ...]:
    """A finite number, or several between commas."""
    return numbers(text) if "," in text else number(text)


def seconds(text: str) -> float:
    """A time: 90, 90s, 10m or 2h."""
    try:
        value = number(text[:-1] if text[-1:] in _UNITS else text) * _UNITS.get(text[-1:], 1)
    except argparse.ArgumentTypeError:
        value = -1.0
    if value < 0:
        raise argparse.ArgumentTypeError(
            f"expected seconds, or a time like 90s, 10m or 2h; got {text!r}"
        )
    return value


def seed(text: str) -> int:
    """A seed: a whole number below 2^63."""
    value = whole(text)
    if not 0 <= value < 2**63:
        raise argparse.ArgumentTypeError(
            f"expected a whole number from 0 to 2**63 - 1; got {text!r}"
        )
    return value


def widths(text: str) -> tuple[int, ...]:
    """4-8-3: inputs, then the units of each layer."""
    try:
        return tuple(int(part) for part in text.split("-"))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected widths like 4-8-3, inputs first; got {text!r}"
        ) from None


def names(text: str) -> list[str]:
    """Names between commas."""
    return [part.strip() for part in text.split(",")]


def check_name_flag(known: Sequence[str]) -> Callable[[str], str]:
    """The type of a flag that takes one of the known names."""

    def read(text: str) -> str:
        if text not in known:
            raise argparse.ArgumentTypeError(f"unknown name {text!r}; known: {', '.join(known)}")
        return text

    return read


def add_network_flags(
    parser: argparse._ActionsContainer, activation: str, output: str, loss: str
) -> None:
    """--activation, --output, --loss, --no-bias and --dtype; the arguments say what each is if not
    given.
    """
    known = ", ".join(ACTIVATIONS)
    parser.add_argument(
        "--activation",
        metavar="NAME[,NAME...]",
        help=f"one for all layers, or one a layer: {known}; with other numbers than its own in "
        f"brackets, as leaky_relu(0.2) (default: {activation})",
    )
    parser.add_argument(
        "--output", metavar="NAME", help=f"activation of the last layer (default: {output})"
    )
    parser.add_argument(
        "--loss", metavar="NAME", help=f"{', '.join(LOSSES)}; as huber(0.5), too (default: {loss})"
    )
    parser.add_argument(
        "--no-bias", action="store_true", help="layers without biases (default: with)"
    )
    add_dtype_flag(parser)


def add_dtype_flag(parser: argparse._ActionsContainer) -> None:
    """--dtype."""
    text = "of parameters and data (default: %(default)s)"
    parser.add_argument("--dtype", choices=DTYPES, default="float64", help=text)


def network(
    options: argparse.Namespace,
    layers: tuple[int, ...],
    activation: str,
    output: str | None,
    loss: str,
) -> MLP:
    """The network that the flags describe; the arguments stand in for flags that were not given."""
    from fastgd.mlp import MLP

    given = [activation] if options.activation is None else names(options.activation)
    if options.output is not None:
        output = options.output
    elif options.activation is not None and len(given) == len(layers) - 1:
        output = None  # the list names it
    return MLP(
        *layers,
        activation=given[0] if len(given) == 1 else given,
        output=output,
        loss=loss if options.loss is None else options.loss,
        bias=not options.no_bias,
        dtype=options.dtype,
    )


def check_writable(flag: str, path: str, *others: str) -> None:
    """Refuse, before any work, the file of a flag if it could not be written, or would replace an
    input.
    """
    if not path:
        raise ValueError(f"{flag} must name a file; got ''")
    for other in others:
        if same_file(path, other):
            raise ValueError(f"{flag} would replace {other}, which is read; name another file")
    folder = os.path.dirname(path) or "."
    try:
        check_place(path)
    except IsADirectoryError:
        raise ValueError(f"{flag} must name a file; {path} is a folder") from None
    except FileNotFoundError as error:
        raise ValueError(f"{flag} can't be written: there is no folder {error.filename}") from None
    except NotADirectoryError:
        raise ValueError(f"{flag} can't be written: there is no folder {folder}") from None
    except OSError as error:
        raise ValueError(f"{flag} can't be written in {folder}: {error.strerror}") from None


def same_file(path: str, other: str) -> bool:
    """Whether two names are of one file, which need not be there yet."""
    if os.path.exists(path) and os.path.exists(other):
        return os.path.samefile(path, other)
    return os.path.realpath(path) == os.path.realpath(other)


def machine() -> str:
    """The processor's name, as far as the system tells."""
    import platform

    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            models = [
                line.partition(":")[2].strip() for line in file if line.startswith("model name")
            ]
    except OSError:
        models = []
    return models[0] if models else platform.processor() or platform.machine() or sys.platform
