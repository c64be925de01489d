"""`fastgd sweep`: which learning rates and optimizers learn a gate, from many seeds, and in how many epochs."""

from __future__ import annotations

import argparse
import csv
import json
from typing import TYPE_CHECKING, Any

from fastgd.cli.options import add_command, add_network_flags, check_writable, count, duration, names, network, number, seed, whole, widths
from fastgd.names import GATES, OPTIMIZERS, check_name

if TYPE_CHECKING:
    from fastgd.runs import Runs

_EXAMPLES = """\
examples:
  fastgd sweep --gate xor --layers 2-2-1 --seeds 1000 --learning-rates 0.1,0.3,1,3
  fastgd sweep --gate xor --layers 2-4-1 --activation tanh --optimizers sgd,adam --learning-rates 0.01,0.1 --json
  fastgd sweep --gate nand --layers 2-1 --learning-rates 1,10 --out nand.csv

A member learns if its cost reaches --target-cost within --epochs. The quartiles are those of members that do.
"""


def add(commands: Any) -> None:
    """The subcommand and its flags."""
    parser = add_command(commands, "sweep", "train many copies of a network, to see which settings learn", _EXAMPLES)
    parser.add_argument("--gate", choices=GATES, required=True, help="the gate to learn")
    parser.add_argument("--layers", type=widths, required=True, metavar="W-W-...", help="widths, inputs first: 2-2-1")
    add_network_flags(parser, activation="sigmoid", output="as --activation", loss="squared_error")
    parser.add_argument("--learning-rates", type=_rates, required=True, metavar="RATE[,RATE...]", help="to be tried")
    parser.add_argument("--optimizers", type=_optimizers, default=["sgd"], metavar="NAME[,NAME...]", help="to be tried (default: sgd)")
    parser.add_argument("--seeds", type=whole, default=1000, metavar="N", help="members of each setting (default: %(default)s)")
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="the first of them (default: %(default)s)")
    parser.add_argument("--epochs", type=whole, default=100_000, metavar="N", help="most of a member (default: %(default)s)")
    parser.add_argument("--target-cost", type=number, default=0.01, metavar="COST", help="what is to be reached (default: %(default)s)")
    parser.add_argument("--threads", type=whole, metavar="N", help="most threads to use; results do not depend on it (default: all)")
    parser.add_argument("--out", metavar="FILE", help="write a line for each member, as CSV")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON and nothing else")
    parser.set_defaults(command=sweep)


def _rates(text: str) -> list[float]:
    return [number(part) for part in names(text)]


def _optimizers(text: str) -> list[str]:
    try:
        return [check_name("name", name, OPTIMIZERS) for name in names(text)]
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def sweep(options: argparse.Namespace) -> int:
    """Train, print a line for each setting, write one for each member; the exit status, 130 after Ctrl-C."""
    from fastgd.checks import whole_number

    seeds = whole_number("--seeds", options.seeds, least=1)
    if (options.layers[0], options.layers[-1]) != (2, 1):
        raise ValueError(f"--layers must begin with 2 and end with 1 for a gate; got {'-'.join(map(str, options.layers))}")
    if options.out:
        check_writable("--out", options.out)
    found: dict[str, Runs] = {}
    for optimizer in options.optimizers:
        found[optimizer] = _runs(options, optimizer, seeds)
        if (found[optimizer].stopped_by == "interrupt").any():  # no further ones are begun
            break
    settings = [
        {"optimizer": name, "learning_rate": rate, **_summary(runs, slice(i * seeds, (i + 1) * seeds))}
        for name, runs in found.items()
        for i, rate in enumerate(options.learning_rates)
    ]
    if options.out:
        _write(options.out, found)
    if options.json:
        print(json.dumps({"gate": options.gate, "layers": options.layers, "seeds": seeds, "settings": settings}, indent=2))
    else:
        _print(options, settings, sum(runs.seconds for runs in found.values()))
    return 130 if any((runs.stopped_by == "interrupt").any() for runs in found.values()) else 0


def _runs(options: argparse.Namespace, optimizer: str, seeds: int) -> Runs:
    """Every rate with every seed."""
    import numpy as np

    from fastgd.data import gate
    from fastgd.ensemble import train_many

    net = network(options, options.layers, activation="sigmoid", output=None, loss="squared_error")
    each = np.tile(options.seed + np.arange(seeds), len(options.learning_rates))
    rates = np.repeat(options.learning_rates, seeds)
    more = {"rng": each, "optimizer": optimizer, "target_cost": options.target_cost, "threads": options.threads, "progress": True}
    return train_many(net, *gate(options.gate), options.epochs, rates, **more)


def _summary(runs: Runs, part: slice) -> dict[str, Any]:
    """What the members of one setting have come to."""
    import numpy as np

    stopped, epochs = runs.stopped_by[part], runs.epochs[part]
    learned = stopped == "target_cost"
    quartiles = np.quantile(epochs[learned], [0.25, 0.5, 0.75]).tolist() if learned.any() else [None] * 3
    return {
        "members": len(stopped),
        "learned": float(learned.mean()),
        "diverged": float((stopped == "diverged").mean()),
        "epochs": dict(zip(("lower_quartile", "median", "upper_quartile"), quartiles, strict=True)),
    }


def _print(options: argparse.Namespace, settings: list[dict[str, Any]], seconds: float) -> None:
    widths = "-".join(map(str, options.layers))
    print(f"{options.gate}, {widths}: {count(options.seeds, 'seed')}, up to {count(options.epochs, 'epoch')}, cost {options.target_cost:g}")
    print(f"\n{'optimizer':11}{'rate':>8}{'learned':>10}{'median':>12}{'quartiles':>24}{'diverged':>11}")
    for each in settings:
        line = f"{each['optimizer']:11}{each['learning_rate']:8g}{each['learned']:10.1%}"
        low, middle, high = each["epochs"].values()
        line += f"{'-':>12}{'':24}" if middle is None else f"{middle:12,.0f}{f'{low:,.0f} to {high:,.0f}':>24}"
        print(line + (f"{each['diverged']:11.1%}" if each["diverged"] else ""))
    print(f"\n{duration(seconds)} of training")


def _write(path: str, found: dict[str, Runs]) -> None:
    """A line for each member."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["optimizer", "learning_rate", "seed", "epochs", "cost", "stopped_by"])
        for name, runs in found.items():
            rows = zip(runs.learning_rate, runs.seeds, runs.epochs, runs.cost, runs.stopped_by, strict=True)
            writer.writerows([name, *row] for row in rows)
