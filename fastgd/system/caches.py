"""How large a processor's caches are, as the machine reports it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

SECOND = 2**18  # bytes of a second cache where nothing is reported: the least of the last ten years
_FOLDER = Path("/sys/devices/system/cpu/cpu0/cache")  # of Linux
_UNITS = {"K": 2**10, "M": 2**20}


@cache
def second_cache() -> int:
    """Bytes of the second cache of a processor."""
    for reported in (_by_files, _by_sysctl):
        with suppress(OSError, ValueError, subprocess.SubprocessError):
            size = reported()
            if size > 0:
                return size
    return SECOND


def _by_files() -> int:
    """Of Linux, for which each cache has a folder; ValueError if none of them is the second."""
    for folder in sorted(_FOLDER.glob("index*")):
        level, kind, size = (
            (folder / name).read_text().strip() for name in ("level", "type", "size")
        )
        if level == "2" and kind != "Instruction":
            return int(size.rstrip("KM")) * _UNITS.get(size[-1:], 1)
    raise ValueError("no second cache is reported")


def _by_sysctl() -> int:
    """Of macOS, where processors of several kinds share a cache each."""
    if sys.platform != "darwin":
        raise ValueError("nothing is reported")
    command = ["/usr/sbin/sysctl", "-n", "hw.l2cachesize"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1, check=True)
    return int(done.stdout)
