"""`fastgd report`: all of a saved run as one file of HTML, or what differs between two."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from fastgd.cli.options import add_command, check_writable
from fastgd.names import GATES

if TYPE_CHECKING:
    from fastgd.arguments.checks import Array
    from fastgd.data.columns import Columns
    from fastgd.report.run_page import Subject
    from fastgd.training.run import Run

    Rows = Columns | tuple[Array, Array] | None

_EXAMPLES = """\
examples:
  fastgd report iris.npz
  fastgd report iris.npz --data iris.csv --out iris.html
  fastgd report xor.npz --gate xor
  fastgd report before.npz after.npz --out both.html

The file loads nothing from elsewhere, and is read without a script. A saved run has no rows: --data
names a file of them, or --gate a gate, from which it is seen which two inputs matter most, and what
the network makes of these. What Runs.save wrote, many members, is reported too. Functions of one's
own are shown as texts, and what they compute is left out.
"""


def add(commands: Any) -> None:
    """The subcommand and its flags."""
    parser = add_command(
        commands,
        "report",
        "write a saved run, or what differs between two, as a page",
        _EXAMPLES,
    )
    text = "a file that `fastgd train --out`, Run.save or Runs.save wrote"
    parser.add_argument("run", help=text)
    parser.add_argument("other", nargs="?", help="another run, to be put beside it")
    rows = parser.add_mutually_exclusive_group()
    rows.add_argument(
        "--data", metavar="FILE", help="rows that it was trained on, CSV or .npz (default: none)"
    )
    rows.add_argument("--gate", choices=GATES, help="the gate that it was trained on, instead")
    parser.add_argument(
        "--out", metavar="FILE", help="the file to write (default: RUN, ending in .html)"
    )
    parser.set_defaults(command=report)


def report(options: argparse.Namespace) -> None:
    """Write the file, and say where."""
    from fastgd.report.run_page import comparison_page, run_page
    from fastgd.report.written import write

    out = options.out
    if out is None:
        out = f"{os.path.splitext(options.run)[0]}.html"
    check_writable("--out", out, *filter(None, (options.run, options.other, options.data)))
    rows = _source(options)
    if options.other is None and _is_of_members(options.run):
        page = _members(options.run, rows)
    elif options.other is None:
        page = run_page(_subject(options.run, rows))
    else:
        page = comparison_page(*(_subject(path, rows) for path in (options.run, options.other)))
    write(out, page)
    print(f"written to {out}")


def _source(options: argparse.Namespace) -> Rows:
    """Where rows come from: the columns of a file, X and Y of a gate, or nowhere."""
    if options.gate is not None:
        from fastgd.data import gate

        return gate(options.gate)
    from fastgd.data.columns import read_columns

    return None if options.data is None else read_columns(options.data)


def _is_of_members(path: str) -> bool:
    from fastgd.training.archive import kind_of

    return kind_of(path) == "runs"


def _subject(path: str, rows: Rows) -> Subject:
    """The run of a file, with rows as it was trained on; of own functions it has the texts."""
    from fastgd.report.run_page import Subject
    from fastgd.training.archive import read
    from fastgd.training.run import Run

    run, _ = read(path, Run, None)
    return Subject(run, os.path.basename(path), *_rows(path, run, rows), not run.net.own)


def _members(path: str, source: Rows) -> str:
    from fastgd.ensemble.runs import Runs
    from fastgd.report.members_page import members_page
    from fastgd.report.run_page import Subject
    from fastgd.training.archive import read

    runs, _ = read(path, Runs, None)
    best = runs.best
    rows = _rows(path, best, source)
    return members_page(runs, Subject(best, os.path.basename(path), *rows, not runs.net.own))


def _rows(path: str, run: Run, source: Rows) -> tuple[Array | None, Array | None]:
    """X (n, inputs), and Y (n, outputs) where the source has it, as the run was trained on them."""
    import numpy as np

    from fastgd.data.table import Table
    from fastgd.report.written import checked_rows

    if source is None:
        return None, None
    if isinstance(source, tuple):
        return checked_rows(run.net, *source)
    columns = source
    if run.table is not None:
        table = Table.from_dict(run.table)
        has_targets = all(name in columns.cells for name in table.targets)
        targets = table.encode_targets(columns) if has_targets else None
        return checked_rows(run.net, table.encode(columns), targets)
    inputs, targets = [name for name in columns.names if name not in columns.targets], None
    if len(inputs) != run.net.widths[0]:
        raise ValueError(
            f"{columns.source} must have {run.net.widths[0]} columns for {path}; it has "
            f"{len(inputs)}: {', '.join(inputs)}"
        )
    if columns.targets:
        targets = np.column_stack([columns.numbers(name) for name in columns.targets])
    X = np.column_stack([columns.numbers(name) for name in inputs])
    return checked_rows(run.net, X, targets)
