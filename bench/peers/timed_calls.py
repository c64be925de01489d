"""How a process of one kind of call is timed: a line of seconds on stdin, the least processor time of a call in so many on stdout."""

import sys
import time
from collections.abc import Callable
from typing import Any


def write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def answer(call: Callable[[], Any]) -> None:
    """For every line on stdin the least of repeated stretches, as one float64 in seconds."""
    import numpy as np

    def seconds_of(count: int) -> float:
        begin = time.process_time()
        for _ in range(count):
            call()
        return time.process_time() - begin

    for line in sys.stdin.buffer:
        budget, count = float(line), 1
        while (took := seconds_of(count)) < budget / 20:
            count *= 2
        least = min([took] + [seconds_of(count) for _ in range(int(budget / took))]) / count
        write(np.array([least]).tobytes())
