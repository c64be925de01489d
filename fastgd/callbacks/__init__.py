"""Callbacks that record a training elsewhere: `callback=fastgd.callbacks.tensorboard("logs")`.

Each writes the cost, and the seconds of training, once in `every` seconds; in the end the rest of
the history, the costs of validation rows and, where there is room for words, how it was trained.
Each serves one training after another, and closes what it has opened when a training ends. What
can't be written is said once, and ends nothing. Several go in a list: `callback=[one, other]`.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from fastgd.arguments.checks import finite_number
from fastgd.callbacks.recorder import Recorder

__all__ = ["mlflow", "tensorboard", "wandb"]


def tensorboard(folder: str | os.PathLike[str], *, every: float = 1.0) -> Recorder:
    """Event files in a folder, which TensorBoard shows: `tensorboard --logdir folder`.

    Raises
    ------
    ImportError
        If TensorBoard is not installed: pip install 'fastgd[tensorboard]'.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 2, 1), fastgd.data.gate("xor")
    >>> recorder = fastgd.callbacks.tensorboard("logs")
    >>> run = fastgd.train(net, X, Y, 2000, 1.0, callback=recorder, rng=1)
    """
    from fastgd.callbacks.event_files import EventFiles

    _need("tensorboard", "tensorboard.summary")
    return EventFiles(os.fspath(folder), _seconds(every))


def mlflow(*, every: float = 1.0, **given: Any) -> Recorder:
    """A run of MLflow's: the active one, or one that `mlflow.start_run(**given)` begins.

    Raises
    ------
    ImportError
        If MLflow is not installed: pip install 'fastgd[mlflow]'.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 2, 1), fastgd.data.gate("xor")
    >>> recorder = fastgd.callbacks.mlflow(run_name="xor")
    >>> run = fastgd.train(net, X, Y, 2000, 1.0, callback=recorder, rng=1)
    """
    from fastgd.callbacks.mlflow_runs import MlflowRuns

    _need("mlflow", "mlflow")
    return MlflowRuns(given, _seconds(every))


def wandb(*, every: float = 1.0, **given: Any) -> Recorder:
    """A run of Weights & Biases: the one that is open, or one that `wandb.init(**given)` begins.

    Raises
    ------
    ImportError
        If wandb is not installed: pip install 'fastgd[wandb]'.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 2, 1), fastgd.data.gate("xor")
    >>> recorder = fastgd.callbacks.wandb(project="xor")
    >>> run = fastgd.train(net, X, Y, 2000, 1.0, callback=recorder, rng=1)
    """
    from fastgd.callbacks.wandb_runs import WandbRuns

    _need("wandb", "wandb")
    return WandbRuns(given, _seconds(every))


def _need(name: str, module: str) -> None:
    try:
        import_module(module)
    except ImportError as error:
        hint = f"pip install 'fastgd[{name}]'"
        raise ImportError(f"fastgd.callbacks.{name} needs {name}: {hint} ({error})") from None


def _seconds(every: float) -> float:
    return finite_number("every", every, least=0.0)
