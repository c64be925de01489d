"""Products of a few rows of a matrix with one vector: sums over lanes that are shared out."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastgd.machine.internals import cpu_target
from fastgd.machine.lane_sums import sum_lanes
from fastgd.machine.span import element_address
from fastgd.machine.vector import has_avx512

ROWS = 8 if has_avx512(cpu_target.target_context) else 4  # whose sums fit into the registers
_CONTRACT = ("contract",)


def _halved(builder, value):
    """The sum of the two halves of an LLVM vector."""
    half = value.type.count // 2
    places = ir.VectorType(ir.IntType(32), half)
    nothing = ir.Constant(value.type, ir.Undefined)
    low, high = (
        builder.shuffle_vector(
            value, nothing, ir.Constant(places, list(range(first, first + half)))
        )
        for first in (0, half)
    )
    return builder.fadd(low, high, flags=_CONTRACT)


@intrinsic  # type: ignore[untyped-decorator]
def add_dots(typing_context, w, start, width, x, at, count, b, b_start, z, to):
    """z[to + i] = b[b_start + i] + the sum over k < count of w[start + i width + k] x[at + k], for
    ROWS rows i; `count` is a number of whole vectors, at least one.
    """
    size, vector = types.intp, w.vector

    def generate(context, builder, sig, args):
        vector_type, align = context.get_value_type(vector), vector.dtype.bitwidth // 8
        start, width, count = args[1], args[2], args[5]
        integer, sums_type = start.type, ir.VectorType(vector_type.element, ROWS)

        def address(place, at, numbers):
            span, value = sig.args[place], args[place]
            return element_address(context, builder, span, value, size, at, numbers)

        def load_at(pointer, at, kind=vector_type):
            place = builder.gep(pointer, [at])
            return builder.load(builder.bitcast(place, kind.as_pointer()), align=align)

        rows = [
            address(0, builder.add(start, builder.mul(integer(i), width)), count)
            for i in range(ROWS)
        ]
        others = address(3, args[4], count)
        before = builder.block
        loop, after = map(builder.append_basic_block, ("dots", "dots.end"))
        builder.branch(loop)
        builder.position_at_end(loop)
        place, totals = builder.phi(integer), [builder.phi(vector_type) for _ in rows]
        factor = load_at(others, place)
        products = [builder.fmul(load_at(row, place), factor, flags=_CONTRACT) for row in rows]
        pairs = zip(totals, products, strict=True)
        further = [builder.fadd(total, product, flags=_CONTRACT) for total, product in pairs]
        following = builder.add(place, integer(vector.lanes))
        begins = [integer(0)] + [ir.Constant(vector_type, None)] * ROWS
        for phi, begin, then in zip([place, *totals], begins, [following, *further], strict=True):
            phi.add_incoming(begin, before)
            phi.add_incoming(then, loop)
        builder.cbranch(builder.icmp_signed("<", following, count), loop, after)
        builder.position_at_end(after)

        while further[0].type.count > ROWS:
            further = [_halved(builder, total) for total in further]
        begin = load_at(address(6, args[7], ROWS), integer(0), sums_type)
        sums = builder.fadd(begin, sum_lanes(builder, further), flags=_CONTRACT)
        target = builder.bitcast(address(8, args[9], ROWS), sums_type.as_pointer())
        builder.store(sums, target, align=align)
        return context.get_dummy_value()

    return types.void(w, size, size, x, size, size, b, size, z, size), generate
