"""A function of Python's that is machine code from the first instruction on: it looks at an array
where NumPy's C interface says that its parts lie, and calls a kernel, in some hundred nanoseconds.

Through ctypes, with an array's checks and address asked for in Python, a call takes a microsecond
more. What is not just an array as expected goes to a function of Python's own. So does everything
where Python or NumPy are laid out in another way: `quick_call` is None there.
"""

import ctypes
import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir

from fastgd.arguments.checks import Array
from fastgd.machine.linking import linked_module
from fastgd.system.address import address_of, stands_in_arrays

_TYPE = 8  # places in an object of Python's, and in an array: bytes
_DATA, _DIMENSIONS, _SHAPE, _DTYPE, _FLAGS = 16, 24, 32, 56, 64
_CONTIGUOUS_AND_ALIGNED, _WRITEABLE = 0x0101, 0x0400
_EMPTY = 184  # place of PyArray_Empty among NumPy's C functions
_FAST_CALL = 0x0080  # METH_FASTCALL
# bits of a number, and of its exponent, which are all ones where it is not finite
_EXPONENT = {"float64": (64, 0x7FF0000000000000), "float32": (32, 0x7F800000)}

_WORD, _INT = ir.IntType(64), ir.IntType(32)


class _Facts(NamedTuple):
    """What the code reads, an int64 each, in the memory of the array that is its `self`."""

    array_type: int
    dtype: int
    columns: int
    most_rows: int
    units: int
    rows_place: int  # addresses of words of the kernel's struct
    X_place: int
    outputs_place: int
    struct: int
    kernel: int
    empty: int
    increase_count: int
    call: int
    otherwise: int


class _Definition(ctypes.Structure):
    """PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def _source(dtype: str) -> ir.Module:
    """`object call(self, arguments, their count)` in LLVM's language."""
    module = ir.Module("quick_call")
    real = {"float64": ir.DoubleType(), "float32": ir.FloatType()}[dtype]
    function = ir.Function(module, ir.FunctionType(_WORD, [_WORD, _WORD, _WORD]), "call")
    itself, arguments, arguments_count = function.args
    names = ("entry", "looks", "loop", "finite", "new", "given", "ready", "failed", "otherwise")
    block = {name: function.append_basic_block(name) for name in names}
    b = ir.IRBuilder(block["entry"])
    shape, result, exception = b.alloca(_WORD, 2), b.alloca(_WORD), b.alloca(_WORD)

    def at(address: Any, place: int, kind: Any = _WORD) -> Any:
        return b.load(b.inttoptr(b.add(address, _WORD(place)), kind.as_pointer()))

    def fact(name: str) -> Any:
        return at(facts, 8 * _Facts._fields.index(name))

    def called(address: Any, result: Any, kinds: list[Any], *values: Any) -> Any:
        kind = ir.FunctionType(result, kinds).as_pointer()
        return b.call(b.inttoptr(address, kind), values)

    def need(condition: Any) -> None:
        """Go on in a new block where the condition holds."""
        following = function.append_basic_block()
        b.cbranch(condition, following, block["otherwise"])
        b.position_at_end(following)

    def need_matrix(array: Any, columns: Any, flags: int) -> Any:
        """Go on where it is an array of these columns and flags; its rows."""
        need(b.icmp_unsigned("==", at(array, _TYPE), fact("array_type")))
        need(b.icmp_unsigned("==", at(array, _DTYPE), fact("dtype")))
        need(b.icmp_unsigned("==", at(array, _DIMENSIONS, _INT), _INT(2)))
        need(b.icmp_unsigned("==", b.and_(at(array, _FLAGS, _INT), _INT(flags)), _INT(flags)))
        need(b.icmp_unsigned("==", at(at(array, _SHAPE), 8), columns))
        return at(at(array, _SHAPE), 0)

    facts = at(itself, _DATA)
    need(b.icmp_unsigned("<", b.sub(arguments_count, _WORD(1)), _WORD(2)))  # 1 or 2
    X, columns = at(arguments, 0), fact("columns")
    rows = need_matrix(X, columns, _CONTIGUOUS_AND_ALIGNED)
    need(b.icmp_unsigned("<", b.sub(rows, _WORD(1)), fact("most_rows")))  # 1 to most_rows
    b.branch(block["looks"])

    b.position_at_end(block["looks"])  # whether an exponent is all ones
    bits, ones = _EXPONENT[dtype]
    number, data, count = ir.IntType(bits), at(X, _DATA), b.mul(rows, columns)
    b.branch(block["loop"])
    b.position_at_end(block["loop"])
    i, bad = b.phi(_WORD), b.phi(ir.IntType(1))
    value = b.load(b.inttoptr(b.add(data, b.mul(i, _WORD(bits // 8))), number.as_pointer()))
    worse = b.or_(bad, b.icmp_unsigned("==", b.and_(value, number(ones)), number(ones)))
    following = b.add(i, _WORD(1))
    for phi, first, then in ((i, _WORD(0), following), (bad, ir.IntType(1)(0), worse)):
        phi.add_incoming(first, block["looks"])
        phi.add_incoming(then, block["loop"])
    b.cbranch(b.icmp_unsigned("<", following, count), block["loop"], block["finite"])
    b.position_at_end(block["finite"])
    need(b.not_(worse))
    b.cbranch(b.icmp_unsigned("==", arguments_count, _WORD(1)), block["new"], block["given"])

    b.position_at_end(block["new"])
    b.store(rows, shape)
    b.store(fact("units"), b.gep(shape, [_WORD(1)]))
    called(fact("increase_count"), ir.VoidType(), [_WORD], fact("dtype"))  # which is given away
    kinds = [_INT, shape.type, _WORD, _INT]
    new = called(fact("empty"), _WORD, kinds, _INT(2), shape, fact("dtype"), _INT(0))
    b.cbranch(b.icmp_unsigned("==", new, _WORD(0)), block["failed"], block["ready"])

    b.position_at_end(block["given"])
    given = at(arguments, 8)
    room = need_matrix(given, fact("units"), _CONTIGUOUS_AND_ALIGNED | _WRITEABLE)
    need(b.icmp_unsigned("==", room, rows))
    called(fact("increase_count"), ir.VoidType(), [_WORD], given)
    checked = b.block
    b.branch(block["ready"])

    b.position_at_end(block["ready"])
    outputs = b.phi(_WORD)
    outputs.add_incoming(new, block["new"])
    outputs.add_incoming(given, checked)
    for name, value in (("rows", rows), ("X", data), ("outputs", at(outputs, _DATA))):
        b.store(value, b.inttoptr(fact(f"{name}_place"), _WORD.as_pointer()))
    kinds = [result.type, exception.type, _WORD, real, _WORD]
    values = result, exception, fact("struct"), real(0), _WORD(0)
    called(fact("kernel"), _INT, kinds, *values)
    b.ret(outputs)

    b.position_at_end(block["failed"])
    b.ret(_WORD(0))
    b.position_at_end(block["otherwise"])
    handed_on = fact("otherwise"), arguments, arguments_count, _WORD(0)
    b.ret(called(fact("call"), _WORD, [_WORD] * 4, *handed_on))
    return module


@cache
def _function(name: str, result: Any, *kinds: Any) -> Any:
    """A function of Python's C interface."""
    return ctypes.PYFUNCTYPE(result, *kinds)((name, ctypes.pythonapi))


def _address(function: Any) -> int:
    return int(ctypes.cast(function, ctypes.c_void_p).value or 0)


def _is_laid_out_as_known() -> bool:
    """Whether the parts of an array of this process lie where the code looks for them."""
    if not stands_in_arrays():
        return False
    sample, word = np.zeros((2, 3)), ctypes.c_int64.from_address
    shape = word(id(sample) + _SHAPE).value
    looks = [
        (word(id(sample) + _TYPE).value, id(np.ndarray)),
        (word(id(sample) + _DATA).value, sample.ctypes.data),
        (ctypes.c_int32.from_address(id(sample) + _DIMENSIONS).value, 2),
        (word(id(sample) + _DTYPE).value, id(sample.dtype)),
        (ctypes.c_int32.from_address(id(sample) + _FLAGS).value, sample.flags.num),
    ]
    return all(ours == theirs for ours, theirs in looks) and (
        word(shape).value,
        word(shape + 8).value,
    ) == (2, 3)


@cache
def _called() -> tuple[int, int, int]:
    """The addresses of functions that every Python and NumPy served here has: of PyArray_Empty,
    Py_IncRef and PyObject_VectorcallDict.
    """
    names = ("numpy._core._multiarray_umath", "numpy.core._multiarray_umath")
    umath = next(sys.modules[name] for name in names if name in sys.modules)
    pointer = _function("PyCapsule_GetPointer", ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)
    table = pointer(umath._ARRAY_API, None)
    empty = int(ctypes.c_int64.from_address(table + 8 * _EMPTY).value)
    python = ctypes.pythonapi.Py_IncRef, ctypes.pythonapi.PyObject_VectorcallDict
    increase_count, call = map(_address, python)
    return empty, increase_count, call


class _Table(np.ndarray[Any, np.dtype[Any]]):
    """Facts, with what they point to."""

    alive: tuple[Any, ...]


@cache
def _definition(dtype: str) -> _Definition | None:
    """The function of this dtype; None where there can be none."""
    try:
        if os.environ.get("NUMBA_BOUNDSCHECK") or not _is_laid_out_as_known():
            return None
        _called()
        code = linked_module(str(_source(dtype)), "call")
    except Exception:
        return None
    return _Definition(b"predictor", code, _FAST_CALL, None)


def quick_call(
    dtype: np.dtype[Any], columns: int, most_rows: int, units: int, places: tuple[int, int, int],
    struct: Array, kernel: int, otherwise: Callable[..., Array], *alive: Any,
) -> Callable[..., Array] | None:  # fmt: skip
    """`outputs(X)` or `outputs(X, out)`: where X is an array of this dtype with so many columns and
    at most `most_rows` rows, row by row and finite, a kernel fills a new array of so many units a
    row, or `out`; any other call is one of `otherwise`. None where there can be no such function.

    `places` are those of the number of rows, and of the addresses of X and of the outputs, in the
    kernel's struct; `alive` is what that needs. The kernel reads all of X before it writes, and no
    other thread of Python's runs meanwhile.
    """
    definition = _definition(dtype.name)
    if definition is None or not kernel:
        return None
    rows_place, X_place, outputs_place = (address_of(struct) + 8 * place for place in places)
    facts = _Facts(
        id(np.ndarray), id(dtype), columns, most_rows, units, rows_place, X_place, outputs_place,
        address_of(struct), kernel, *_called(), id(otherwise),
    )  # fmt: skip
    table = np.array(facts, np.int64).view(_Table)
    table.alive = (dtype, struct, otherwise, *alive)
    pointer = ctypes.POINTER(_Definition)
    make = _function(
        "PyCFunction_NewEx", ctypes.py_object, pointer, ctypes.py_object, ctypes.c_void_p
    )
    quick: Callable[..., Array] = make(ctypes.pointer(definition), table, None)
    return quick
