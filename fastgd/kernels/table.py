"""How arrays and numbers cross from Python into compiled code: as one table of addresses, lengths and numbers.

Compiling the conversion of fifty Python objects, or handing them from function to function, would take longer than compiling a small
kernel. A NamedTuple says what a table holds: its fields are `int`, `float`, NamedTuples, a Link to another table, or arrays: Integers
(int64), Doubles (float64) or Reals (of the network's dtype). `table_of` writes it; in compiled code it is a View, one pointer, whose
attributes are those fields, a Span for every array.
"""

import itertools
from collections.abc import Iterator
from typing import Annotated, Any, get_type_hints

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import intrinsic, models, register_model

from fastgd.checks import Array
from fastgd.simd import Span

Integers = Annotated[Any, "an int64 array"]
Doubles = Annotated[Any, "a float64 array"]
Reals = Annotated[Any, "an array of the network's dtype"]
Link = Annotated[Any, "the table of another such NamedTuple, an int64 array"]


def table_of(values: tuple[Any, ...]) -> Array:
    """Two int64 a field: an array's address and length, or a number and 0. Valid as long as the arrays are alive."""
    return np.array(list(_rows(values)), np.int64).ravel()


def _rows(values: tuple[Any, ...]) -> Iterator[tuple[int, int]]:
    for (_, kind), value in zip(_fields(type(values)), values, strict=True):
        if isinstance(value, tuple):
            yield from _rows(value)
        elif isinstance(value, np.ndarray):
            yield value.ctypes.data, value.size
        elif kind is float:
            yield int(np.float64(value).view(np.int64)), 0
        else:
            yield int(value), 0


def _fields(cls: Any) -> list[tuple[str, Any]]:
    hints = get_type_hints(cls, include_extras=True)
    return [(name, hints[name]) for name in cls._fields]


def _size(kind: Any) -> int:
    """Rows of a field."""
    return sum(_size(inner) for _, inner in _fields(kind)) if hasattr(kind, "_fields") else 1


class View(types.Type):  # type: ignore[misc]
    """The numba type of a table with the fields of `cls`, whose Reals are of type `real`."""

    def __init__(self, cls: Any, real: Any) -> None:
        self.cls, self.real = cls, real
        super().__init__(name=f"View({cls.__name__}, {real})")

    def field(self, name: str) -> Any:
        """The type of a field."""
        kind = dict(_fields(self.cls))[name]
        known = {
            int: types.int64, float: types.float64, Integers: Span(types.int64), Doubles: Span(types.float64), Reals: Span(self.real),
            Link: self,
        }  # fmt: skip
        return known[kind] if kind in known else View(kind, self.real)

    def row(self, name: str) -> int:
        """The first row of a field."""
        return sum(_size(kind) for _, kind in itertools.takewhile(lambda pair: pair[0] != name, _fields(self.cls)))

    def is_link(self, name: str) -> bool:
        return bool(dict(_fields(self.cls))[name] is Link)


@register_model(View)
class _ViewModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, view: Any) -> None:
        super().__init__(manager, view, ir.IntType(64).as_pointer())


@infer_getattr
class _ViewAttribute(AttributeTemplate):  # type: ignore[misc]
    key = View

    def generic_resolve(self, view: Any, name: str) -> Any:
        return view.field(name) if name in view.cls._fields else None


@lower_getattr_generic(View)  # type: ignore[untyped-decorator]
def _get_attribute(context: Any, builder: Any, view: Any, value: Any, name: str) -> Any:
    ty, row = view.field(name), view.row(name)

    def word(index: int) -> Any:
        load = builder.load(builder.gep(value, [ir.Constant(ir.IntType(64), index)]))
        load.set_metadata("invariant.load", builder.module.add_metadata([]))  # nobody writes to a table
        return load

    if view.is_link(name):
        return builder.inttoptr(word(2 * row), value.type)
    if isinstance(ty, View):
        return builder.gep(value, [ir.Constant(ir.IntType(64), 2 * row)])
    if isinstance(ty, Span):
        span = cgutils.create_struct_proxy(ty)(context, builder)
        span.data = builder.inttoptr(word(2 * row), context.get_value_type(types.CPointer(ty.dtype)))
        span.length = word(2 * row + 1)
        return span._getvalue()
    return builder.bitcast(word(2 * row), ir.DoubleType()) if ty == types.float64 else word(2 * row)


def viewer(cls: Any) -> Any:
    """The intrinsic `view(table, zero)`: a table as a View of `cls`; its Reals are of the type of `zero`."""

    def view(typing_context, table, zero):
        def generate(context, builder, sig, args):
            return context.make_array(table)(context, builder, args[0]).data

        return View(cls, zero)(table, zero), generate

    return intrinsic(view)
