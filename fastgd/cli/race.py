"""`fastgd race`: the notes' comparison of finite differences and gradient descent, 003 1.2.2."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from fastgd.cli.options import (
    add_command,
    add_dtype_flag,
    add_flag,
    add_json_flag,
    machine,
    number,
    seed,
    whole,
)
from fastgd.cli.standard_output import print_facts
from fastgd.names import GATES

if TYPE_CHECKING:
    from fastgd.mlp import MLP

FEW = 1_000
_METHODS = {"finite_difference": "finite difference", "backprop": "gradient descent"}
_NOTES: dict[str, Any] = {
    "epochs": 8_000_000,
    "seconds": {"finite_difference": 1.556, "backprop": 0.473},
    "machine": "AMD Ryzen 7 7840HS",
}
_EXAMPLES = """\
examples:
  fastgd race
  fastgd race --gate or --epochs 1e6
  fastgd race --json > race.json
"""


def add(commands: Any) -> None:
    """The subcommand and its flags."""
    parser = add_command(
        commands,
        "race",
        "train one neuron on a gate by finite differences and by gradient descent, and time both",
        _EXAMPLES,
    )
    parser.add_argument(
        "--gate", choices=GATES, default="nand", help="what to learn (default: %(default)s)"
    )
    add_flag(parser, "--epochs", whole, "N", "passes over the four rows", 8_000_000)
    add_flag(parser, "--learning-rate", number, "RATE", "step along the gradient", 0.1)
    add_flag(parser, "--eps", number, "EPS", "step of the finite differences", 0.1)
    add_flag(parser, "--seed", seed, "N", "of the initial values, uniform in [0, 1)", 0)
    add_dtype_flag(parser)
    add_json_flag(parser, "JSON")
    parser.set_defaults(command=race)


def race(options: argparse.Namespace) -> None:
    """Train by both methods, and print how long each took."""
    from fastgd.mlp import MLP

    net = MLP(2, 1, dtype=options.dtype)
    races = [_run_both(net, options, options.epochs)]
    if options.epochs > FEW:
        races.append(_run_both(net, options, FEW))
    facts = {
        **{
            name: getattr(options, name)
            for name in ("gate", "learning_rate", "eps", "seed", "dtype")
        },
        "machine": machine(),
        "races": races,
        "notes": {**_NOTES, "ratio": _ratio(_NOTES["seconds"])},
    }
    if options.json:
        print_facts(facts)
    else:
        _show(facts)


def _run_both(net: MLP, options: argparse.Namespace, epochs: int) -> dict[str, Any]:
    from fastgd.cli.bar import WaitingBar
    from fastgd.data import gate
    from fastgd.training.train import train

    X, Y = gate(options.gate)
    params = net.init(options.seed, "uniform")
    results: dict[str, Any] = {}
    for method, title in _METHODS.items():
        began = time.perf_counter()
        run = train(
            net, X, Y, epochs, options.learning_rate, params=params, rng=options.seed,
            method=method, eps=options.eps, progress=WaitingBar(title), on_interrupt="raise",
        )  # fmt: skip
        results[method] = {
            "seconds": run.seconds,
            "ns_per_epoch": 1e9 * run.seconds / epochs if epochs else None,
            "compile_seconds": time.perf_counter() - began - run.seconds,
            "cost": run.cost,
            "outputs": run.predict(X)[:, 0].tolist(),
            "kernel": run.kernel,
        }
    return {
        "epochs": epochs,
        "methods": results,
        "ratio": _ratio({method: result["seconds"] for method, result in results.items()}),
    }


def _ratio(seconds: dict[str, float]) -> float | None:
    return seconds["finite_difference"] / seconds["backprop"] if seconds["backprop"] else None


def _show(facts: dict[str, Any]) -> None:
    notes = facts["notes"]
    settings = f"rate {facts['learning_rate']:g}, eps {facts['eps']:g}"
    settings += f", {facts['dtype']}, seed {facts['seed']}"
    print(f"One sigmoid neuron learns {facts['gate'].upper()}: {settings}")
    print(f"on {facts['machine']}\n")
    print(
        f"{'':>20}{'seconds':>10}{'ns/epoch':>10}{'cost':>11}   "
        f"{'outputs for 00, 10, 01, 11':<30}{'compile s':>10}"
    )
    for race in facts["races"]:
        print(f"{race['epochs']:,} epochs")
        for method, result in race["methods"].items():
            _row(method, result["seconds"], race["epochs"], result)
        print(_ratio_row(race["ratio"]))
    print(f"the notes, {notes['epochs']:,} epochs of NAND on {notes['machine']} (003 1.2.2)")
    for method, seconds in notes["seconds"].items():
        _row(method, seconds, notes["epochs"], None)
    print(_ratio_row(notes["ratio"]))
    print(
        "\nSeconds are of the epochs alone. Compile is the rest of the call: compiling, or loading "
        "what an earlier call compiled."
    )
    if len(facts["races"]) > 1:
        few = facts["races"][-1]
        apart = (
            few["methods"]["finite_difference"]["seconds"] - few["methods"]["backprop"]["seconds"]
        )
        print(
            f"With {few['epochs']:,} epochs the two are {1e3 * abs(apart):.2f} ms apart: about the "
            "same, as the notes say."
        )


def _row(method: str, seconds: float, epochs: int, result: dict[str, Any] | None) -> None:
    per_epoch = f"{1e9 * seconds / epochs:.1f}" if epochs else "-"
    row = f"  {_METHODS[method]:<18}{seconds:>10.{6 if seconds < 0.01 else 3}f}{per_epoch:>10}"
    if result is not None:
        outputs = "  ".join(f"{output:.4f}" for output in result["outputs"])
        row += f"{result['cost']:>11.3e}   {outputs:<30}{result['compile_seconds']:>10.2f}"
    print(row)


def _ratio_row(ratio: float | None) -> str:
    return f"  {'ratio':<18}{'-' if ratio is None else f'{ratio:.2f}':>10}"
