"""Programs that do the same work beside this one: how they are built or found, and how they are spoken to (peers/protocol.h)."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from cases import NEURON, Case
from datasets import Array
from unavailable import Unavailable

PEERS = Path(__file__).parent / "peers"
BUILD = PEERS / "build"
REALS = {"float32": "float", "float64": "double"}
CFLAGS = ["-O3", "-march=native", "-ffast-math"]
IN_C = {"identity", "sigmoid", "tanh", "relu", "softmax", "squared_error", "cross_entropy"}  # peers/protocol.h
MOST_PARAMETERS_IN_C = 200_000  # plain loops would take minutes


class Library(NamedTuple):
    """A library of Python, which may live in an environment of its own: the variable NAME_PYTHON is the path of that Python."""

    package: str  # to install
    name: str  # to import

    @property
    def variable(self) -> str:
        return f"{self.name.upper()}_PYTHON"

    @property
    def python(self) -> str:
        return os.environ.get(self.variable, sys.executable)


LIBRARIES = {"JAX": Library("jax", "jax"), "PyTorch": Library("torch", "torch"), "scikit-learn": Library("scikit-learn", "sklearn")}
KINDS = ["hand C", "textbook C", *LIBRARIES]


class Result(NamedTuple):
    seconds: float  # of the loop alone: no compiling, no process start
    params: Array  # (n_params,)


class Process:
    """A program that speaks the protocol of peers/protocol.h."""

    def __init__(self, command: list[str], case: Case):
        net = case.net
        self._answer = 8 * (1 + net.n_params)  # bytes
        problem = {
            "dtype": net.dtype.name, "widths": _list(net.widths), "activations": _list(net.activations), "loss": net.loss,
            "method": case.method, "eps": case.eps, "optimizer": case.optimizer, "rate": case.learning_rate,
            "n": case.n, "batch": case.batch, "threads": case.threads,
        }  # fmt: skip
        arguments = [f"{name}={value}" for name, value in problem.items()]
        environment = os.environ | limits(case.threads)
        self._process = subprocess.Popen([*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        for numbers in (case.initial, *case.data):
            self._write(numbers.astype(np.float64).tobytes())

    def _write(self, message: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(message)
        self._process.stdin.flush()

    def train(self, epochs: int, shuffle: bool) -> Result:
        self._write(f"{epochs} {int(shuffle)}\n".encode())
        assert self._process.stdout is not None
        answer = self._process.stdout.read(self._answer)
        if len(answer) < self._answer:
            raise RuntimeError(f"{self._process.args} ended with exit code {self._process.wait()}")
        seconds, *_ = numbers = np.frombuffer(answer)
        return Result(float(seconds), numbers[1:])

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.communicate()  # no more requests: it ends


def _list(values: tuple[object, ...]) -> str:
    return ",".join(map(str, values))


def limits(threads: int) -> dict[str, str]:
    """What keeps a library to so many threads."""
    names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"]  # the last is XLA's
    one = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return dict.fromkeys(names, str(threads)) | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": one if threads == 1 else ""}


def command(kind: str, case: Case) -> list[str]:
    """The program of this kind for the case, without its arguments; or Unavailable."""
    if kind in LIBRARIES:
        return _library(kind, case)
    net = case.net
    if net.n_params > MOST_PARAMETERS_IN_C:
        raise Unavailable(f"the peers in C are for networks of at most {MOST_PARAMETERS_IN_C:,} parameters")
    if not {*net.activations, net.loss} <= IN_C:
        raise Unavailable(f"the peers in C have none of {', '.join(sorted({*net.activations, net.loss} - IN_C))}")
    if kind == "textbook C":
        return [str(build("textbook", REALS[net.dtype.name]))]
    if net != NEURON or case.n != 4 or case.optimizer != "sgd":
        raise Unavailable("hand C is written for one neuron on four samples")
    return [str(build("nand", "double"))]


def _library(kind: str, case: Case) -> list[str]:
    library, net = LIBRARIES[kind], case.net
    if kind == "PyTorch" and case.method != "backprop":
        raise Unavailable("PyTorch is for backprop")
    if kind == "scikit-learn" and (net.activations[-1], net.loss) not in (("softmax", "cross_entropy"), ("identity", "squared_error")):
        raise Unavailable("scikit-learn's networks end in softmax with cross entropy, or in identity with squared error")
    if version(kind) is None:
        raise Unavailable(f"{kind} is not installed: pip install {library.package}, or set {library.variable} to a Python that has it")
    return [library.python, str(PEERS / f"{library.name}_peer.py")]


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
def version(kind: str) -> str | None:
    """The version of a library in its Python, None if it has none."""
    library = LIBRARIES[kind]
    program = f"from importlib.metadata import version; print(version({library.package!r}))"
    try:
        found = subprocess.run([library.python, "-c", program], capture_output=True, text=True, check=False)
    except OSError as error:
        sys.exit(f"{library.variable} must be the path of a Python: {error}")
    return found.stdout.strip() if found.returncode == 0 else None
