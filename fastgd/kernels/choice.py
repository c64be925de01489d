"""Which kernel runs a plan: the one that was asked for, if it serves, or the quickest."""

from dataclasses import replace
from functools import lru_cache

from fastgd.arguments.per_layer import is_asked
from fastgd.kernels.estimates import MOST_LINES, compile_seconds, epoch_seconds, lines_of
from fastgd.kernels.plan import Plan, needs_matrix
from fastgd.kernels.shipped import comes_with_package
from fastgd.network import Network
from fastgd.options import Options

_FAR = 0.5  # changes of z up to which e^-z is used again, see generated.differences
_LEAST_MEMBERS = 4  # from which on lanes are filled well enough
_MOST_PLANS = 256  # that are remembered


@lru_cache(maxsize=_MOST_PLANS)
def make_plan(
    net: Network, n: int, options: Options, kernel: str = "auto", epochs: int = 0,
    members: int | None = None, largest: float = 1.0, weighted: bool = False,
    validated: bool = False, own_rows: bool = False,
) -> Plan:  # fmt: skip
    """The plan of checked arguments, with its kernel, for one network or so many members, whose
    epochs are counted together; ValueError if the kernel does not serve the network.

    Inputs are at most `largest` in size. "auto" becomes a kernel by these arguments alone.
    """
    is_exact = not options.method.endswith("difference")
    plan = Plan(
        net,
        n,
        batch=n if options.batch_size is None else options.batch_size,
        shuffle=options.shuffle and options.batch_size is not None,
        method=options.method,
        kernel=kernel,
        update_kind=options.update_kind,
        modifies_gradient=options.modifies_gradient,
        weighted=weighted,
        validated=validated,
        own_rows=own_rows,
        perturbed=options.is_perturbed,
        drops=is_asked(options.dropout),
        bounded=options.is_bounded,
        small_changes=is_exact or options.eps * max(1.0, largest) < _FAR,
    )
    if kernel == "auto":
        return _quickest(plan, epochs, members, options)
    if kernel == "lanes" and members is None:
        raise ValueError(
            "kernel 'lanes' serves many copies of a network, by fastgd.train_many; got one"
        )
    if kernel == "lanes" and options.decays_by_layer:
        raise ValueError("kernel 'lanes' serves no l2 or l1 by layer, as 'matrix' does")
    if kernel != "matrix" and needs_matrix(plan):
        raise ValueError(
            f"kernel {kernel!r} serves no dropout, max_norm or input_noise, as 'matrix' does"
        )
    if kernel != "matrix" and not can_unroll(net, plan.method):
        raise ValueError(
            f"kernel {kernel!r} serves networks whose equations take at most {MOST_LINES} lines; "
            f"got {net} with method {plan.method!r}, which takes {lines_of(net, plan.method)}"
        )
    return _run_by(kernel, plan)


def can_unroll(net: Network, method: str) -> bool:
    """Whether a network's equations are few enough to be written out."""
    return lines_of(net, method) <= MOST_LINES


def _run_by(kernel: str, plan: Plan) -> Plan:
    """The plan with this kernel."""
    # the order of rows that are one batch only matters to rounding; as they are, their cost falls
    # out before the update
    is_one_batch = kernel == "lanes" and plan.batches == 1
    return replace(plan, kernel=kernel, shuffle=plan.shuffle and not is_one_batch)


def _quickest(plan: Plan, epochs: int, members: int | None, options: Options) -> Plan:
    """The plan with the kernel by which `epochs` take least, compiling included."""

    def seconds(plan: Plan) -> float:
        of_compiling = 0.0 if comes_with_package(plan) else compile_seconds(plan)
        return of_compiling + epochs * epoch_seconds(plan, members or 1)

    kernels = ["matrix"]
    is_filled = members is None or members >= _LEAST_MEMBERS
    by_lanes = members is not None and not options.decays_by_layer
    if is_filled and not needs_matrix(plan) and can_unroll(plan.net, plan.method):
        kernels.append("lanes" if by_lanes else "unrolled")
    return min((_run_by(kernel, plan) for kernel in kernels), key=seconds)
