"""Compiled code on disk: found again by another process, to the same bits, and never damaged."""

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest
import tiny_kernel
from tiny_kernel import FLOAT64, TINY, damaged, fresh, kernel_file, twice

import fastgd
from fastgd.machine import cache, object_code

PROGRAM = f"""
import sys
import numpy as np
from fastgd.machine.cache import entry
twice, cell = entry("tiny", {TINY!r}, "twice", np.dtype("float64")), np.zeros(1, np.int64)
twice(np.array([cell.ctypes.data, 1]), 21)
assert cell[0] == 42
print("numba" in sys.modules)
"""


def test_a_second_process_needs_no_numba(python, own_cache):
    assert python(PROGRAM, FASTGD_CACHE_DIR=own_cache).strip() == "True"
    assert python(PROGRAM, FASTGD_CACHE_DIR=own_cache).strip() == "False"


TRAINING = """
import sys
import fastgd
X, Y = fastgd.data.gate("xor")
net = fastgd.MLP(2, 2, 1, activation="tanh")
run = fastgd.train(net, X, Y, 100, 0.1, rng=0, kernel="{}", optimizer="adam", target_cost=0.0, patience=9)
print(run.params.tobytes().hex(), run.cost, "numba" in sys.modules, "scipy" in sys.modules)
"""


def test_a_kernel_is_loaded_from_disk(python, kernel):
    """From the cache folder of these tests, which the call here has filled; to the same bits, and without what takes long to import."""
    X, Y = fastgd.data.gate("xor")
    net = fastgd.MLP(2, 2, 1, activation="tanh")
    run = fastgd.train(net, X, Y, 100, 0.1, rng=0, kernel=kernel, optimizer="adam", target_cost=0.0, patience=9)
    assert python(TRAINING.format(kernel)).split() == [run.params.tobytes().hex(), str(run.cost), "False", "False"]


def test_processes_that_make_the_same_kernel_at_once(python, own_cache):
    """All succeed with the same bits, one file is left, and a later process finds it."""
    program = """
import sys
import fastgd
X, Y = fastgd.data.gate("nand")
run = fastgd.train(fastgd.MLP(2, 1), X, Y, 1000, 1.0, rng=0, kernel="unrolled")
print(run.params.tobytes().hex(), run.cost, "numba" in sys.modules)
"""
    with ThreadPoolExecutor(4) as pool:
        printed = list(pool.map(lambda _: python(program, FASTGD_CACHE_DIR=own_cache, FASTGD_READY_MADE=0).split(), range(4)))
    assert len({tuple(line[:2]) for line in printed}) == 1
    assert "True" in {line[2] for line in printed}
    assert python(program, FASTGD_CACHE_DIR=own_cache, FASTGD_READY_MADE=0).split() == [*printed[0][:2], "False"]
    (file,) = own_cache.iterdir()
    assert file.suffix == ".kernel"


def test_two_kernels_with_the_same_names_inside(own_cache):
    """Functions are looked up in their own file: all are called `train`."""
    other = cache.Entry("tiny_1", TINY.replace("2 * limit", "3 * limit"), "twice", FLOAT64)
    for _ in range(2):
        assert twice(fresh(), 21) == 42
        assert twice(other, 21) == 63
        other = cache.Entry("tiny_1", "", "twice", FLOAT64)


@pytest.mark.filterwarnings("ignore:Could not find source")
def test_code_with_lines_for_debuggers(own_cache, monkeypatch):
    """Of NUMBA_DEBUGINFO=1."""
    monkeypatch.setattr(numba.config, "DEBUGINFO_DEFAULT", 1)
    assert twice(fresh(), 21) == 42


def test_sources_that_cannot_be_read(own_cache, compilations, monkeypatch):
    """Nobody knows what code is compiled from them: it is not kept."""
    monkeypatch.setattr(cache, "_has_warned", False)

    def fail():
        raise OSError("could not get source code")

    monkeypatch.setattr(cache, "fingerprint", fail)
    with pytest.warns(RuntimeWarning, match="compiled code can't be kept") as warned:
        assert twice(cache.entry.__wrapped__("tiny", TINY, "twice", FLOAT64), 21) == 42
    (warning,) = warned
    assert "sources" in str(warning.message)
    assert not own_cache.exists()


def test_the_error_state_of_the_caller_is_not_that_of_compiling(own_cache, monkeypatch):
    states, real = [], object_code.machine_code
    monkeypatch.setattr(object_code, "machine_code", lambda *arguments: states.append(np.geterr()) or real(*arguments))
    with np.errstate(all="raise"):
        before = np.geterr()
        assert twice(fresh(), 21) == 42
        assert np.geterr() == before
    assert set(states[0].values()) == {"ignore"}


@pytest.mark.parametrize("damage", damaged(b"{}\n00"))
def test_a_damaged_file(damage, own_cache, compilations):
    """Compiled again, and replaced."""
    assert twice(fresh(), 21) == 42
    whole = kernel_file(own_cache).read_bytes()
    kernel_file(own_cache).write_bytes(damaged(whole)[damage])
    assert twice(fresh(), 21) == 42
    assert len(compilations) == 2
    assert twice(fresh(), 21) == 42
    assert len(compilations) == 2


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (b'"calls": [', b'"calls": ["no_such_function"', "it calls no_such_function, which is not there"),
        (b'"function": "', b'"function": "no', "it has no function no"),
        (b'"calls"', b'"called"', "calls"),
    ],
)
def test_an_entry_that_cannot_be_linked(before, after, reason, own_cache, compilations):
    """It is named, compiled again, and replaced: the next process finds it."""
    assert twice(fresh(), 21) == 42
    whole = kernel_file(own_cache).read_bytes()
    kernel_file(own_cache).write_bytes(whole.replace(before, after, 1))
    with pytest.warns(RuntimeWarning, match="the compiled code tiny_0 can't be linked") as warned:
        assert twice(fresh(), 21) == 42
    (warning,) = warned
    assert reason in str(warning.message)
    assert warning.filename == tiny_kernel.__file__
    assert len(compilations) == 2
    assert twice(fresh(), 21) == 42
    assert len(compilations) == 2


def test_an_entry_that_cannot_be_linked_where_warnings_are_errors(own_cache, compilations, capsys):
    """It is said on stderr, and ends nothing."""
    assert twice(fresh(), 21) == 42
    kernel_file(own_cache).write_bytes(kernel_file(own_cache).read_bytes().replace(b'"function": "', b'"function": "no', 1))
    assert twice(fresh(), 21) == 42
    assert "the compiled code tiny_0 can't be linked" in capsys.readouterr().err
    assert twice(fresh(), 21) == 42
    assert len(compilations) == 2
