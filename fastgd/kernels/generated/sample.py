"""The lines of one sample by any method: forward, its share of the cost, its share
of the gradient.
"""

from fastgd.kernels.generated.differences import differences
from fastgd.kernels.generated.equations import backward, forward, loss
from fastgd.kernels.generated.lines import Line, add
from fastgd.network import Network


def divisor(method: str) -> str:
    """What the distance of two perturbed costs is divided by."""
    return {"finite_difference": " / eps", "central_difference": " / (2.0 * eps)"}.get(method, "")


def lines_of_sample(
    net: Network,
    method: str,
    weighted: bool = True,
    small_changes: bool = True,
    in_halves: bool = False,
    lanes: int = 0,
    in_twos: bool = False,
) -> tuple[list[Line], list[Line], list[Line]]:
    """The lines of one sample by any method: forward, its share of the cost, its share of the
    gradient. `in_halves`, `lanes` and `in_twos` are for `equations`.
    """
    cost = [*loss(net), add("costs", f"{'weight' if weighted else 'share'} * loss")]
    if method in ("finite_difference", "central_difference"):
        return (
            forward(net, parts=True, in_halves=in_halves),
            cost,
            differences(net, method, weighted, small_changes),
        )
    return (
        forward(net, in_halves=in_halves, lanes=lanes, in_twos=in_twos),
        cost,
        backward(net, method, weighted, in_twos=in_twos),
    )
