"""What tests share: the kernels and dtypes they run over, a training function that skips what a kernel does not serve."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

import fastgd

settings.register_profile("fastgd", derandomize=True, max_examples=50, deadline=None, database=None)
settings.load_profile("fastgd")

KERNELS = ["matrix", "unrolled"]
DTYPES = ["float64", "float32"]


@pytest.fixture(params=KERNELS, scope="session")
def kernel(request):
    return request.param


@pytest.fixture(params=DTYPES, scope="session")
def dtype(request):
    return request.param


@pytest.fixture(scope="session")
def train(kernel):
    """fastgd.train by one kernel; a network that only the matrix kernel serves is skipped for others."""

    def train_by_kernel(net, X, Y, epochs, learning_rate=0.1, **options):
        try:
            run = fastgd.train(net, X, Y, epochs, learning_rate, kernel=kernel, **options)
        except ValueError as error:
            if kernel == "matrix" or "kernel" not in str(error):
                raise
            pytest.skip(str(error))
        assert run.kernel == kernel
        return run

    return train_by_kernel


@pytest.fixture(scope="session")
def python():
    """Run a program in a fresh interpreter with this package; returns what it prints."""

    def run(program, *arguments, **environment):
        finished = subprocess.run(
            [sys.executable, "-W", "error", "-c", program, *map(str, arguments)],
            cwd=Path(fastgd.__file__).parent.parent,  # comes first where modules are looked for
            env={**os.environ, **{name: str(value) for name, value in environment.items()}},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    return run


def random_problem(net, n, seed=0):
    """X (n, inputs), Y (n, outputs) that the loss allows, and parameters, all away from saturation."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, net.widths[0]))
    Y = rng.uniform(0.05, 0.95, size=(n, net.widths[-1]))
    if net.loss == "cross_entropy":
        Y /= Y.sum(axis=1, keepdims=True)
    params = rng.normal(size=net.n_params) * 0.6
    return X.astype(net.dtype), Y.astype(net.dtype), params.astype(net.dtype)
