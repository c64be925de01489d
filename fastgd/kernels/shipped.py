"""The kernels whose machine code comes with the package: those that serve every network, and those
that are written out for the notes' own.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from fastgd.kernels.generated import lanes, unrolled
from fastgd.kernels.matrix_binding import ALL_APART, MATRIX, apart
from fastgd.kernels.plan import Plan
from fastgd.kernels.stepwise import stretch_entry
from fastgd.machine.cache import Entry, entry
from fastgd.names import DTYPES
from fastgd.network import Network

_METHODS = ("backprop", "finite_difference")


@cache
def _written_out() -> list[Plan]:
    """The plans of those that are written out: in full batch, one network by two methods, and many
    copies of XOR's.
    """
    plans = []
    for dtype in DTYPES:
        twice = Network(1, 1, activation="identity", bias=False, dtype=dtype)
        gate, xor = Network(2, 1, dtype=dtype), Network(2, 2, 1, dtype=dtype)
        plans.append(Plan(xor, 4, 4, False, "backprop", "lanes"))
        for net, n in ((twice, 5), (gate, 4), (xor, 4)):
            plans += [Plan(net, n, n, False, method, "unrolled") for method in _METHODS]
    return plans


def comes_with_package(plan: Plan) -> bool:
    """Whether a kernel that is written out is one of them."""
    alike = [one for one in _written_out() if str(one.net) == str(plan.net) and not plan.net.own]
    return any(replace(one, net=plan.net) == plan for one in alike)


def shipped() -> list[Entry]:
    """All of them; those that take longest to compile come first."""
    reals = [np.dtype(name) for name in DTYPES]
    matrix = [
        entry("matrix", MATRIX, function, real)
        for real in reals
        for function in ("train", "evaluate", "layer_costs")
    ]
    matrix += [apart(text, real) for real in reals for text in ALL_APART]
    written_out = sorted(_written_out(), key=lambda plan: plan.kernel)
    return [*matrix, *map(_entry, written_out), *map(stretch_entry, reals)]


def _entry(plan: Plan) -> Entry:
    source = {"lanes": lanes.source, "unrolled": unrolled.source}[plan.kernel]
    return entry(plan.kernel, source(plan), "train", plan.net.dtype)
