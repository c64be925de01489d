"""Flags of what is learned: a gate or the rows of a file, by which network, and which rows validate
it.
"""

from __future__ import annotations

import argparse

from fastgd.cli.options import add_flag, add_network_flags, check_name_flag, widths
from fastgd.names import GATES, SCALES, SCHEMES, TARGET_SCALES, TASKS


def add_problem_flags(parser: argparse.ArgumentParser) -> None:
    """The data and the network."""
    data = parser.add_argument_group("data")
    data.add_argument("file", nargs="?", help="CSV with a header row, or .npz with arrays X and Y")
    data.add_argument("--gate", choices=GATES, help="a gate of the notes instead of a file")
    data.add_argument(
        "--target",
        action="append",
        metavar="COLUMN[,COLUMN...]",
        help="columns to learn (default: Y of an .npz)",
    )
    data.add_argument(
        "--inputs",
        action="append",
        metavar="COLUMN[,COLUMN...]",
        help="columns to learn from (default: all others)",
    )
    weight = "what each row weighs, a column that is no input; 0 leaves it out"
    add_flag(data, "--sample-weight", str, "COLUMN", weight)
    data.add_argument(
        "--task", choices=TASKS, help="what the target holds (default: auto, see below)"
    )
    data.add_argument(
        "--scale-inputs",
        choices=SCALES,
        help="mean 0 and deviation 1, [0, 1], or as is (default: standard)",
    )
    data.add_argument(
        "--scale-targets",
        choices=TARGET_SCALES,
        help="of values; auto: standard for identity, none for softmax, [-1, 1] for tanh and "
        "[0, 1] for others (default: auto)",
    )

    model = parser.add_argument_group("network")
    text = "widths, inputs first: 4-8-3 (default for gates: 2-1, 2-2-1 for xor and xnor)"
    add_flag(model, "--layers", widths, "W-W-...", text)
    add_network_flags(
        model,
        activation="sigmoid on gates, tanh on files, where one name leaves the output to --output",
        output="as --activation on gates; softmax for classes, sigmoid for two in one output, "
        "identity for values",
        loss="cross_entropy for softmax, binary_cross_entropy for two classes in one sigmoid "
        "output, else squared_error",
    )


def add_validation_flag(parser: argparse._ActionsContainer, use: str) -> None:
    """--validation, and what its rows are for."""
    text = f"rows not trained on, {use}: a share such as 0.2, or a file (default: none)"
    add_flag(parser, "--validation", str, "SHARE|FILE", text)


def add_init_flag(parser: argparse._ActionsContainer) -> None:
    """--init, which is None where the problem decides."""
    text = f"{', '.join(SCHEMES)} (default: uniform on gates, auto on files)"
    add_flag(parser, "--init", check_name_flag(SCHEMES), "SCHEME", text)


def check_source(command: str, options: argparse.Namespace) -> tuple[float | None, str | None]:
    """Refuse a command without data, or with two; what --validation gives, a share of the rows or a
    file.
    """
    if (options.file is None) == (options.gate is None):
        raise ValueError(
            f"{command} needs a file or --gate, one of the two; see fastgd {command} --help"
        )
    text = options.validation
    if text is None:
        return None, None
    try:
        share = float(text)
    except ValueError:
        if options.gate or not text:
            raise ValueError(
                f"--validation must be a share of the rows{'' if options.gate else ', or a file'}; "
                f"got {text!r}"
            ) from None
        return None, text
    if not 0 < share < 1:
        raise ValueError(
            f"--validation must be a share of the rows between 0 and 1, or a file; got {text!r}"
        )
    return share, None


def files_read(options: argparse.Namespace, validation_file: str | None) -> list[str]:
    """Files that the command reads, which none that it writes may replace."""
    return [path for path in (options.file, validation_file) if path is not None]
