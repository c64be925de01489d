"""A function as machine code: translated to LLVM, and optimized once as a whole.

Functions are translated without Numba's front end (`translation`), which takes a hundredth of the
time. One whose text is not there, or that holds what the translation does not know, is typed and
lowered by Numba, which optimizes every function when it is compiled, and again inside each that
calls it, and makes machine code of each: here the inner ones stay as they were lowered, until all
of them are optimized together. For a chain of ten functions that is a tenth of the time.

That takes the place of methods of Numba's own. With a Numba that lacks one of them, `in_memory`
gives what it makes of the function by itself, which takes longer and can't be kept on disk.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np

from fastgd.machine.internals import cpu_target, global_compiler_lock
from fastgd.machine.jit import FLAGS
from fastgd.machine.object_file import undefined_names
from fastgd.machine.translation.program import Program
from fastgd.machine.translation.values import UntranslatableError

_held: list[Any] = []  # what Numba compiled for good


def machine_code(source: str, function: str, dtype: np.dtype[Any]) -> tuple[dict[str, Any], bytes]:
    """The object code of the function of this name in a module of this text, with the names of
    itself and of what it calls.
    """
    with global_compiler_lock, _no_vector_library():
        name, module = optimized(source, function, dtype)
        check_call(module.get_function(name), dtype)
        code = target_machine().emit_object(module)
    return {"function": name, "calls": undefined_names(code)}, code


def check_call(function: Any, dtype: np.dtype[Any]) -> None:
    """TypeError if an LLVM function takes other arguments than kernels are called with."""
    taken = [str(argument.type) for argument in function.arguments]
    real = {"float64": "double", "float32": "float"}[dtype.name]
    if len(taken) != 5 or taken[2:] != ["i64", real, "i64"]:
        raise TypeError(f"compiled code takes ({', '.join(taken)})")


def in_memory(source: str, function: str, dtype: np.dtype[Any]) -> Any:
    """The function, called as one of `machine_code` is, but compiled and held by Numba."""
    with global_compiler_lock, _no_vector_library():
        kernel = _function(source, function)

        @numba.njit(_arguments(dtype), **FLAGS)  # type: ignore[untyped-decorator]
        def call(address: Any, zero: Any, limit: Any) -> None:
            kernel(address, zero, limit)

    def status(result: Any, exception: Any, address: Any, zero: Any, limit: Any) -> int:
        call(address.value, dtype.type(zero.value), limit.value)
        return 0

    return status


def address_in_memory(source: str, function: str, dtype: np.dtype[Any]) -> int:
    """The C function, as one of `machine_code` is called, but compiled and held by Numba, for as
    long as the process lives.
    """
    with global_compiler_lock, _no_vector_library():
        kernel = _function(source, function)
        pointer = numba.types.voidptr
        signature = numba.int32(pointer, pointer, *_arguments(dtype))

        @numba.cfunc(signature, error_model="numpy")  # type: ignore[untyped-decorator]
        def call(result: Any, exception: Any, address: Any, zero: Any, limit: Any) -> int:
            kernel(address, zero, limit)
            return 0

    _held.append(call)
    return int(call.address)


def _with_aligned_stack(text: str) -> Any:
    """A module of this text, its vectors on the stack aligned wherever the caller's stack lies:
    across two cache lines they take half as long again.

    LLVM aligns the stack for what it finds to have no room in registers only where a register is
    kept for the frame.
    """
    # what is attached to it comes after its attributes
    head = r"^(define .*?)((?: !\w+ !\d+)*)(?= \{$|\n\{$)"
    # llvmlite's attributes of a function, be it made or parsed, know none that are strings
    text = re.sub(head, r'\1 "frame-pointer"="all"\2', text, flags=re.MULTILINE)
    return llvm.parse_assembly(text)


def optimized(source: str, function: str, dtype: np.dtype[Any]) -> tuple[str, Any]:
    """Its name in LLVM, and the module of it and of all that it calls."""
    with global_compiler_lock:
        try:
            return _translated(source, function, dtype)
        except UntranslatableError:
            return _lowered_by_numba(source, function, dtype)


def _translated(source: str, function: str, dtype: np.dtype[Any]) -> tuple[str, Any]:
    dispatcher, name, machine = _function(source, function), f"fastgd_{function}", target_machine()
    program = Program(name)
    program.entry(name, dispatcher.py_func, _arguments(dtype))
    program.module.triple, program.module.data_layout = machine.triple, str(machine.target_data)
    module = _with_aligned_stack(str(program.module))
    module.verify()
    wanted = dispatcher.py_func.__globals__.get("OPTIMIZATION", 3)
    options = llvm.create_pipeline_tuning_options(speed_level=min(numba.config.OPT, wanted))
    options.loop_unrolling = wanted == 3
    options.loop_vectorization = bool(numba.config.LOOP_VECTORIZE)
    options.slp_vectorization = bool(numba.config.SLP_VECTORIZE)
    builder = llvm.create_pass_builder(machine, options)
    if wanted == 3:
        for each in module.functions:
            builder.getFunctionPassManager().run(each, builder)
    builder.getModulePassManager().run(module, builder)
    return name, module


def _lowered_by_numba(source: str, function: str, dtype: np.dtype[Any]) -> tuple[str, Any]:
    with _inner_functions_as_lowered():
        dispatcher = _function(source, function)
        dispatcher.compile(_arguments(dtype))
        (result,) = dispatcher.overloads.values()
    result.library._optimize_final_module()
    return result.fndesc.llvm_func_name, _with_aligned_stack(str(result.library._final_module))


def target_machine() -> Any:
    """LLVM's of the processor that Numba compiles for."""
    return cpu_target.target_context.codegen()._tm


def _arguments(dtype: np.dtype[Any]) -> tuple[Any, ...]:
    """Numba's types of an address, of a zero of the dtype and of a limit."""
    return numba.int64, numba.from_dtype(dtype), numba.int64


def _function(source: str, function: str) -> Any:
    """Numba's dispatcher of the function of this name in a module of this text."""
    module = types.ModuleType("fastgd_kernel")
    module.__dict__["__source__"] = source
    exec(compile(source, "<fastgd kernel>", "exec", dont_inherit=True), module.__dict__)
    return getattr(module, function)


@contextmanager
def _no_vector_library() -> Iterator[None]:
    """Without Intel's SVML, which Numba uses where it finds it: a process that calls the code
    without Numba does not hold it, and its square root is slower than the instruction. Numba's lock
    must be held.
    """
    if not getattr(numba.config, "USING_SVML", False):
        yield
        return
    llvm.set_option("fastgd", "-vector-library=none")
    try:
        yield
    finally:
        llvm.set_option("fastgd", "-vector-library=SVML")


@contextmanager
def _inner_functions_as_lowered() -> Iterator[None]:
    """What Numba compiles meanwhile can be linked into other functions, but not called.

    Its lock must be held. AttributeError or ImportError where Numba has no such methods.
    """
    from numba.core.codegen import CPUCodeLibrary, JITCPUCodegen

    def finish(library: Any) -> None:
        library._finalize_dynamic_globals()
        library._verify_declare_only_symbols()
        library._finalized = True

    instead = {
        (CPUCodeLibrary, "_optimize_final_module"): lambda library: None,
        (CPUCodeLibrary, "_finalize_final_module"): finish,
        # which writes to what has been made machine code
        (JITCPUCodegen, "set_env"): lambda codegen, name, env: None,
    }
    before = {place: getattr(*place) for place in instead}
    try:
        for (owner, name), method in instead.items():
            setattr(owner, name, method)
        yield
    finally:
        for (owner, name), method in before.items():
            setattr(owner, name, method)
