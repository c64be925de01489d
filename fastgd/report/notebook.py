"""What notebooks show of networks and runs: a line of text, and pictures beside one another."""

from __future__ import annotations

from collections.abc import Sequence

from fastgd.network import Network
from fastgd.report.told import (
    Told,
    ToldMembers,
    curves_of,
    mark_of,
    member_curves,
    names_of,
)
from fastgd.svg import cost_svg, members_svg, network_svg
from fastgd.svg.elements import escaped, tag

_SIDE_BY_SIDE = "display:flex;flex-wrap:wrap;gap:12px;align-items:center"


def network_html(net: Network) -> str:
    """The network without parameters."""
    return _shown(net, [network_svg(net)])


def run_html(run: Told) -> str:
    """The trained network, and its cost on the way."""
    network = network_svg(run.net, run.params, *names_of(run.net, run.table))
    return _shown(run, [network, cost_svg(curves_of(run), mark_of(run))])


def members_html(runs: ToldMembers) -> str:
    """The member of least cost, and the costs of all."""
    best = network_svg(runs.net, runs.best.params)
    return _shown(runs, [best, members_svg(member_curves(runs), runs.cost)])


def _shown(what: object, pictures: Sequence[str]) -> str:
    words = tag("div", tag("code", escaped(what)))
    return tag("div", [words, tag("div", pictures, style=_SIDE_BY_SIDE)])
