"""Reports as files, whole or not at all."""

from __future__ import annotations

import os

from numpy.typing import ArrayLike

from fastgd.arguments.arrays import rows
from fastgd.arguments.checks import Array
from fastgd.network import Network
from fastgd.report.members_page import members_page
from fastgd.report.run_page import Subject, comparison_page, run_page
from fastgd.report.told import Told, ToldMembers
from fastgd.samples import check_data
from fastgd.system.files import as_text, replace_file
from fastgd.system.float_errors import quiet

Path = str | os.PathLike[str]


@quiet
def report_run(
    path: Path, run: Told, X: ArrayLike | None, Y: ArrayLike | None, beside: Told | None
) -> None:
    """Write the report of a run, or of what differs between it and another one."""
    given = checked_rows(run.net, X, Y)
    if beside is None:
        write(path, run_page(Subject(run, title_of(run.net), *given)))
        return
    theirs = given if fits(beside.net, run.net) else (None, None)
    one, other = Subject(run, "this run", *given), Subject(beside, "the other run", *theirs)
    write(path, comparison_page(one, other))


@quiet
def report_members(path: Path, runs: ToldMembers, X: ArrayLike | None, Y: ArrayLike | None) -> None:
    """Write the report of many members."""
    given = checked_rows(runs.net, X, Y)
    title = f"{len(runs):,} runs of {'-'.join(map(str, runs.net.widths))}"
    write(path, members_page(runs, Subject(runs.best, title, *given)))


def checked_rows(
    net: Network, X: ArrayLike | None, Y: ArrayLike | None
) -> tuple[Array | None, Array | None]:
    """X (n, inputs) and Y (n, outputs) as far as they are given, or a ValueError or TypeError."""
    if X is None:
        if Y is not None:
            raise ValueError("Y is for a report with X; got Y alone")
        return None, None
    if Y is None:
        return rows("X", X, net.widths[0], net, net.dtype), None
    net.check_one_output("a report with Y")
    return check_data(net, X, Y)


def fits(net: Network, other: Network) -> bool:
    """Whether rows of one are rows of the other."""
    return (net.widths[0], net.widths[-1]) == (other.widths[0], other.widths[-1])


def title_of(net: Network) -> str:
    """What a report of a run is called."""
    return f"Run of {'-'.join(map(str, net.widths))}"


def write(path: Path, page: str) -> None:
    """Write a page, whole or not at all."""
    replace_file(path, as_text(lambda file: file.write(page)))
