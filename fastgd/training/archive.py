"""Files of facts and arrays: one .npz with a digest, replaced whole or not at all, that loading
never runs code from.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from abc import ABC, abstractmethod
from dataclasses import fields
from typing import Any, ClassVar, TypeVar

import numpy as np

from fastgd import optimizers, schedules
from fastgd.arguments.checks import Array
from fastgd.mlp import MLP
from fastgd.system.files import replace_file
from fastgd.training import json_checks, json_file, own_functions

FORMAT = 3
_BEFORE_JSON = b"\xef\xbb\xbf \t\r\n"  # a byte-order mark and blanks, as other programs write them
# what a file is called, and what reads it
_KINDS = {"run": ("fastgd run", "load_run"), "runs": ("file of fastgd runs", "load_runs")}
Kind = TypeVar("Kind", bound="Saved")


class _FormatError(ValueError):
    """A file of another version is whole, and not read."""


class Saved(ABC):
    """What a file holds: a Run, or Runs."""

    kind: ClassVar[str]
    net: MLP

    @abstractmethod
    def parts(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Array]]:
        """Options, facts and arrays."""

    @classmethod
    @abstractmethod
    def of_parts(
        cls: type[Kind],
        net: MLP,
        options: dict[str, Any],
        facts: dict[str, Any],
        arrays: dict[str, Array],
    ) -> Kind:
        """What has these; any error if nothing has."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to one file, whole or not at all. `fastgd.load_run` reads a run,
        `fastgd.load_runs` reads runs.

        Symbolic links are followed, and the mode of a file that is there stays. Where that can't be
        replaced, the OSError says in which file beside it all is kept.
        """
        write(path, self, keep=True)


def write(path: str | os.PathLike[str], saved: Saved, *, keep: bool, **more: Any) -> None:
    """Write it, and more facts, to one file, whole or not at all; `keep` is that of
    `replace_file`.
    """
    facts, arrays = facts_and_arrays(saved)
    text = json.dumps({"format": FORMAT} | facts | more)
    arrays = {"facts": np.array(text), **arrays}
    arrays["digest"] = np.array(_digest(arrays))
    replace_file(path, lambda file: np.savez(file, **arrays), keep=keep)  # type: ignore[arg-type]


def facts_and_arrays(saved: Saved) -> tuple[dict[str, Any], dict[str, Array]]:
    """What a file says of it, as JSON has it, and its arrays."""
    net, (options, facts, arrays) = saved.net, saved.parts()
    described = {
        "widths": net.widths,
        "activation": net.activations,
        "loss": net.loss,
        "bias": net.bias,
        "dtype": net.dtype.name,
        **own_functions.told(net),
    }
    told = {name: to_json(value) for name, value in options.items()}
    return {"kind": saved.kind, "net": described, "options": told} | facts, arrays


def read(
    path: str | os.PathLike[str], cls: type[Kind], own: own_functions.Own | None = ()
) -> tuple[Kind, dict[str, Any]]:
    """What a file of this kind holds, and all facts that stand in it; `own` are activations and
    losses that it may need, or None where their texts are enough: by these nothing is computed.

    Raises
    ------
    OSError
        If the file can't be read.
    ValueError
        If it is damaged, or of another kind, or of a format that this version does not know, or
        needs a function that is not given.
    """
    try:
        facts, arrays, is_text = _contents(path)
        found = facts.get("kind", "run")  # which the first files of single runs do not tell
        if found != cls.kind:
            raise ValueError(f"it is a {_KINDS[found][0]}, which fastgd.{_KINDS[found][1]} reads")
        if facts["format"] != FORMAT:
            raise _FormatError(
                f"{os.fspath(path)!r} has format {facts['format']!r} of another version of fastgd; "
                f"this one reads format {FORMAT}: use it with the version that wrote it, or train "
                "again"
            )
        described = dict(facts["net"])
        own = own_functions.told_alone(described) if own is None else own
        described = own_functions.with_own(os.fspath(path), described, own)
        net = MLP(*described.pop("widths"), **described)
        options = {name: _from_json(value) for name, value in facts["options"].items()}
        if is_text:
            json_checks.check(net, options, facts)
        return cls.of_parts(net, options, facts, arrays), facts
    except (OSError, own_functions.MissingError, _FormatError):
        raise
    # what zipfile, zlib, json and struct raise on damaged files has no common ancestor
    except Exception as error:
        raise ValueError(
            f"{os.fspath(path)!r} is no whole {_KINDS[cls.kind][0]}: {error}"
        ) from None


def kind_of(path: str | os.PathLike[str]) -> str:
    """What a file says that it holds, run or runs; OSError or ValueError if it says nothing."""
    try:
        kind = str(_contents(path)[0].get("kind", "run"))
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"{os.fspath(path)!r} is no whole fastgd run: {error}") from None
    return kind


def _contents(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Array], bool]:
    """The facts and the arrays of a file, and whether it is JSON; those of an archive, if they
    match their digest.
    """
    with open(path, "rb") as file:
        if file.read(64).lstrip(_BEFORE_JSON)[:1] == b"{":
            file.seek(0)
            facts, arrays = json_file.read(file.read().decode("utf-8-sig"))
            return {"format": FORMAT, **facts}, arrays, True
        if not zipfile.is_zipfile(file):
            raise ValueError("it is no .npz archive, or was cut short")
        file.seek(0)
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    if "digest" not in arrays:
        raise ValueError("it holds other arrays")
    if str(arrays.pop("digest")) != _digest(arrays):
        raise ValueError("its contents do not match their digest")
    return json.loads(str(arrays.pop("facts"))), arrays, False


def to_json(value: Any) -> Any:
    """An optimizer or schedule as {name: its numbers}; anything else as it is."""
    if type(value).__name__ not in _described():
        return value
    given = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
    return {type(value).__name__: given}


def _from_json(value: Any) -> Any:
    if isinstance(value, list):  # one number a layer
        return tuple(value)
    if not isinstance(value, dict):
        return value
    ((name, numbers),) = value.items()
    return _described()[name](**numbers)


def _described() -> dict[str, type[Any]]:
    """Optimizers and schedules by their classes' names."""
    kinds = (*optimizers.KINDS.values(), *schedules.KINDS.values())
    return {kind.__name__: kind for kind in kinds}


def under(table: str, arrays: dict[str, Array]) -> dict[str, Array]:
    """The arrays of a table, whose names in a file begin with its own, by the rest of them."""
    return {
        name.removeprefix(f"{table}_"): array
        for name, array in arrays.items()
        if name.startswith(f"{table}_")
    }


def _digest(arrays: dict[str, Array]) -> str:
    """SHA-256 over names, dtypes, shapes and contents."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}\0".encode() + array.tobytes())
    return digest.hexdigest()
