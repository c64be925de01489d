"""How a program of bench/start.py is asked for a work: `start_NAME.py WORK DATA`. It prints what the work is judged by."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

NOT_ITS_WORK = 3  # the status of a program that has no such network
# of those who learn classes: hidden units, learning rate, epochs, rows of a batch
CLASSES: dict[str, tuple[int, float, int, int | None]] = {"digits": (100, 2e-3, 30, 32), "iris": (10, 1e-2, 300, None)}


def answer(programs: Mapping[str, Callable[..., Any]]) -> None:
    """Do the work that the command line names by the program of its name, or by `classes`."""
    work, path = sys.argv[1:]
    with np.load(path) as file:
        data = dict(file)
    if work in CLASSES:
        print(programs["classes"](*CLASSES[work], **data))
    elif work in programs:
        print(programs[work](**data))
    else:
        sys.exit(NOT_ITS_WORK)
