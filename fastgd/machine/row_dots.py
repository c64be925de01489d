"""Products of many rows with one vector: as many rows at a time as a vector has lanes."""

from numba import types
from numba.extending import intrinsic

from fastgd.machine.lane_sums import sum_lanes
from fastgd.machine.span import element_address


@intrinsic  # type: ignore[untyped-decorator]
def row_dots(typing_context, x, start, width, w, w_start, tail):
    """The vector of the sums over k < width of x[start + i width + k] w[w_start + k], i < lanes.

    `tail` stands for the last lanes of w, with zeros where whole vectors before it reach: those
    are added after it.
    """
    if x != w or x.vector != tail:
        return None
    vector, lanes, size = x.vector, x.vector.lanes, types.intp

    def generate(context, builder, sig, args):
        vector_type, align = context.get_value_type(vector), vector.dtype.bitwidth // 8
        start, width, tail = args[1], args[2], args[5]
        integer = width.type
        last = builder.sub(width, integer(lanes))

        def address(place, at):
            span, value = sig.args[place], args[place]
            return element_address(context, builder, span, value, size, at, width)

        def load_at(pointer, at):
            place = builder.bitcast(builder.gep(pointer, [at]), vector_type.as_pointer())
            return builder.load(place, align=align)

        def times(value, factor):
            return builder.fmul(value, factor, flags=("contract",))

        rows = [
            address(0, builder.add(start, builder.mul(integer(i), width))) for i in range(lanes)
        ]
        other = address(3, args[4])
        totals = [times(load_at(row, last), tail) for row in rows]
        before = builder.block
        check, loop, after = map(builder.append_basic_block, ("dots", "dots.more", "dots.end"))
        builder.branch(check)
        builder.position_at_end(check)
        column, sums = builder.phi(integer), [builder.phi(vector_type) for _ in rows]
        builder.cbranch(builder.icmp_signed("<", column, last), loop, after)
        builder.position_at_end(loop)
        factor = load_at(other, column)
        further = [
            builder.fadd(total, times(load_at(row, column), factor), flags=("contract",))
            for total, row in zip(sums, rows, strict=True)
        ]
        following = builder.add(column, integer(lanes))
        begins, ends = [integer(0), *totals], [following, *further]
        for phi, begin, then in zip([column, *sums], begins, ends, strict=True):
            phi.add_incoming(begin, before)
            phi.add_incoming(then, loop)
        builder.branch(check)
        builder.position_at_end(after)
        return sum_lanes(builder, sums)

    return vector(x, size, size, w, size, vector), generate
