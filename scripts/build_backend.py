"""How fastgd is built: setuptools, and machine code of some kernels in the wheel, so that nobody waits for it to be compiled.

FASTGD_READY_MADE says for which processors: not given, for the one at hand; `all`, for each level of its kind that is published, of x86-64
or arm64; `0`, for none. Whatever goes wrong with it, the wheel is built without: everything works then, and is compiled at the first
call. An editable installation has none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403
from setuptools.command import bdist_wheel, build_py

ROOT = Path(__file__).parent.parent
SETTING, NO = "FASTGD_READY_MADE", ("0", "no", "off", "false")
SECONDS = 600  # in all, after which kernels that are not made are left out
PATIENT_SECONDS = 7200  # where all levels are asked for: what is published lacks none, be its processor an emulated one
_MAKE = """
import sys
from pathlib import Path
from fastgd.kernels.shipped import shipped
from fastgd.machine import ready_made
entry = shipped()[int(sys.argv[1])]
ready_made.make(entry.source, entry.function, entry.dtype, Path(sys.argv[2]))
"""


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """What kernels are compiled with: what the package needs."""
    asked = build_meta.get_requires_for_build_wheel(config_settings)
    return asked if _setting() in NO else [*asked, *_dependencies()]


def _setting() -> str:
    return os.environ.get(SETTING, "").strip().lower()


def _seconds() -> int:
    return PATIENT_SECONDS if _setting() == "all" else SECONDS


def _dependencies() -> list[str]:
    from setuptools.config.pyprojecttoml import read_configuration

    return list(read_configuration(ROOT / "pyproject.toml", expand=False)["project"]["dependencies"])


class BuildPy(build_py.build_py):
    """The modules, and ready-made kernels beside them."""

    def run(self) -> None:
        if not self.editable_mode:  # kernels are of the modules that are installed: none of an earlier build is
            shutil.rmtree(Path(self.build_lib) / "fastgd", ignore_errors=True)
        super().run()
        if not self.editable_mode:
            make(Path(self.build_lib) / "fastgd" / "ready_made")


class BuildWheel(bdist_wheel.bdist_wheel):
    """A wheel with machine code is for one platform, and for any Python."""

    def get_tag(self) -> tuple[str, str, str]:
        python, abi, platform = super().get_tag()
        made = Path(self.get_finalized_command("build_py").build_lib) / "fastgd" / "ready_made"
        if any(made.glob("*/*.kernel")):
            self.root_is_pure = False
            python, abi, platform = super().get_tag()
            return "py3", "none", platform
        return python, abi, platform


def make(folder: Path) -> None:
    """Fill a folder; say what is missing, and what that means."""
    which = _setting()
    if which in NO:
        return
    last = time.monotonic() + _seconds()
    try:
        sys.path.insert(0, str(ROOT))
        from fastgd.kernels.shipped import shipped
        from fastgd.machine.ready_made import levels, published

        chosen = (published() if which == "all" else ()) or levels()[:1]
        tasks = [(level, number) for number in range(len(shipped())) for level in chosen]
        for level in chosen:
            (folder / level.name).mkdir(parents=True)
        with ThreadPoolExecutor(_processors()) as pool:
            failed = [reason for reason in pool.map(lambda task: _made(folder, *task, last), tasks) if reason]
    except Exception as error:
        failed = [f"{type(error).__name__}: {error}"]
    finally:
        sys.path.remove(str(ROOT))
    if failed:
        print(f"warning: ready-made kernels are missing, which will be compiled when they are called first: {failed[0]}")


def _made(folder: Path, level: Any, number: int, last: float) -> str | None:
    """Make one kernel in a process of its own, so that its bytes do not depend on others; why it could not be made, if it could not."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    paths = [str(ROOT), *filter(None, [environment.get("PYTHONPATH")])]
    environment |= level.settings | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-c", _MAKE, str(number), str((folder / level.name).absolute())]
    with tempfile.TemporaryDirectory() as nowhere:
        try:
            done = subprocess.run(
                command, cwd=nowhere, env=environment, capture_output=True, text=True, timeout=max(0.0, last - time.monotonic())
            )
        except subprocess.TimeoutExpired:
            return f"{_seconds()} seconds are over"
    return None if done.returncode == 0 else done.stderr.strip().rpartition("\n")[2] or f"status {done.returncode}"


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
