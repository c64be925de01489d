"""The report of a run, and that of two beside one another."""

from __future__ import annotations

from typing import NamedTuple

from fastgd.arguments.checks import Array
from fastgd.report import html
from fastgd.report.again import again
from fastgd.report.comparison import differences
from fastgd.report.summary import (
    history_rows,
    options_of,
    summary_of,
    table_rows,
    versions,
)
from fastgd.report.surface import surface_of
from fastgd.report.told import Told, curves_of, mark_of, names_of
from fastgd.svg import cost_svg, network_svg, surface_svg


class Subject(NamedTuple):
    """A run to be reported, and what is known beside it."""

    run: Told
    title: str
    X: Array | None = None  # (n, inputs) rows, as it was trained on
    Y: Array | None = None  # (n, outputs)
    computes: bool = True  # whether its functions are at hand, and not their texts alone


def run_page(subject: Subject) -> str:
    """The whole page of a run."""
    run = subject.run
    heads, rows = history_rows(run)
    parts = [
        html.section("Summary", html.facts(summary_of(run))),
        html.section(
            "Cost",
            html.pictures(cost_svg(curves_of(run), mark_of(run))),
            html.folded("as numbers", html.columns(heads, rows)),
        ),
        html.section("Network", *network_parts(run)),
        *surface_section(subject),
        html.section("Options", html.facts(options_of(run.options))),
        *_table(run),
        html.section("How to have it again", *again(run, subject.X, subject.Y)),
    ]
    return html.page(subject.title, parts, foot())


def comparison_page(one: Subject, other: Subject) -> str:
    """The page of what differs between two runs, and of their costs over one another."""
    different, same = differences(one.run, other.run)
    curves = [curve for each in (one, other) for curve in curves_of(each.run, f"{each.title}: ")]
    alike = ", ".join(same) or "nothing"
    parts = [
        html.section(
            "What differs",
            html.columns(["", one.title, other.title], different),
            html.paragraph(f"Alike: {alike}."),
        ),
        html.section("Costs over one another", html.pictures(cost_svg(curves))),
    ]
    for each in (one, other):
        parts += [
            html.section(f"{each.title}: summary", html.facts(summary_of(each.run))),
            html.section(f"{each.title}: network", *network_parts(each.run)),
            *surface_section(each, f"{each.title}: surface"),
            html.section(f"{each.title}: how to have it again", *again(each.run, each.X, each.Y)),
        ]
    return html.page(f"{one.title} and {other.title}", parts, foot())


def network_parts(run: Told) -> list[str]:
    """The network, and the texts of functions that are not built in."""
    legend = (
        "A line is the wider the larger its weight is among those of its layer: blue above 0, "
        "orange and dashed below. Units are filled by their biases likewise."
    )
    picture = network_svg(run.net, run.params, *names_of(run.net, run.table))
    own = [html.code(each.text.strip()) for each in run.net.own_functions]
    return [html.pictures(picture), html.paragraph(legend), *own]


def surface_section(subject: Subject, title: str = "Surface") -> list[str]:
    """What it computes over two inputs, where that can be told."""
    found = surface_of(subject.run, subject.X, subject.Y) if subject.computes else None
    if found is None:
        return []
    words = f"Outputs over {found.names[0]} and {found.names[1]}"
    words += f", {found.held}" if found.held else ""
    words += "; dots are rows, coloured by their targets." if found.points is not None else "."
    return [html.section(title, html.pictures(surface_svg(found)), html.paragraph(words))]


def _table(run: Told) -> list[str]:
    if run.table is None:
        return []
    rows = table_rows(run.table)
    return [html.section("Columns", html.columns(["column", "is", "the network sees"], rows))]


def foot() -> str:
    """By what the page was written."""
    return f"Written with {versions()}. This page loads nothing from elsewhere."
