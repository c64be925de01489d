"""Checkpoints: what is trained so far in a file, written while training goes on, and the check that
it is the same that goes on.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from fastgd.arguments.checks import Array, finite_number, shown, truth
from fastgd.network import Network
from fastgd.samples import Samples, classes_of, on_disk
from fastgd.system.files import check_place, reason_of, sweep
from fastgd.system.warn import say
from fastgd.training import archive
from fastgd.training.run import Run

_HASHED_WHOLE = 2**26  # bytes of an array; of larger ones, as many are taken in even blocks
_BLOCK = 2**16


def fingerprint(arrays: Iterable[Array]) -> str:
    """A hash of arrays, of blocks spread over those above 64 MiB."""
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        # rows on disk are taken in another order
        digest.update(f"{array.dtype.str} {array.shape} {on_disk(array)}\0".encode())
        flat = array.reshape(-1)
        size = max(1, _BLOCK // array.itemsize)
        if array.nbytes <= _HASHED_WHOLE:
            digest.update(flat.data)
        else:
            for start in np.linspace(0, len(flat) - size, _HASHED_WHOLE // _BLOCK).astype(np.int64):
                digest.update(flat[start : start + size].data)
    return digest.hexdigest()


def check_checkpoint(given: dict[str, Any]) -> tuple[Path | None, float]:
    """The path and the seconds of `checkpoint` and `checkpoint_every`; a ValueError or TypeError
    for what is wrong, `resume` included.
    """
    path, every = (
        given["checkpoint"],
        finite_number("checkpoint_every", given["checkpoint_every"], least=0.0),
    )
    if truth("resume", given["resume"]) and path is None:
        raise ValueError("resume=True goes on from a checkpoint; name its file with checkpoint=")
    if path is not None and not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"checkpoint must be a path or None; got {shown(path)}")
    return None if path is None else Path(path), every


Kept = TypeVar("Kept", bound=archive.Saved)  # Run or Runs


@dataclass
class Checkpoint(Generic[Kept]):
    """A file that holds the run so far, replaced whole every so often."""

    path: Path
    every: float  # seconds
    data: str  # fingerprint
    read: Callable[[Path], tuple[Kept, dict[str, Any]]]  # what is in a file, and facts
    saved: float = field(default_factory=time.monotonic)
    failed: bool = False
    is_last: bool = False

    def load(self) -> Kept | None:
        """What is in the file, None if there is none; ValueError if it is of other data."""
        if not self.path.is_file():
            return None
        kept, facts = self.read(self.path)
        if "data" not in facts:
            what, reader = (
                ("run", "load_run") if isinstance(kept, Run) else ("file of runs", "load_runs")
            )
            raise ValueError(
                f"{str(self.path)!r} is a saved {what}, no checkpoint; go on from it with "
                f"params=fastgd.{reader}(...)"
            )
        if facts["data"] != self.data:
            raise ValueError(
                f"checkpoint {str(self.path)!r} was made with other data: X, Y, sample_weight or "
                "validation"
            )
        return kept

    def prepare(self, size: int) -> None:
        """Remove what a killed process left half written; refuse a place where `size` bytes can't
        be written.
        """
        sweep(self.path)
        check_place(self.path, size)
        if self.path.exists() and not self.path.is_file():
            raise OSError(errno.EINVAL, "a checkpoint must be a regular file", str(self.path))

    @property
    def is_due(self) -> bool:
        """Whether it is time to write it again."""
        return time.monotonic() - self.saved >= self.every

    def save(self, kept: Kept) -> None:
        """Write what is to be kept. Where that fails, say so once and go on: what is in memory is
        worth more.
        """
        self.saved = time.monotonic()
        try:
            archive.write(self.path, kept, keep=self.is_last, data=self.data)
            self.failed = False
        except Exception as error:
            if not self.failed or (isinstance(error, OSError) and error.filename2 is not None):
                say(f"checkpoint {str(self.path)!r} was not written: {reason_of(error)}")
            self.failed = True

    def save_last(self, kept: Kept) -> None:
        """Write what no other will follow: beside the file where that can't be replaced, which is
        said then.
        """
        self.is_last = True
        self.save(kept)


def checkpoint_of_run(
    net: Network,
    samples: Samples,
    held_out: Samples | float | None,
    path: Path,
    every: float,
) -> Checkpoint[Run]:
    """The checkpoint of a training on these rows; nothing is read or written yet."""
    more: tuple[Array, ...] = () if held_out is None or isinstance(held_out, float) else held_out
    if isinstance(held_out, float):  # which rows that is depends on classes, where there are any
        classes = classes_of(samples.Y)
        more = (np.array(held_out),) if classes is None else (np.array(held_out), classes)
    read = partial(archive.read, cls=Run, own=net.own_functions)
    return Checkpoint(path, every, fingerprint([*samples, *more]), read)
