"""What tests share: the kernels and dtypes they run over, a training function that skips what a kernel does not serve, the command."""

import csv
import importlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from browser import chromium, opened, pictures
from hypothesis import settings
from numba.core.registry import cpu_target
from page_client import client, play
from tiny_kernel import compilations, own_cache

import fastgd
from fastgd import kernels
from fastgd.cli import main
from fastgd.ensemble import side_by_side
from fastgd.kernels import binding
from fastgd.kernels.shelf import shelf
from fastgd.machine.cache import Entry
from fastgd.options import Options
from fastgd.training import loop, session

__all__ = ["chromium", "client", "compilations", "opened", "own_cache", "pictures", "play"]  # fixtures, which are found here by their names

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
def small_steps(monkeypatch):
    """Of many members: chunks of one epoch in lanes, of one update otherwise; after each a thread waits until the main one has looked,
    or has told all threads to stop.
    """
    looked, monitors, look, over = threading.Event(), [], session.Session.look, side_by_side.SideBySide._over

    def look_and_say_so(self, progress):
        look(self, progress)
        looked.set()

    def monitored(self, session, *arguments, **named):
        monitors[:] = [session]
        over(self, session, *arguments, **named)

    def followed_by_a_look(advance):
        def one(self, *arguments):
            result = advance(self, *arguments)
            if arguments[-1] > 0 and threading.current_thread() is not threading.main_thread():
                looked.clear()
                wait_until(lambda: looked.wait(0.01) or monitors[0].reason is not None)
            return result

        return one

    monkeypatch.setattr(session.Session, "look", look_and_say_so)
    monkeypatch.setattr(side_by_side.SideBySide, "_over", monitored)
    monkeypatch.setattr(kernels.Lanes, "advance", followed_by_a_look(kernels.Lanes.advance))
    monkeypatch.setattr(loop.Loop, "_advance", followed_by_a_look(loop.Loop._advance))
    monkeypatch.setattr(side_by_side, "LOOK_SECONDS", 0.0005)
    monkeypatch.setattr(side_by_side, "_FIRST_LIMIT", 1)
    monkeypatch.setattr(side_by_side.SideBySide, "small_seconds", 0.0)
    monkeypatch.setattr(loop, "CHUNK_SECONDS", 0.0)


@pytest.fixture
def default_handler():
    """Python's own, which a program started in the background does not have."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


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


def wait_until(condition):
    """Look until the condition holds, which it does sooner or later; no machine takes as long as this looks."""
    last = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < last
        time.sleep(0.001)


class CtrlC:
    """A callback that has SIGINT sent to this process by another thread, at some time after the first epoch."""

    def __init__(self):
        self.thread = threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT))

    def __call__(self, progress):
        if progress.epoch > 0 and self.thread.ident is None:
            self.thread.start()


def compiles_for(feature):
    """Whether the processor that is compiled for has a feature, such as "fma": Numba's settings may name an older one than this."""
    return f"+{feature}" in cpu_target.target_context.codegen().magic_tuple()[2].split(",")


def imports(module):
    """Whether a module that need not be there can be imported; one that is there may not suit what is."""
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


NEEDS_PYARROW = pytest.mark.skipif(not imports("pyarrow.csv"), reason="pyarrow is not installed, or not for this NumPy")


def mutations(whole):
    """200 times the bytes of a file with a few of them changed, cut or added."""
    rng = np.random.default_rng(0)
    for number in range(200):
        data = bytearray(whole)
        places = rng.integers(len(data), size=1 + number % 4)
        if number % 4 == 0:
            del data[places[0] :]
        elif number % 4 == 1:
            data[places[0] : places[0]] = rng.bytes(3)
        else:
            for place in places:
                data[place] ^= 1 << int(rng.integers(8))
        yield data


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


# -- the command


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(folder, capsys):
    """Run the command; returns what it printed, having checked its exit status and that stderr is empty unless asked for."""

    def run(*arguments, status=0, stderr=""):
        assert main([str(argument) for argument in arguments]) == status
        out, err = capsys.readouterr()
        assert err == stderr
        return out

    return run


@pytest.fixture
def refused(folder, capsys):
    """Run the command and return its one line of error."""

    def run(*arguments):
        assert main([str(argument) for argument in arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("fastgd: error: ")
        assert err.count("\n") == 1
        assert err.endswith("\n")
        return err.removeprefix("fastgd: error: ").removesuffix("\n")

    return run


def write(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def printed(out):
    return list(csv.reader(io.StringIO(out)))


@pytest.fixture
def flowers(folder):
    """Three well separated clouds; the label of a row is the cloud it was drawn from."""
    rng = np.random.default_rng(5)
    centers = {"rose": (0, 0), "tulip": (40, 0), "lily": (0, 0.4)}
    rows = [[*(center + rng.normal(size=2) * (2, 0.02)).round(4), name] for _ in range(20) for name, center in centers.items()]
    write("flowers.csv", ["length", "width", "kind"], rows)
    return rows


@pytest.fixture
def line(folder):
    """price = 3 area - 20 rooms + 100, exactly, and a column that never changes."""
    rng = np.random.default_rng(6)
    rows = [[a, r, 7, 3 * a - 20 * r + 100] for a, r in zip(rng.integers(30, 200, 40), rng.integers(1, 6, 40), strict=True)]
    write("houses.csv", ["area", "rooms", "same", "price"], rows)
    return np.array(rows, float)


# -- data sets of scikit-learn's


@pytest.fixture(scope="session")
def iris():
    from sklearn import datasets, preprocessing

    X, y = datasets.load_iris(return_X_y=True)
    return preprocessing.scale(X), y


@pytest.fixture(scope="session")
def diabetes():
    from sklearn import datasets, preprocessing

    X, y = datasets.load_diabetes(return_X_y=True)
    return preprocessing.scale(X), preprocessing.scale(y)
