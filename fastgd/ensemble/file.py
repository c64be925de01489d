"""Writing and reading the runs of many members."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fastgd.arguments.checks import Array
from fastgd.ensemble.runs import Runs
from fastgd.ensemble.settings import MemberSettings
from fastgd.ensemble.state import EnsembleState, arrays_of
from fastgd.network import MLP
from fastgd.options import Options
from fastgd.training import archive

_TABLES = {"settings": MemberSettings, "states": EnsembleState}


def save_runs(runs: Runs, path: str | os.PathLike[str], keep: bool = True, **more: Any) -> None:
    """Write `runs`, and more facts, to one file, whole or not at all; beside it, if `keep`, where the old one can't be replaced."""
    arrays = {f"{table}_{name}": array for table in _TABLES for name, array in arrays_of(getattr(runs, table)).items()}
    facts = {"kernel": runs.kernel, "seconds": runs.seconds, **more}
    archive.write(path, "runs", runs.net, runs.options.to_dict(), facts, arrays, keep)


def load_runs(path: str | os.PathLike[str]) -> Runs:
    """Read what `Runs.save` wrote, or a checkpoint of `train_many`.

    In a checkpoint, be it the folder that `train_many` with a `client` keeps, members that had not ended are stopped by "interrupt", with a
    cost of NaN if it was written on the way.

    Raises
    ------
    OSError
        If the file can't be read.
    ValueError
        If it is damaged, or holds no runs of many members, or is of a format that this version does not know.
    """
    if os.path.isdir(path):
        from fastgd.ensemble.folder import ALL, load_together

        return load_together(Path(path) / ALL)[0]
    return load_runs_with_facts(path)[0]


def load_runs_with_facts(path: str | os.PathLike[str]) -> tuple[Runs, dict[str, Any]]:
    """The runs of a file, and all facts that stand in it."""
    return archive.read(path, "runs", _runs)


def _runs(net: MLP, options: dict[str, Any], facts: dict[str, Any], arrays: dict[str, Array]) -> tuple[Runs, dict[str, Any]]:
    settings, states = (
        kind(**{name.removeprefix(f"{table}_"): array for name, array in arrays.items() if name.startswith(f"{table}_")})
        for table, kind in _TABLES.items()
    )
    counts = {name: len(array) for name, array in arrays.items()}
    if len(set(counts.values())) != 1 or states.params.shape[1:] != (net.n_params,) or settings.params.shape != states.params.shape:
        raise ValueError(f"its arrays are not of as many members of {net}: {counts}")
    return Runs(net, facts["kernel"], facts["seconds"], Options(**options), settings, states), facts
