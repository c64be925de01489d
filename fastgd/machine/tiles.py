"""Tiles of matrices as instructions: products of them, sums along rows, transposing."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastgd.machine.internals import cgutils, cpu_target
from fastgd.machine.lane_sums import exchanging, sum_lanes
from fastgd.machine.span import element_address
from fastgd.machine.vector import has_avx512, has_fma, splat

# Vectors and rows of the largest tile. Its sums fit into the registers, and are more than the sums
# that are under way at a time: two instructions begin each cycle, and take four or five. LLVM joins
# neighbouring vectors to AVX-512's own; a processor that begins one of these at a time, or halves
# them, as Zen 4 does, takes as long as for two of AVX's, and reads fewer instructions.
if has_avx512(cpu_target.target_context):
    WIDEST, HIGHEST = 4, 8
elif has_fma(cpu_target.target_context):  # 16 registers of 32 bytes, or arm64's 32 of 16
    WIDEST, HIGHEST = 2, 6
else:
    WIDEST, HIGHEST = 2, 4
NOTHING, OLD, OF_ROWS = range(3)  # what a product is added to
_CONTRACT = ("contract",)


def tile_of(vectors, height):
    """The function that computes a tile so many vectors wide and so many rows high."""

    @intrinsic  # type: ignore[untyped-decorator]
    def multiply_tile(
        typing_context, a, a_start, a_next, a_step, b, b_start, b_width, c, c_start, c_width,
        rows, done, inner, alpha, add, numbers, first,
    ):  # fmt: skip
        """A tile of C = alpha A B at c[c_start] with at most `height` rows.

        Its first `done` columns are left as they are. What C holds is added to the others if `add`
        is `OLD`, numbers[first + i] to row i if it is `OF_ROWS`.
        """
        size, real = types.intp, c.dtype
        columns, align = vectors * c.vector.lanes, real.bitwidth // 8

        def generate(context, builder, sig, args):
            a_next, a_step, b_width, c_width, row_count = (args[i] for i in (2, 3, 6, 9, 10))
            done, inner, alpha, add = args[11:15]
            row_type = ir.VectorType(context.get_value_type(real), columns)
            integer, nothing = inner.type, ir.Constant(row_type, None)
            one = integer(1)

            def address(place, start, count):
                span, value = sig.args[place], args[place]
                return element_address(context, builder, span, value, size, start, count)

            def as_row(pointer):
                return builder.bitcast(pointer, row_type.as_pointer())

            last = builder.sub(inner, one)
            reach_a = builder.add(builder.mul(last, a_step), one)
            reach_b = builder.add(builder.mul(last, b_width), integer(columns))
            within = [builder.icmp_signed("<", integer(i), row_count) for i in range(height)]
            along = [
                builder.select(inside, builder.mul(integer(i), a_next), integer(0))
                for i, inside in enumerate(within)
            ]  # fmt: skip
            rows_of_a = [address(0, builder.add(args[1], offset), reach_a) for offset in along]
            first_of_b = address(4, args[5], reach_b)

            before = builder.block
            loop, after = map(builder.append_basic_block, ("tile", "tile.end"))
            builder.branch(loop)
            builder.position_at_end(loop)
            places = [builder.phi(integer) for _ in range(3)]
            _, along_a, along_b = places
            sums = [builder.phi(row_type) for _ in range(height)]
            row_of_b = builder.load(as_row(builder.gep(first_of_b, [along_b])), align=align)
            further = []
            for total, row in zip(sums, rows_of_a, strict=True):
                factor = splat(builder, builder.load(builder.gep(row, [along_a])), row_type)
                product = builder.fmul(factor, row_of_b, flags=_CONTRACT)
                further.append(builder.fadd(total, product, flags=_CONTRACT))
            ends = list(map(builder.add, places, (one, a_step, b_width)))
            begins = [integer(0)] * 3 + [nothing] * height
            for phi, begin, following in zip([*places, *sums], begins, ends + further, strict=True):
                phi.add_incoming(begin, before)
                phi.add_incoming(following, loop)
            builder.cbranch(builder.icmp_signed("<", ends[0], inner), loop, after)
            builder.position_at_end(after)

            scale = splat(builder, alpha, row_type)
            places = ir.Constant(ir.VectorType(integer, columns), list(range(columns)))
            kept = builder.icmp_signed("<", places, splat(builder, done, places.type))

            def put_down(added_to):
                """Every sum, to what `added_to` makes of its row's place in C and its number."""
                for i, total in enumerate(further):
                    with builder.if_then(within[i]):
                        start = builder.add(args[8], builder.mul(integer(i), c_width))
                        row = as_row(address(7, start, integer(columns)))
                        scaled = builder.fmul(scale, total, flags=_CONTRACT)
                        new = builder.fadd(added_to(row, i), scaled, flags=_CONTRACT)
                        new = builder.select(kept, builder.load(row, align=align), new)
                        builder.store(new, row, align=align)

            def number(_, i):
                place = builder.gep(first_number, [integer(i)])
                return splat(builder, builder.load(place), row_type)

            with builder.if_else(builder.icmp_signed("==", add, integer(OLD))) as (old, other):
                with old:
                    put_down(lambda row, _: builder.load(row, align=align))
                with other:
                    of_rows = builder.icmp_signed("==", add, integer(OF_ROWS))
                    first, count = (
                        builder.select(of_rows, given, integer(otherwise))
                        for given, otherwise in ((args[16], 0), (row_count, 1))
                    )
                    numbers = address(15, first, count)
                    zeros = ir.Constant(ir.ArrayType(row_type.element, height), None)
                    zeros = cgutils.global_constant(builder, "zeros", zeros)
                    zeros = builder.gep(zeros, [integer(0), integer(0)])
                    first_number = builder.select(of_rows, numbers, zeros)
                    put_down(number)
            return context.get_dummy_value()

        places = a, size, size, size, b, size, size, c, size, size
        return types.void(*places, size, size, size, real, size, c, size), generate

    return multiply_tile


def sums_of(products):
    """The function that sums rows, or the products of rows with one."""

    @intrinsic  # type: ignore[untyped-decorator]
    def sums(typing_context, a, start, width, rows, b, b_start, count):
        """The sums over `count` columns of the rows at a[start], a[start + width], ... as a vector.

        The last of `rows` fills it up.
        """
        vector, lanes, size = a.vector, a.vector.lanes, types.intp

        def generate(context, builder, sig, args):
            vector_type, align = context.get_value_type(vector), vector.dtype.bitwidth // 8
            integer, count = args[1].type, args[6]
            last = builder.sub(args[3], integer(1))

            def address(place, at):
                span, value = sig.args[place], args[place]
                return element_address(context, builder, span, value, size, at, count)

            def load_at(pointer, at):
                place = builder.bitcast(builder.gep(pointer, [at]), vector_type.as_pointer())
                return builder.load(place, align=align)

            rows = []
            for i in range(lanes):
                row = builder.select(builder.icmp_signed("<", integer(i), last), integer(i), last)
                rows.append(address(0, builder.add(args[1], builder.mul(row, args[2]))))
            other = address(4, args[5])
            before = builder.block
            loop, after = map(builder.append_basic_block, ("sums", "sums.end"))
            builder.branch(loop)
            builder.position_at_end(loop)
            column, totals = builder.phi(integer), [builder.phi(vector_type) for _ in rows]
            values = [load_at(row, column) for row in rows]
            if products:
                factor = load_at(other, column)
                values = [builder.fmul(value, factor, flags=_CONTRACT) for value in values]
            pairs = zip(totals, values, strict=True)
            further = [builder.fadd(total, value, flags=_CONTRACT) for total, value in pairs]
            following = builder.add(column, integer(lanes))
            zeros = [integer(0)] + [ir.Constant(vector_type, None)] * lanes
            ends = [following, *further]
            for phi, begin, then in zip([column, *totals], zeros, ends, strict=True):
                phi.add_incoming(begin, before)
                phi.add_incoming(then, loop)
            builder.cbranch(builder.icmp_signed("<", following, count), loop, after)
            builder.position_at_end(after)
            return sum_lanes(builder, further)

        return vector(a, size, size, size, b, size, size), generate

    return sums


@intrinsic  # type: ignore[untyped-decorator]
def transpose_tile(typing_context, source, start, width, target, to, target_width):
    """A square of as many rows as a vector has lanes."""
    vector, lanes, size = source.vector, source.vector.lanes, types.intp

    def generate(context, builder, sig, args):
        vector_type, align = context.get_value_type(vector), vector.dtype.bitwidth // 8

        def rows(place):
            for i in range(lanes):
                at = builder.add(args[place + 1], builder.mul(args[1].type(i), args[place + 2]))
                span, value = sig.args[place], args[place]
                pointer = element_address(context, builder, span, value, size, at, lanes)
                yield builder.bitcast(pointer, vector_type.as_pointer())

        values = [builder.load(pointer, align=align) for pointer in rows(0)]
        apart = 1
        while apart < lanes:  # rows so far apart exchange the lanes that are as far apart
            masks = exchanging(lanes, apart)
            for i in range(lanes):
                if not i & apart:
                    pair = values[i], values[i + apart]
                    exchanged = (builder.shuffle_vector(*pair, mask) for mask in masks)
                    values[i], values[i + apart] = exchanged
            apart *= 2
        for value, pointer in zip(values, rows(3), strict=True):
            builder.store(value, pointer, align=align)
        return context.get_dummy_value()

    return types.void(source, size, size, target, size, size), generate
