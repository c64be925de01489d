"""Expressions: what they are worth, as LLVM or as something known."""

from __future__ import annotations

import ast
import operator
from typing import Any

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

from fastgd.machine.span import Span, get_item, get_item_of, set_item, set_item_of
from fastgd.machine.struct_view import StructView, get_field
from fastgd.machine.translation.arithmetic import (
    BUILTINS,
    binary,
    common_type,
    compare,
    negative,
)
from fastgd.machine.translation.frame import Frame
from fastgd.machine.translation.values import (
    LITERALS,
    NONE,
    Operand,
    Static,
    UntranslatableError,
    item,
    length,
    truth,
    tuple_of,
)

_INTRINSIC = type(intrinsic(lambda typing_context: None))
_SYMBOLS: dict[Any, Any] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
    ast.Pow: operator.pow, ast.LShift: operator.lshift, ast.RShift: operator.rshift,
    ast.BitXor: operator.xor, ast.BitAnd: operator.and_, ast.BitOr: operator.or_,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_COMPARISONS = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
_ITEMS = {get_item: get_item_of, set_item: set_item_of}


class Expressions(Frame):
    """A function whose expressions can be evaluated."""

    def _value(self, node: ast.expr) -> Operand:
        return self._operand(self._expression(node))

    def _expression(self, node: ast.expr) -> Any:
        method = getattr(self, f"_of_{type(node).__name__}", None)
        if method is None:
            raise UntranslatableError(f"{ast.unparse(node)} in {self.python.__qualname__}")
        return method(node)

    def _of_Constant(self, node: ast.Constant) -> Static:  # noqa: N802
        return Static(node.value)

    def _of_Name(self, node: ast.Name) -> Any:  # noqa: N802
        return self._read(node.id)

    def _of_Attribute(self, node: ast.Attribute) -> Any:  # noqa: N802
        owner = self._expression(node.value)
        if isinstance(owner, Static):
            return Static(getattr(owner.value, node.attr))
        kind, value = owner
        if isinstance(kind, StructView):
            field = get_field(self.context, self.builder, kind, value, node.attr)
            return Operand(kind.field(node.attr), field)
        if isinstance(kind, types.BaseNamedTuple):
            return item(self.context, self.builder, owner, Static(kind.fields.index(node.attr)))
        raise UntranslatableError(f"{ast.unparse(node)} of a {kind}")

    def _of_Subscript(self, node: ast.Subscript) -> Any:  # noqa: N802
        owner, index = self._expression(node.value), self._expression(node.slice)
        if isinstance(owner, Static) and isinstance(index, Static):
            return Static(owner.value[index.value])
        owner = self._operand(owner)
        if isinstance(owner.type, Span):
            return self._call(get_item, [owner, self._operand(index)])
        return item(self.context, self.builder, owner, index)

    def _of_Tuple(self, node: ast.Tuple) -> Operand:  # noqa: N802
        return tuple_of(self.context, self.builder, [self._value(each) for each in node.elts])

    def _of_BinOp(self, node: ast.BinOp) -> Any:  # noqa: N802
        left, right = self._expression(node.left), self._expression(node.right)
        return self._binary(node.op, left, right)

    def _binary(self, op: ast.operator, left: Any, right: Any) -> Any:
        symbol = _SYMBOLS[type(op)]
        if self._are_numbers(left, right):
            return Static(symbol(left.value, right.value))
        operands = self._operand(left), self._operand(right)
        return binary(self.context, self.builder, symbol, *operands)

    @staticmethod
    def _are_numbers(*values: Any) -> bool:
        """Whether values are numbers that are known, of which Python can compute."""
        return all(
            isinstance(each, Static) and type(each.value) in (int, float, bool) for each in values
        )

    def _of_UnaryOp(self, node: ast.UnaryOp) -> Any:  # noqa: N802
        value = self._expression(node.operand)
        if isinstance(node.op, ast.Not):
            if self._are_numbers(value):
                return Static(not value.value)
            test = truth(self.builder, self._operand(value))
            return Operand(types.boolean, self.builder.not_(test.ir))
        if not isinstance(node.op, ast.USub):
            raise UntranslatableError(ast.unparse(node))
        if isinstance(value, Static):
            return Static(-value.value)
        return negative(self.builder, value)

    def _of_Compare(self, node: ast.Compare) -> Any:  # noqa: N802
        (op, *more), (other, *_) = node.ops, node.comparators
        left, right = self._expression(node.left), self._expression(other)
        if more:
            raise UntranslatableError(ast.unparse(node))
        if isinstance(op, (ast.In, ast.NotIn)):
            return self._is_among(left, right, isinstance(op, ast.NotIn))
        if type(op) not in _COMPARISONS:
            raise UntranslatableError(ast.unparse(node))
        if self._are_numbers(left, right):
            return Static(_SYMBOLS[type(op)](left.value, right.value))
        operands = self._operand(left), self._operand(right)
        return compare(self.context, self.builder, _COMPARISONS[type(op)], *operands)

    def _is_among(self, value: Any, known: Any, absent: bool) -> Operand:
        """Whether a number is one of a tuple that is known, or is none of them."""
        if not isinstance(known, Static):
            raise UntranslatableError("looks for a number in what is not known")
        operand, found = self._operand(value), ir.IntType(1)(0)
        for each in known.value:
            equal = compare(self.context, self.builder, "==", operand, self._operand(Static(each)))
            found = self.builder.or_(found, equal.ir)
        return Operand(types.boolean, self.builder.not_(found) if absent else found)

    def _of_BoolOp(self, node: ast.BoolOp) -> Operand:  # noqa: N802
        """Of truths only; what comes after the one that decides is not computed."""
        is_and, end = isinstance(node.op, ast.And), self.llvm.append_basic_block()
        decided = []
        for each in node.values[:-1]:
            value = self._truth(each)
            decided.append(self.builder.block)
            further = self.llvm.append_basic_block()
            self.builder.cbranch(value.ir, *((further, end) if is_and else (end, further)))
            self.builder.position_at_end(further)
        value = self._truth(node.values[-1])
        last = self.builder.block
        self.builder.branch(end)
        self.builder.position_at_end(end)
        phi = self.builder.phi(ir.IntType(1))
        for block in decided:
            phi.add_incoming(ir.IntType(1)(not is_and), block)
        phi.add_incoming(value.ir, last)
        return Operand(types.boolean, phi)

    def _truth(self, node: ast.expr) -> Operand:
        value = self._value(node)
        if value.type != types.boolean:
            raise UntranslatableError(f"{ast.unparse(node)} is no truth")
        return value

    def _test(self, node: ast.expr) -> Any:
        value = self._expression(node)
        if isinstance(value, Static):
            return Static(bool(value.value))
        return truth(self.builder, value)

    def _of_IfExp(self, node: ast.IfExp) -> Any:  # noqa: N802
        test = self._test(node.test)
        if isinstance(test, Static):
            return self._expression(node.body if test.value else node.orelse)
        starts = [self.llvm.append_basic_block() for _ in range(2)]
        self.builder.cbranch(test.ir, *starts)
        values, blocks = [], []
        for start, each in zip(starts, (node.body, node.orelse), strict=True):
            self.builder.position_at_end(start)
            values.append(self._value(each))
            blocks.append(self.builder.block)
        kind, end = common_type(*(value.type for value in values)), self.llvm.append_basic_block()
        for i, block in enumerate(blocks):
            self.builder.position_at_end(block)
            values[i] = self._cast(values[i], kind)
            self.builder.branch(end)
        self.builder.position_at_end(end)
        phi = self.builder.phi(self.context.get_value_type(kind))
        for value, block in zip(values, blocks, strict=True):
            phi.add_incoming(value.ir, block)
        return Operand(kind, phi)

    # -- calls

    def _of_Call(self, node: ast.Call) -> Any:  # noqa: N802
        called = self._expression(node.func)
        if node.keywords or not isinstance(called, Static):
            raise UntranslatableError(ast.unparse(node))
        return self._call(called.value, [self._expression(each) for each in node.args])

    def _call(self, called: Any, arguments: list[Any]) -> Any:
        if hasattr(called, "py_func"):
            return self._call_function(called, arguments)
        if isinstance(called, type) and called in LITERALS and self._are_numbers(*arguments):
            return Static(called(arguments[0].value))
        operands = [self._operand(each) for each in arguments]
        if isinstance(called, _INTRINSIC) or called in _ITEMS:
            return self._call_intrinsic(called, operands)
        if isinstance(called, type) and issubclass(called, tuple):
            return tuple_of(self.context, self.builder, operands, called)
        if called is len:
            return length(self.builder, *operands)
        if called not in BUILTINS:
            raise UntranslatableError(f"{called!r} is called")
        return BUILTINS[called](self.context, self.builder, *operands)

    def _call_function(self, dispatcher: Any, arguments: list[Any]) -> Operand:
        passed = [
            self._operand(each) if type(each[0]) in (*LITERALS, tuple) else each
            for each in arguments
        ]
        options = dispatcher.targetoptions
        merged = bool(options.get("forceinline")) or options.get("inline") == "always"
        kinds = tuple(each if isinstance(each, Static) else each.type for each in passed)
        called = self.program.function(dispatcher.py_func, kinds, merged)
        operands = [each for each in passed if isinstance(each, Operand)]
        return self._call_translated(called, operands)

    def _call_translated(self, called: tuple[Any, Any], operands: list[Operand]) -> Operand:
        function, kind = called
        result = self.builder.call(function, [each.ir for each in operands])
        if config.BOUNDSCHECK:
            failed = result if kind == types.none else self.builder.extract_value(result, 0)
            with self.builder.if_then(failed, likely=False):
                self._fail(self.builder)
            result = None if kind == types.none else self.builder.extract_value(result, 1)
        return NONE if kind == types.none else Operand(kind, result)

    def _call_intrinsic(self, called: Any, operands: list[Operand]) -> Operand:
        kinds = [each.type for each in operands]
        if called in _ITEMS:
            found = _ITEMS[called](*kinds), called
        else:
            found = called.__wrapped__(None, *kinds)
        if found is None or found[0] is None:
            raise UntranslatableError(f"{called} of {kinds}")
        signature, generate = found
        values = [
            self._cast(each, kind).ir for each, kind in zip(operands, signature.args, strict=True)
        ]
        result = generate(self.context, self.builder, signature, values)
        kind = signature.return_type
        return NONE if kind == types.none else Operand(kind, result)
