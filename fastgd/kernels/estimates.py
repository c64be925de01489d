"""What a kernel takes about, to be compiled and for an epoch: by this the quickest is chosen.

The numbers were measured on an EPYC with AVX-512, one thread, by `bench/estimates.py`, which prints
them beside what it measures; other processors take more or less for all of it. Most estimates lie
within a third of the time, the furthest at half or twice of it.
"""

from functools import lru_cache

from fastgd.kernels.codes import IN_KERNEL
from fastgd.kernels.generated.sample import lines_of_sample
from fastgd.kernels.plan import Plan
from fastgd.network import Network
from fastgd.state import WIDE_VECTOR_BYTES, padded

MOST_LINES = 800  # of a sample, written out
_MOST_NETWORKS = 256  # that are remembered
_CALLED = 0.4  # seconds to compile a kernel that is called, the start of Numba above all
_NS = 1e-9


@lru_cache(maxsize=_MOST_NETWORKS)
def lines_of(net: Network, method: str) -> int:
    """Statements of one sample, written out; a lower bound where there are very many."""
    if net.n_params > MOST_LINES:
        return net.n_params
    return sum(map(len, lines_of_sample(net, method)))


def compile_seconds(plan: Plan) -> float:
    """What compiling takes, with the start of Numba; nothing for the matrix kernel, which comes
    with the package, but for an update that it calls.
    """
    if plan.kernel == "matrix":
        return 0.0 if plan.update_kind in IN_KERNEL else _CALLED
    per_line, start = {"unrolled": (0.0015, 0.35), "lanes": (0.001, 0.6)}[plan.kernel]
    return start + per_line * lines_of(plan.net, plan.method)


@lru_cache(maxsize=_MOST_NETWORKS)
def epoch_seconds(plan: Plan, members: int = 1) -> float:
    """What an epoch takes: of one of so many members, where they train side by side."""
    net, gathered = plan.net, 4.0 * plan.n if plan.shuffle else 0.0
    narrow = net.dtype.itemsize / 8  # of a vector, the part that a number fills
    rows = plan.batches * padded(plan.batch, net.dtype) * narrow
    units = sum(net.widths[1:])
    if plan.few_rows:
        of_rows = (10 * len(net.layers) + 0.065 * narrow * net.n_params) * plan.n
        return _NS * (plan.batches * (47 * len(net.layers) + 0.6 * units) + of_rows + gathered)
    if plan.kernel == "matrix":
        update = 40 * len(net.layers) + 0.7 * net.n_params
        of_rows = (0.06 * net.n_params + 0.9 * units) * rows
        return _NS * (_passes(plan) * (plan.batches * update + of_rows) + gathered)
    lines = lines_of(net, plan.method)
    if plan.kernel == "unrolled" and plan.one_row:
        return _NS * (plan.batches * (12 * len(net.layers) + 0.3 * lines) + gathered)
    if plan.kernel == "unrolled":
        return _NS * (plan.batches * (10 + 0.3 * lines) + 0.1 * lines * rows + gathered)
    lanes = WIDE_VECTOR_BYTES // net.dtype.itemsize
    return _NS * (0.06 * lines * plan.n + gathered) * narrow * max(1.0, lanes / members)


def _passes(plan: Plan) -> float:
    """Passes over the rows for an update: one forward is half of one with its gradient."""
    n_params = plan.net.n_params
    forward = {"finite_difference": 1 + n_params, "central_difference": 2 * n_params}
    return forward.get(plan.method, 2) / 2
