"""A Numba without the methods that are replaced where it types and lowers a function, or with others of their names: it compiles in memory,
to the same bits.
"""

import ctypes
from pathlib import Path
from types import SimpleNamespace

import llvmlite.binding as llvm
import numpy as np
import pytest
from numba.core import codegen
from tiny_kernel import TINY, twice

import fastgd
from fastgd.machine import cache, object_code
from fastgd.machine.translation.values import UntranslatableError

METHODS = [
    ("CPUCodeLibrary", "_optimize_final_module"),
    ("CPUCodeLibrary", "_finalize_final_module"),
    ("JITCPUCodegen", "set_env"),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache folder of this test's own, of which nothing has been said."""
    monkeypatch.setenv("FASTGD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "_has_warned", False)
    return tmp_path / "cache"


@pytest.fixture
def untranslated(monkeypatch):
    """Functions go to Numba's front end, as those do that the translation does not know."""

    def refuse(*arguments):
        raise UntranslatableError("nothing is known")

    monkeypatch.setattr(object_code, "_translated", refuse)


def fresh(dtype="float64"):
    return cache.Entry("tiny_0", TINY, "twice", np.dtype(dtype))


def assert_runs_in_memory(folder, reason):
    """Two entries, as in one process with two kernels, of which one warning is given and no file is left."""
    with pytest.warns(RuntimeWarning, match="compiled code can't be kept: Numba") as warned:
        assert twice(fresh(), 21) == 42
    (warning,) = warned
    assert reason in str(warning.message)
    assert Path(warning.filename).name == "tiny_kernel.py"  # which calls it
    assert twice(fresh("float32"), 4) == 8
    assert not folder.exists()


@pytest.mark.parametrize(("owner", "method"), METHODS)
def test_a_method_that_is_missing(owner, method, folder, untranslated, monkeypatch):
    """Seen by fastgd alone: Numba itself goes on to have it, as by another name."""
    names = {name for _, name in METHODS if name != method}
    had = {name: value for name, value in vars(getattr(codegen, owner)).items() if name in names}
    monkeypatch.setattr(codegen, owner, type(owner, (), had))
    assert_runs_in_memory(folder, method)


@pytest.mark.parametrize("name", ["CPUCodeLibrary", "JITCPUCodegen"])
def test_a_class_that_is_missing(name, folder, untranslated, monkeypatch):
    monkeypatch.delattr(codegen, name)
    assert_runs_in_memory(folder, name)


def test_a_method_that_does_something_else(folder, monkeypatch):
    """Which only shows when there is no machine code of it."""

    def fail(*arguments):
        raise RuntimeError("no such target")

    monkeypatch.setattr(llvm.TargetMachine, "emit_object", fail)
    assert_runs_in_memory(folder, "(no such target)")


def test_methods_that_are_replaced_are_put_back(folder, untranslated):
    """Whether or not the text compiles."""
    before = [getattr(getattr(codegen, owner), method) for owner, method in METHODS]
    assert twice(fresh(), 21) == 42
    with pytest.raises(NameError, match="no_such"):
        twice(cache.Entry("tiny_1", TINY.replace("2 * limit", "2 * limit\nno_such"), "twice", np.dtype("float64")), 21)
    assert [getattr(getattr(codegen, owner), method) for owner, method in METHODS] == before


@pytest.mark.parametrize(
    ("arguments", "accepted"),
    [
        ("ptr, ptr, i64, double, i64", True),
        ("ptr, i64, double, i64", False),
        ("ptr, ptr, i64, float, i64", False),
        ("ptr, ptr, double, i64, i64", False),
    ],
)
def test_a_function_that_is_called_otherwise(arguments, accepted):
    """It is never called with what it does not take."""
    function = SimpleNamespace(arguments=[SimpleNamespace(type=each) for each in arguments.split(", ")])
    if accepted:
        object_code.check_call(function, np.dtype("float64"))
        return
    with pytest.raises(TypeError, match="compiled code takes"):
        object_code.check_call(function, np.dtype("float64"))


TRAINING = """
import warnings
import llvmlite.binding
import fastgd
del llvmlite.binding.TargetMachine.emit_object
X, Y = fastgd.data.gate("xor")
net = fastgd.MLP(2, 2, 1, activation="tanh")
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    run = fastgd.train(net, X, Y, 100, 0.1, rng=0, kernel="unrolled", optimizer="adam", target_cost=0.0, patience=9)
assert len(warned) == 1, warned
assert "can't be kept: Numba" in str(warned[0].message), warned
print(run.params.tobytes().hex(), run.cost)
"""


def test_training_to_the_same_bits(python, tmp_path):
    """In a process that has compiled nothing, with an optimizer that takes square roots."""
    X, Y = fastgd.data.gate("xor")
    net = fastgd.MLP(2, 2, 1, activation="tanh")
    run = fastgd.train(net, X, Y, 100, 0.1, rng=0, kernel="unrolled", optimizer="adam", target_cost=0.0, patience=9)
    printed = python(TRAINING, FASTGD_CACHE_DIR=tmp_path / "cache").split()
    assert printed == [run.params.tobytes().hex(), str(run.cost)]
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("is_linked", [True, False])
def test_a_function_that_others_call_at_its_address(is_linked, dtype, folder, monkeypatch):
    """Be it linked, or held by Numba."""
    entry, cell = fresh(dtype), np.zeros(1, np.int64)
    if is_linked:
        address = entry.c_address()
        assert address == entry.address()
    else:
        monkeypatch.setattr(object_code, "machine_code", raising(AttributeError("no such method")))
        with pytest.warns(RuntimeWarning, match="no such method"):
            address = entry.c_address()
        assert entry.address() == 0
    table = np.array([cell.ctypes.data, 1])
    call = ctypes.CFUNCTYPE(ctypes.c_int32)(address)
    assert call(*entry._arguments(table, ctypes.c_int64(21))) == 0
    assert cell[0] == 42


def raising(error):
    def fail(*arguments):
        raise error

    return fail
