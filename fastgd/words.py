"""How numbers, what a training is asked for, and why it ended are said in words."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from fastgd.arguments.per_layer import is_asked, told

if TYPE_CHECKING:
    from fastgd.network import Network
    from fastgd.optimizers import Optimizer
    from fastgd.schedules import Schedule


def count(n: int, noun: str, plural: str | None = None) -> str:
    """1 row, 1,000 rows."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """In the unit that suits: 1.25 s, 46.1 ns."""
    for unit, size in [("s", 1.0), ("ms", 1e-3), ("us", 1e-6)]:
        if seconds >= size:
            return f"{seconds / size:.{1 if seconds >= 100 * size else 2}f} {unit}"
    return f"{1e9 * seconds:.1f} ns"


def network_of(net: Network) -> str:
    """Its widths, activations and loss, and how many parameters it has."""
    bias = "" if net.bias else ", no biases"
    return (
        f"{'-'.join(map(str, net.widths))}, {', '.join(net.activations)}, {net.loss}{bias}, "
        f"{net.dtype}: {count(net.n_params, 'parameter')}"
    )


def training_of(options: dict[str, Any], epochs: int) -> str:
    """How many epochs of what it is, but for what else makes an update of a gradient."""
    batch, rate = batches(options["batch_size"]), rate_of(options["learning_rate"])
    return f"{count(epochs, 'epoch')} of {options['method']}, {batch}, rate {rate}"


def time_of(seconds: float, epochs: int, kernel: str) -> str:
    """All of it, in which kernel, and what an epoch has taken."""
    pace = f", {duration(seconds / epochs)} an epoch" if epochs else ""
    return f"{duration(seconds)} in the {kernel} kernel{pace}"


def batches(size: int | None) -> str:
    """How many rows an update takes."""
    return "all rows at once" if size is None else f"batches of {size:,}"


def rate_of(rate: float | Schedule) -> str:
    """0.1, or 0.1, cosine (steps 1000, least 0, warmup 50)."""
    if isinstance(rate, (int, float)):
        return f"{rate:g}"
    return f"{rate.rate:g}, {rate.name} ({numbers(rate)})"


def update_of(options: dict[str, Any]) -> str:
    """What else makes an update of a gradient; nothing for plain gradient descent."""
    optimizer: Optimizer = options["optimizer"]
    parts = (
        []
        if optimizer.update_kind == "sgd"
        else [f"{type(optimizer).__name__.lower()} ({numbers(optimizer)})"]
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


def numbers(described: Optimizer | Schedule) -> str:
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


def reason(stopped_by: str, options: dict[str, Any], is_validated: bool) -> str:
    """Why a run ended; its cost was that of validation rows, if there were any."""
    monitored = "validation cost" if is_validated else "cost"
    if stopped_by == "target_cost":
        return f"{monitored} reached {options['target_cost']:g}"
    if stopped_by == "patience":
        delta = f" by more than {options['min_delta']:g}" if options["min_delta"] else ""
        return f"{monitored} no lower{delta} in {count(options['patience'], 'epoch')}"
    return {
        "epochs": "all epochs are done",
        "max_seconds": "time is up",
        "callback": "the callback ended it",
        "interrupt": "interrupted",
        "diverged": "a number stopped being finite",
    }[stopped_by]
