"""What the numbers depend on: the machine, the hour, the versions."""

import os
import platform
import subprocess
from datetime import datetime, timezone
from importlib.metadata import version

import llvmlite.binding as llvm
import programs
from unavailable import Unavailable


def facts() -> dict[str, str]:
    """By name; asked before anything is timed, so that the load is other programs'."""
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {_cpu()}",
        "load": "{:.1f} {:.1f} {:.1f}".format(*os.getloadavg()),
        "python": platform.python_version(),
        **{name: version(name) for name in ("fastgd", "numba", "llvmlite", "numpy")},
        "gcc": f"{_first_line(['gcc', '--version'])} {' '.join(programs.CFLAGS)}",
        **{kind: programs.version(kind) or "not installed" for kind in programs.LIBRARIES},
    }


def peak(dtype: str, threads: int) -> float | None:
    """Floating-point operations a second of so many threads at once, from registers alone (peers/fma.c); None without a compiler."""
    try:
        program = programs.build("fma", programs.REALS[dtype])
    except Unavailable:
        return None
    return float(subprocess.run([program, str(threads)], capture_output=True, text=True, check=True).stdout)


def _cpu() -> str:
    """As the system calls it, and by the name of its kind that code is compiled for."""
    return f"{_model()} ({llvm.get_host_cpu_name()})"


def _model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def _first_line(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError):
        return "not installed"
