"""Products of a few rows of a matrix with one vector, or with two, or with rows of another matrix:
sums over lanes that are shared out.
"""

from itertools import chain
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastgd.machine.internals import cpu_target
from fastgd.machine.lane_sums import sum_lanes
from fastgd.machine.span import element_address
from fastgd.machine.vector import features_of, has_avx512

_WIDE = has_avx512(cpu_target.target_context)
# rows and vectors whose sums fit into the registers
ROWS, VECTORS = (8, 2) if _WIDE else (4, 1)
# vectors that are taken as one, where there are registers for their sums
_JOINED = 2 if "+avx" in features_of(cpu_target.target_context) else 1
_CONTRACT = ("contract",)


def _part(builder, value, first, count):
    """Lanes first ... first + count of an LLVM vector."""
    places = ir.VectorType(ir.IntType(32), count)
    chosen = ir.Constant(places, list(range(first, first + count)))
    return builder.shuffle_vector(value, ir.Constant(value.type, ir.Undefined), chosen)


def _halved(builder, value):
    """The sum of the two halves of an LLVM vector."""
    half = value.type.count // 2
    parts = (_part(builder, value, first, half) for first in (0, half))
    return builder.fadd(*parts, flags=_CONTRACT)


def _halved_pair(builder, one, other):
    """The sums of the two halves of each of two LLVM vectors, side by side."""
    lanes = one.type.count
    places, half = ir.VectorType(ir.IntType(32), lanes), lanes // 2
    parts = (
        builder.shuffle_vector(
            one, other, ir.Constant(places, [*first, *(lanes + i for i in first)])
        )
        for first in (range(half), range(half, lanes))
    )
    return builder.fadd(*parts, flags=_CONTRACT)


def _sums_of_lanes(builder, totals):
    """For each of one or two lists of ROWS LLVM vectors, the vector of the sums of their lanes."""
    while totals[0][0].type.count > ROWS:
        if len(totals) == 2 and totals[0][0].type.count == 2 * ROWS:
            pairs = zip(*totals, strict=True)
            both = sum_lanes(builder, [_halved_pair(builder, *pair) for pair in pairs])
            return [_part(builder, both, first, ROWS) for first in (0, ROWS)]
        totals = [[_halved(builder, each) for each in some] for some in totals]
    return [sum_lanes(builder, some) for some in totals]


def dots_of(vectors):
    """The function that multiplies ROWS rows by one or two vectors."""

    @intrinsic  # type: ignore[untyped-decorator]
    def add_dots(typing_context, w, start, width, x, at, count, b, b_start, z, to, apart):
        """z[to + i] = b[b_start + i] + the sum over k < count of w[start + i width + k] x[at + k],
        for ROWS rows i; `count` is a number of whole vectors, at least one.

        The second vector lies `count` behind the first, and what comes of it `apart`.
        """
        size, vector = types.intp, w.vector

        def generate(context, builder, sig, args):
            vector_type, align = context.get_value_type(vector), vector.dtype.bitwidth // 8
            start, width, count, apart = args[1], args[2], args[5], args[10]
            integer, sums_type = start.type, ir.VectorType(vector_type.element, ROWS)

            def address(place, at, numbers):
                span, value = sig.args[place], args[place]
                return element_address(context, builder, span, value, size, at, numbers)

            def times(number, i):
                return builder.mul(integer(i), number)

            def load_at(pointer, at, kind=vector_type):
                place = builder.gep(pointer, [at])
                return builder.load(builder.bitcast(place, kind.as_pointer()), align=align)

            rows = [address(0, builder.add(start, times(width, i)), count) for i in range(ROWS)]
            others = [
                address(3, builder.add(args[4], times(count, i)), count) for i in range(vectors)
            ]
            before = builder.block
            loop, after = map(builder.append_basic_block, ("dots", "dots.end"))
            builder.branch(loop)
            builder.position_at_end(loop)
            place = builder.phi(integer)
            totals = [[builder.phi(vector_type) for _ in rows] for _ in others]
            factors = [load_at(other, place) for other in others]
            further = [list[Any]() for _ in others]
            for i, row in enumerate(rows):
                of_w = load_at(row, place)
                for some, factor, then in zip(totals, factors, further, strict=True):
                    product = builder.fmul(of_w, factor, flags=_CONTRACT)
                    then.append(builder.fadd(some[i], product, flags=_CONTRACT))
            following = builder.add(place, integer(vector.lanes))
            phis, ends = [place, *chain(*totals)], [following, *chain(*further)]
            begins = [integer(0)] + [ir.Constant(vector_type, None)] * (ROWS * vectors)
            for phi, begin, then in zip(phis, begins, ends, strict=True):
                phi.add_incoming(begin, before)
                phi.add_incoming(then, loop)
            builder.cbranch(builder.icmp_signed("<", following, count), loop, after)
            builder.position_at_end(after)

            begin = load_at(address(6, args[7], ROWS), integer(0), sums_type)
            for i, sums in enumerate(_sums_of_lanes(builder, further)):
                target = address(8, builder.add(args[9], times(apart, i)), ROWS)
                result = builder.fadd(begin, sums, flags=_CONTRACT)
                builder.store(result, builder.bitcast(target, sums_type.as_pointer()), align=align)
            return context.get_dummy_value()

        return types.void(w, size, size, x, size, size, b, size, z, size, size), generate

    return add_dots


add_dots, add_pairs_of_dots = dots_of(1), dots_of(VECTORS)


@intrinsic  # type: ignore[untyped-decorator]
def tile_of_dots(typing_context, a, start, rows, b, b_start, others, width, sums):
    """sums[j ROWS + i] = the sum over k < width of a[start + i width + k] b[b_start + j width + k],
    for ROWS rows i and VECTORS j; the last of `rows` and of `others` stand for those behind them.
    `width` is a number of whole vectors.
    """
    size, vector = types.intp, a.vector

    def generate(context, builder, sig, args):
        element, lanes = context.get_value_type(vector.dtype), vector.lanes
        kind, wide = ir.VectorType(element, lanes), ir.VectorType(element, _JOINED * lanes)
        align, width, integer = vector.dtype.bitwidth // 8, args[6], args[1].type
        filled = ir.Constant(
            ir.VectorType(ir.IntType(32), wide.count),
            [*range(lanes), *[lanes] * (wide.count - lanes)],
        )

        def rows_at(place, most):
            """The addresses of as many rows as a tile has."""
            start, given = args[place + 1], args[place + 2]
            span, value, last = sig.args[place], args[place], builder.sub(given, integer(1))
            for i in range(most):
                inside = builder.icmp_signed("<", integer(i), given)
                row = builder.mul(builder.select(inside, integer(i), last), width)
                at = builder.add(start, row)
                yield element_address(context, builder, span, value, size, at, width)

        def load_at(pointer, at, kind):
            place = builder.gep(pointer, [at])
            return builder.load(builder.bitcast(place, kind.as_pointer()), align=align)

        def further(totals, load):
            """With the products of one more vector of each row."""
            factors, added = [load(other) for other in others_of_b], []
            for row, some in zip(rows_of_a, totals, strict=True):
                of_a = load(row)
                products = [builder.fmul(of_a, factor, flags=_CONTRACT) for factor in factors]
                pairs = zip(some, products, strict=True)
                added.append([builder.fadd(*pair, flags=_CONTRACT) for pair in pairs])
            return added

        rows_of_a = list(rows_at(0, ROWS))
        others_of_b = list(rows_at(3, VECTORS))
        before = builder.block
        names = "tile", "tile.wide", "tile.end", "tile.rest", "tile.sums"
        check, loop, end, rest, after = map(builder.append_basic_block, names)
        builder.branch(check)

        builder.position_at_end(check)
        place = builder.phi(integer)
        totals = [[builder.phi(wide) for _ in others_of_b] for _ in rows_of_a]
        following = builder.add(place, integer(wide.count))
        builder.cbranch(builder.icmp_signed("<=", following, width), loop, end)

        builder.position_at_end(loop)
        then = further(totals, lambda row: load_at(row, place, wide))
        phis = [place, *chain(*totals)]
        begins = [integer(0)] + [ir.Constant(wide, None)] * (ROWS * VECTORS)
        for phi, begin, ended in zip(phis, begins, [following, *chain(*then)], strict=True):
            phi.add_incoming(begin, before)
            phi.add_incoming(ended, loop)
        builder.branch(check)

        builder.position_at_end(end)  # half a wide vector may be left
        builder.cbranch(builder.icmp_signed("<", place, width), rest, after)
        builder.position_at_end(rest)

        def load_rest(row):
            nothing = ir.Constant(kind, None)
            return builder.shuffle_vector(load_at(row, place, kind), nothing, filled)

        last = further(totals, load_rest)
        builder.branch(after)

        builder.position_at_end(after)
        results = [[builder.phi(wide) for _ in others_of_b] for _ in rows_of_a]
        for phi, whole, ended in zip(chain(*results), chain(*totals), chain(*last), strict=True):
            phi.add_incoming(whole, end)
            phi.add_incoming(ended, rest)
        by_other = [list(some) for some in zip(*results, strict=True)]
        for j, some in enumerate(_sums_of_lanes(builder, by_other)):
            target = element_address(
                context, builder, sig.args[7], args[7], size, integer(j * ROWS), ROWS
            )
            builder.store(some, builder.bitcast(target, some.type.as_pointer()), align=align)
        return context.get_dummy_value()

    return types.void(a, size, size, b, size, size, size, sums), generate
