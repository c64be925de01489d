"""What most tests share: the kernels and dtypes they run over, a training function that skips what a kernel does not serve, problems."""

import os
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from browser import chromium, opened, pictures
from command_line import command, flowers, folder, line, refused
from hypothesis import settings
from interruptions import default_handler
from page_client import client, play
from predicted import way
from sklearn_data import diabetes, iris
from small_steps import small_steps
from tiny_kernel import compilations, own_cache

import fastgd
from fastgd import kernels
from fastgd.kernels import binding
from fastgd.kernels.shelf import shelf
from fastgd.machine.cache import Entry
from fastgd.options import Options
from fastgd.training import loop

# fixtures of other modules, which tests find here by their names
__all__ = [
    "chromium", "client", "command", "compilations", "default_handler", "diabetes", "flowers", "folder", "iris", "line", "opened",
    "own_cache", "pictures", "play", "refused", "small_steps", "way",
]  # fmt: skip

settings.register_profile("fastgd", derandomize=True, max_examples=50, deadline=None, database=None)
settings.load_profile("fastgd")

# processes that tests start find this package, and no other that may be installed
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(fastgd.__file__).parent.parent), os.environ.get("PYTHONPATH")]))

KERNELS = ["matrix", "unrolled"]
DTYPES = ["float64", "float32"]


def pytest_addoption(parser):
    parser.addoption(
        "--once",
        action="store_true",
        help="one case of every test, not always the first: for processors and versions beside the usual ones",
    )
    parser.addoption(
        "--every", action="store_true", help="written-out kernels by every activation with every loss and method, not by some: half an hour"
    )


def pytest_collection_modifyitems(config, items):
    if config.getoption("once"):
        cases = {}
        for item in items:
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
        items[:] = [some[zlib.crc32(name.encode()) % len(some)] for name, some in cases.items()]


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


@pytest.fixture(autouse=True, scope="session")
def threads_for_little_work():
    """Threads are started, where a kernel shares its work out, for however little of it there is."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(binding, "THREADED_SECONDS", 0.0)
        yield


@pytest.fixture
def path(tmp_path):
    """Where a run is saved, in a folder of its own."""
    return tmp_path / "run.npz"


@pytest.fixture
def single_updates(monkeypatch):
    """Chunks of one update."""
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0.0)


@pytest.fixture
def no_compiled_code(monkeypatch):
    """Whatever is refused is refused before anything is compiled."""

    def fail(*arguments):
        raise AssertionError("compiled code was called")

    shelf.clear()
    monkeypatch.setattr(Entry, "_ready", fail)


@pytest.fixture
def figures():
    """Figures that no screen shows, all closed in the end; matplotlib's settings are as they were."""
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.use("agg")
    before = dict(matplotlib.rcParams)
    yield
    assert dict(matplotlib.rcParams) == before
    plt.close("all")


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
            timeout=600,
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    return run


def random_problem(net, n, seed=0):
    """X (n, inputs), Y (n, outputs) that the loss allows, and parameters, all away from saturation."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, net.widths[0]))
    Y = rng.uniform(0.05, 0.95, size=(n, net.n_targets))
    if net.loss == "cross_entropy":
        Y /= Y.sum(axis=1, keepdims=True)
    params = rng.normal(size=net.n_params) * 0.6
    return X.astype(net.dtype), Y.astype(net.dtype), params.astype(net.dtype)


def plan_of(net, n=4, batch_size=None, shuffle=True, method="backprop", epochs=0):
    """With the kernel that is chosen by these."""
    return kernels.make_plan(net, n, Options(method=method, batch_size=batch_size, shuffle=shuffle), "auto", epochs)


def assert_refused(call, error, words):
    """By an error of just this class, in one line that has these words."""
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    message = str(caught.value)
    assert [word for word in words if word not in message] == [], message
    assert "\n" not in message
