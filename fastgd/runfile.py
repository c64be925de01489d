"""Writing and reading a run: one .npz file, replaced whole or not at all, that loading never runs code from."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from fastgd.checks import Array
from fastgd.network import MLP
from fastgd.run import History, Run

FORMAT = 1
_NUMBERS = ("cost", "epochs", "seconds", "kernel", "seed", "stopped_by", "options", "table")


def save_run(run: Run, path: str | os.PathLike[str]) -> None:
    """Write `run` to a temporary file beside `path`, flush it to disk, and put it in the place of `path`."""
    net = run.net
    facts: dict[str, Any] = {
        "format": FORMAT,
        "net": {
            "widths": net.widths,
            "activation": net.activations,
            "loss": net.loss,
            "bias": net.bias,
            "dtype": net.dtype.name,
        },
        **{name: getattr(run, name) for name in _NUMBERS},
    }
    arrays = {
        "facts": np.array(json.dumps(facts)),
        "params": run.params,
        "history_epoch": run.history.epoch,
        "history_cost": run.history.cost,
    }
    arrays["digest"] = np.array(_digest(arrays))
    _replace(Path(path), arrays)


def load_run(path: str | os.PathLike[str]) -> Run:
    """Read a run that `Run.save` wrote.

    Raises
    ------
    OSError
        If the file can't be read.
    ValueError
        If it is damaged, or no run of fastgd, or of a format that this version does not know.
    """
    try:
        with open(path, "rb") as file:
            if not zipfile.is_zipfile(file):
                raise ValueError("it is no .npz archive, or was cut short")
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
        if "digest" not in arrays:
            raise ValueError("it holds other arrays")
        if str(arrays.pop("digest")) != _digest(arrays):
            raise ValueError("its contents do not match their digest")
        return _run(arrays)
    except OSError:
        raise
    except Exception as error:  # what zipfile, zlib, json and struct raise on damaged files has no common ancestor
        raise ValueError(f"{os.fspath(path)!r} is no whole fastgd run: {error}") from None


def _run(arrays: dict[str, Array]) -> Run:
    facts = json.loads(str(arrays["facts"]))
    if facts["format"] != FORMAT:
        raise ValueError(f"it has format {facts['format']}; this version reads format {FORMAT}")
    described = dict(facts["net"])
    net = MLP(*described.pop("widths"), **described)
    history = History(arrays["history_epoch"], arrays["history_cost"])
    return Run(net=net, params=net.check_params(arrays["params"]), history=history, **{name: facts[name] for name in _NUMBERS})


def _digest(arrays: dict[str, Array]) -> str:
    """SHA-256 over names, dtypes, shapes and contents."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}\0".encode() + array.tobytes())
    return digest.hexdigest()


def _replace(path: Path, arrays: dict[str, Array]) -> None:
    """At any instant the file at `path` is the old one or the new one, whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where the platform can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
