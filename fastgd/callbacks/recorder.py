"""What a recorder of trainings does, wherever it writes to."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from fastgd.report.summary import options_of
from fastgd.system.files import reason_of
from fastgd.system.warn import say
from fastgd.words import network_of

Point = tuple[int, dict[str, float]]  # epochs finished, and numbers by their names


class Recorder(ABC):
    """A callback of `train` and `train_many`, which is told in the end what training has come to.
    Costs are written in the order of their epochs.
    """

    where: str  # it is written to, in words

    def __init__(self, every: float):
        self.every = every  # seconds between two points
        self._is_begun = self._is_open = self._is_heard = False
        self._epoch = -1  # of the last point
        self._latest: list[Point] = []  # which is written once there is a later one
        self._next = -math.inf  # when there is to be one

    @abstractmethod
    def open(self) -> None:
        """Begin to record a training."""

    @abstractmethod
    def write(self, points: list[Point]) -> None:
        """Numbers, all of which are finite."""

    @abstractmethod
    def describe(self, words: dict[str, object]) -> None:
        """How it was trained."""

    @abstractmethod
    def close(self, is_whole: bool) -> None:
        """Write out everything; `is_whole` unless an error ended the training."""

    def __call__(self, progress: Any) -> None:
        """Note where training is, if it is time for it, and write where it was before: of its end
        the history has the exact cost.
        """
        if not self._is_begun:
            self._begin()
        now = time.monotonic()
        is_later = not self._latest or progress.epoch > self._latest[0][0]
        if now < self._next or not is_later:
            return
        self._next = now + self.every
        numbers = {"cost": progress.cost, "seconds": progress.seconds}
        if hasattr(progress, "ended"):
            numbers["ended members"] = progress.ended
        self._try(lambda: self._put(self._latest))
        self._latest = [(progress.epoch, numbers)]

    def ended(self, run: Any) -> None:
        """Write what is left of a training that has come to this run, or to runs of many members;
        None where an error ended it.
        """
        if run is not None and not self._is_begun:
            self._begin()
        is_open, self._is_begun, self._is_open = self._is_open, False, False
        if not is_open:
            return
        if run is not None:
            self._try(lambda: self._finish(run))
        self._is_heard = True  # what was written is closed in any case
        self._try(lambda: self.close(run is not None and not _has_diverged(run)))

    def _begin(self) -> None:
        self._is_begun = self._is_heard = True
        self._epoch, self._next, self._latest = -1, -math.inf, []
        self._try(self.open, "not recorded")
        self._is_open = self._is_heard

    def _finish(self, run: Any) -> None:
        if not hasattr(run, "history"):
            finite = run.cost[run.cost == run.cost]
            numbers = {"cost": float(finite.min())} if len(finite) else {}
            epochs = max(int(run.epochs.sum()), *(epoch for epoch, _ in self._latest), 0)
            self._put([(epochs, {"ended members": len(run), **numbers})])
            return
        history, points = run.history, []
        if self._latest and self._latest[0][0] < run.epochs:
            self._put(self._latest)
        for i, epoch in enumerate(history.epoch.tolist()):
            numbers = {"cost": history.cost[i]} if epoch > self._epoch else {}
            if history.validation is not None:
                numbers["validation cost"] = history.validation[i]
            points.append((epoch, numbers))
        self._put(points)
        about = {"network": network_of(run.net), "seed": run.seed, "kernel": run.kernel}
        ends = {"epochs": run.epochs, "stopped_by": run.stopped_by}
        self.describe(about | options_of(run.options) | ends)

    def _put(self, points: list[tuple[int, dict[str, Any]]]) -> None:
        self._epoch = max([self._epoch, *(epoch for epoch, _ in points)])
        finite = [
            (epoch, {name: float(each) for name, each in numbers.items() if math.isfinite(each)})
            for epoch, numbers in points
        ]
        self.write([point for point in finite if point[1]])

    def _try(self, act: Callable[[], None], said: str = "no longer recorded") -> None:
        """Do it; where that fails, say so, and write nothing more of this training."""
        if not self._is_heard:
            return
        try:
            act()
        except Exception as error:
            self._is_heard = False
            say(f"the training is {said} in {self.where}: {reason_of(error)}")


def _has_diverged(run: Any) -> bool:
    return isinstance(run.stopped_by, str) and run.stopped_by == "diverged"
