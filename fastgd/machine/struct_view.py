"""A struct as compiled code sees it: one pointer, whose attributes are the fields of a NamedTuple,
a Span for every array.
"""

from functools import cache
from typing import Any

from llvmlite import ir
from numba import config, types
from numba.extending import infer_getattr, intrinsic, lower_getattr_generic, models, register_model

from fastgd.machine.internals import AttributeTemplate, cgutils
from fastgd.machine.span import Span, new_span, parts_of
from fastgd.machine.struct import Doubles, Integers, Pointer, Reals, fields_of, place_of
from fastgd.state import VECTOR_BYTES


class StructView(types.Type):  # type: ignore[misc]
    """The numba type of a struct with the fields of `cls`, whose Reals are of type `real`, in
    vectors of `vector_size` bytes.
    """

    def __init__(self, cls: Any, real: Any, vector_size: int = VECTOR_BYTES) -> None:
        self.cls, self.real, self.vector_size = cls, real, vector_size
        super().__init__(name=f"StructView({cls.__name__}, {real}, {vector_size})")

    @cache  # noqa: B019
    def field(self, name: str) -> Any:
        """The type of a field."""
        kind = dict(fields_of(self.cls))[name]
        known = {
            int: types.int64, float: types.float64, Integers: Span(types.int64),
            Doubles: Span(types.float64), Reals: Span(self.real, self.vector_size), Pointer: self,
        }  # fmt: skip
        return known[kind] if kind in known else StructView(kind, self.real, self.vector_size)

    @cache  # noqa: B019
    def row(self, name: str) -> int:
        """The first row of a field."""
        return place_of(self.cls, name) // 2

    def is_pointer(self, name: str) -> bool:
        """Whether a field is the address of another struct."""
        return bool(dict(fields_of(self.cls))[name] is Pointer)


@register_model(StructView)
class _StructViewModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, view: Any) -> None:
        super().__init__(manager, view, ir.IntType(64).as_pointer())


@infer_getattr
class _StructViewAttribute(AttributeTemplate):  # type: ignore[misc]
    key = StructView

    def generic_resolve(self, view: Any, name: str) -> Any:
        return view.field(name) if name in view.cls._fields else None


def get_field(context: Any, builder: Any, view: Any, value: Any, name: str) -> Any:
    """The field of a struct at an address."""
    ty, row = view.field(name), view.row(name)

    def word(index: int) -> Any:
        load = builder.load(builder.gep(value, [ir.Constant(ir.IntType(64), index)]))
        # nobody writes to a struct
        load.set_metadata("invariant.load", builder.module.add_metadata([]))
        return load

    if view.is_pointer(name):
        return builder.inttoptr(word(2 * row), value.type)
    if isinstance(ty, StructView):
        return builder.gep(value, [ir.Constant(ir.IntType(64), 2 * row)])
    if isinstance(ty, Span):
        pointer = context.get_value_type(types.CPointer(ty.dtype))
        data = builder.inttoptr(word(2 * row), pointer)
        return new_span(context, builder, ty, data, word(2 * row + 1))
    return builder.bitcast(word(2 * row), ir.DoubleType()) if ty == types.float64 else word(2 * row)


lower_getattr_generic(StructView)(get_field)


def caller(cls: Any) -> Any:
    """The intrinsic `call(address, wanted, values)`: a call of the C function of a kernel at an
    address, with a struct of `cls` that holds these values, on the stack, and a number that says
    what is wanted.
    """
    kinds = [kind for _, kind in fields_of(cls)]

    def call(typing_context, address, wanted, values):
        (real,) = {
            each.dtype for each, kind in zip(values.types, kinds, strict=True) if kind is Reals
        }
        word = ir.IntType(64)

        def words(context, builder, given):
            for kind, each, value in zip(kinds, values.types, given, strict=True):
                if isinstance(each, Span):
                    data, length = parts_of(builder, value)
                    yield builder.ptrtoint(data, word)
                    yield length
                else:
                    known = types.float64 if kind is float else types.int64
                    number = context.cast(builder, value, each, known)
                    yield builder.bitcast(number, word) if kind is float else number
                    yield word(0)

        def generate(context, builder, sig, args):
            given = [builder.extract_value(args[2], i) for i in range(len(kinds))]
            struct = cgutils.alloca_once(builder, ir.ArrayType(word, 2 * len(kinds)))
            for i, value in enumerate(words(context, builder, given)):
                builder.store(value, builder.gep(struct, [word(0), word(i)]))
            # where Numba's own code puts what it returns and raises
            pointer = ir.IntType(8).as_pointer()
            returned, raised = (cgutils.alloca_once(builder, pointer) for _ in range(2))
            zero = context.get_constant(real, 0.0)
            taken = [builder.bitcast(each, pointer) for each in (returned, raised)]
            taken += [builder.ptrtoint(struct, word), zero, args[1]]
            signature = ir.FunctionType(ir.IntType(32), [each.type for each in taken])
            function = builder.inttoptr(args[0], signature.as_pointer())
            status = builder.call(function, taken)
            if config.BOUNDSCHECK:
                failed = builder.icmp_signed("!=", status, status.type(0))
                with builder.if_then(failed, likely=False):
                    context.call_conv.return_user_exc(builder, IndexError)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, values), generate

    return intrinsic(call)


def viewer(cls: Any, vector_size: int = VECTOR_BYTES) -> Any:
    """The intrinsic `view(address, zero)`: the struct at an address as a StructView of `cls`; its
    Reals are of the type of `zero`.
    """

    def view(typing_context, address, zero):
        result = StructView(cls, zero, vector_size)
        return result(address, zero), lambda context, builder, sig, args: builder.inttoptr(
            args[0], context.get_value_type(result)
        )

    return intrinsic(view)
