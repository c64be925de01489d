"""The time of a first call: whole processes, from the start of Python to the end of a short training."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastgd.machine.ready_made import entries

NETWORKS = {"nand": (2, 1), "xor": (2, 2, 1)}

_PROGRAM = "import fastgd; fastgd.train(fastgd.MLP(*{widths}), *fastgd.data.gate({gate!r}), 1000, rng=0, kernel={kernel!r})"


@contextmanager
def empty_cache() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "cache"


def train_in_process(gate: str, kernel: str, cache: Path, ready_made: bool = False) -> float:
    """Seconds of a process that trains once and keeps its compiled code in `cache`; by the package's ready-made code, if it may be used."""
    program = _PROGRAM.format(gate=gate, widths=NETWORKS[gate], kernel=kernel)
    environment = {"FASTGD_CACHE_DIR": str(cache), "FASTGD_READY_MADE": str(int(ready_made))}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], env=os.environ | environment, check=True)
    return time.perf_counter() - start


def first_calls(kernels: list[str]) -> Iterator[tuple[str, float]]:
    """(what, seconds) from an empty and from a warm cache, and by code that came with the package, where there is some."""
    for gate in NETWORKS:
        for kernel in kernels:
            with empty_cache() as cache:
                yield f"{gate}, {kernel}, empty cache", train_in_process(gate, kernel, cache)
                yield f"{gate}, {kernel}, warm cache", train_in_process(gate, kernel, cache)
            if entries():
                with empty_cache() as cache:
                    yield f"{gate}, {kernel}, ready-made", train_in_process(gate, kernel, cache, ready_made=True)
