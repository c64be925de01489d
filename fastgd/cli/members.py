"""What the members of a sweep have come to: lines in words, JSON, and a line for each member as
CSV.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from fastgd.cli.standard_output import print_facts
from fastgd.cli.summary import network_facts, print_line, print_network
from fastgd.system.files import as_text, replace_file
from fastgd.words import batches, count, duration

if TYPE_CHECKING:
    from fastgd.arguments.checks import Array
    from fastgd.cli.problems import Problem
    from fastgd.ensemble.runs import Runs


@dataclass(frozen=True)
class Members:
    """Those of one optimizer: every rate with every seed."""

    runs: Runs
    validation: Array | None  # (members,) cost of rows not trained on

    @property
    def costs(self) -> Array:
        """(members,) what they are compared by; inf for those that diverged, or have none."""
        import numpy as np

        costs = self.runs.cost if self.validation is None else self.validation
        return np.where(np.isfinite(costs) & (self.runs.stopped_by != "diverged"), costs, np.inf)


def print_members(options: argparse.Namespace, problem: Problem, found: dict[str, Members]) -> None:
    """A table of the settings, and the best member where no target cost was given."""
    learning = options.target_cost is not None
    print_line("data", problem.title)
    print_network(problem.net)
    to_cost = f" to cost {options.target_cost:g}" if learning else ""
    seeds, epochs = count(options.seeds, "seed"), count(options.epochs, "epoch")
    print_line(
        "training",
        f"{seeds} of each setting, up to {epochs}{to_cost}, {batches(options.batch_size)}",
    )
    if problem.validated_on:
        print_line("validation", problem.validated_on)
    which = "validation cost" if problem.validated_on else "cost"
    table = (
        _learned_lines(_settings(options, found))
        if learning
        else _cost_lines(_settings(options, found), which)
    )
    print("", *(line.rstrip() for line in table), "", sep="\n")
    if not learning and (best := _best(found)) is not None:
        name, member = best
        run = found[name].runs[member]
        print_line(
            "best",
            f"{name}, rate {_rate_of(options, member):g}, seed {run.seed}: {which} "
            f"{found[name].costs[member]:.6g}",
        )
        for title, text in problem.lines(run):
            print_line(title, text)
    if any((members.runs.stopped_by == "interrupt").any() for members in found.values()):
        print_line(
            "stopped",
            "by Ctrl-C"
            + ("; the same command with --resume goes on" if options.checkpoint else ""),
        )
    print_line(
        "time", f"{duration(sum(members.runs.seconds for members in found.values()))} of training"
    )


def print_members_json(
    options: argparse.Namespace, problem: Problem, found: dict[str, Members]
) -> None:
    """The same as JSON."""
    given = {
        name: getattr(options, name)
        for name in ("seeds", "seed", "epochs", "batch_size", "target_cost", "checkpoint")
    }
    facts = {
        "data": problem.data(),
        "network": network_facts(problem.net),
        **given,
        "settings": _settings(options, found),
    }
    if options.target_cost is None:
        best = _best(found)
        facts["best"] = best and _member_facts(problem, found, _rate_of(options, best[1]), *best)
    print_facts(facts)


def write_members(found: dict[str, Members], path: str) -> None:
    """A line for each member."""

    def fill(file: IO[str]) -> None:
        writer = csv.writer(file)
        names = ["optimizer", "learning_rate", "seed", "epochs", "cost", "stopped_by"]
        writer.writerow(
            names
            + ["validation_cost"]
            * any(members.validation is not None for members in found.values())
        )
        for name, members in found.items():
            runs = members.runs
            columns = [runs.learning_rate, runs.seeds, runs.epochs, runs.cost, runs.stopped_by]
            columns += [] if members.validation is None else [members.validation]
            writer.writerows([name, *row] for row in zip(*columns, strict=True))

    replace_file(path, as_text(fill), keep=True)


# -- settings --------------------------------------------------------------------------------------


def _settings(options: argparse.Namespace, found: dict[str, Members]) -> list[dict[str, Any]]:
    """What every optimizer with every rate has come to."""
    return [
        {
            "optimizer": name,
            "learning_rate": rate,
            **_summary(options, members, slice(i * options.seeds, (i + 1) * options.seeds)),
        }
        for name, members in found.items()
        for i, rate in enumerate(options.learning_rates)
    ]


def _summary(options: argparse.Namespace, members: Members, part: slice) -> dict[str, Any]:
    import numpy as np

    stopped, costs = members.runs.stopped_by[part], members.costs[part]
    facts = {"members": len(stopped), "diverged": float((stopped == "diverged").mean())}
    if options.target_cost is not None:
        learned = stopped == "target_cost"
        return {
            **facts,
            "learned": float(learned.mean()),
            "epochs": _quartiles(members.runs.epochs[part][learned]),
        }
    best = int(costs.argmin())
    least = (
        {"seed": int(members.runs.seeds[part][best]), "cost": float(costs[best])}
        if np.isfinite(costs[best])
        else None
    )
    return {**facts, "cost": _quartiles(costs[np.isfinite(costs)]), "best": least}


def _quartiles(values: Array) -> dict[str, float | None]:
    import numpy as np

    quartiles = np.quantile(values, [0.25, 0.5, 0.75]).tolist() if len(values) else [None] * 3
    return dict(zip(("lower_quartile", "median", "upper_quartile"), quartiles, strict=True))


def _learned_lines(settings: list[dict[str, Any]]) -> Iterator[str]:
    titles = f"{'learned':>10}{'epochs':>12}{'quartiles':>24}{'diverged':>11}"
    yield f"{'optimizer':11}{'rate':>8}{titles}"
    for setting in settings:
        low, middle, high = setting["epochs"].values()
        epochs = (
            f"{'-':>12}{'':24}"
            if middle is None
            else f"{middle:12,.0f}{f'{low:,.0f} to {high:,.0f}':>24}"
        )
        learned = f"{setting['learned']:10.1%}{epochs}{_diverged(setting)}"
        yield f"{setting['optimizer']:11}{setting['learning_rate']:8g}{learned}"


def _cost_lines(settings: list[dict[str, Any]], which: str) -> Iterator[str]:
    titles = f"{which:>17}{'quartiles':>26}{'least':>12}{'seed':>8}{'diverged':>11}"
    yield f"{'optimizer':11}{'rate':>8}{titles}"
    for setting in settings:
        (low, middle, high), best = setting["cost"].values(), setting["best"]
        costs = f"{'-':>17}{'':46}"
        if best is not None:
            between = f"{low:.5g} to {high:.5g}"
            costs = f"{middle:17.5g}{between:>26}{best['cost']:12.5g}{best['seed']:8}"
        yield f"{setting['optimizer']:11}{setting['learning_rate']:8g}{costs}{_diverged(setting)}"


def _diverged(setting: dict[str, Any]) -> str:
    return f"{setting['diverged']:11.1%}" if setting["diverged"] else ""


# -- the best member -------------------------------------------------------------------------------


def _best(found: dict[str, Members]) -> tuple[str, int] | None:
    """The optimizer and the number of the member of least cost, if any has one."""
    import numpy as np

    name = min(found, key=lambda name: float(found[name].costs.min()))
    member = int(found[name].costs.argmin())
    return (name, member) if np.isfinite(found[name].costs[member]) else None


def _rate_of(options: argparse.Namespace, member: int) -> float:
    """The rate of a member's setting."""
    rate: float = options.learning_rates[member // options.seeds]
    return rate


def _member_facts(
    problem: Problem, found: dict[str, Members], rate: float, name: str, member: int
) -> dict[str, Any]:
    """The setting of a member, and what it has learned."""
    members = found[name]
    run = members.runs[member]
    facts = problem.facts(run)
    if members.validation is not None:
        facts["validation"]["cost"] = float(members.validation[member])
    setting = {"optimizer": name, "learning_rate": rate, "seed": run.seed}
    return {
        **setting,
        "epochs": run.epochs,
        "cost": run.cost,
        "stopped_by": run.stopped_by,
        **facts,
    }
