"""Frames: what a page shows of a training at one time, and when the next one is made."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from fastgd.arguments.checks import Array, whole_number
from fastgd.page.pictures import Scene
from fastgd.page.server import RefusedError

WAIT_SECONDS = 1.0  # for something new
_LEAST_SECONDS = 0.04  # between two frames


class Shown(Protocol):
    """What frames are of."""

    def wait(self, after: int, seconds: float) -> int:
        """The version, once it is higher than `after`, or after so long."""

    def rest(self, seconds: float) -> None:
        """Let so long go by, unless it is over."""

    def look_at(self, which: int) -> tuple[dict[str, Any], Scene, Array]:
        """What is told of all runs; and the scene, with the parameters of one of them."""


class Frame(NamedTuple):
    """What is shown of one version, as JSON."""

    version: int
    text: bytes


class Frames:
    """Frames for the tabs that look at one thing. They take at most a `share` of the time, by a
    `clock` of seconds, so that training is not disturbed: few are made where each takes long.
    """

    def __init__(self, shown: Shown, share: float, clock: Callable[[], float]):
        self.shown, self.share, self.clock = shown, share, clock
        self._lock = threading.Lock()
        self._not_before = self._took = 0.0

    def next(self, query: dict[str, str]) -> Frame:
        """The next frame that is newer than `after` of the query, or only its number if there is
        none for a while. x, y and output choose what surface is drawn, `run` of which run.
        """
        after, run, x, y, output = (
            _whole(query, name) for name in ("after", "run", "x", "y", "output")
        )
        version = self.shown.wait(after - 1, WAIT_SECONDS)
        if version < after:
            return _frame_of({"version": version})
        with self._lock:
            self.shown.rest(max(0.0, self._not_before - time.monotonic()))
            began, busy = time.monotonic(), self.clock()
            try:
                return _frame_of(self._made(run, x, y, output))
            finally:
                before, self._took = self._took, self.clock() - busy
                took = min(before, self._took)  # the first may have compiled
                self._not_before = began + max(_LEAST_SECONDS, took / self.share)

    def _made(self, run: int, x: int, y: int, output: int) -> dict[str, Any]:
        version = self.shown.wait(-1, 0.0)
        told, scene, params = self.shown.look_at(run)
        inputs, outputs = len(scene.inputs), len(scene.outputs)
        places = min(x, inputs - 1), min(y, inputs - 1), min(output, outputs - 1)
        return {
            "version": version,
            **told,
            "network": scene.network(params),
            "surface": scene.surface(params, *places),
            **scene.table(params),
        }


def _frame_of(told: dict[str, Any]) -> Frame:
    return Frame(told["version"], json.dumps(told, allow_nan=False).encode())


def _whole(query: dict[str, str], name: str) -> int:
    text = query.get(name, "0")
    if not text.isdecimal() or len(text) > 18:
        raise RefusedError(422, f"{name} must be a whole number; got {text[:20]!r}")
    return whole_number(name, int(text), least=0)
