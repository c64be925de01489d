"""Statements: assignments, branches and loops over a function's names."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types

from fastgd.machine.span import get_item, set_item
from fastgd.machine.translation.arithmetic import common_type
from fastgd.machine.translation.expressions import Expressions
from fastgd.machine.translation.frame import Place, Slot
from fastgd.machine.translation.values import NONE, Operand, Static, UntranslatableError, item


class Loop(NamedTuple):
    """The places from which the next turn begins, and those from which the loop is left."""

    goes_on: list[Place]
    leaves: list[Place]


class Translation(Expressions):
    """A function of Python as LLVM has it: `result`, with the type that it returns.

    Its types are known from those of the arguments on, so that one walk over the text types it and
    writes it; a loop does not change the type of a name from before it.
    """

    def __init__(self, program: Any, function: Any, kinds: tuple[Any, ...], merged: bool):
        super().__init__(program, function, kinds, merged)
        self.loops: list[Loop] = []
        self._suite(self.tree.body)
        self.result = self.llvm, self._finish()

    def _suite(self, body: Iterable[ast.stmt]) -> None:
        for statement in body:
            if not self.is_reached:
                return
            method = getattr(self, f"_do_{type(statement).__name__}", None)
            if method is None:
                raise UntranslatableError(f"{ast.unparse(statement)} in {self.python.__qualname__}")
            method(statement)

    def _do_Expr(self, node: ast.Expr) -> None:  # noqa: N802
        self._expression(node.value)

    def _do_Pass(self, node: ast.Pass) -> None:  # noqa: N802
        pass

    def _do_Return(self, node: ast.Return) -> None:  # noqa: N802
        value = NONE if node.value is None else self._value(node.value)
        self.returns.append((self.builder.block, value))
        self.is_reached = False

    def _do_Assign(self, node: ast.Assign) -> None:  # noqa: N802
        (target, *others), value = node.targets, node.value
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and not others:
            values = [self._expression(each) for each in value.elts]
            for each, part in zip(target.elts, values, strict=True):
                self._put(each, part)
            return
        whole = self._expression(value)
        for each in node.targets:
            self._put(each, whole)

    def _put(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self._bind(target.id, value)
        elif isinstance(target, ast.Subscript):
            places = self._value(target.value), self._value(target.slice)
            self._call_intrinsic(set_item, [*places, self._operand(value)])
        elif isinstance(target, ast.Tuple):
            whole = self._operand(value)
            for i, each in enumerate(target.elts):
                self._put(each, item(self.context, self.builder, whole, Static(i)))
        else:
            raise UntranslatableError(ast.unparse(target))

    def _do_AugAssign(self, node: ast.AugAssign) -> None:  # noqa: N802
        if isinstance(node.target, ast.Name):
            old = self._read(node.target.id)
            self._bind(node.target.id, self._binary(node.op, old, self._expression(node.value)))
            return
        if not isinstance(node.target, ast.Subscript):
            raise UntranslatableError(ast.unparse(node))
        places = self._value(node.target.value), self._value(node.target.slice)
        old = self._call_intrinsic(get_item, [*places])
        new = self._binary(node.op, old, self._expression(node.value))
        self._call_intrinsic(set_item, [*places, self._operand(new)])

    def _do_If(self, node: ast.If) -> None:  # noqa: N802
        test = self._test(node.test)
        if isinstance(test, Static):
            self._suite(node.body if test.value else node.orelse)
            return
        starts = [self.llvm.append_basic_block() for _ in range(2)]
        self.builder.cbranch(test.ir, *starts)
        before, ends = self.names, []
        for start, suite in zip(starts, (node.body, node.orelse), strict=True):
            self.builder.position_at_end(start)
            self.names, self.is_reached = dict(before), True
            self._suite(suite)
            if self.is_reached:
                ends.append(self._place())
        self._join(ends, self.llvm.append_basic_block())

    def _do_Break(self, node: ast.Break) -> None:  # noqa: N802
        self.loops[-1].leaves.append(self._place())
        self.is_reached = False

    def _do_Continue(self, node: ast.Continue) -> None:  # noqa: N802
        self.loops[-1].goes_on.append(self._place())
        self.is_reached = False

    def _turns(self, body: list[ast.stmt], before: dict[str, Any], following: Any) -> list[Place]:
        """The body of a loop, from each of whose ends `following` is reached with the names as they
        were before it; the places from which the loop is left.
        """
        self.loops.append(Loop([], []))
        self._suite(body)
        loop = self.loops.pop()
        ends = [*loop.goes_on, *([self._place()] if self.is_reached else [])]
        for place in ends:
            for name, old in before.items():
                now: Any = place.names.get(name)
                if now is old:
                    continue
                are_slots = isinstance(old, Slot) and isinstance(now, Slot)
                if not are_slots or common_type(old.type, now.type) != old.type:
                    where = f"{name} in {self.python.__qualname__}"
                    raise UntranslatableError(f"{where} changes its type in a loop")
                self._move(place, name, old)
            self.builder.position_at_end(place.block)
            self.builder.branch(following)
        return loop.leaves

    def _do_While(self, node: ast.While) -> None:  # noqa: N802
        if node.orelse:
            raise UntranslatableError(f"{ast.unparse(node)} in {self.python.__qualname__}")
        head, body, away, end = (self.llvm.append_basic_block() for _ in range(4))
        self.builder.branch(head)
        self.builder.position_at_end(head)
        before, test, leaves = dict(self.names), self._test(node.test), []
        if test != Static(True):
            self.builder.cbranch(self._operand(test).ir, body, away)
            leaves.append(Place(away, before))
        else:
            self.builder.branch(body)
            self.llvm.blocks.remove(away)
        self.builder.position_at_end(body)
        leaves += self._turns(node.body, before, head)
        self._join(leaves, end)

    def _do_For(self, node: ast.For) -> None:  # noqa: N802
        call: Any = node.iter
        target: Any = node.target
        known = isinstance(call, ast.Call) and isinstance(target, ast.Name) and not node.orelse
        if not known or self._expression(call.func) != Static(range):
            raise UntranslatableError(f"{ast.unparse(node)} in {self.python.__qualname__}")
        bounds = [self._expression(each) for each in call.args]
        if len(bounds) == 1:
            bounds.insert(0, Static(0))
        by = bounds[2] if len(bounds) == 3 else Static(1)
        first, stop, step = (
            self._cast(self._operand(each), types.int64).ir for each in (*bounds[:2], by)
        )
        # a step that is known at run time alone leads upwards
        is_down = isinstance(step, ir.Constant) and step.constant < 0
        start = self.builder.block
        head, body, following, away, end = (self.llvm.append_basic_block() for _ in range(5))
        self.builder.branch(head)
        self.builder.position_at_end(head)
        number = self.builder.phi(ir.IntType(64))
        number.add_incoming(first, start)
        test = self.builder.icmp_signed(">" if is_down else "<", number, stop)
        self.builder.cbranch(test, body, away)
        self.builder.position_at_end(body)
        before = dict(self.names)
        self._bind(target.id, Operand(types.int64, number))
        leaves = [Place(away, before), *self._turns(node.body, before, following)]
        self.builder.position_at_end(following)
        number.add_incoming(self.builder.add(number, step, flags=["nsw"]), following)
        self.builder.branch(head)
        self._join(leaves, end)
