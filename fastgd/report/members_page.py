"""The report of many members."""

from __future__ import annotations

from collections import Counter

import numpy as np

from fastgd.report import html
from fastgd.report.again import again
from fastgd.report.run_page import Subject, foot, network_parts, surface_section
from fastgd.report.summary import options_of
from fastgd.report.told import ToldMembers, member_curves
from fastgd.svg import members_svg
from fastgd.words import count, duration, network_of, rate_of

_BEST = 10  # members that are written down


def members_page(runs: ToldMembers, best: Subject) -> str:
    """The whole page: all members, and the best of them."""
    parts = [
        html.section("Summary", html.facts(_summary(runs))),
        html.section("Cost", html.pictures(members_svg(member_curves(runs), runs.cost))),
        html.section("Members of least cost", _least(runs)),
        html.section("Network of the best", *network_parts(best.run)),
        *surface_section(best, "Surface of the best"),
        html.section("Options of the best", html.facts(options_of(best.run.options))),
        html.section("How to have the best again", *again(best.run, best.X, best.Y)),
    ]
    return html.page(best.title, parts, foot())


def _summary(runs: ToldMembers) -> dict[str, object]:
    finite = runs.cost[np.isfinite(runs.cost)]
    told: dict[str, object] = {
        "network": network_of(runs.net), "members": f"{len(runs):,}",
    }  # fmt: skip
    if len(finite):
        least, median, most = np.quantile(finite, (0, 0.5, 1))
        told["cost"] = f"least {least:.6g}, median {median:.6g}, largest {most:.6g}"
    ends = Counter(str(each) or "running" for each in runs.stopped_by)
    told["stopped by"] = ", ".join(f"{name} {number:,}" for name, number in ends.most_common())
    told["epochs"] = f"{count(int(runs.epochs.sum()), 'epoch')} of all members"
    told["time"] = f"{duration(runs.seconds)} in the {runs.kernel} kernel"
    return told


def _least(runs: ToldMembers) -> str:
    order = np.argsort(np.where(np.isnan(runs.cost), np.inf, runs.cost), kind="stable")[:_BEST]
    rows = []
    for i in map(int, order):
        run = runs[i]
        rate = rate_of(run.options["learning_rate"])
        rows.append([i, f"{run.cost:.6g}", f"{run.epochs:,}", run.stopped_by, run.seed, rate])
    return html.columns(["member", "cost", "epochs", "stopped by", "seed", "learning rate"], rows)
