"""Ctrl-C at some moment of a training, and waiting for what happens sooner or later."""

import os
import signal
import threading
import time

import pytest


@pytest.fixture
def default_handler():
    """Python's own, which a program started in the background does not have."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def wait_until(condition):
    """Look until the condition holds, which it does sooner or later; no machine takes as long as this looks."""
    last = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < last
        time.sleep(0.001)


class CtrlC:
    """A callback that has SIGINT sent to this process by another thread, at some time after the first epoch."""

    def __init__(self):
        self.thread = threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT))

    def __call__(self, progress):
        if progress.epoch > 0 and self.thread.ident is None:
            self.thread.start()
