"""What object code needs from elsewhere, in every format; and that it is found where a process can't be asked, as on Windows."""

import ctypes
from contextlib import nullcontext
from ctypes.util import find_library

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest
from llvmlite import ir

from fastgd.machine import cache, kernel_file, linking
from fastgd.machine.object_code import machine_code
from fastgd.machine.object_file import undefined_names

DOUBLE = ir.DoubleType()
FUNCTION = ir.FunctionType(DOUBLE, [DOUBLE])


def module_of(triple):
    """A module that calls sin and a long name, reads a variable of another module, and declares what nobody calls; % is a call of fmod."""
    module = ir.Module()
    module.triple = triple
    sine, long, _ = (ir.Function(module, FUNCTION, name) for name in ("sin", "a_function_of_a_long_name", "dead"))
    data, own, common = (ir.GlobalVariable(module, DOUBLE, name) for name in ("data", "own", "common"))
    own.initializer, common.initializer, common.linkage = DOUBLE(1.0), DOUBLE(0.0), "common"
    inner, outer = (ir.Function(module, FUNCTION, name) for name in ("inner", "outer"))
    inner.linkage = "internal"
    inner.attributes.add("noinline")
    for function, body in (
        (inner, lambda builder, x: builder.call(sine, [x])),
        (outer, lambda builder, x: builder.frem(builder.call(long, [builder.call(inner, [x])]), builder.load(data))),
    ):
        builder = ir.IRBuilder(function.append_basic_block())
        result = body(builder, function.args[0])
        builder.store(result, own)
        builder.store(result, common)
        builder.ret(result)
    return llvm.parse_assembly(str(module))


TRIPLES = [
    "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "powerpc64le-unknown-linux-gnu", "powerpc64-unknown-linux-gnu",
    "x86_64-apple-darwin", "arm64-apple-darwin", "x86_64-pc-windows-msvc", "aarch64-pc-windows-msvc", "x86_64-pc-windows-msvc-elf",
]  # fmt: skip


@pytest.mark.parametrize("triple", TRIPLES)
def test_what_is_called_and_read_and_nothing_that_is_declared_only(triple):
    """In LLVM's object file for the system."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        target = llvm.Target.from_triple(triple)
    except RuntimeError as error:
        pytest.skip(str(error))
    code = target.create_target_machine(codemodel="default").emit_object(module_of(triple))
    assert undefined_names(code) == ["a_function_of_a_long_name", "data", "fmod", "sin"]


CURVE = '''"""Curve."""

import math
from typing import NamedTuple

from fastgd.machine.jit import kernel
from fastgd.machine.struct import Doubles
from fastgd.machine.struct_view import viewer


class Numbers(NamedTuple):
    numbers: Doubles


numbers_of = viewer(Numbers)


@kernel
def curve(address, zero, limit):
    x = numbers_of(address, zero).numbers
    for i in range(limit):
        x[i] = math.sin(x[i]) + math.cos(0.5 * x[i]) ** 2.5 + math.sqrt(x[i])
'''


def curve(entry):
    """Of five numbers, by compiled code and by NumPy."""
    cell = np.linspace(0.1, 1.0, 5)
    expected = np.sin(cell) + np.cos(0.5 * cell) ** 2.5 + np.sqrt(cell)
    entry(np.array([cell.ctypes.data, 5]), 5)
    return cell, expected


@pytest.fixture(params=["the C library of Windows", "nothing"])
def libraries_of_windows(request, monkeypatch):
    """A process that can't be asked, and a C library that only its own name finds, or that nothing finds but LLVM."""
    asked, real = [], ctypes.CDLL
    functions = {name: getattr(real(find_library("m")), name) for name in ("sin", "cos", "pow")}
    functions |= {name: getattr(real(None), name) for name in ("memcpy", "memset", "sched_yield")}

    class Library:
        def __init__(self, name, *_, **__):
            asked.append(name)
            if name is None:
                raise TypeError("bad argument type for built-in operation")
            if name != "ucrtbase" or request.param == "nothing":
                raise FileNotFoundError(f"Could not find module {name!r}")
            vars(self).update(functions)

    monkeypatch.setattr(ctypes, "CDLL", Library)
    monkeypatch.setattr(linking, "find_library", lambda name: None)
    linking.c_function.cache_clear()
    yield asked
    linking.c_function.cache_clear()


def test_functions_that_only_the_library_of_windows_has(libraries_of_windows, tmp_path, monkeypatch):
    """What is compiled calls what it needs and no more, and is loaded again by the next process."""
    monkeypatch.setenv("FASTGD_CACHE_DIR", str(tmp_path / "cache"))
    for _ in range(2):
        cell, expected = curve(cache.Entry("curve", CURVE, "curve", np.dtype("float64")))
        np.testing.assert_allclose(cell, expected, rtol=1e-14)
    assert set(libraries_of_windows) >= {None, "ucrtbase"}
    facts, code = kernel_file.read((tmp_path / "cache" / "curve.kernel").read_bytes())
    assert facts["calls"] == undefined_names(code) == ["cos", "pow", "sin"]


def test_how_threads_give_way_is_found_there_too(libraries_of_windows):
    from fastgd.kernels.threads.pool import give_way

    assert ctypes.CFUNCTYPE(ctypes.c_int)(give_way.__wrapped__())() == 0


def test_a_function_that_is_nowhere(libraries_of_windows):
    with pytest.raises(ValueError, match="no_such_function"):
        linking.c_function("no_such_function")


def test_an_ordinary_process_is_asked_first(monkeypatch):
    """Looking for libraries by name may start programs, in every process anew."""
    monkeypatch.setattr(linking, "find_library", lambda name: pytest.fail("looked for"))
    linking.c_function.cache_clear()
    assert linking.c_function("memcpy") == ctypes.cast(ctypes.CDLL(None).memcpy, ctypes.c_void_p).value


@pytest.mark.skipif(not llvm.targets.has_svml(), reason="LLVM without Intel's SVML")
def test_no_vector_library_is_called(python):
    """Numba uses SVML where it finds it, and then LLVM declares its functions and calls some, which a process without Numba lacks."""
    program = f"""
import llvmlite.binding as llvm
import numba
import numpy as np
llvm.set_option("SVML", "-vector-library=SVML")
numba.config.USING_SVML = True
from fastgd.machine.object_code import machine_code
print(*machine_code({CURVE!r}, "curve", np.dtype("float64"))[0]["calls"])
"""
    assert python(program).split() == ["cos", "pow", "sin"]


@pytest.mark.parametrize("text", [CURVE, CURVE.replace("math.sin", "math.no_such")], ids=["compiles", "does not"])
def test_the_vector_library_of_numba_is_put_back(text, monkeypatch):
    """What the caller compiles with Numba goes on to use it."""
    options = []
    monkeypatch.setattr(llvm, "set_option", lambda name, option: options.append(option))
    for using, expected in [(False, []), (True, ["-vector-library=none", "-vector-library=SVML"])]:
        monkeypatch.setattr(numba.config, "USING_SVML", using, raising=False)
        with nullcontext() if text == CURVE else pytest.raises(AttributeError, match="no_such"):
            machine_code(text, "curve", np.dtype("float64"))
        assert options == expected
