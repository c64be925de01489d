"""The kernels whose machine code comes with the package: those that serve every network, and those
that are written out for the notes' own.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastgd.kernels.generated import lanes, unrolled
from fastgd.kernels.matrix_binding import MATRIX
from fastgd.kernels.plan import make_plan
from fastgd.machine.cache import Entry, entry
from fastgd.names import DTYPES
from fastgd.network import Network
from fastgd.options import Options

_METHODS = ("backprop", "finite_difference")
_MEMBERS = 64  # any number of them has the same code


def _of_notes(dtype: str) -> Iterator[tuple[Network, int]]:
    """Each network of the notes and the rows that it learns: twice, the gates, XOR."""
    yield Network(1, 1, activation="identity", bias=False, dtype=dtype), 5
    yield Network(2, 1, dtype=dtype), 4
    yield Network(2, 2, 1, dtype=dtype), 4


def shipped() -> list[Entry]:
    """All of them; those that take longest to compile come first."""
    matrix, written_out = [], []
    for dtype in DTYPES:
        nets = list(_of_notes(dtype))
        real = nets[0][0].dtype
        matrix += [entry("matrix", MATRIX, function, real) for function in ("train", "evaluate")]
        xor, n = nets[-1]
        many = make_plan(xor, n, Options(), "lanes", 1, members=_MEMBERS)
        matrix.append(entry("lanes", lanes.source(many, False), "train", real))
        for net, n in nets:
            for method in _METHODS:
                plan = make_plan(net, n, Options(method=method), "unrolled")
                written_out.append(entry("unrolled", unrolled.source(plan), "train", real))
    return matrix + written_out
