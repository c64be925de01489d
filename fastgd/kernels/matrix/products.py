"""Products of matrices, tile by tile in registers; and transposing them.

A tile of C = A B is a few rows by a few vectors. Its sums stay in registers while B's rows go by as vectors and A's numbers as
broadcasts, so that A may lie in memory in either direction. Where B is large, or lies the other way, a panel of it as wide as a tile is
copied to where it stays in the first cache while all rows of A go by.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from fastgd.kernels.structs import PANEL_BYTES
from fastgd.machine.jit import kernel, merged
from fastgd.machine.span import element_address, lanes_of, load, store
from fastgd.machine.vector import has_avx512, splat, stay_scalar, sum_lanes
from fastgd.state import VECTOR_BYTES

TILE = 4  # rows of a tile
_WIDTH = 4 if has_avx512(cpu_target.target_context) else 2  # vectors of a tile: its sums must fit into the registers
_TALL = TILE * _WIDTH // 2  # rows of one that is two vectors wide, where there are more than TILE
_DEPTH = PANEL_BYTES // (4 * VECTOR_BYTES)  # rows of a panel, on every machine the same, since sums are cut by it
_SMALL = 4096  # numbers of a B that stays in the first cache as it is
_FEW = 64  # rows of A that are too few to copy a panel for
_CONTRACT = ("contract",)


# -- transposing -----------------------------------------------------------------------------------------------------------------------


@intrinsic  # type: ignore[untyped-decorator]
def _transpose_tile(typing_context, source, start, width, target, to, target_width):
    """A square of as many rows as a vector has lanes."""
    vector, lanes, size = source.vector, source.vector.lanes, types.intp

    def generate(context, builder, sig, args):
        vector_type, align = context.get_value_type(vector), vector.dtype.bitwidth // 8

        def rows(place):
            for i in range(lanes):
                at = builder.add(args[place + 1], builder.mul(args[1].type(i), args[place + 2]))
                pointer = element_address(context, builder, sig.args[place], args[place], size, at, lanes)
                yield builder.bitcast(pointer, vector_type.as_pointer())

        values = [builder.load(pointer, align=align) for pointer in rows(0)]
        apart = 1
        while apart < lanes:  # rows that are `apart` rows apart exchange the lanes that are `apart` lanes apart
            low = [i if not i & apart else lanes + i - apart for i in range(lanes)]
            masks = [ir.Constant(ir.VectorType(ir.IntType(32), lanes), [i + shift for i in low]) for shift in (0, apart)]
            for i in range(lanes):
                if not i & apart:
                    pair = values[i], values[i + apart]
                    values[i], values[i + apart] = (builder.shuffle_vector(*pair, mask) for mask in masks)
            apart *= 2
        for value, pointer in zip(values, rows(3), strict=True):
            builder.store(value, pointer, align=align)
        return context.get_dummy_value()

    return types.void(source, size, size, target, size, size), generate


@kernel
def transpose(source, start, width, target, to, target_width, rows, columns):
    """The (rows, columns) matrix at source[start] as (columns, rows) at target[to]; the last tiles reach back."""
    lanes = lanes_of(source)
    if rows >= lanes and columns >= lanes:
        for r in range(0, rows, lanes):
            r = min(r, rows - lanes)
            for k in range(0, columns, lanes):
                k = min(k, columns - lanes)
                _transpose_tile(source, start + r * width + k, width, target, to + k * target_width + r, target_width)
        return
    for r in range(rows):
        for k in range(columns):
            target[to + k * target_width + r] = source[start + r * width + k]
            stay_scalar()


# -- products --------------------------------------------------------------------------------------------------------------------------


def _tile_of(vectors, height=TILE):
    """The function that computes a tile so many vectors wide and so many rows high."""

    @intrinsic  # type: ignore[untyped-decorator]
    def multiply_tile(typing_context, a, a_start, a_next, a_step, b, b_start, b_width, c, c_start, c_width, rows, done, inner, alpha, add):
        """A tile of `multiply` at c[c_start] with at most `height` rows; its first `done` columns are left as they are."""
        size, real = types.intp, c.dtype
        columns, align = vectors * c.vector.lanes, real.bitwidth // 8

        def generate(context, builder, sig, args):
            a_next, a_step, b_width, c_width, row_count, done, inner, alpha, add = (args[i] for i in (2, 3, 6, *range(9, 15)))
            row_type = ir.VectorType(context.get_value_type(real), columns)
            integer, nothing = inner.type, ir.Constant(row_type, None)
            one = integer(1)

            def address(place, start, count):
                return element_address(context, builder, sig.args[place], args[place], size, start, count)

            def as_row(pointer):
                return builder.bitcast(pointer, row_type.as_pointer())

            last = builder.sub(inner, one)
            reach_a = builder.add(builder.mul(last, a_step), one)
            reach_b = builder.add(builder.mul(last, b_width), integer(columns))
            within = [builder.icmp_signed("<", integer(i), row_count) for i in range(height)]
            along = [builder.select(inside, builder.mul(integer(i), a_next), integer(0)) for i, inside in enumerate(within)]
            rows_of_a = [address(0, builder.add(args[1], offset), reach_a) for offset in along]
            first_of_b = address(4, args[5], reach_b)

            before, loop, after = builder.block, builder.append_basic_block("tile"), builder.append_basic_block("tile.end")
            builder.branch(loop)
            builder.position_at_end(loop)
            places = t, along_a, along_b = [builder.phi(integer) for _ in range(3)]
            sums = [builder.phi(row_type) for _ in range(height)]
            row_of_b = builder.load(as_row(builder.gep(first_of_b, [along_b])), align=align)
            further = []
            for total, row in zip(sums, rows_of_a, strict=True):
                factor = splat(builder, builder.load(builder.gep(row, [along_a])), row_type)
                further.append(builder.fadd(total, builder.fmul(factor, row_of_b, flags=_CONTRACT), flags=_CONTRACT))
            steps = [builder.add(t, one), builder.add(along_a, a_step), builder.add(along_b, b_width)]
            for phi, begin, following in zip([*places, *sums], [integer(0)] * 3 + [nothing] * height, steps + further, strict=True):
                phi.add_incoming(begin, before)
                phi.add_incoming(following, loop)
            builder.cbranch(builder.icmp_signed("<", steps[0], inner), loop, after)
            builder.position_at_end(after)

            scale = splat(builder, alpha, row_type)
            places = ir.Constant(ir.VectorType(integer, columns), list(range(columns)))
            kept = builder.icmp_signed("<", places, splat(builder, done, places.type))
            for i, total in enumerate(further):
                with builder.if_then(within[i]):
                    row = as_row(address(7, builder.add(args[8], builder.mul(integer(i), c_width)), integer(columns)))
                    old = builder.load(row, align=align)
                    new = builder.fadd(
                        builder.select(add, old, nothing), builder.fmul(scale, total, flags=_CONTRACT), flags=_CONTRACT
                    )  # fmt: skip
                    builder.store(builder.select(kept, old, new), row, align=align)
            return context.get_dummy_value()

        parameters = a, size, size, size, b, size, size, c, size, size, size, size, size, real, types.boolean
        return types.void(*parameters), generate

    return multiply_tile


_tile_1, _tile_2, _tall_tile_2, _widest_tile = _tile_of(1), _tile_of(2), _tile_of(2, _TALL), _tile_of(_WIDTH)


@merged
def multiply(a, a_start, a_next, a_step, b, b_start, b_width, across, c, c_start, c_width, rows, columns, inner, alpha, add, panel):
    """C = alpha A B, or C + alpha A B if `add`, where columns fill at least one vector.

    C is (rows, columns) at c[c_start], its rows `c_width` apart. A's number at row i and column t is a[a_start + i a_next + t a_step].
    B's at row t and column k is b[b_start + t b_width + k]; or where it lies `across`, b[b_start + k b_width + t].
    """
    lanes, column, nothing = lanes_of(b), np.int64(0), np.int64(0)
    copies = across or (inner * b_width > _SMALL and rows >= _FEW)
    depth = min(inner, _DEPTH) if copies else inner
    while column < columns:
        width = 1 if column + 2 * lanes > columns else 2 if column + _WIDTH * lanes > columns else _WIDTH
        done = max(0, column + lanes - columns)  # of columns, where the last vector reaches back
        column -= done
        for t in range(0, inner, depth):
            deep, more = min(depth, inner - t), add or t > 0
            source, from_b, from_b_width = b, b_start + column, b_width
            if copies:
                source, from_b, from_b_width = panel, np.int64(0), width * lanes
                if across:
                    transpose(b, b_start + column * b_width + t, b_width, panel, np.int64(0), from_b_width, from_b_width, deep)
                else:
                    _copy_panel(b, b_start + t * b_width + column, b_width, panel, from_b_width, deep)
            i = np.int64(0)
            while i < rows:
                from_a, to, high = a_start + i * a_next + t * a_step, c_start + i * c_width + column, rows - i
                if width == 1:
                    _tile_1(a, from_a, a_next, a_step, source, from_b, from_b_width, c, to, c_width, high, done, deep, alpha, more)
                elif width > 2:
                    _widest_tile(a, from_a, a_next, a_step, source, from_b, from_b_width, c, to, c_width, high, nothing, deep, alpha, more)
                elif high > TILE:
                    _tall_tile_2(a, from_a, a_next, a_step, source, from_b, from_b_width, c, to, c_width, high, nothing, deep, alpha, more)
                    i += _TALL - TILE
                else:
                    _tile_2(a, from_a, a_next, a_step, source, from_b, from_b_width, c, to, c_width, high, nothing, deep, alpha, more)
                i += TILE
        column += width * lanes


@merged
def _copy_panel(b, start, b_width, panel, width, rows):
    for t in range(rows):
        for k in range(0, width, lanes_of(b)):
            store(panel, t * width + k, load(b, start + t * b_width + k))


# -- sums along rows -------------------------------------------------------------------------------------------------------------------


def _sums_of(products):
    """The function that sums rows, or the products of rows with one."""

    @intrinsic  # type: ignore[untyped-decorator]
    def sums(typing_context, a, start, width, rows, b, b_start, count):
        """The sums over `count` columns of the rows at a[start], a[start + width], ... as a vector; the last of `rows` fills it up."""
        vector, lanes, size = a.vector, a.vector.lanes, types.intp

        def generate(context, builder, sig, args):
            vector_type, align, integer = context.get_value_type(vector), vector.dtype.bitwidth // 8, args[1].type
            last, count = builder.sub(args[3], integer(1)), args[6]

            def address(place, at):
                return element_address(context, builder, sig.args[place], args[place], size, at, count)

            def load_at(pointer, at):
                return builder.load(builder.bitcast(builder.gep(pointer, [at]), vector_type.as_pointer()), align=align)

            rows = []
            for i in range(lanes):
                row = builder.select(builder.icmp_signed("<", integer(i), last), integer(i), last)
                rows.append(address(0, builder.add(args[1], builder.mul(row, args[2]))))
            other = address(4, args[5])
            before, loop, after = builder.block, builder.append_basic_block("sums"), builder.append_basic_block("sums.end")
            builder.branch(loop)
            builder.position_at_end(loop)
            column, totals = builder.phi(integer), [builder.phi(vector_type) for _ in rows]
            values = [load_at(row, column) for row in rows]
            if products:
                factor = load_at(other, column)
                values = [builder.fmul(value, factor, flags=_CONTRACT) for value in values]
            further = [builder.fadd(total, value, flags=_CONTRACT) for total, value in zip(totals, values, strict=True)]
            following = builder.add(column, integer(lanes))
            zeros = [integer(0)] + [ir.Constant(vector_type, None)] * lanes
            for phi, begin, then in zip([column, *totals], zeros, [following, *further], strict=True):
                phi.add_incoming(begin, before)
                phi.add_incoming(then, loop)
            builder.cbranch(builder.icmp_signed("<", following, count), loop, after)
            builder.position_at_end(after)
            return sum_lanes(builder, further)

        return vector(a, size, size, size, b, size, size), generate

    return sums


sums_of_rows, sums_of_products = _sums_of(False), _sums_of(True)
