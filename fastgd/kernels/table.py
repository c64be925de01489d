"""How arrays and numbers cross from Python into compiled code: as one table of addresses, lengths and numbers.

Compiling the conversion of fifty Python objects would take longer than compiling a small kernel. A NamedTuple says what the table
holds: its fields are `int`, `float`, NamedTuples, or arrays: Integers (int64), Doubles (float64) or Reals (of the network's dtype).
`table_of` writes its rows; `read` makes the same NamedTuple of them in compiled code, with a Span for every array.
"""

import itertools
from collections.abc import Iterator
from typing import Annotated, Any, get_type_hints

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastgd.checks import Array
from fastgd.simd import Span

Integers = Annotated[Any, "an int64 array"]
Doubles = Annotated[Any, "a float64 array"]
Reals = Annotated[Any, "an array of the network's dtype"]


def table_of(values: tuple[Any, ...]) -> Array:
    """Two int64 a field: an array's address and length, or a number and 0. Valid as long as the arrays are alive."""
    return np.array(list(_rows(values)), np.int64).ravel()


def _rows(values: tuple[Any, ...]) -> Iterator[tuple[int, int]]:
    hints = get_type_hints(type(values), include_extras=True)
    for name, value in zip(values._fields, values, strict=True):  # type: ignore[attr-defined]
        if isinstance(value, tuple):
            yield from _rows(value)
        elif isinstance(value, np.ndarray):
            yield value.ctypes.data, value.size
        elif hints[name] is float:
            yield int(np.float64(value).view(np.int64)), 0
        else:
            yield int(value), 0


def _numba_type(cls: Any, real: Any) -> Any:
    kinds = {int: types.int64, float: types.float64, Integers: Span(types.int64), Doubles: Span(types.float64), Reals: Span(real)}
    hints = get_type_hints(cls, include_extras=True)
    return types.NamedTuple([kinds[hints[f]] if hints[f] in kinds else _numba_type(hints[f], real) for f in cls._fields], cls)


def reader(cls: Any) -> Any:
    """The intrinsic `read(table, zero)` that makes a `cls` of a table; Reals are of the type of `zero`."""

    def read(typing_context, table, zero):
        result = _numba_type(cls, zero)

        def generate(context, builder, sig, args):
            address = context.make_array(table)(context, builder, args[0]).data
            places = itertools.count()

            def word(index: int) -> Any:
                return builder.load(builder.gep(address, [ir.Constant(ir.IntType(64), index)]))

            def build(ty: Any) -> Any:
                if isinstance(ty, types.NamedTuple):
                    return context.make_tuple(builder, ty, [build(field) for field in ty.types])
                row = next(places)
                if isinstance(ty, Span):
                    span = cgutils.create_struct_proxy(ty)(context, builder)
                    span.data = builder.inttoptr(word(2 * row), context.get_value_type(types.CPointer(ty.dtype)))
                    span.length = word(2 * row + 1)
                    return span._getvalue()
                return builder.bitcast(word(2 * row), ir.DoubleType()) if ty == types.float64 else word(2 * row)

            return build(result)

        return result(table, zero), generate

    return intrinsic(read)
