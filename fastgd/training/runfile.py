"""Writing and reading a run."""

from __future__ import annotations

import os
from typing import Any

from fastgd.arguments.checks import Array
from fastgd.network import MLP
from fastgd.state import State
from fastgd.training import archive
from fastgd.training.run import History, Run

_NUMBERS = ("cost", "epochs", "seconds", "kernel", "seed", "stopped_by", "stalled", "table")


def save_run(run: Run, path: str | os.PathLike[str], keep: bool = True, **more: Any) -> None:
    """Write `run`, and more facts, to one file, whole or not at all; beside it, if `keep`, where the old one can't be replaced."""
    arrays = {"params": run.params, "history_epoch": run.history.epoch, "history_cost": run.history.cost}
    if run.history.validation is not None:
        arrays["history_validation"] = run.history.validation
    if run.state is not None:
        arrays |= {f"state_{name}": array for name, array in run.state.arrays().items()}
    archive.write(path, "run", run.net, run.options, {name: getattr(run, name) for name in _NUMBERS} | more, arrays, keep)


def load_run(path: str | os.PathLike[str]) -> Run:
    """Read a run that `Run.save` wrote, or a checkpoint.

    Raises
    ------
    OSError
        If the file can't be read.
    ValueError
        If it is damaged, or no run of fastgd, or of a format that this version does not know.
    """
    return load_with_facts(path)[0]


def load_with_facts(path: str | os.PathLike[str]) -> tuple[Run, dict[str, Any]]:
    """The run of a file, and all facts that stand in it."""
    return archive.read(path, "run", _run)


def _run(net: MLP, options: dict[str, Any], facts: dict[str, Any], arrays: dict[str, Array]) -> tuple[Run, dict[str, Any]]:
    state = {name.removeprefix("state_"): array for name, array in arrays.items() if name.startswith("state_")}
    run = Run(
        net=net,
        params=net.check_params(arrays["params"]),
        history=History(arrays["history_epoch"], arrays["history_cost"], arrays.get("history_validation")),
        options=options,
        state=State(**state) if state else None,
        **{name: facts[name] for name in _NUMBERS},
    )
    return run, facts
