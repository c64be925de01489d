"""Who is compared: fastgd's kernels, and the same work in other programs, which run beside this one (peers/protocol.h)."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import reference
from cases import NEURON, Array, Case

import fastgd
from fastgd.names import KERNELS

PEERS = Path(__file__).parent / "peers"
BUILD = PEERS / "build"
CFLAGS = ["-O3", "-march=native", "-ffast-math"]
JAX_PYTHON = os.environ.get("JAX_PYTHON", sys.executable)  # JAX may live in an environment of its own

OUR_KERNELS = [kernel for kernel in ("unrolled", "matrix") if kernel in KERNELS]
OURS = [f"fastgd {kernel}" for kernel in OUR_KERNELS]
KINDS = [*OURS, "hand C", "textbook C", "JAX"]


class Result(NamedTuple):
    seconds: float  # of the loop alone: no compiling, no process start
    params: Array  # (n_params,)


class Competitor(Protocol):
    def train(self, epochs: int, shuffle: bool) -> Result:
        """Train from the case's initial parameters."""


class Unavailable(Exception):  # noqa: N818 (no error)
    """Why a competitor does not take part."""


@contextmanager
def competitor(kind: str, case: Case) -> Iterator[Competitor]:
    """The competitor of this kind, checked on the case; or Unavailable."""
    if kind in OURS:
        kernel = kind.removeprefix("fastgd ")
        if kernel not in case.kernels:
            raise Unavailable(f"the {kernel} kernel is for smaller networks")
        ours = Fastgd(case, kernel)
        check(ours, case)
        yield ours
    else:
        with Process(_command(kind, case), case) as process:
            check(process, case)
            yield process


def check(one: Competitor, case: Case) -> None:
    """AssertionError if the parameters after `case.checked_epochs` epochs are not those of the NumPy reference.

    Where the timed run shuffles, every competitor has an order of its own: then the cost must come out about the same, and the
    parameters must not.
    """
    expected = reference.train(case)
    in_order = one.train(case.checked_epochs, shuffle=False).params
    error = np.max(np.abs(in_order - expected) / (1 + np.abs(expected)))
    assert error < case.tolerance, f"{case}: parameters are {error:.2g} off, {case.tolerance:g} allowed"
    if case.shuffled:
        shuffled = one.train(case.checked_epochs, shuffle=True).params
        costs = reference.cost(case, shuffled), reference.cost(case, expected)
        assert np.isclose(*costs, rtol=0.05), f"{case}: the cost is {costs[0]:.4g} with shuffled rows, {costs[1]:.4g} without"
        assert not np.array_equal(shuffled, in_order), f"{case}: the rows were not shuffled"


class Fastgd:
    def __init__(self, case: Case, kernel: str):
        self.case, self.kernel = case, kernel

    def train(self, epochs: int, shuffle: bool) -> Result:
        case = self.case
        run = fastgd.train(
            case.net, *case.data, epochs, case.learning_rate, params=case.initial, rng=0, method=case.method, eps=case.eps,
            batch_size=case.batch_size, optimizer=case.optimizer, shuffle=shuffle, kernel=self.kernel,
            record=2,  # the first cost and the last: the others compute none
        )  # fmt: skip
        return Result(run.seconds, run.params)


class Process:
    """A program that speaks the protocol of peers/protocol.h."""

    def __init__(self, command: list[str], case: Case):
        arguments = [case.method, case.learning_rate, case.eps, case.n, case.batch, *case.net.widths]
        one_thread = {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}
        self._process = subprocess.Popen(
            [*command, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | one_thread
        )
        for numbers in (case.initial, *case.data):
            self._write(" ".join(map(repr, numbers.ravel().tolist())))

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        print(line, file=self._process.stdin, flush=True)

    def train(self, epochs: int, shuffle: bool) -> Result:
        self._write(f"{epochs} {int(shuffle)}")
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self._process.args} ended with exit code {self._process.wait()}")
        seconds, *params = map(float, answer.split())
        return Result(seconds, np.array(params))

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.communicate()  # no more requests: it ends


def _command(kind: str, case: Case) -> list[str]:
    if kind == "JAX":
        if jax_version() is None:
            raise Unavailable("JAX is not installed: pip install jax, or set JAX_PYTHON to a Python that has it")
        return [JAX_PYTHON, str(PEERS / "jax_peer.py"), case.net.dtype.name, case.optimizer]
    if case.optimizer != "sgd":
        raise Unavailable("the peers in C know plain gradient descent alone")
    if kind == "textbook C":
        return [str(build("textbook", "float" if case.net.dtype == np.float32 else "double"))]
    if case.net != NEURON or case.n != 4:
        raise Unavailable("hand C is written for one neuron on four samples")
    return [str(build("nand", "double"))]


@cache
def build(name: str, real: str) -> Path:
    """The program made of peers/NAME.c, compiled now."""
    if shutil.which("gcc") is None:
        raise Unavailable("gcc is not installed: no peers in C")
    BUILD.mkdir(exist_ok=True)
    program = BUILD / f"{name}_{real}"
    subprocess.run(["gcc", *CFLAGS, f"-DREAL={real}", str(PEERS / f"{name}.c"), "-o", str(program), "-lm"], check=True)
    return program


@cache
def jax_version() -> str | None:
    """The version of JAX in JAX_PYTHON, None if it has none."""
    command = [JAX_PYTHON, "-c", "import jax; print(jax.__version__)"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip() if found.returncode == 0 else None
