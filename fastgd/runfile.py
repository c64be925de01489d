"""Writing and reading a run: one .npz file, replaced whole or not at all, that loading never runs code from."""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import secrets
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from fastgd import optimizers, schedules
from fastgd.checks import Array
from fastgd.network import MLP
from fastgd.run import History, Run
from fastgd.state import State

FORMAT = 2
_NUMBERS = ("cost", "epochs", "seconds", "kernel", "seed", "stopped_by", "stalled", "table")
_DESCRIBED: dict[str, type[Any]] = {kind.__name__: kind for kind in (*optimizers.KINDS.values(), *schedules.KINDS.values())}


def save_run(run: Run, path: str | os.PathLike[str], **more: Any) -> None:
    """Write `run`, and more facts, to a temporary file beside `path`, flush it to disk, and put it in the place of `path`."""
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
        "options": {name: to_json(value) for name, value in run.options.items()},
        **{name: getattr(run, name) for name in _NUMBERS},
        **more,
    }
    arrays = {
        "facts": np.array(json.dumps(facts)),
        "params": run.params,
        "history_epoch": run.history.epoch,
        "history_cost": run.history.cost,
    }
    if run.history.validation is not None:
        arrays["history_validation"] = run.history.validation
    if run.state is not None:
        arrays |= {f"state_{name}": array for name, array in run.state.arrays().items()}
    arrays["digest"] = np.array(_digest(arrays))
    _replace(Path(path), arrays)


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
        facts = json.loads(str(arrays["facts"]))
        return _run(facts, arrays), facts
    except OSError:
        raise
    except Exception as error:  # what zipfile, zlib, json and struct raise on damaged files has no common ancestor
        raise ValueError(f"{os.fspath(path)!r} is no whole fastgd run: {error}") from None


def _run(facts: dict[str, Any], arrays: dict[str, Array]) -> Run:
    if facts["format"] != FORMAT:
        raise ValueError(f"it has format {facts['format']}; this version reads format {FORMAT}")
    described = dict(facts["net"])
    net = MLP(*described.pop("widths"), **described)
    state = {name.removeprefix("state_"): array for name, array in arrays.items() if name.startswith("state_")}
    return Run(
        net=net,
        params=net.check_params(arrays["params"]),
        history=History(arrays["history_epoch"], arrays["history_cost"], arrays.get("history_validation")),
        options={name: _from_json(value) for name, value in facts["options"].items()},
        state=State(**state) if state else None,
        **{name: facts[name] for name in _NUMBERS},
    )


def to_json(value: Any) -> Any:
    """An optimizer or schedule as {name: its numbers}; anything else as it is."""
    return {type(value).__name__: vars(value)} if type(value).__name__ in _DESCRIBED else value


def _from_json(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((name, numbers),) = value.items()
    return _DESCRIBED[name](**numbers)


def _digest(arrays: dict[str, Array]) -> str:
    """SHA-256 over names, dtypes, shapes and contents."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}\0".encode() + array.tobytes())
    return digest.hexdigest()


def check_place(path: Path, size: int) -> None:
    """OSError where a file of `size` bytes can't be written."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "a file must be named; this is a folder", str(path))
    if not path.parent.exists():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(path.parent))
    temporary = _temporary(path)
    try:
        with open(temporary, "xb") as file:
            file.write(bytes(size))
    finally:
        if path.parent.is_dir():
            temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    """A new name beside `path`, which `sweep` knows."""
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


def _replace(path: Path, arrays: dict[str, Array]) -> None:
    """At any instant the file at `path` is the old one or the new one, whole."""
    temporary = _temporary(path)
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


def sweep(path: Path) -> None:
    """Remove temporary files that processes left behind which were killed while they wrote `path`."""
    for temporary in path.parent.glob(f".{glob.escape(path.name)}.*-*.tmp"):
        process = temporary.name.removeprefix(f".{path.name}.").partition("-")[0]
        if process.isdecimal() and (int(process) == os.getpid() or not _is_alive(int(process))):
            temporary.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    if os.name == "nt":  # where a process can't be asked without ending it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _flush_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where the platform can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
