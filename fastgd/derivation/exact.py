"""The exact recursion of notes 004: the gradient, from the last layer to the first."""

from __future__ import annotations

from fastgd.derivation.deriving import (
    COST,
    LOSS,
    Deriving,
    mean,
    partial,
    total,
    weight_or_bias,
)
from fastgd.functions.derivative import times
from fastgd.functions.formula import Formula, variable


def exact(of: Deriving) -> None:
    """Each of the kernel's lines, and the chain rule before it."""
    text = (
        "From the last layer to the first. $\\delta$ is the derivative of a sample's loss by a "
        "pre-activation; this recursion is the exact gradient, notes 004."
    )
    of.section("Back-propagation", text)
    for name, formula in of.exact.items():
        if name.startswith(("dw", "db")):
            _by_parameter(of, name[1:], formula)
        elif name.startswith("delta"):
            _by_z(of, name, *_unit_of(name, "delta"), formula)
        elif name.startswith("da"):
            _by_activation(of, name, *_unit_of(name, "da"), formula)
        else:  # what several outputs share
            of.add("", of.last, name, formula)


def _unit_of(name: str, kind: str) -> tuple[int, int]:
    """Layer and unit of a name such as delta2_0."""
    l, j = name.removeprefix(kind).split("_")
    return int(l), int(j)


def _by_z(of: Deriving, name: str, l: int, j: int, formula: Formula) -> None:
    z, a = variable(f"z{l}_{j}"), variable(f"a{l}_{j}")
    sides = [partial(LOSS, z)]
    if of.layer(l).function.whole_layer and not of.is_by_z(l):
        others = [variable(f"a{l}_{k}") for k in range(of.layer(l).outputs)]
        sides += [total([times(partial(LOSS, each), partial(each, z)) for each in others])]
    elif not of.is_by_z(l):
        sides += [times(partial(LOSS, a), partial(a, z))]
    of.add("delta", l, name, *sides, formula)


def _by_activation(of: Deriving, name: str, l: int, k: int, formula: Formula) -> None:
    a = variable(f"a{l}_{k}")
    if l == of.last:  # of a softmax, whose loss is one of a
        of.add("delta", l, name, formula)
        return
    after = [of.unit(l + 1, j) for j in range(of.layer(l + 1).outputs)]
    chained = total([times(partial(LOSS, each), partial(each, a)) for each in after])
    of.add("activation", l, name, chained, formula)


def _by_parameter(of: Deriving, name: str, formula: Formula) -> None:
    l, j = map(int, name[1:].split("_")[:2])
    unit, parameter = of.unit(l, j), variable(name)
    sides = [partial(LOSS, parameter), times(partial(LOSS, unit), partial(unit, parameter))]
    if unit is variable(f"a{l}_{j}"):
        sides += [times(of.exact[f"delta{l}_{j}"], of.by(f"z{l}_{j}", name))]
    kind = f"cost by {weight_or_bias(name)}"
    means = map(mean, [*sides, formula])
    of.add(kind, l, f"d{name}", *means, left=partial(COST, parameter))
