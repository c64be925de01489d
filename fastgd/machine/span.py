"""Flat arrays as values of compiled code that borrow them, read and written by floats and by
vectors.

A Span is an address and a length. `load` reads neighbouring floats as one vector (see `simd`),
`store` writes it back.
"""

import operator
from typing import Any

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic, lower_builtin, models, register_model

from fastgd.machine.internals import TypingError, cgutils, typing_of
from fastgd.machine.jit import inline
from fastgd.machine.vector import Vector, like, real_type
from fastgd.state import VECTOR_BYTES, WIDE_VECTOR_BYTES


class Span(types.Type):  # type: ignore[misc]
    """The numba type of a borrowed flat array: an address and a length, without reference counts or
    negative indices.

    Its vectors are of `vector_size` bytes.
    """

    def __init__(self, dtype: Any, vector_size: int = VECTOR_BYTES) -> None:
        self.dtype, self.vector_size = dtype, vector_size
        super().__init__(name=f"Span({dtype}, {vector_size})")

    @property
    def vector(self) -> Vector:
        """The type of its vectors."""
        return Vector(self.dtype, self.vector_size)


@register_model(Span)
class _SpanModel(models.StructModel):  # type: ignore[misc]
    def __init__(self, manager: Any, span: Any) -> None:
        super().__init__(
            manager, span, [("data", types.CPointer(span.dtype)), ("length", types.intp)]
        )


def new_span(context: Any, builder: Any, span_type: Any, data: Any, length: Any) -> Any:
    """The LLVM value of a span."""
    empty = ir.Constant(context.get_value_type(span_type), ir.Undefined)
    return builder.insert_value(builder.insert_value(empty, data, 0), length, 1)


def parts_of(builder: Any, span: Any) -> tuple[Any, Any]:
    """Address and length of the LLVM value of a span."""
    return builder.extract_value(span, 0), builder.extract_value(span, 1)


@intrinsic  # type: ignore[untyped-decorator]
def span_of(typing_context, array):
    """The Span of a C-contiguous array of any shape. It must not outlive the array."""
    if not isinstance(array, types.Array) or array.layout != "C":
        return None
    return Span(array.dtype)(array), _span_of_array


@intrinsic  # type: ignore[untyped-decorator]
def span_of_dtype(typing_context, array, dtype):
    """`span_of` an array of this dtype, such as np.float64; a TypingError for anything else."""
    is_array = isinstance(array, types.Array) and array.layout == "C"
    if not is_array or array.dtype != dtype.dtype:
        raise TypingError(f"this must be an array of {dtype.dtype} without gaps; got {array}")
    return Span(array.dtype)(array, dtype), _span_of_array


def _span_of_array(context, builder, sig, args):
    source = context.make_array(sig.args[0])(context, builder, args[0])
    return new_span(context, builder, sig.return_type, source.data, source.nitems)


def element_address(context, builder, span_type, span_value, index_type, index, count=1):
    """Pointer to element `index` of a span; under NUMBA_BOUNDSCHECK refuses unless `count` elements
    are there.

    `count` is a number or an LLVM integer.
    """
    index = context.cast(builder, index, index_type, types.intp)
    if config.BOUNDSCHECK:
        length = builder.extract_value(span_value, 1)
        cgutils.do_boundscheck(context, builder, index, length)
        last = builder.sub(index.type(count) if isinstance(count, int) else count, index.type(1))
        cgutils.do_boundscheck(context, builder, builder.add(index, last), length)
    return builder.gep(builder.extract_value(span_value, 0), [index])


def _in_vectors_of(size: int, words: str) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]
    def in_vectors(typing_context, span):
        if not isinstance(span, Span):
            return None
        same = Span(span.dtype, size)
        return same(span), lambda context, builder, sig, args: args[0]

    in_vectors.__doc__ = f"The same span, read and written by {words} vectors."
    return in_vectors


in_wide_vectors = _in_vectors_of(WIDE_VECTOR_BYTES, "wide")
in_half_vectors = _in_vectors_of(VECTOR_BYTES // 2, "half")


@intrinsic  # type: ignore[untyped-decorator]
def from_place(typing_context, span, place):
    """A span whose number at `place` is the first of this one; nothing lies before it."""
    if not isinstance(span, Span):
        return None

    def generate(context, builder, sig, args):
        data, length = parts_of(builder, args[0])
        data = builder.gep(data, [builder.neg(args[1])])
        return new_span(context, builder, span, data, builder.add(length, args[1]))

    return span(span, types.int64), generate


@typing_of(operator.getitem)
def get_item_of(span: Any, index: Any) -> Any:
    return (
        span.dtype(span, index)
        if isinstance(span, Span) and isinstance(index, types.Integer)
        else None
    )


@lower_builtin(operator.getitem, Span, types.Integer)  # type: ignore[untyped-decorator]
def get_item(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.load(
        element_address(context, builder, sig.args[0], args[0], sig.args[1], args[1])
    )


@typing_of(operator.setitem)
def set_item_of(span: Any, index: Any, value: Any) -> Any:
    if (
        isinstance(span, Span)
        and isinstance(index, types.Integer)
        and isinstance(value, types.Number)
    ):
        return types.none(span, index, span.dtype)
    return None


@lower_builtin(  # type: ignore[untyped-decorator]
    operator.setitem, Span, types.Integer, types.Number
)
def set_item(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    builder.store(
        args[2], element_address(context, builder, sig.args[0], args[0], sig.args[1], args[1])
    )
    return context.get_dummy_value()


@typing_of(len)
def _len_of(span: Any) -> Any:
    return types.intp(span) if isinstance(span, Span) else None


@lower_builtin(len, Span)  # type: ignore[untyped-decorator]
def _len(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.extract_value(args[0], 1)


def _is_float_span(span) -> bool:
    return isinstance(span, Span) and real_type(span.dtype) is not None


def _vector_address(context, builder, sig, args):
    vector = sig.args[0].vector
    pointer = element_address(
        context, builder, sig.args[0], args[0], sig.args[1], args[1], vector.lanes
    )
    return builder.bitcast(pointer, context.get_value_type(vector).as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def load(typing_context, span, index):
    """The vector span[index : index + lanes]."""
    if not _is_float_span(span):
        return None

    def generate(context, builder, sig, args):
        return builder.load(
            _vector_address(context, builder, sig, args), align=sig.args[0].dtype.bitwidth // 8
        )

    return span.vector(span, index), generate


@intrinsic  # type: ignore[untyped-decorator]
def store(typing_context, span, index, value):
    """Write a vector, or one number on every lane, to span[index : index + lanes]."""
    if not _is_float_span(span):
        return None

    def generate(context, builder, sig, args):
        builder.store(
            args[2],
            _vector_address(context, builder, sig, args),
            align=sig.args[0].dtype.bitwidth // 8,
        )
        return context.get_dummy_value()

    return types.void(span, index, span.vector), generate


@intrinsic  # type: ignore[untyped-decorator]
def load_doubles(typing_context, span, doubles, index):
    """As many float64 as a vector of the span has lanes: doubles[index : index + lanes]."""
    if not _is_float_span(span) or not isinstance(doubles, Span) or doubles.dtype != types.float64:
        return None
    vector = Vector(types.float64, 8 * span.vector.lanes)

    def generate(context, builder, sig, args):
        pointer = element_address(
            context, builder, doubles, args[1], sig.args[2], args[2], vector.lanes
        )
        return builder.load(
            builder.bitcast(pointer, context.get_value_type(vector).as_pointer()), align=8
        )

    return vector(span, doubles, index), generate


@inline
def narrowed(span, doubles, index):
    """The same, rounded to the span's dtype."""
    return like(broadcast(span, 0.0), load_doubles(span, doubles, index))


@intrinsic  # type: ignore[untyped-decorator]
def copy(typing_context, target, at, source, start, count):
    """target[at : at + count] = source[start : start + count], for spans that do not overlap."""
    if not isinstance(target, Span) or target != source:
        return None

    def generate(context, builder, sig, args):
        size = context.cast(builder, args[4], sig.args[4], types.intp)
        to = element_address(context, builder, target, args[0], sig.args[1], args[1], size)
        come_from = element_address(context, builder, target, args[2], sig.args[3], args[3], size)
        cgutils.raw_memcpy(builder, to, come_from, size, target.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(target, at, source, start, count), generate


@intrinsic  # type: ignore[untyped-decorator]
def fetch(typing_context, span, index):
    """Have the cache line of span[index] on its way, which is read soon."""
    if not isinstance(span, Span):
        return None

    def generate(context, builder, sig, args):
        flag, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
        there = element_address(context, builder, span, args[0], sig.args[1], args[1])
        kind = ir.FunctionType(ir.VoidType(), [pointer, flag, flag, flag])
        function = builder.module.declare_intrinsic("llvm.prefetch", [pointer], kind)
        reads, near, of_data = flag(0), flag(3), flag(1)
        builder.call(function, [builder.bitcast(there, pointer), reads, near, of_data])
        return context.get_dummy_value()

    return types.void(span, index), generate


@intrinsic  # type: ignore[untyped-decorator]
def lanes_of(typing_context, span):
    """How many floats of the span's dtype make one vector."""
    if not _is_float_span(span):
        return None
    lanes = span.vector.lanes
    return types.intp(span), lambda context, builder, sig, args: context.get_constant(
        types.intp, lanes
    )


@intrinsic  # type: ignore[untyped-decorator]
def broadcast(typing_context, span, number):
    """The number on every lane of a vector of the span's dtype."""
    if not _is_float_span(span):
        return None
    vector = span.vector
    return vector(span, vector), lambda context, builder, sig, args: args[1]
