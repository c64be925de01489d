"""What the page of `fastgd play` asks for, by its paths."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from fastgd.arguments.checks import finite_number, whole_number
from fastgd.page.frames import Frames
from fastgd.page.server import RefusedError, Request
from fastgd.play.choices import choices
from fastgd.play.errors import SettingsError
from fastgd.play.session import Session
from fastgd.play.settings import Settings
from fastgd.play.sharing import commands_of, python_of
from fastgd.state import MOST

MOST_SESSIONS = 16
_SHARE = 0.03  # of a processor's time, for the frames of a session
_UNSEEN_SECONDS = 10.0  # after which a session may have to give way to another one


class PlaySite:
    """Sessions by names that nobody guesses. Of more than MOST_SESSIONS, the one that was not
    looked at for longest is ended; where somebody looks at all of them, there is no other one.
    """

    def __init__(self) -> None:
        self.sessions: OrderedDict[str, Session] = OrderedDict()
        self.frames: dict[str, Frames] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """End all sessions."""
        with self._lock:
            for session in self.sessions.values():
                session.close()
            self.sessions.clear()

    def answer(self, request: Request) -> Any:
        """JSON for a path: choices, sessions, or what is asked of a session."""
        verb, path = request.verb, request.path
        if (verb, path) == ("GET", ["choices"]):
            return {"mode": "play", **choices()}
        if (verb, path) == ("POST", ["sessions"]):
            return self._open(request.given)
        if len(path) == 3 and path[0] == "sessions":
            task = getattr(self, f"_{verb.lower()}_{path[2]}", None)
            if task is not None:
                session = self._session(path[1])
                session.seen = time.monotonic()
                return task(session, request, path[1])
        raise RefusedError(404, "there is nothing by this address")

    def _session(self, name: str) -> Session:
        with self._lock:
            if name not in self.sessions:
                raise RefusedError(410, "this session has ended; reload the page for a new one")
            self.sessions.move_to_end(name)
            return self.sessions[name]

    def _open(self, given: Any) -> Any:
        try:
            session = Session(Settings.of(given))
        except SettingsError as error:
            return {"errors": error.errors}
        name = secrets.token_urlsafe(12)
        with self._lock:
            if len(self.sessions) >= MOST_SESSIONS:
                oldest, left = next(iter(self.sessions.items()))
                if time.monotonic() - left.seen < _UNSEEN_SECONDS:
                    session.close()
                    raise RefusedError(429, f"at most {MOST_SESSIONS} tabs; close one of them")
                del self.sessions[oldest], self.frames[oldest]
                left.close()
            self.sessions[name] = session
            self.frames[name] = Frames(session, _SHARE, time.thread_time)
        return {"session": name, **self._told(session)}

    def _told(self, session: Session) -> dict[str, Any]:
        stage = session.stage
        problem = stage.course.problem
        table = {"columns": problem.columns, "target": problem.target}
        return {"scene": {"number": stage.number, **stage.scene.told(), **table},
                "python": python_of(stage.course),
                "command": commands_of(stage.course)}  # fmt: skip

    # -- what is asked of a session

    def _get_scene(self, session: Session, request: Request, name: str) -> Any:
        return self._told(session)

    def _get_frame(self, session: Session, request: Request, name: str) -> Any:
        return self.frames[name].next(request.query).text

    def _post_settings(self, session: Session, request: Request, name: str) -> Any:
        try:
            session.set(Settings.of(request.given))
        except SettingsError as error:
            return {"errors": error.errors}
        return {}

    def _post_do(self, session: Session, request: Request, name: str) -> Any:
        given = request.given if isinstance(request.given, dict) else {}
        action, value = given.get("action"), given.get("value")
        tasks: dict[Any, Callable[[], None]] = {
            "run": session.run,
            "pause": session.pause,
            "step": session.step,
            "reset": session.reset,
            "back": lambda: session.back(whole_number("epoch", value, least=0, most=MOST)),
            "pace": lambda: session.set_pace(
                None if value is None else finite_number("pace", value, positive=True)
            ),
        }
        if not isinstance(action, str) or action not in tasks:
            raise RefusedError(422, f"unknown action {action!r}; known: {', '.join(tasks)}")
        try:
            tasks[action]()
        except (ValueError, TypeError) as error:
            raise RefusedError(422, str(error)) from None
        return {}

    def _post_close(self, session: Session, request: Request, name: str) -> Any:
        with self._lock:
            self.sessions.pop(name, None)
            self.frames.pop(name, None)
        session.close()
        return {}
