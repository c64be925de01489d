"""All that shapes compiled code besides its own text, as one hash.

It is of sources, versions, the processor and settings.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm

from fastgd.machine import sources

_NUMBA_FILE = ".numba_config.yaml"  # in the working directory
_SETTINGS = (
    "BOUNDSCHECK", "CPU_FEATURES", "CPU_NAME", "DEBUGINFO", "DEVELOPER_MODE", "ENABLE_AVX",
    "ENABLE_PROFILING", "EXTEND_VARIABLE_LIFETIMES", "FULL_TRACEBACKS", "LLVM_REFPRUNE_FLAGS",
    "LLVM_REFPRUNE_PASS", "LOOP_VECTORIZE", "OPT", "SLP_VECTORIZE", "USE_LEGACY_TYPE_SYSTEM",
)  # fmt: skip  # of the environment, where they begin with NUMBA_


@cache
def fingerprint() -> str:
    """The hash; OSError if what is installed can't be read."""
    versions = [platform.python_version(), llvmlite.__version__, *_machine()]
    facts = [*map(str.encode, [sources.digest(), *versions]), _numba(), *settings()]
    return hashlib.sha256(b"\0".join(facts)).hexdigest()


def _numba() -> bytes:
    """The version of Numba, from its own file.

    Starting it takes longer than most trainings, and installed metadata may be missing.
    """
    spec = find_spec("numba")
    if spec is not None and spec.origin is not None:
        with suppress(OSError):
            return Path(spec.origin).with_name("_version.py").read_bytes()
    import numba

    return str(numba.__version__).encode()


def _machine() -> tuple[str, str, str]:
    features = llvm.get_host_cpu_features().flatten()
    return llvm.get_process_triple(), llvm.get_host_cpu_name(), features


def settings() -> Iterator[bytes]:
    """Numba's settings that change code, read without Numba.

    They are environment variables, and a file that counts only if it can be read.
    """
    for name, value in sorted(os.environ.items()):
        if name.startswith("NUMBA_") and name[6:] in _SETTINGS:
            yield os.fsencode(f"{name}={value}")
    file = b""
    with suppress(OSError):
        file = Path(_NUMBA_FILE).read_bytes() if os.path.isfile(_NUMBA_FILE) else b""
    yield file
