"""A session: what one tab trains, in a thread of its own, and looks at between chunks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from fastgd.arguments.checks import Array
from fastgd.page.pictures import Scene
from fastgd.play.course import Course
from fastgd.play.racer import Racer
from fastgd.play.settings import Settings
from fastgd.play.warned import Warned, hear

CHUNK_SECONDS = 0.05
UNSEEN_SECONDS = 120.0  # after which a session that nobody looks at is paused


class Stage(NamedTuple):
    """What there is to look at."""

    number: int  # which rises with every course
    course: Course
    scene: Scene
    racers: list[Racer]


class Session:
    """Racers on a course, who train in turn for CHUNK_SECONDS together.

    What others ask for is done by the session's own thread, between two chunks; `version` rises
    with all that there is to see.
    """

    def __init__(self, settings: Settings):
        self.changed = threading.Condition()
        self.version = 0
        self.running = self.closed = False
        self._at_work = False
        self.working = ""  # what is done, where it is not training
        self.message = ""
        self.warnings = Warned()
        self.pace: float | None = None  # epochs a second; None for all that there are
        self.seen = time.monotonic()
        self._asked: list[Callable[[], bool]] = []  # each is called until it says that it is done
        self._due = 0.0  # epochs that the pace has made due
        self._paced = time.monotonic()
        self.stage = _stage_of(Course.of(settings), 0)
        self._thread = threading.Thread(target=self._work, name="fastgd-play", daemon=True)
        self._thread.start()

    # -- asked by other threads

    def close(self) -> None:
        """End its thread, after the chunk that it is in."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def set(self, settings: Settings) -> None:
        """Begin anew with other settings; it runs on if it ran."""
        course = Course.of(settings)

        def begin() -> bool:
            self._begin(course)
            return True

        self._ask(begin)

    def run(self) -> None:
        """Train until it is paused, or all is done."""
        self._set_running(True)

    def pause(self) -> None:
        """Stop after the chunk."""
        self._set_running(False)

    def reset(self) -> None:
        """Begin anew, and wait."""

        def begin() -> bool:
            self.running = False
            self._begin(self.stage.course)
            return True

        self._ask(begin)

    def step(self) -> None:
        """Pause, and train one epoch by each method."""
        self.running = False

        def one() -> bool:
            for racer in self.stage.racers:
                if not racer.is_done:
                    racer.advance(CHUNK_SECONDS * 1000, 1)
            return True

        self._ask(one)

    def back(self, epoch: int) -> None:
        """Pause, and go to an epoch that was reached before."""
        self.running = False

        def go() -> bool:
            arrived = [racer.towards(epoch, CHUNK_SECONDS) for racer in self.stage.racers]
            return all(arrived)

        self._ask(go)

    def set_pace(self, pace: float | None) -> None:
        """So many epochs a second, or all that there are."""
        with self.changed:
            self.pace, self._due, self._paced = pace, 0.0, time.monotonic()
            self.changed.notify_all()

    def wait(self, after: int, seconds: float) -> int:
        """The version, once it is higher than `after`, or after so long."""
        with self.changed:
            self.changed.wait_for(lambda: self.version > after or self.closed, seconds)
            return self.version

    def rest(self, seconds: float) -> None:
        """Let so long go by, unless it is over."""
        with self.changed:
            self.changed.wait_for(lambda: self.closed, seconds)

    def look_at(self, which: int) -> tuple[dict[str, Any], Scene, Array]:
        """What is told of all racers; and the scene, with the parameters of one of them."""
        stage = self.stage
        runs = [racer.run for racer in stage.racers]
        return self._told(stage), stage.scene, runs[min(which, len(runs) - 1)].params

    def _told(self, stage: Stage) -> dict[str, Any]:
        done = all(racer.is_done for racer in stage.racers)
        status = self.working or ("running" if self.running else "done" if done else "paused")
        return {
            "scene": stage.number,
            "status": status,
            "busy": self._at_work or bool(self._asked),
            "message": self.message,
            "warnings": list(self.warnings),
            "racers": [racer.told() for racer in stage.racers],
        }

    def _ask(self, task: Callable[[], bool]) -> None:
        with self.changed:
            self._asked.append(task)
            self.message = ""
            self.changed.notify_all()

    def _set_running(self, running: bool) -> None:
        with self.changed:
            self.running = running
            self._due, self._paced = 0.0, time.monotonic()
            self.version += 1
            self.changed.notify_all()

    # -- its own thread

    def _begin(self, course: Course) -> None:
        self.warnings = Warned()
        self.stage = _stage_of(course, self.stage.number + 1)

    def _work(self) -> None:
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.closed or self._asked or self.running)
                if self.closed:
                    return
                self._at_work, task = True, self._asked[0] if self._asked else None
            try:
                self._do(task)
            except Exception as error:  # which the page shows, in the library's words
                self.running, self.message = False, str(error) or repr(error)
                if task is not None:
                    self._asked.pop(0)
            with self.changed:
                self._at_work = False
                self.version += 1
                self.changed.notify_all()

    def _do(self, task: Callable[[], bool] | None) -> None:
        hear(self.warnings)
        if task is not None:
            # a later wish takes the place of one that takes long
            if task() or len(self._asked) > 1:
                self._asked.pop(0)
            return
        if time.monotonic() - self.seen > UNSEEN_SECONDS:
            self.running = False
            self.message = "paused, since nobody looked"
            return
        self._chunk()
        if all(racer.is_done for racer in self.stage.racers):
            self.running = False

    def _chunk(self) -> None:
        """Each racer's part of a chunk, or the epochs that are due."""
        pace = self.pace
        epochs = None if pace is None else self._epochs_due(pace)
        if epochs == 0:
            return
        racing = [racer for racer in self.stage.racers if not racer.is_done]
        for racer in racing:
            if not racer.run.seconds:
                self._say("getting ready")
            racer.advance(max(0.02, CHUNK_SECONDS / len(racing)), epochs)
            self.working = ""

    def _say(self, text: str) -> None:
        with self.changed:
            self.working = text
            self.version += 1
            self.changed.notify_all()

    def _epochs_due(self, pace: float) -> int:
        """Whole epochs that the pace makes due, after a while in which others may ask."""
        with self.changed:
            self.changed.wait_for(
                lambda: self._asked or self.closed or not self.running, CHUNK_SECONDS
            )
        now = time.monotonic()
        self._due += min(now - self._paced, 1.0) * pace
        self._paced = now
        whole = int(self._due)
        self._due -= whole
        return whole


def _stage_of(course: Course, number: int) -> Stage:
    racers = [Racer(course, method) for method in course.settings.methods]
    return Stage(number, course, course.scene(), racers)
