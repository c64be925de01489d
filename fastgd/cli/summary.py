"""What `fastgd train` prints of a run: lines in words, or JSON."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from fastgd.cli.standard_output import print_facts, printable
from fastgd.report.told import validation_cost
from fastgd.words import network_of, reason, time_of, training_of, update_of

if TYPE_CHECKING:
    from fastgd.mlp import MLP
    from fastgd.training.run import Run


def print_line(title: str, text: str) -> None:
    """A title and what there is to say about it."""
    print(printable(f"{title:<11} {text}"))


def print_network(net: MLP) -> None:
    """Its widths, activations and loss, and how many parameters it has."""
    print_line("network", network_of(net))


def network_facts(net: MLP) -> dict[str, Any]:
    """The same for JSON."""
    return {
        "widths": net.widths,
        "activations": net.activations,
        "loss": net.loss,
        "bias": net.bias,
        "dtype": net.dtype.name,
    }


def print_run(run: Run, checkpoint: str | None, validated_on: str) -> None:
    """All but the data, the scores and where it is saved. `validated_on` says what rows were
    validated on, where there were any.
    """
    options, history = run.options, run.history
    print_network(run.net)
    print_line("training", f"{training_of(options, run.epochs)}, seed {run.seed}")
    if update := update_of(options):
        print_line("update", update)
    print_line("time", time_of(run.seconds, run.epochs, run.kernel))
    why = reason(run.stopped_by, options, history.validation is not None)
    goes_on = checkpoint and run.stopped_by in ("max_seconds", "interrupt")
    why += "; the same command with --resume goes on" if goes_on else ""
    print_line("stopped", f"at epoch {run.epochs:,}: {why}")
    if run.stalled:
        hint = "; try --dtype float64" if run.net.dtype.name == "float32" else ""
        smaller = "steps have become smaller than half a unit in the last place"
        print_line("stalled", f"{smaller}; more training changes nothing{hint}")
    print_line("cost", f"{history.cost[0]:.6g} at first, {history.cost[-1]:.6g} at last")
    if history.validation is not None:
        costs = f"cost {history.validation[0]:.6g} at first, {history.validation[-1]:.6g} at last"
        print_line("validation", f"{costs}, on {validated_on}")
    if options["restore_best"]:
        costs = f"cost {run.cost:.6g}" + (
            "" if history.validation is None else f", validation cost {validation_cost(run):.6g}"
        )
        print_line("restored", f"the parameters after epoch {run.best_epoch:,}: {costs}")


def print_saved(options: argparse.Namespace) -> None:
    """Where the run is saved."""
    places = [options.out] if options.out else []
    places += [f"checkpoint {options.checkpoint}"] if options.checkpoint else []
    print_line("saved", ", ".join(places) or "nowhere; --out FILE saves the run")


def print_json(options: argparse.Namespace, run: Run, more: dict[str, Any]) -> None:
    """The run as JSON; `more` comes first."""
    from fastgd.training.archive import to_json

    names = ("epochs", "seconds", "cost", "kernel", "seed", "stopped_by", "stalled", "best_epoch")
    facts = {
        **more,
        "network": network_facts(run.net),
        "parameters": run.net.n_params,
        "options": {name: to_json(value) for name, value in run.options.items()},
        **{name: getattr(run, name) for name in names},
        "saved": options.out,
        "checkpoint": options.checkpoint,
    }
    print_facts(facts)
