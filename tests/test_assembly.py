"""The machine code of unrolled kernels: the loop over the updates divides and multiplies whole vectors, never one number; and of products,
whose sums stay in registers."""

import platform
import re

import numba
import numpy as np
import pytest
from this_machine import compiles_for

import fastgd
from fastgd import kernels
from fastgd.machine import jit
from fastgd.machine.object_code import optimized, target_machine
from fastgd.machine.ready_made import X86_64
from fastgd.options import Options
from fastgd.samples import Samples

_X86 = platform.machine().lower() in ("x86_64", "amd64")
pytestmark = pytest.mark.skipif(
    not (_X86 and compiles_for("avx") and compiles_for("fma")), reason="reads the packed instructions of x86 with AVX and FMA"
)

SCALAR_DIVIDE = r"v?divs[sd]\b"
SCALAR_FMA = r"vfn?m(add|sub)\d*s[sd]\b"
PACKED_DIVIDE = {"float64": r"vdivpd\b.*%[yz]mm", "float32": r"vdivps\b.*%[yz]mm"}  # on registers of 32 bytes, or of 64
PACKED_FMA = {"float64": r"vfn?m(add|sub)\d*pd\b.*%[yz]mm", "float32": r"vfn?m(add|sub)\d*ps\b.*%[yz]mm"}


PRODUCT = """
from numba import boolean, {dtype}, int64, njit, void
from fastgd.kernels.matrix.products import Left, Right, Target, multiply
from fastgd.machine.jit import FLAGS
from fastgd.machine.span import span_of

reals = {dtype}[::1]

@njit(void(reals, int64, int64, reals, int64, boolean, reals, int64, int64, int64, reals), **FLAGS)
def product(a, a_next, a_step, b, width, across, c, rows, columns, inner, panel):
    left, right = Left(span_of(a), 0, a_next, a_step), Right(span_of(b), 0, width, across)
    multiply(left, right, Target(span_of(c), 0, columns), rows, columns, inner, 1.0, False, span_of(panel))

print(product.inspect_asm(product.signatures[0]))
"""


def loops(assembly, pattern):
    """The innermost loops with an instruction of this pattern, each from the label that a jump back goes to up to the last such jump."""
    lines = [line.split("#")[0].strip() for line in assembly.splitlines()]
    places = {line[:-1]: place for place, line in enumerate(lines) if re.fullmatch(r"[\w.$]+:", line)}
    ends = {}
    for place, line in enumerate(lines):
        jump = re.fullmatch(r"j\w+\s+([\w.$]+)", line)
        if jump and places.get(jump[1], place) < place:
            ends[places[jump[1]]] = place
    having = [(start, end) for start, end in ends.items() if count(pattern, lines[start:end])]
    inner = [(s, e) for s, e in having if not any(s <= start and end <= e for start, end in having if (start, end) != (s, e))]
    return [lines[start : end + 1] for start, end in inner]


def count(pattern, lines):
    return sum(re.match(pattern, line) is not None for line in lines)


def assembly_of(net, X, Y, method):
    """What the unrolled kernel of these rows, in full batch, compiles to."""
    options = Options(method=method)
    plan = kernels.make_plan(net, len(X), options, "unrolled")
    entry = kernels.load(plan, options, Samples.alike(X.astype(net.dtype), Y.astype(net.dtype))).entry("train")
    return target_machine().emit_assembly(optimized(entry.source, "train", net.dtype)[1])


# XOR 2-2-1 has three sigmoids, of a division each. The three changes of a unit's z take two divisions more, and each of the six in the
# first layer passes through the last one's sigmoid again.
@pytest.mark.parametrize(
    ("method", "dtype", "divisions", "sigmoids"),
    [("backprop", "float64", 3, 3), ("finite_difference", "float64", 3 + 3 * 2 + 6, 9), ("backprop", "float32", 3, 3)],
)
def test_xor(method, dtype, divisions, sigmoids):
    X, Y = fastgd.data.gate("xor")
    found = loops(assembly_of(fastgd.MLP(2, 2, 1, dtype=dtype), X, Y, method), PACKED_DIVIDE[dtype])
    assert max(count(PACKED_DIVIDE[dtype], loop) for loop in found) == divisions
    assert max(count(PACKED_FMA[dtype], loop) for loop in found) >= 5 * sigmoids  # float32 with a table has the fewest in exp
    for loop in found:
        assert count(SCALAR_DIVIDE, loop) == 0
        assert count(SCALAR_FMA, loop) == 0
        assert count(r"call", loop) == 0
        assert count(r"vcvtps2pd", loop) == 0  # a literal that widens float32


def test_the_reader_finds_scalar_code():
    """The same reading of a loop that cannot be vectorized: each turn waits for the one before."""

    @numba.njit(**jit.FLAGS)
    def continued_fraction(x, a, b, n):
        for _ in range(n):
            x = 1.0 / (a * x + b)
        return x

    assert continued_fraction(1.0, 1.0, 1.0, 100) == pytest.approx((5**0.5 - 1) / 2)
    assembly = "\n".join(continued_fraction.inspect_asm().values())
    assert loops(assembly, PACKED_DIVIDE["float64"]) == []
    found = loops(assembly, SCALAR_DIVIDE)
    assert len(found) >= 1
    for loop in found:
        assert count(SCALAR_FMA, loop) >= 1
        assert count(PACKED_FMA["float64"], loop) == 0


def test_the_reader_tells_them_apart():
    """A loop over an array, which LLVM vectorizes, and its scalar loop for the rows that are left."""

    @numba.njit(**jit.FLAGS)
    def reciprocals(x, y):
        for i in range(len(x)):
            y[i] = 1.0 / (y[i] * x[i] + 3.0)

    y = np.ones(101)
    reciprocals(np.ones(101), y)
    assert np.array_equal(y, np.full(101, 0.25))
    assembly = "\n".join(reciprocals.inspect_asm().values())
    for loop in loops(assembly, PACKED_DIVIDE["float64"]):
        assert count(PACKED_FMA["float64"], loop) >= 1
        assert count(SCALAR_DIVIDE, loop) == 0
    for loop in loops(assembly, SCALAR_DIVIDE):
        assert count(PACKED_DIVIDE["float64"], loop) == 0
    assert len(loops(assembly, PACKED_DIVIDE["float64"])) >= 1
    assert len(loops(assembly, SCALAR_DIVIDE)) >= 1


@pytest.mark.parametrize(("level", "sums", "registers"), [("x86-64-v4", 16, "zmm"), ("x86-64-v3", 12, "ymm")])
def test_sums_of_a_tile_stay_in_registers(level, sums, registers, dtype, python):
    """Of the levels that code is shipped for, which this processor need not have."""
    (settings,) = (each.settings for each in X86_64 if each.name == level)
    fma = rf"vfmadd\d+p{'s' if dtype == 'float32' else 'd'}\b.*%{registers}"
    found = loops(python(PRODUCT.format(dtype=dtype), **settings), fma)
    tiles = [loop for loop in found if count(fma, loop) == sums]
    assert tiles
    # %rbp may be any address; what has no room is at %rsp, which is aligned for it
    assert all(count(r".*%[xyz]mm.*\(%rsp|.*\(%rsp.*%[xyz]mm", tile) == 0 for tile in tiles)
