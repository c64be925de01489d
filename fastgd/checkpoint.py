"""Checkpoints: a run so far in a file, written while training goes on, and the check that it is the same training that goes on."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fastgd.caution import warn
from fastgd.checks import Array
from fastgd.run import Run
from fastgd.runfile import check_place, load_with_facts, save_run, sweep
from fastgd.samples import Samples, on_disk

_HASHED_WHOLE = 2**26  # bytes of an array; of larger ones, as many are taken in even blocks
_BLOCK = 2**16


def fingerprint(arrays: Iterable[Array]) -> str:
    """A hash of arrays, of blocks spread over those above 64 MiB."""
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        digest.update(f"{array.dtype.str} {array.shape} {on_disk(array)}\0".encode())  # rows on disk are taken in another order
        flat = array.reshape(-1)
        size = max(1, _BLOCK // array.itemsize)
        if array.nbytes <= _HASHED_WHOLE:
            digest.update(flat.data)
        else:
            for start in np.linspace(0, len(flat) - size, _HASHED_WHOLE // _BLOCK).astype(np.int64):
                digest.update(flat[start : start + size].data)
    return digest.hexdigest()


@dataclass
class Checkpoint:
    """A file that holds the run so far, replaced whole every so often."""

    path: Path
    every: float  # seconds
    data: str  # fingerprint
    saved: float = field(default_factory=time.monotonic)
    failed: bool = False

    @classmethod
    def of(cls, path: str | os.PathLike[str], every: float, samples: Samples, held_out: Samples | float | None) -> Checkpoint:
        """The checkpoint of a training on these rows; nothing is read or written yet."""
        more = () if held_out is None else (np.array(held_out),) if isinstance(held_out, float) else held_out
        return cls(Path(path), every, fingerprint([*samples, *more]))

    def load(self) -> Run | None:
        """The run of the file, None if there is no file; ValueError if it is of other data."""
        if not self.path.exists():
            return None
        run, facts = load_with_facts(self.path)
        if run.state is None or "data" not in facts:
            raise ValueError(f"{str(self.path)!r} is a saved run, no checkpoint; go on from it with params=fastgd.load_run(...)")
        if facts["data"] != self.data:
            raise ValueError(f"checkpoint {str(self.path)!r} was made with other data: X, Y, sample_weight or validation")
        return run

    def prepare(self, size: int) -> None:
        """Remove what a killed process left half written; refuse a place where `size` bytes can't be written."""
        sweep(self.path)
        check_place(self.path, size)

    @property
    def is_due(self) -> bool:
        """Whether it is time to write it again."""
        return time.monotonic() - self.saved >= self.every

    def save(self, run: Run) -> None:
        """Write the run. Where that fails, say so once and go on: the run in memory is worth more."""
        self.saved = time.monotonic()
        try:
            save_run(run, self.path, data=self.data)
            self.failed = False
        except OSError as error:
            if not self.failed:
                warn(f"checkpoint {str(self.path)!r} was not written: {error.strerror or error}")
            self.failed = True


def check_same(before: Run, now: Run, path: str) -> None:
    """Refuse to go on with a training that is not the one of the checkpoint, naming the difference."""
    pairs: list[tuple[str, Any, Any]] = [("rng", before.seed, now.seed), ("kernel", before.kernel, now.kernel)]
    pairs += [(name, before.options.get(name), value) for name, value in now.options.items()]
    for name, old, new in pairs:
        if old != new:
            raise ValueError(f"checkpoint {path!r} was made with {name} {old}; got {new}. To start afresh, delete it")
