"""`fastgd`: its subcommands, and how every error and warning becomes one line on stderr."""

import argparse
import sys
import warnings
from collections.abc import Sequence

from fastgd import __version__
from fastgd.cli import (
    check,
    compiled,
    derive,
    export,
    play,
    predict,
    race,
    report,
    sweep,
    train,
)
from fastgd.cli.options import Parser
from fastgd.cli.streams import safe_streams
from fastgd.system.files import reason_of

_EXAMPLES = """\
examples:
  fastgd race                                     finite differences against gradient descent
  fastgd train --gate xor --layers 2-2-1          a network of the notes
  fastgd train data.csv --target price --layers 4-8-1 --out run.npz
  fastgd sweep --gate xor --layers 2-2-1 --learning-rates 0.3,1,3
                                                  which of them learn, from 1,000 seeds each
  fastgd predict run.npz new.csv                  its predictions, as CSV
  fastgd export run.npz --out network.h           the trained network as C, or ONNX, JSON, ...
  fastgd report run.npz                           all of it as one page; of two runs, what differs
  fastgd check --layers 3-5-2                     the four gradients, layer by layer
  fastgd derive --layers 2-2-1 --out xor.tex      the notes' derivation for this network
  fastgd show --layers 2-2-1                      the loop that is compiled for this network
  fastgd cache                                    compiled code kept on disk
  fastgd play                                     a page where a network learns before your eyes

`fastgd COMMAND --help` shows the flags of a command. Bad input is one line on stderr and exit
status 2.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, those of the process if None, and return its exit
    status.
    """
    with safe_streams():
        return _status(arguments)


def _status(arguments: Sequence[str] | None) -> int:
    """The exit status of the command with these arguments, having run it."""
    try:
        options = _parser().parse_args(arguments)
        from fastgd.system.float_errors import quiet  # which takes NumPy

        with warnings.catch_warnings():
            warnings.simplefilter("default", RuntimeWarning)  # of this package: they end nothing
            warnings.showwarning = _warn
            status = int(quiet(options.command)(options) or 0)
        print(end="", flush=True)
    except SystemExit as end:  # argparse: --help, --version, bad flags
        return int(end.code or 0)
    except KeyboardInterrupt:
        print("fastgd: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 141
    except (
        ValueError,
        TypeError,
        OSError,
        ArithmeticError,
        MemoryError,
        RuntimeError,
        ImportError,
    ) as error:
        print(f"fastgd: error: {_one_line(error)}", file=sys.stderr)
        return 2
    return status


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="fastgd",
        description="Gradient descent for small neural networks, every epoch in compiled code.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"fastgd {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in (
        race.add,
        train.add,
        sweep.add,
        predict.add,
        export.add,
        report.add,
        check.add,
        derive.add,
        compiled.add_show,
        compiled.add_warmup,
        compiled.add_cache,
        play.add,
    ):
        add(commands)
    return parser


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    """A warning as one line too, without the place in the code that it comes from."""
    print(f"fastgd: warning: {' '.join(str(message).split())}", file=sys.stderr)


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {reason_of(error)}"
    return reason_of(error)
