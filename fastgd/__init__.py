"""fastgd: gradient descent for small and medium-sized networks, at the speed of the machine."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastgd import activations, callbacks, data, losses, numeric, plotting, schedules
    from fastgd.ensemble.folder import load_runs
    from fastgd.ensemble.runs import Runs
    from fastgd.ensemble.train_many import train_many
    from fastgd.from_others import from_sklearn, from_torch
    from fastgd.functions.activation import Activation
    from fastgd.functions.loss import Loss
    from fastgd.mlp import MLP
    from fastgd.optimizers import (
        SGD,
        Adadelta,
        Adagrad,
        Adam,
        AdamW,
        Lion,
        NAdam,
        RAdam,
        RMSprop,
        Rprop,
    )
    from fastgd.training.history import History
    from fastgd.training.run import DivergedError, Run, load_run
    from fastgd.training.train import train

__version__ = "0.1.0"

_HOMES = {
    "Activation": "fastgd.functions.activation",
    "Loss": "fastgd.functions.loss",
    "MLP": "fastgd.mlp",
    **dict.fromkeys(
        (
            "SGD",
            "Adadelta",
            "Adagrad",
            "Adam",
            "AdamW",
            "Lion",
            "NAdam",
            "RAdam",
            "RMSprop",
            "Rprop",
        ),
        "fastgd.optimizers",
    ),
    "DivergedError": "fastgd.training.run",
    "History": "fastgd.training.history",
    "Run": "fastgd.training.run",
    "Runs": "fastgd.ensemble.runs",
    "from_sklearn": "fastgd.from_others",
    "from_torch": "fastgd.from_others",
    "load_run": "fastgd.training.run",
    "load_runs": "fastgd.ensemble.folder",
    "train": "fastgd.training.train",
    "train_many": "fastgd.ensemble.train_many",
}

_MODULES = ("activations", "callbacks", "data", "losses", "numeric", "plotting", "schedules")

__all__ = [
    "MLP", "SGD", "Activation", "Adadelta", "Adagrad", "Adam", "AdamW", "DivergedError", "History",
    "Lion", "Loss", "NAdam", "RAdam", "RMSprop", "Rprop", "Run", "Runs", "__version__",
    "activations", "callbacks", "data", "from_sklearn", "from_torch", "load_run", "load_runs",
    "losses", "numeric", "plotting", "schedules", "train", "train_many",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Public names are loaded on first use: `import fastgd` stays instant."""
    if name in _MODULES:
        return import_module(f"fastgd.{name}")
    if name in _HOMES:
        found = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return found
    raise AttributeError(f"module 'fastgd' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
