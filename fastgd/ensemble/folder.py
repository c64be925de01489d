"""A folder that holds the runs of members which are trained in shards: all of them at the start,
and each shard so far.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from fastgd.ensemble.runs import Runs
from fastgd.functions.activation import Activation
from fastgd.functions.loss import Loss
from fastgd.network import Network
from fastgd.samples import Samples
from fastgd.system.files import reason_of
from fastgd.system.warn import say
from fastgd.training import archive
from fastgd.training.checkpoint import Checkpoint, fingerprint
from fastgd.training.own_functions import Own, check_own

ALL = "runs.npz"
_MOST_SHARDS, _LEAST_MEMBERS = 64, {"lanes": 64}  # in all, and of a shard


def shards_of(kernel: str, members: int) -> list[slice]:
    """Which members the shards have, a matter of the arguments alone: every so manieth, as
    neighbours are often alike.
    """
    count = max(1, min(_MOST_SHARDS, members // _LEAST_MEMBERS.get(kernel, 1)))
    return [slice(first, None, count) for first in range(count)]


def checkpoint_of_runs(
    net: Network,
    samples: Samples,
    in_folder: bool,
    path: Path,
    every: float,
) -> Checkpoint[Runs]:
    """The checkpoint of a training on these rows; NotADirectoryError where a folder is a file."""
    data = fingerprint(samples)
    if not in_folder:
        return Checkpoint(path, every, data, _reader(net.own_functions))
    if path.is_file():
        what = "where there is a client, checkpoint must name a folder; this is a file"
        raise NotADirectoryError(errno.ENOTDIR, what, str(path))
    together = partial(load_together, own=net.own_functions)
    return Checkpoint(path / ALL, every, data, together)


def begin(file: Checkpoint[Runs], runs: Runs, call: str) -> list[Checkpoint[Runs]]:
    """Write where all members stand, which makes files of shards needless; the files of shards of
    this call.

    Raises
    ------
    OSError
        If that can't be written; the folder is made if its own folder is there.
    """
    file.path.parent.mkdir(exist_ok=True)
    file.prepare(runs.nbytes)
    archive.write(file.path, runs, keep=False, data=file.data, call=call)
    end(file)
    count, read = len(shards_of(runs.kernel, len(runs))), _reader(runs.net.own_functions)
    return [replace(file, path=_path(file.path, call, i), read=read) for i in range(count)]


def end(file: Checkpoint[Runs]) -> None:
    """Remove the files of shards; say so where one stays, which is never read again."""
    for path in file.path.parent.glob("shard-*-*.npz"):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            say(f"{str(path)!r} is needed no more, and can't be removed: {reason_of(error)}")


def load_runs(
    path: str | os.PathLike[str],
    activations: Sequence[Activation] = (),
    losses: Sequence[Loss] = (),
) -> Runs:
    """Read what `Runs.save` wrote, or a checkpoint of `train_many`.

    Activations and losses of one's own, which a file knows by name and text alone, are given.

    In a checkpoint, be it the folder that `train_many` with a `client` keeps, members that had not
    ended are stopped by "interrupt", with a cost of NaN if it was written on the way.

    Raises
    ------
    OSError
        If the file can't be read.
    ValueError
        If it is damaged, or holds no runs of many members, or is of a format that this version does
        not know, or needs a function that is not given, or is another one.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 2, 1), fastgd.data.gate("xor")
    >>> runs = fastgd.train_many(net, X, Y, 100, members=8, rng=0)
    >>> runs.save("runs.npz")
    >>> fastgd.load_runs("runs.npz") == runs
    True
    """
    own = check_own(activations, losses)
    if os.path.isdir(path):
        return load_together(Path(path) / ALL, own)[0]
    return _reader(own)(Path(path))[0]


def _reader(own: Own) -> Callable[[Path], tuple[Runs, dict[str, Any]]]:
    """What reads a file of runs that may need these functions."""
    return partial(archive.read, cls=Runs, own=own)


def load_together(path: Path, own: Own = ()) -> tuple[Runs, dict[str, Any]]:
    """All members, each as its shard's file has it where there is one."""
    read = _reader(own)
    runs, facts = read(path)
    for i, members in enumerate(shards_of(runs.kernel, len(runs))):
        shard = _path(path, str(facts.get("call")), i)
        if shard.exists():
            runs.put(members, read(shard)[0])
    return runs, facts


def _path(path: Path, call: str, i: int) -> Path:
    return path.with_name(f"shard-{call}-{i:02}.npz")
