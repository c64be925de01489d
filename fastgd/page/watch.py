"""A training that is watched: what it tells between its chunks, as a page that may pause or stop
it.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

from fastgd.arguments.checks import Array
from fastgd.page.browser import open_browser
from fastgd.page.frames import Frames
from fastgd.page.pictures import Scene
from fastgd.page.server import Page, RefusedError, Request
from fastgd.page.standing import Standing

# seconds for which the end of a training waits until it is seen: by a browser that is being opened,
# or by a page that looked just now
OPENING_SECONDS, LOOKING_SECONDS = 10.0, 2.0
_HURRY_SECONDS = 0.05  # between two looks whether somebody hurries
_FURTHER = 1.03  # times as many epochs as the last point of the costs, for another one
_SESSION = "watched"
_SHARE = 0.01  # of the time, for frames, of which there are fewer where the machine is busy


class Watch:
    """A page for one training, from when it is made until its page is closed.

    `paused` and `stops` are what somebody has asked for there.
    """

    def __init__(self, scene: Scene, method: str, *, opens: bool):
        self.scene, self.method = scene, method
        self.paused = self.stops = False
        self.changed = threading.Condition()
        self.version = 0
        self._status, self._latest = "getting ready", None
        self._points: list[tuple[int, float]] = []
        self._frames = Frames(self, _SHARE, time.monotonic)
        self._seen = -math.inf
        self._end_is_told = self._end_is_seen = False  # in a frame that is made, or answered
        self.page = Page(self)
        if opens and open_browser(self.page.address):
            self._seen = time.monotonic() + OPENING_SECONDS - LOOKING_SECONDS

    # -- the training's side

    def tell(self, progress: Any) -> None:
        """How far it is."""
        with self.changed:
            if not self._points or progress.epoch >= _FURTHER * self._points[-1][0]:
                self._points.append((progress.epoch, progress.cost))
            self._latest, self._status = progress, "running"
            self._say()

    def waits(self) -> bool:
        """Whether it is to wait, which is shown from then on."""
        with self.changed:
            status = "paused" if self.paused else "running"
            if self._status != status:
                self._status = status
                self._say()
            return self.paused

    def end(self, hurries: Callable[[], bool]) -> None:
        """It has ended: wait until whoever looks sees the end, or has had long enough to, unless
        somebody `hurries`.
        """
        ended = time.monotonic()
        with self.changed:
            self._status = "done"
            self._say()
            while self._latest is not None and not self._end_is_seen:
                until = min(self._seen + LOOKING_SECONDS, ended + OPENING_SECONDS)
                left = until - time.monotonic()
                if left <= 0 or hurries():
                    break
                self.changed.wait(min(left, _HURRY_SECONDS))

    def _say(self) -> None:
        self.version += 1
        self.changed.notify_all()

    # -- the page's side

    def answer(self, request: Request) -> Any:
        """JSON for a path, as for the sessions of `fastgd play`."""
        with self.changed:
            self._seen = max(self._seen, time.monotonic())
        verb, path = request.verb, request.path
        if (verb, path) == ("GET", ["choices"]):
            return {"mode": "watch", "session": _SESSION}
        if path[:2] == ["sessions", _SESSION] and len(path) == 3:
            if (verb, path[2]) == ("GET", "scene"):
                return {"scene": {"number": 0, **self.scene.told()}}
            if (verb, path[2]) == ("GET", "frame"):
                frame = self._frames.next(request.query)
                with self.changed:
                    self._end_is_seen = self._end_is_told
                    self._seen = max(self._seen, time.monotonic())
                    self.changed.notify_all()
                return frame.text
            if (verb, path[2]) == ("POST", "do"):
                return self._do(request.given)
        raise RefusedError(404, "there is nothing by this address")

    def close(self) -> None:
        """Nobody waits for more."""
        with self.changed:
            self._say()

    def _do(self, given: Any) -> Any:
        action = given.get("action") if isinstance(given, dict) else None
        if action not in ("run", "pause", "stop"):
            raise RefusedError(422, f"unknown action {action!r}; known: run, pause, stop")
        with self.changed:
            self.paused, self.stops = action == "pause", self.stops or action == "stop"
            self._say()
        return {}

    def wait(self, after: int, seconds: float) -> int:
        """The version, once it is higher than `after`, or after so long."""
        with self.changed:
            self.changed.wait_for(lambda: self.version > after, seconds)
            return self.version

    def rest(self, seconds: float) -> None:
        """Let so long go by, unless it is over."""
        with self.changed:
            self.changed.wait_for(lambda: self._status == "done", seconds)

    def look_at(self, which: int) -> tuple[dict[str, Any], Scene, Array]:
        """What is told; and the scene, with the parameters."""
        with self.changed:
            self.changed.wait_for(lambda: self._latest is not None or self._status == "done")
            latest, points, status = self._latest, list(self._points), self._status
            self._end_is_told = status == "done"
        if latest is None:
            raise RefusedError(410, "the training has ended before its first epoch")
        if points[-1][0] < latest.epoch:
            points.append((latest.epoch, latest.cost))
        epochs, costs = zip(*points, strict=True)
        racer = Standing(
            self.method, latest.epoch, latest.cost, latest.seconds, epochs, costs,
            status == "done", latest.epoch,
        )  # fmt: skip
        told = {"scene": 0, "status": status, "busy": False, "message": "", "warnings": []}
        return told | {"racers": [racer.told()]}, self.scene, latest.params
