"""A module of LLVM functions that call each other, from functions of Python."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import config

from fastgd.machine.translation.statements import Translation


class Program:
    """One LLVM module of functions that call each other."""

    def __init__(self, name: str):
        self.module = ir.Module(name=name)
        self.functions: dict[Any, tuple[Any, Any]] = {}
        self.texts: dict[Any, str] = {}  # of Python's functions, see `tree_of`

    def function(self, function: Any, kinds: tuple[Any, ...], merged: bool) -> tuple[Any, Any]:
        """The LLVM function of a Python function for arguments of these types, Statics among them,
        and the type that it returns.
        """
        key = function, kinds
        if key not in self.functions:
            self.functions[key] = Translation(self, function, kinds, merged).result
        return self.functions[key]

    def entry(self, name: str, function: Any, kinds: tuple[Any, ...]) -> None:
        """A C function of this name, `int32 name(pointer, pointer, ...)`: not 0 where the function
        has failed.
        """
        called, _ = self.function(function, kinds, True)
        pointer, status = ir.IntType(8).as_pointer(), ir.IntType(32)
        taken = [pointer, pointer, *(argument.type for argument in called.args)]
        entry = ir.Function(self.module, ir.FunctionType(status, taken), name)
        builder = ir.IRBuilder(entry.append_basic_block())
        failed = builder.call(called, entry.args[2:])
        builder.ret(builder.zext(failed, status) if config.BOUNDSCHECK else status(0))
