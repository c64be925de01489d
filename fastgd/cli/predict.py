"""`fastgd predict`: what a saved run says about the rows of a file, as CSV."""

from __future__ import annotations

import argparse
import csv
import sys
import warnings
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, Any

from fastgd.cli.options import add_command, check_writable
from fastgd.cli.score import score_lines
from fastgd.cli.standard_output import utf8_output
from fastgd.system.files import as_text, replace_file

if TYPE_CHECKING:
    from fastgd.data.columns import Columns
    from fastgd.training.run import Run

Rows = Iterable[Sequence[Any]]
_EXAMPLES = """\
examples:
  fastgd predict iris.npz new.csv
  fastgd predict iris.npz new.csv --probabilities --out predicted.csv
  head -20 new.csv | fastgd predict iris.npz -

Input columns are found by name, in any order; other columns are ignored. Where the target columns
are there too, accuracy or mean squared error goes to stderr, over the rows whose targets can be
read; NA, ? and empty cells are left out. A run saved from Python without a table takes all columns
of the file in their order.
"""


def add(commands: Any) -> None:
    """The subcommand and its flags."""
    parser = add_command(
        commands, "predict", "print what a saved run predicts for the rows of a file", _EXAMPLES
    )
    parser.add_argument("run", help="a file that `fastgd train --out` or Run.save wrote")
    parser.add_argument(
        "file", help="CSV with a header row, or .npz with an array X; - for standard input"
    )
    parser.add_argument(
        "--probabilities",
        action="store_true",
        help="add a column p_CLASS for every class (default: without)",
    )
    parser.add_argument(
        "--out", metavar="FILE", help="write the CSV there (default: standard output)"
    )
    parser.set_defaults(command=predict)


def predict(options: argparse.Namespace) -> None:
    """Print the predictions, or write them to --out."""
    from fastgd.data.columns import columns_of, read_columns
    from fastgd.training.run import load_run

    if options.out is not None:
        check_writable("--out", options.out, options.run, options.file)
    elif sys.stdout is None:
        raise ValueError("standard output is closed; --out FILE writes the CSV")
    run = load_run(options.run)
    columns = (
        columns_of(sys.stdin.buffer, "standard input")
        if options.file == "-"
        else read_columns(options.file)
    )
    if run.table is None:
        header, rows = _plain(options, run, columns)
        score: list[str] = []
    else:
        header, rows, score = _by_table(options, run, columns)
    if options.out:
        _write_file(options.out, header, rows)
    else:
        with utf8_output() as out:
            _write(out, header, rows)
    # an error of writing is then the only line on stderr
    for text in score:
        print(text, file=sys.stderr)


def _by_table(
    options: argparse.Namespace, run: Run, columns: Columns
) -> tuple[list[str], Rows, list[str]]:
    """Header and rows of the CSV, and lines of score where the file has the targets."""
    from fastgd.data.table import Table

    assert run.table is not None
    table = Table.from_dict(run.table)
    if (len(table.inputs), table.outputs) != (run.net.widths[0], run.net.widths[-1]):
        raise ValueError(
            f"{options.run}: its table has {len(table.inputs)} inputs and {table.outputs} outputs; "
            f"its network is {run.net}"
        )
    if options.probabilities and run.net.activations[-1] not in ("sigmoid", "softmax"):
        raise ValueError(
            f"--probabilities needs a sigmoid or softmax output; {options.run} has "
            f"{run.net.activations[-1]}"
        )
    outputs = run.predict(table.encode(columns))
    header, cells = list(table.targets), table.decode(outputs).T.tolist()
    if options.probabilities:
        header += [f"p_{label}" for label in table.classes or ()]
        cells += table.probabilities(outputs).T.tolist()
    lines = []
    if all(name in columns.cells for name in table.targets):
        try:
            score = table.score(columns, outputs)
        except ValueError as error:
            warnings.warn(f"no score: {error}", RuntimeWarning, stacklevel=2)
            score = {"rows": 0}
        if score["rows"]:
            lines = [
                f"{title} {text}" if table.classes else f"{title}: {text}"
                for title, text in score_lines(score)
            ]
    return header, zip(*cells, strict=True), lines


def _plain(options: argparse.Namespace, run: Run, columns: Columns) -> tuple[list[str], Rows]:
    """For a run without a table: all columns of the file are its inputs."""
    import numpy as np

    if options.probabilities:
        raise ValueError(
            f"--probabilities needs a run trained on classes; {options.run} has no table"
        )
    inputs = [name for name in columns.names if name not in columns.targets]
    if len(inputs) != run.net.widths[0]:
        raise ValueError(
            f"{columns.source} must have {run.net.widths[0]} columns for {run.net}; it has "
            f"{len(inputs)}: {', '.join(inputs)}"
        )
    outputs = run.predict(np.column_stack([columns.numbers(name) for name in inputs]))
    return [f"y{i + 1}" for i in range(outputs.shape[1])], outputs.astype(float).tolist()


def _write_file(path: str, header: list[str], rows: Rows) -> None:
    """At any instant a regular file at `path` is the old one or the new one, whole; a device or a
    pipe is written to.
    """
    replace_file(path, as_text(lambda file: _write(file, header, rows)))


def _write(file: IO[str], header: list[str], rows: Rows) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
