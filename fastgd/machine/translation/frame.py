"""A function that is being translated: its LLVM function, and what its names stand for.

A name that is bound once is its value; another one is a place on the stack, which LLVM puts into
registers. Where ways meet on which a name has places of different types, it gets one for both.
"""

from __future__ import annotations

import builtins
from functools import reduce
from typing import Any, NamedTuple

from llvmlite import ir
from numba import config, types

from fastgd.machine.translation.arithmetic import common_type
from fastgd.machine.translation.python_source import tree_of
from fastgd.machine.translation.scopes import names_of
from fastgd.machine.translation.values import (
    LITERALS,
    NONE,
    Builder,
    Context,
    Operand,
    Static,
    UntranslatableError,
    literal,
)


class Slot(NamedTuple):
    """A place in memory that a name stands for."""

    type: Any
    pointer: Any


class Place(NamedTuple):
    """Where the code has come to: a block of LLVM, and what each name stands for at its end: a
    Slot, an Operand or a Static.
    """

    block: Any
    names: dict[str, Any]


def _is_known(kind: Any) -> bool:
    return isinstance(kind, Static)


class Frame:
    """A function of Python on its way to LLVM, without its body.

    `kinds` are the types of its arguments, or Statics in the place of some; a `merged` one becomes
    a part of those that call it, and no other does.
    """

    def __init__(self, program: Any, function: Any, kinds: tuple[Any, ...], merged: bool):
        tree = tree_of(function, program.texts)
        if tree is None:
            raise UntranslatableError(f"{function.__qualname__} has no text")
        self.program, self.python, self.tree = program, function, tree
        self.context = Context(self._fail)
        self.bound, self.constants = names_of(tree)
        closed_over = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        self.outside = function.__globals__ | {
            name: each.cell_contents for name, each in closed_over
        }
        self.names: dict[str, Any] = {}
        self.is_reached = True  # whether the place that is written at is
        self.returns: list[tuple[Any, Operand]] = []  # blocks that end in it, and what they return
        self.failures: list[Any] = []  # blocks that end in one
        taken = [self.context.get_value_type(kind) for kind in kinds if not _is_known(kind)]
        # what it returns is known at its end
        signature = ir.FunctionType(ir.VoidType(), taken)
        name = f"{tree.name}.{len(program.module.globals)}"
        self.llvm = ir.Function(program.module, signature, name)
        self.llvm.linkage = "linkonce_odr"
        self.llvm.attributes.add("alwaysinline" if merged else "noinline")
        self.entry = self.llvm.append_basic_block()
        self.builder = Builder(self.llvm.append_basic_block())
        values = iter(self.llvm.args)
        arguments = [argument.arg for argument in tree.args.args]
        if len(arguments) != len(kinds) or tree.args.vararg or tree.args.kwonlyargs:
            raise UntranslatableError(f"{tree.name} takes other arguments than {kinds}")
        for argument, kind in zip(arguments, kinds, strict=True):
            self._bind(argument, kind if _is_known(kind) else Operand(kind, next(values)))

    def _finish(self) -> Any:
        """Write what returns, and give the function its type; that of what it returns.

        Where indices are checked, whether it has failed comes first.
        """
        if self.is_reached:
            self.returns.append((self.builder.block, NONE))
        kind = self.returns[0][1].type if self.returns else types.none
        for _, value in self.returns:
            kind = kind if kind == value.type else common_type(kind, value.type)
        parts = [ir.IntType(1)] if config.BOUNDSCHECK else []
        parts += [self.context.get_value_type(kind)] if kind != types.none else []
        ends: list[tuple[Any, Any]] = []
        ends += [(block, self._cast(value, kind, block)) for block, value in self.returns]
        ends += [(block, None) for block in self.failures]
        whole = ir.LiteralStructType(parts) if len(parts) > 1 else [*parts, ir.VoidType()][0]
        for block, result in ends:
            self.builder.position_at_end(block)
            if not parts:
                self.builder.ret_void()
                continue
            failed = parts[0](result is None)
            if config.BOUNDSCHECK and len(parts) > 1:
                value = ir.Constant(whole, [failed, ir.Constant(parts[1], None)])
                if result is not None:
                    value = self.builder.insert_value(value, result.ir, 1)
                self.builder.ret(value)
            else:
                self.builder.ret(failed if config.BOUNDSCHECK else result.ir)
        signature = ir.FunctionType(whole, self.llvm.ftype.args)
        self.llvm.ftype, self.llvm.type = signature, signature.as_pointer()
        self.llvm.return_value.type = whole
        self.builder.position_at_end(self.entry)
        self.builder.branch(self.llvm.blocks[1])
        return kind

    def _fail(self, builder: Any) -> None:
        block = self.llvm.append_basic_block()
        builder.branch(block)
        self.failures.append(block)

    # -- names and where they lie

    def _place(self) -> Place:
        return Place(self.builder.block, dict(self.names))

    def _bind(self, name: str, value: Any) -> None:
        if isinstance(value, Static) and type(value.value) in LITERALS:
            value = self._operand(value)
        if name in self.constants or isinstance(value, Static) or value is NONE:
            self.names[name] = value
            return
        slot = self.names.get(name)
        if not isinstance(slot, Slot) or slot.type != value.type:
            slot = self.names[name] = self._slot(value.type)
        self.builder.store(value.ir, slot.pointer)

    def _slot(self, kind: Any) -> Slot:
        with self.builder.goto_block(self.entry):
            return Slot(kind, self.builder.alloca(self.context.get_value_type(kind)))

    def _read(self, name: str) -> Any:
        if name in self.names:
            value = self.names[name]
            is_slot = isinstance(value, Slot)
            return Operand(value.type, self.builder.load(value.pointer)) if is_slot else value
        if name in self.bound or not (name in self.outside or hasattr(builtins, name)):
            raise UntranslatableError(f"{name} in {self.python.__qualname__} may not be bound")
        return Static(self.outside[name] if name in self.outside else getattr(builtins, name))

    def _move(self, place: Place, name: str, slot: Slot) -> None:
        """At the end of a place, have a name stand for this slot."""
        self.builder.position_at_end(place.block)
        old = place.names[name]
        value = Operand(old.type, self.builder.load(old.pointer))
        self.builder.store(self._cast(value, slot.type).ir, slot.pointer)

    def _join(self, places: list[Place], target: Any) -> None:
        """Go on from several places in one block; names that stand for what differs get a place
        for both.
        """
        names: dict[str, Any] = {}
        for name in {name: None for place in places for name in place.names}:
            bound = [place for place in places if name in place.names]
            found = [place.names[name] for place in bound]
            if all(each is found[0] for each in found):
                names[name] = found[0]
            elif all(isinstance(each, Slot) for each in found):
                names[name] = self._slot(reduce(common_type, [each.type for each in found]))
                for place in bound:
                    self._move(place, name, names[name])
        for place in places:
            self.builder.position_at_end(place.block)
            self.builder.branch(target)
        self.builder.position_at_end(target)
        self.names, self.is_reached = names, bool(places)
        if not places:
            self.builder.unreachable()

    # -- values

    def _operand(self, value: Any) -> Operand:
        if isinstance(value, Static):
            return literal(self.context, self.builder, value.value)
        assert isinstance(value, Operand)
        return value

    def _cast(self, value: Operand, kind: Any, block: Any = None) -> Operand:
        """The value as one of this type; written at the end of a block, if not here."""
        if value.type == kind:
            return value
        if block is not None:
            self.builder.position_at_end(block)
        return Operand(kind, self.context.cast(self.builder, value.ir, value.type, kind))
