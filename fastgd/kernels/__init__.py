"""Compiled training loops: `load` gives the kernel of a plan, bound to its data."""

from collections.abc import Hashable

from fastgd.kernels.binding import Bound
from fastgd.kernels.choice import can_unroll, make_plan
from fastgd.kernels.estimates import epoch_seconds
from fastgd.kernels.generated.unrolled import source
from fastgd.kernels.in_turn import InTurn
from fastgd.kernels.lanes_binding import Lanes
from fastgd.kernels.matrix_binding import Matrix
from fastgd.kernels.plan import Plan
from fastgd.kernels.shelf import shelf
from fastgd.kernels.stepwise import Stepwise
from fastgd.kernels.unrolled_binding import Unrolled
from fastgd.network import Network
from fastgd.options import Options
from fastgd.samples import Samples, largest_input, on_disk
from fastgd.system.processors import available_threads

__all__ = [
    "Bound", "InTurn", "Lanes", "Matrix", "Plan", "Stepwise", "available_threads",
    "epoch_seconds", "load", "make_plan", "plan_for", "put_back", "serving", "source", "take",
]  # fmt: skip


def plan_for(
    net: Network,
    samples: Samples,
    options: Options,
    kernel: str,
    epochs: int = 0,
    before: str | None = None,
    *,
    members: int | None = None,
    validated: bool = False,
) -> Plan:
    """The plan for these rows of one network, or of so many members, whose epochs are counted
    together; `auto` is the kernel that there was before, where it serves.
    """
    many = members is not None
    if kernel == "auto" and before and before in serving(net, options, many=many):
        kernel = before
    if kernel == "auto" and not many and options.batch_size is None and on_disk(samples.X):
        kernel = "matrix"  # the unrolled kernel puts a full batch into memory
    largest, weighted = largest_input(samples, options.method), len(samples.weights) > 0
    own_rows = many and any(samples.are_own)
    # by names it would take longer to find
    return make_plan(
        net, samples.X.shape[-2], options, kernel, epochs, members, largest, weighted, validated,
        own_rows,
    )  # fmt: skip


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


def take(
    plan: Plan,
    options: Options,
    samples: Samples,
    held_out: Samples | None,
    threads: int | None,
) -> tuple[Hashable, Bound]:
    """The kernel as by `load`, on all processors where threads are not given; and a key, by which
    one that was put back is found.
    """
    most = plan.most_threads(0 if held_out is None else len(held_out.X))
    threads = min(threads or available_threads(), most) if most > 1 else 1
    apart = held_out and (len(held_out.X), on_disk(held_out.X))
    key = plan, options, threads, on_disk(samples.X), apart
    bound: Bound | None = shelf.find(key)
    if bound is None:
        bound = shelf.made(load(plan, options, samples, held_out, threads))
    else:
        bound.look_at(samples, held_out)
    return key, bound


def put_back(key: Hashable, bound: Bound) -> None:
    """Keep the kernel for another training, but no rows of this one."""
    bound.let_go()
    shelf.put_back(key, bound)


def serving(net: Network, options: Options, *, many: bool = False) -> list[str]:
    """Names of the kernels that serve a network that is trained in this way, or many copies."""
    by_lanes = many and not options.decays_by_layer
    written_out = ["unrolled", "lanes"] if by_lanes else ["unrolled"]
    by_chance = options.is_perturbed or options.is_bounded
    serves = can_unroll(net, options.method) and not by_chance
    return ["matrix", *written_out] if serves else ["matrix"]
