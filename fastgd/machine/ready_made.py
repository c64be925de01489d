"""Machine code that comes with the package, so that nobody waits for it to be compiled.

It lies in `fastgd/ready_made/`, a folder for each level of processors, and is made when a wheel is
(`make`). It is used where this processor has all that the level asks for, no setting of Numba's
changes what is compiled, and it was made of exactly the sources that are installed: the name of a
file is a hash of them, so that an edited checkout never runs what it was before. With
FASTGD_READY_MADE=0 it is left alone.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from fastgd.machine import fingerprint, kernel_file, sources

FOLDER = "ready_made"
SETTING, NO = "FASTGD_READY_MADE", ("0", "no", "off", "false")


@dataclass(frozen=True)
class Level:
    """What code is made for: LLVM's name of a processor, and the features that it must have."""

    name: str  # of its folder
    cpu: str
    features: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()  # that LLVM takes a processor of this name to have, or may

    @property
    def settings(self) -> dict[str, str]:
        """The environment in which Numba compiles for it."""
        features = *(f"+{name}" for name in self.features), *(f"-{name}" for name in self.lacks)
        return {"NUMBA_CPU_NAME": self.cpu, "NUMBA_CPU_FEATURES": ",".join(features)}


# what the levels of x86-64 add to the one before, as far as compilers use it
_V2 = ("cx16", "popcnt", "sahf", "sse3", "sse4.1", "sse4.2", "ssse3")
_V3 = (*_V2, "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe")
_V4 = (*_V3, "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl")
X86_64 = tuple(
    Level(name, name, features)
    for name, features in [("x86-64-v4", _V4), ("x86-64-v3", _V3), ("x86-64-v2", _V2)]
)
# what all of arm64 have, vectors and fused products included
ARM64 = (Level("armv8-a", "generic"),)


def published() -> tuple[Level, ...]:
    """Those of a wheel for every processor of this kind, the best first; none of other kinds."""
    kind = llvm.get_process_triple().partition("-")[0]
    return {"x86_64": X86_64, "aarch64": ARM64, "arm64": ARM64}.get(kind, ())


def levels() -> list[Level]:
    """Those whose code this processor runs, the best first: the levels of x86-64; elsewhere its
    own, and what all of its kind have.
    """
    features = llvm.get_host_cpu_features()
    has = {name for name, there in features.items() if there}
    fitting = [level for level in published() if has.issuperset(level.features)]
    own = [] if published() == X86_64 else [_own(features)]
    return own + fitting


def _own(features: dict[str, bool]) -> Level:
    """That of this processor, of what LLVM knows of it."""
    has, lacks = (
        tuple(sorted(name for name, there in features.items() if there == which))
        for which in (True, False)
    )
    which = hashlib.sha256(",".join(has).encode()).hexdigest()[:8]
    cpu = llvm.get_host_cpu_name()
    return Level(f"{cpu}-{which}", cpu, has, lacks)


def name_of(source: str, function: str, dtype: np.dtype[Any]) -> str:
    """The name of a kernel's file; OSError if the sources of fastgd can't be read."""
    facts = (sources.digest(), llvm.get_process_triple(), dtype.name, function, source)
    return f"{hashlib.sha256(chr(0).join(facts).encode()).hexdigest()[:20]}.kernel"


def why_not() -> str | None:
    """Why nothing of it is used, whatever there is; None if what fits is."""
    setting = os.environ.get(SETTING, "")
    if setting.strip().lower() in NO:
        return f"{SETTING} is {setting}"
    if any(fingerprint.settings()):
        return "settings of Numba's change what is compiled"
    return None


def find(source: str, function: str, dtype: np.dtype[Any]) -> tuple[dict[str, Any], bytes] | None:
    """Facts and code of a function, for the best level that there is; None if there is none, or
    if it is damaged.
    """
    try:
        for level in () if why_not() else levels():
            place = os.path.join(FOLDER, level.name, name_of(source, function, dtype))
            if content := sources.data(place):
                return kernel_file.read(content)
    except Exception:  # the function is compiled then, which says what is wrong, if anything is
        pass
    return None


def entries() -> dict[str, list[tuple[str, int, str]]]:
    """What the package holds for each level of this processor: for every kernel its name, its
    bytes and what it is.
    """
    found = {}
    for level in levels():
        files = sorted((sources.folder() / FOLDER / level.name).glob("*.kernel"))
        kernels = [(path.stem, path.stat().st_size, _title(path)) for path in files]
        if kernels:
            found[level.name] = sorted(kernels, key=lambda kernel: kernel[2])
    return found


def _title(path: Path) -> str:
    try:
        facts, _ = kernel_file.read(path.read_bytes())
        stale = facts["sources"] != sources.digest()
        return f"{facts['title']}{', of other sources: not used' if stale else ''}"
    except Exception:
        return "damaged"


def make(source: str, function: str, dtype: np.dtype[Any], place: Path) -> None:
    """Compile a function for the processor that Numba's settings name, and put it into a folder."""
    from fastgd.machine import object_code  # starts Numba

    facts, code = object_code.machine_code(source, function, dtype)
    title = f"{kernel_file.title_of(source)} {function}, {dtype}"
    path = place / name_of(source, function, dtype)
    kernel_file.write(path, {"title": title, "sources": sources.digest(), **facts}, code)
