"""Sums over the lanes of vectors, in a fixed order, and lanes of several vectors in one."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastgd.machine.by_processor import chosen
from fastgd.machine.jit import inline
from fastgd.machine.vector import Vector, first_lane, instruction


def _swapped(context: Any, builder: Any, value: Any, apart: int) -> Any:
    """The LLVM vector whose lanes so far apart have changed places."""
    size = value.type.count * (32 if isinstance(value.type.element, ir.FloatType) else 64)
    if size == 256 and apart == value.type.count // 2 and chosen(context).swaps_by_vshuff:
        return instruction(builder, "vshuff64x2 $$1, $1, $1, $0", "=v,v", value)
    mask = ir.Constant(
        ir.VectorType(ir.IntType(32), value.type.count),
        [i ^ apart for i in range(value.type.count)],
    )
    return builder.shuffle_vector(value, ir.Constant(value.type, ir.Undefined), mask)


def _over_lanes(vector: Any, combine: Callable[[Any, Any, Any], Any]) -> Any:
    """An intrinsic that combines all lanes, on every lane; lanes half the vector apart come
    first.
    """
    if not isinstance(vector, Vector):
        return None

    def generate(context, builder, sig, args):
        (value,) = args
        apart = vector.lanes // 2
        while apart:
            value = combine(builder, value, _swapped(context, builder, value, apart))
            apart //= 2
        return value

    return vector(vector), generate


@intrinsic  # type: ignore[untyped-decorator]
def lane_total(typing_context, vector):
    """The sum of the lanes, on every lane."""
    return _over_lanes(vector, lambda builder, x, y: builder.fadd(x, y, flags=("contract",)))


@intrinsic  # type: ignore[untyped-decorator]
def lane_largest(typing_context, vector):
    """The largest of the lanes, on every lane."""
    return _over_lanes(
        vector, lambda builder, x, y: builder.select(builder.fcmp_ordered(">", y, x), y, x)
    )


@intrinsic  # type: ignore[untyped-decorator]
def lane_sums(typing_context, vectors):
    """The vector of the sums of the lanes of as many vectors as it has lanes; neighbouring lanes
    are added first.

    Adding while transposing takes half the instructions of one `lane_total` after another.
    """
    vector = vectors.dtype if isinstance(vectors, types.UniTuple) else None
    if not isinstance(vector, Vector) or vectors.count != vector.lanes:
        return None

    def generate(context, builder, sig, args):
        return sum_lanes(builder, [builder.extract_value(args[0], i) for i in range(vector.lanes)])

    return vector(vectors), generate


@intrinsic  # type: ignore[untyped-decorator]
def in_lanes(typing_context, vectors):
    """The vector whose lane i is that of the i-th of as many vectors as it has lanes."""
    vector = vectors.dtype if isinstance(vectors, types.UniTuple) else None
    if not isinstance(vector, Vector) or vectors.count != vector.lanes:
        return None

    def generate(context, builder, sig, args):
        kind, lanes = ir.VectorType(ir.IntType(32), vector.lanes), range(vector.lanes)
        rows, apart = [builder.extract_value(args[0], i) for i in lanes], 1
        while len(rows) > 1:
            mask = ir.Constant(kind, [vector.lanes + i if i & apart else i for i in lanes])
            rows = [
                builder.shuffle_vector(*pair, mask)
                for pair in zip(rows[::2], rows[1::2], strict=True)
            ]
            apart *= 2
        return rows[0]

    return vector(vectors), generate


@intrinsic  # type: ignore[untyped-decorator]
def each_lane(typing_context, vector):
    """As many vectors as there are lanes, the i-th with lane i on every lane."""
    if not isinstance(vector, Vector):
        return None

    def generate(context, builder, sig, args):
        kind, result = ir.VectorType(ir.IntType(32), vector.lanes), sig.return_type
        undefined = ir.Constant(args[0].type, ir.Undefined)
        vectors = [
            builder.shuffle_vector(args[0], undefined, ir.Constant(kind, [i] * vector.lanes))
            for i in range(vector.lanes)
        ]
        return context.make_tuple(builder, result, vectors)

    return types.UniTuple(vector, vector.lanes)(vector), generate


@intrinsic  # type: ignore[untyped-decorator]
def joined(typing_context, x, y):
    """The vector of the lanes of x and then of those of y."""
    if not isinstance(x, Vector) or x != y:
        return None

    def generate(context, builder, sig, args):
        return builder.shuffle_vector(*args, _places(0, 2 * x.lanes))

    return Vector(x.dtype, x.lanes * x.dtype.bitwidth // 4)(x, y), generate


@intrinsic  # type: ignore[untyped-decorator]
def halves(typing_context, vector):
    """The two vectors that were joined."""
    if not isinstance(vector, Vector):
        return None

    def generate(context, builder, sig, args):
        undefined, half = ir.Constant(args[0].type, ir.Undefined), vector.lanes // 2
        parts = [
            builder.shuffle_vector(args[0], undefined, _places(first, half)) for first in (0, half)
        ]
        return context.make_tuple(builder, sig.return_type, parts)

    half = Vector(vector.dtype, vector.lanes * vector.dtype.bitwidth // 16)
    return types.UniTuple(half, 2)(vector), generate


def _places(first, count):
    """A mask of so many lanes from the first one on."""
    kind = ir.VectorType(ir.IntType(32), count)
    return ir.Constant(kind, list(range(first, first + count)))


def exchanging(lanes, apart):
    """Two masks for two rows of lanes: the first row and the second, their lanes so far apart
    exchanged.
    """
    # those with the bit `apart` clear come from the first row, those with it set from the second
    low = [i if not i & apart else lanes + i - apart for i in range(lanes)]
    kind = ir.VectorType(ir.IntType(32), lanes)
    return [ir.Constant(kind, [i + shift for i in low]) for shift in (0, apart)]


def sum_lanes(builder, rows):
    """The LLVM vector of the sums of the lanes of as many LLVM vectors as it has lanes; where it
    has more lanes, of each such part of them.
    """
    lanes, apart = rows[0].type.count, 1
    while len(rows) > 1:
        masks = exchanging(lanes, apart)
        pairs = zip(rows[::2], rows[1::2], strict=True)
        rows = [
            builder.fadd(
                *(builder.shuffle_vector(*pair, mask) for mask in masks), flags=("contract",)
            )
            for pair in pairs
        ]
        apart *= 2
    return rows[0]


@intrinsic  # type: ignore[untyped-decorator]
def gathered(typing_context, span, numbers):
    """The vector, as one of the span, that begins with these numbers and is 0 behind them."""
    vector, count = span.vector, len(numbers)

    def generate(context, builder, sig, args):
        result = context.get_constant_null(vector)
        for i in range(count):
            place, number = ir.Constant(ir.IntType(32), i), builder.extract_value(args[1], i)
            result = builder.insert_element(result, number, place)
        return result

    return vector(span, types.UniTuple(vector.dtype, count)), generate


@inline
def lane_sum(vector):
    """The sum of the lanes, as a number."""
    return first_lane(lane_total(vector))
