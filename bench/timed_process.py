"""A process that makes one kind of call, on one thread, and says what it takes; see peers/timed_calls.py."""

import os
import subprocess
from collections.abc import Sequence
from typing import Any

import numpy as np
from programs import limits


class TimedProcess:
    """It is given its numbers, and answers with what it has computed."""

    def __init__(self, command: Sequence[str], numbers: bytes):
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | limits(1))
        self._write(numbers)

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def read(self, count: int) -> Any:
        """So many float64, or none of a process that has ended."""
        assert self._process.stdout is not None
        return np.frombuffer(self._process.stdout.read(8 * count))

    def seconds(self, budget: float) -> float:
        """The least processor time of a call, in so many seconds of calls."""
        self._write(f"{budget}\n".encode())
        return float(self.read(1)[0])

    def end(self) -> None:
        self._process.communicate()
