"""One method on a course: its run so far, and the states from which any epoch is reached again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastgd.options import Options
from fastgd.page.standing import Standing
from fastgd.play.course import Course
from fastgd.training.history import History
from fastgd.training.run import DivergedError, Run
from fastgd.training.train import train

MOST_SNAPSHOTS = 100
MOST_BYTES = 16 * 2**20  # of the snapshots of a racer


class Racer:
    """A run that is trained by calls of `fastgd.train`, each of which goes on from the last.

    Any epoch that it has come to is reached again to the same bits: from the last snapshot before
    it, by training. Snapshots are thinned, so that they take no more than MOST_BYTES.
    """

    def __init__(self, course: Course, method: str):
        self.course, self.method = course, method
        self.arguments = course.arguments[method]
        self.error = ""  # why it can't go on
        self.run = first_run(course, method)
        self.snapshots = [self.run]
        self.furthest = self.run

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to train."""
        return bool(self.error) or self.run.epochs >= self.course.settings.epochs

    def advance(self, seconds: float, epochs: int | None = None) -> None:
        """Train for about so long, and at most so many epochs. What was ahead is forgotten."""
        if self.furthest is not self.run:
            self.snapshots = [each for each in self.snapshots if each.epochs <= self.run.epochs]
        left = self.course.settings.epochs - self.run.epochs
        self._train(left if epochs is None else min(left, epochs), seconds)
        self.furthest = self.run
        if self.run.epochs > self.snapshots[-1].epochs:
            self.snapshots.append(self.run)
            self._thin_out()

    def towards(self, epoch: int, seconds: float) -> bool:
        """Go to an epoch that it has come to before; whether it is there, or needs another call,
        since it trains for about so long only.
        """
        epoch = min(max(epoch, 0), self.furthest.epochs)
        nearest = max(
            (each for each in self.snapshots if each.epochs <= epoch), key=lambda run: run.epochs
        )
        if not nearest.epochs <= self.run.epochs <= epoch:
            self.run, self.error = nearest, ""
        if self.run.epochs < epoch:
            self._train(epoch - self.run.epochs, seconds)
        return self.run.epochs >= epoch or bool(self.error)

    def _train(self, epochs: int, seconds: float) -> None:
        problem = self.course.problem
        try:
            self.run = train(
                self.course.net, problem.X, problem.Y, epochs,
                params=self.run, max_seconds=seconds, **self.arguments,
            )  # fmt: skip
        except DivergedError as error:
            self.run, self.error = error.run, str(error)

    def _thin_out(self) -> None:
        """Leave out the snapshot that is missed least, of those between the first and the last."""
        most = min(MOST_SNAPSHOTS, max(3, MOST_BYTES // _nbytes(self.run)))
        while len(self.snapshots) > most:
            epochs = [each.epochs for each in self.snapshots]
            last = epochs[-1]
            # the gap that it would leave, as a share of all and of what was before
            gaps = [
                (after - before) / last + 0.2 * math.log((after + 1) / (before + 1))
                for before, after in zip(epochs, epochs[2:], strict=False)
            ]
            del self.snapshots[1 + gaps.index(min(gaps))]

    def told(self) -> dict[str, Any]:
        """Its place in the race, and the costs on its way."""
        run, history = self.run, self.furthest.history
        return Standing(
            self.method, run.epochs, run.cost, run.seconds, history.epoch.tolist(),
            history.cost.tolist(), self.is_done, self.furthest.epochs, run.kernel, run.stalled,
            self.error,
        ).told()  # fmt: skip


def first_run(course: Course, method: str) -> Run:
    """Before the first epoch."""
    net, params, arguments = course.net, course.params, course.arguments[method]
    cost = net.cost(params, course.problem.X, course.problem.Y)
    history = History(np.zeros(1, np.int64), np.array([cost]))
    options = Options.of(arguments).to_dict()
    seed, kernel = course.settings.seed, arguments["kernel"]
    return Run(net, params, cost, 0, 0.0, kernel, seed, "epochs", history, options)


def _nbytes(run: Run) -> int:
    """Bytes that a run keeps, about."""
    kept = run.params.nbytes + run.history.epoch.nbytes + run.history.cost.nbytes
    return kept + (0 if run.state is None else run.state.nbytes)
