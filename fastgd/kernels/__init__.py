"""Compiled training loops: `load` gives the kernel of a plan, bound to its data."""

from fastgd.kernels.binding import Bound
from fastgd.kernels.generated.unrolled import source
from fastgd.kernels.lanes_binding import Lanes
from fastgd.kernels.matrix_binding import Matrix
from fastgd.kernels.members import REASONS
from fastgd.kernels.plan import Plan, can_unroll, make_plan, make_plan_for_many
from fastgd.kernels.unrolled_binding import Unrolled
from fastgd.network import Network
from fastgd.options import Options
from fastgd.samples import Samples
from fastgd.system.processors import available_threads

__all__ = [
    "REASONS", "Bound", "Lanes", "Matrix", "Plan", "available_threads", "load", "make_plan",
    "make_plan_for_many", "serving", "source",
]  # fmt: skip


def load(
    plan: Plan,
    options: Options,
    samples: Samples,
    held_out: Samples | None = None,
    threads: int = 1,
) -> Bound:
    """The kernel that the plan names, bound to its data and options; the matrix kernel runs on up
    to `threads` threads.
    """
    if plan.kernel == "unrolled":
        return Unrolled(plan, options, samples, held_out)
    return Matrix(plan, options, samples, held_out, threads)


def serving(net: Network, method: str) -> list[str]:
    """Names of the kernels that serve a network."""
    return ["matrix", "unrolled"] if can_unroll(net, method) else ["matrix"]
