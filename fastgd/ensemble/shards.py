"""Members in shards: each is trained by one call, on a Dask cluster or by joblib, and what comes
back is put together.
"""

from __future__ import annotations

import math
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from fastgd.arguments.checks import Array, shown
from fastgd.ensemble.folder import begin, end, shards_of
from fastgd.ensemble.runs import Runs
from fastgd.ensemble.side_by_side import LOOK_SECONDS, SideBySide
from fastgd.samples import Samples, on_disk
from fastgd.training.checkpoint import Checkpoint
from fastgd.training.progress import ManyProgress
from fastgd.training.session import Session

_ASK_SECONDS = 1.0  # between one question of a shard and the next
_RETRIES = 3  # of a shard that fails; Dask starts those of lost workers again in any case
_SMALL = 2**20  # bytes of shared rows that go with every shard, instead of once to every worker


def check_client(client: Any) -> None:
    """Refuse what is neither a Dask client nor "joblib"; ImportError where joblib is missing."""
    if isinstance(client, str) and client == "joblib":
        try:
            import joblib  # noqa: F401
        except ImportError:
            raise ImportError(
                "client='joblib' needs joblib: pip install 'fastgd[joblib]'"
            ) from None
        return
    if type(client).__module__.partition(".")[0] != "distributed" or not hasattr(client, "submit"):
        raise TypeError(
            "client must be a dask.distributed Client (pip install 'fastgd[dask]'), 'joblib' or "
            f"None; got {shown(client)}"
        )
    if client.asynchronous:
        raise ValueError(f"client must be a Client that is not asynchronous; got {client!r}")


class Link(Protocol):
    """What a shard that runs elsewhere has of the call that it belongs to."""

    def is_to_stop(self) -> bool: ...

    def tell(self, shard: int, progress: ManyProgress) -> None: ...


@dataclass
class Shard:
    """Members that are trained by one call."""

    index: int
    work: SideBySide
    file: Checkpoint[Runs] | None
    link: Link

    def train(self, *samples: Array) -> tuple[int, Runs]:
        """Go on from the file, if there is one, to the end, or until the link says so: what the
        members have come to.
        """
        kept, members = self.file.load() if self.file is not None else None, self.work.members
        # joblib maps what is large
        in_memory = Samples(*(np.array(array) if on_disk(array) else array for array in samples))
        members = (kept or members).reopened(members.settings)
        work = replace(self.work, samples=in_memory, members=members)
        file = None if self.file is None else replace(self.file, saved=time.monotonic())
        work.train(Session(None, self._asker(), None, file, "raise"))
        return self.index, work.members

    def _asker(self) -> Any:
        asked = -math.inf

        def ask(progress: ManyProgress) -> bool:
            nonlocal asked
            if time.monotonic() - asked < _ASK_SECONDS:
                return False
            asked = time.monotonic()
            self.link.tell(self.index, progress)
            return self.link.is_to_stop()

        return ask


class _Course:
    """The shards of a training, and how far they are."""

    def __init__(self, work: SideBySide, session: Session[Runs]):
        self.work, self.session = work, session
        self.parts = shards_of(work.plan.kernel, len(work.members))
        self.call = secrets.token_hex(8)
        self.files: list[Checkpoint[Runs]] | list[None] = [None] * len(self.parts)
        if session.file is not None:
            self.files = begin(session.file, work.members.ended_by("interrupt"), self.call)
        self.told = [self._part(i).progress(0.0) for i in range(len(self.parts))]
        self.is_own = work.samples.are_own

    def _part(self, i: int) -> SideBySide:
        """The members of a shard, without their rows."""
        members, nothing = self.work.members[self.parts[i]], self.work.samples.weights[:0]
        return replace(
            self.work,
            samples=Samples(nothing, nothing, nothing),
            members=replace(members, seconds=0.0),
            threads=min(self.work.threads or 1, len(members)),
            is_part=True,
        )

    def shards(self, link: Link) -> list[Shard]:
        """Those with members that have not ended."""
        shards = [Shard(i, self._part(i), self.files[i], link) for i in range(len(self.parts))]
        return [shard for shard in shards if shard.work.members.running.any()]

    def rows(self, shard: Shard, samples: Iterable[Any]) -> list[Any]:
        """The samples for a shard, of which `samples` are those that all members share."""
        return [
            array[self.parts[shard.index]] if own else array
            for array, own in zip(samples, self.is_own, strict=True)
        ]

    def take(self, i: int, part: Runs) -> None:
        """What a shard has come to."""
        members = self.work.members
        members.put(self.parts[i], part)
        self.work.members = replace(members, seconds=members.seconds + part.seconds)
        self.told[i] = self._part(i).progress(0.0)

    def look(self) -> bool:
        """Tell how far all are; whether the shards are to stop."""
        costs = [one.cost for one in self.told if not math.isnan(one.cost)]
        epoch, epochs, ended, members = (
            sum(getattr(one, name) for one in self.told)
            for name in ("epoch", "epochs", "ended", "members")
        )
        least, seconds = min(costs, default=math.nan), self.session.seconds
        self.session.look(ManyProgress(epoch, epochs, least, seconds, ended, members))
        return self.session.reason is not None

    def runs(self) -> Runs:
        """All together."""
        runs, file = self.work.members.ended_by(self.session.reason or ""), self.session.file
        if file is not None:
            file.save_last(runs)
            if not file.failed:
                end(file)
        return runs


def train_in_shards(client: Any, work: SideBySide, session: Session[Runs]) -> Runs:
    """Train the members of `work` elsewhere, as `work.train(session)` would here."""
    session.answers = client != "joblib"  # from whose processes Ctrl-C must not be kept
    course = _Course(work, session)
    with session:
        if client == "joblib":
            _by_joblib(course)
        else:
            _by_dask(client, course)
        session.kept = course.runs()
    return session.kept


# -- joblib ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Flag:
    """A file that is there when shards are to stop, on one machine, and a time of the clock when
    they are to in any case: the caller hears of a shard only when it has ended.
    """

    path: Path
    until: float

    def is_to_stop(self) -> bool:
        return time.time() >= self.until or self.path.exists()

    def tell(self, shard: int, progress: ManyProgress) -> None:
        pass


def _by_joblib(course: _Course) -> None:
    from joblib import Parallel, delayed

    with ExitStack() as stack:
        folder = tempfile.mkdtemp()
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        flag = _Flag(
            Path(folder) / "stop",
            time.time()
            + (math.inf if course.session.max_seconds is None else course.session.max_seconds),
        )
        calls = [
            delayed(shard.train)(*course.rows(shard, course.work.samples))
            for shard in course.shards(flag)
        ]
        try:
            parallel = Parallel(return_as="generator_unordered")
        except ValueError:  # the backend hands them back all at once
            parallel = Parallel()
        try:
            for result in parallel(calls):
                course.take(*result)
                if course.look():
                    flag.path.touch()
        except BaseException:
            flag.path.touch()
            raise


# -- Dask ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Topic:
    """An event of the cluster that is set when shards are to stop, and a topic that they tell how
    far they are; both of this name.
    """

    name: str

    def is_to_stop(self) -> bool:
        from distributed import Event

        return bool(Event(self.name).is_set())

    def tell(self, shard: int, progress: ManyProgress) -> None:
        from distributed import get_worker

        get_worker().log_event(self.name, [shard, *progress])


def _by_dask(client: Any, course: _Course) -> None:
    from distributed import Event

    topic = _Topic(f"fastgd-{course.call}")
    stop, asked = Event(topic.name, client=client), False
    running: dict[int, Any] = {}  # futures by shard

    def hear(event: tuple[float, Any]) -> None:
        shard, *progress = event[1]
        if shard in running:
            course.told[shard] = ManyProgress(*progress)

    client.subscribe_topic(topic.name, hear)
    try:
        samples = [
            array
            if own or array.nbytes <= _SMALL
            else client.scatter([array], broadcast=True, hash=False)[0]
            for array, own in zip(course.work.samples, course.is_own, strict=True)
        ]
        for shard in course.shards(topic):
            key = f"{topic.name}-{shard.index}"
            running[shard.index] = client.submit(
                shard.train, *course.rows(shard, samples), key=key, pure=False, retries=_RETRIES
            )
        while running:
            time.sleep(LOOK_SECONDS)
            for i in [i for i, future in running.items() if future.done()]:
                course.take(*running.pop(i).result())
            if course.look() and not asked:
                stop.set()
                asked = True
        with suppress(Exception):  # all is here; what is left to do can't lose it
            stop.clear()
    except BaseException:
        stop.set()
        client.cancel(list(running.values()))
        raise
    finally:
        with suppress(Exception):
            client.unsubscribe_topic(topic.name)
