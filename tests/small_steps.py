"""Many members that are advanced in the smallest steps, each of them looked at."""

import threading

import pytest
from interruptions import wait_until

from fastgd import kernels
from fastgd.ensemble import side_by_side
from fastgd.training import loop, session


@pytest.fixture
def small_steps(monkeypatch):
    """Of many members: chunks of one epoch in lanes, of one update otherwise; after each a thread waits until the main one has looked,
    or has told all threads to stop.
    """
    looked, monitors, look, over = threading.Event(), [], session.Session.look, side_by_side.SideBySide._over

    def look_and_say_so(self, progress):
        look(self, progress)
        looked.set()

    def monitored(self, session, *arguments, **named):
        monitors[:] = [session]
        over(self, session, *arguments, **named)

    def followed_by_a_look(advance):
        def one(self, *arguments):
            result = advance(self, *arguments)
            if arguments[-1] > 0 and threading.current_thread() is not threading.main_thread():
                looked.clear()
                wait_until(lambda: looked.wait(0.01) or monitors[0].reason is not None)
            return result

        return one

    monkeypatch.setattr(session.Session, "look", look_and_say_so)
    monkeypatch.setattr(side_by_side.SideBySide, "_over", monitored)
    monkeypatch.setattr(kernels.Lanes, "advance", followed_by_a_look(kernels.Lanes.advance))
    monkeypatch.setattr(loop.Loop, "_advance", followed_by_a_look(loop.Loop._advance))
    monkeypatch.setattr(side_by_side, "LOOK_SECONDS", 0.0005)
    monkeypatch.setattr(side_by_side, "_FIRST_LIMIT", 1)
    monkeypatch.setattr(side_by_side.SideBySide, "small_seconds", 0.0)
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0.0)
