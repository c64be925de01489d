"""Files of facts and arrays: one .npz with a digest, replaced whole or not at all, that loading
never runs code from.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from fastgd import optimizers, schedules
from fastgd.arguments.checks import Array
from fastgd.mlp import MLP
from fastgd.system.files import replace_file

FORMAT = 3
# what a file is called, and what reads it
_KINDS = {"run": ("fastgd run", "load_run"), "runs": ("file of fastgd runs", "load_runs")}
_DESCRIBED: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (*optimizers.KINDS.values(), *schedules.KINDS.values())
}
Read = TypeVar("Read")


def write(
    path: str | os.PathLike[str],
    kind: str,
    net: MLP,
    options: dict[str, Any],
    facts: dict[str, Any],
    arrays: dict[str, Array],
    keep: bool,
) -> None:
    """Write facts and arrays to one file, whole or not at all; `keep` is that of `replace_file`."""
    described = {
        "widths": net.widths,
        "activation": net.activations,
        "loss": net.loss,
        "bias": net.bias,
        "dtype": net.dtype.name,
    }
    told = {name: to_json(value) for name, value in options.items()}
    text = json.dumps({"format": FORMAT, "kind": kind, "net": described, "options": told, **facts})
    arrays = {"facts": np.array(text), **arrays}
    arrays["digest"] = np.array(_digest(arrays))
    replace_file(path, lambda file: np.savez(file, **arrays), keep=keep)  # type: ignore[arg-type]


def read(
    path: str | os.PathLike[str],
    kind: str,
    made_of: Callable[[MLP, dict[str, Any], dict[str, Any], dict[str, Array]], Read],
) -> Read:
    """What `made_of` makes of the network, the options, the facts and the arrays of a file of this
    kind.

    Raises
    ------
    OSError
        If the file can't be read.
    ValueError
        If it is damaged, or of another kind, or of a format that this version does not know, or if
        `made_of` can't make anything of it.
    """
    try:
        arrays = _arrays(path)
        facts = json.loads(str(arrays.pop("facts")))
        found = facts.get("kind", "run")  # which the first files of single runs do not tell
        if found != kind:
            raise ValueError(f"it is a {_KINDS[found][0]}, which fastgd.{_KINDS[found][1]} reads")
        if facts["format"] != FORMAT:
            raise ValueError(f"it has format {facts['format']}; this version reads format {FORMAT}")
        described = dict(facts["net"])
        net = MLP(*described.pop("widths"), **described)
        return made_of(
            net,
            {name: _from_json(value) for name, value in facts["options"].items()},
            facts,
            arrays,
        )
    except OSError:
        raise
    # what zipfile, zlib, json and struct raise on damaged files has no common ancestor
    except Exception as error:
        raise ValueError(f"{os.fspath(path)!r} is no whole {_KINDS[kind][0]}: {error}") from None


def _arrays(path: str | os.PathLike[str]) -> dict[str, Array]:
    """The arrays of a file, if they match their digest."""
    with open(path, "rb") as file:
        if not zipfile.is_zipfile(file):
            raise ValueError("it is no .npz archive, or was cut short")
        file.seek(0)
        with np.load(file, allow_pickle=False) as archive:
            arrays: dict[str, Array] = {name: archive[name] for name in archive.files}
    if "digest" not in arrays:
        raise ValueError("it holds other arrays")
    if str(arrays.pop("digest")) != _digest(arrays):
        raise ValueError("its contents do not match their digest")
    return arrays


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
