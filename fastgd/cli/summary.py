"""What `fastgd train` prints of a run: lines in words, or JSON."""

from __future__ import annotations

import argparse
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from fastgd.arguments.per_layer import is_asked, told
from fastgd.cli.options import count, duration
from fastgd.cli.standard_output import print_facts, printable

if TYPE_CHECKING:
    from fastgd.mlp import MLP
    from fastgd.optimizers import Optimizer
    from fastgd.schedules import Schedule
    from fastgd.training.run import Run


def print_line(title: str, text: str) -> None:
    """A title and what there is to say about it."""
    print(printable(f"{title:<11} {text}"))


def print_network(net: MLP) -> None:
    """Its widths, activations and loss, and how many parameters it has."""
    bias = "" if net.bias else ", no biases"
    widths = "-".join(map(str, net.widths))
    print_line(
        "network",
        f"{widths}, {', '.join(net.activations)}, {net.loss}{bias}, {net.dtype}: "
        f"{count(net.n_params, 'parameter')}",
    )


def network_facts(net: MLP) -> dict[str, Any]:
    """The same for JSON."""
    return {
        "widths": net.widths,
        "activations": net.activations,
        "loss": net.loss,
        "bias": net.bias,
        "dtype": net.dtype.name,
    }


def batches(size: int | None) -> str:
    """How many rows an update takes."""
    return "all rows at once" if size is None else f"batches of {size:,}"


def print_run(run: Run, checkpoint: str | None, validated_on: str) -> None:
    """All but the data, the scores and where it is saved. `validated_on` says what rows were
    validated on, where there were any.
    """
    options, history = run.options, run.history
    print_network(run.net)
    rate, batch = _rate(options["learning_rate"]), batches(options["batch_size"])
    print_line(
        "training",
        f"{count(run.epochs, 'epoch')} of {options['method']}, {batch}, rate {rate}, seed "
        f"{run.seed}",
    )
    if update := _update(options):
        print_line("update", update)
    pace = f", {duration(run.seconds / run.epochs)} an epoch" if run.epochs else ""
    print_line("time", f"{duration(run.seconds)} in the {run.kernel} kernel{pace}")
    print_line("stopped", f"at epoch {run.epochs:,}: {_reason(run, checkpoint)}")
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


def validation_cost(run: Run) -> float | None:
    """The cost of the validation rows, if there are any, for the run's parameters: the latest, or
    the best.
    """
    from fastgd.state import BEST

    if run.history.validation is None or run.state is None:
        return None
    least = float(run.state.sums[BEST])
    restored = run.options["restore_best"] and least < float("inf")
    return least if restored else float(run.history.validation[-1])


def _rate(rate: float | Schedule) -> str:
    """0.1, or 0.1, cosine (steps 1000, least 0, warmup 50)."""
    if isinstance(rate, (int, float)):
        return f"{rate:g}"
    return f"{rate.rate:g}, {rate.name} ({_numbers(rate)})"


def _update(options: dict[str, Any]) -> str:
    """What else makes an update of a gradient; nothing for plain gradient descent."""
    optimizer: Optimizer = options["optimizer"]
    parts = (
        []
        if optimizer.update_kind == "sgd"
        else [f"{type(optimizer).__name__.lower()} ({_numbers(optimizer)})"]
    )
    for name in ("l2", "l1", "dropout", "input_noise"):  # which files may be older than
        value = options.get(name, 0.0)
        parts += [f"{name.replace('_', ' ')} {told(value)}"] if is_asked(value) else []
    most = options.get("max_norm")
    parts += [] if most is None else [f"weights of a unit of norm {most:g} at most"]
    parts += (
        []
        if options["clip_norm"] is None
        else [f"gradient clipped to norm {options['clip_norm']:g}"]
    )
    return ", ".join(parts)


def _numbers(described: Optimizer | Schedule) -> str:
    """The fields of an optimizer or schedule, but for its rate: momentum 0.9, nesterov."""
    given = {
        field.name: getattr(described, field.name)
        for field in fields(described)
        if field.name != "rate" and not _is_unasked(described, field.name)
    }
    return ", ".join(
        name if value is True else f"{name} {_shown(value)}"
        for name, value in given.items()
        if value is not False
    )


def _shown(value: Any) -> str:
    """A number, or several of which the first tell enough."""
    if not isinstance(value, tuple):
        return f"{value:.6g}"
    return " ".join([f"{each:.6g}" for each in value[:5]] + ["..."] * (len(value) > 5))


def _is_unasked(described: Optimizer | Schedule, name: str) -> bool:
    """Whether a field asks for nothing more of an optimizer."""
    return name in getattr(described, "asks", ()) and not getattr(described, name)


def _reason(run: Run, checkpoint: str | None) -> str:
    options = run.options
    monitored = "cost" if run.history.validation is None else "validation cost"
    if run.stopped_by == "target_cost":
        return f"{monitored} reached {options['target_cost']:g}"
    if run.stopped_by == "patience":
        delta = f" by more than {options['min_delta']:g}" if options["min_delta"] else ""
        return f"{monitored} no lower{delta} in {count(options['patience'], 'epoch')}"
    reason = {
        "epochs": "all epochs are done",
        "max_seconds": "time is up",
        "interrupt": "interrupted",
    }[run.stopped_by]
    goes_on = (
        "; the same command with --resume goes on"
        if checkpoint and run.stopped_by != "epochs"
        else ""
    )
    return reason + goes_on
