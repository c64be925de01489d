"""How many processors this process may keep busy."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from fastgd.system.warn import warn

_GROUP, _GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")  # of Linux
_MOST = 2**63 - 1  # of a C long
_NUMBER = re.compile(r"\s*\+?0*[0-9]{1,19}\s*", re.ASCII)


def available_threads() -> int:
    """The processors that this process may run on, or fewer.

    Whoever sets OMP_NUM_THREADS or a limit of the control group shares the processors out.
    """
    limit = _openmp_limit(os.environ.get("OMP_NUM_THREADS", ""))
    return min(_processors(), _quota(), limit)


def _processors() -> int:
    with suppress(OSError):  # of a sandbox
        if hasattr(os, "process_cpu_count"):  # since Python 3.13, which knows PYTHON_CPU_COUNT too
            return os.process_cpu_count() or 1
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _openmp_limit(text: str) -> int:
    """As GNU's OpenMP reads it: the first number of a list, which is that of the
    outermost level.
    """
    numbers = [int(part) if _NUMBER.fullmatch(part) else 0 for part in text.split(",")]
    if all(1 <= number <= _MOST for number in numbers):
        return numbers[0]
    if text.strip():
        wanted = "whole numbers from 1, with commas between them"
        warn(f"OMP_NUM_THREADS must be {wanted}; got {text!r}, which limits nothing")
    return _MOST


@cache
def _quota() -> int:
    """The processors that the control group of this process, such as a container's, may keep busy
    in the mean, rounded up.
    """
    return math.ceil(min(_shares(), default=_MOST))


def _shares() -> Iterator[float]:
    """The time in a period that is set for the group of this process, and for each around it.

    In a container the group's name may be that from outside, which is not there; its own is then
    the root. Linux has two versions of groups.
    """
    groups = ""
    with suppress(OSError):
        groups = _GROUP.read_text(encoding="utf-8", errors="surrogateescape")
    for controllers, group in re.findall(r"^\d+:(.*?):(.*)$", groups, re.MULTILINE):
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = _GROUPS / "cpu" if controllers else _GROUPS
        place = root / group.lstrip("/")
        for folder in (place, *place.parents[: len(place.parts) - len(root.parts)]):
            with suppress(OSError, ValueError, ZeroDivisionError):
                yield _share(folder)


def _share(folder: Path) -> float:
    """Of one group; OSError or ValueError if it has no limit."""
    with suppress(FileNotFoundError):
        time, period = (folder / "cpu.max").read_text().split()  # "max" is no number
        return int(time) / int(period)
    time, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
    if int(time) <= 0:
        raise ValueError("it has no limit")
    return int(time) / int(period)
