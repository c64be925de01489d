"""The recursion of notes 002 (49)-(52): a cost for each layer, and its gradient."""

from __future__ import annotations

from fastgd.derivation.deriving import (
    COST,
    LOSS,
    Deriving,
    layer_loss,
    mean,
    parameters_of,
    partial,
    total,
    weight_or_bias,
)
from fastgd.derivation.kernel_lines import LAYERWISE, substituted
from fastgd.functions.derivative import times
from fastgd.functions.formula import Formula, number, variable


def layerwise(of: Deriving) -> None:
    """Each of the kernel's lines before the last layer, and what it is the derivative of."""
    text = (
        "The notes give each layer a cost of its own, $C^{(l)}$, by what it should have computed, "
        "$e$; read for each sample, the gradient of layer $l$ of $m$ is $2^{m-l}$ times the exact "
        "one. That of the last layer is the one above; $p^{(l)}$ is any parameter of layer $l$."
    )
    of.section("A cost for each layer", text)
    formulas = _own_formulas(of)
    of.add("layer cost", of.last, "", mean(LOSS), left=_cost(of.last))
    for l in range(of.last - 1, 0, -1):
        _layer_cost(of, formulas, l)
        _layer_gradient(of, formulas, l)


def _own_formulas(of: Deriving) -> dict[str, Formula]:
    """The kernel's, under names that are not those of the exact recursion; the last layer's delta
    has its own.
    """
    last = f"{of.last}_"
    found = of.backward("layerwise")
    own = {
        name: variable(LAYERWISE + name)
        for name in found
        if not name.lstrip("deltawb").startswith(last)
    }
    return {LAYERWISE + name: substituted(found[name], own) for name in own}


def _cost(l: int) -> Formula:
    return variable(f"C{l}")


def _layer_cost(of: Deriving, formulas: dict[str, Formula], l: int) -> None:
    """What layer l should have computed, and how far it is off."""
    after, misses = layer_loss(of.net, l + 1), []
    for k in range(of.layer(l).outputs):
        a, expected, name = variable(f"a{l}_{k}"), variable(f"e{l}_{k}"), f"{LAYERWISE}da{l}_{k}"
        units = [variable(f"z{l + 1}_{j}") for j in range(of.layer(l + 1).outputs)]
        chained = total([times(partial(after, z), partial(z, a)) for z in units])
        of.add("layer cost by activation", l, name, chained, formulas[name])
        of.add("expected", l, f"e{l}_{k}", Formula("subtract", a, variable(name)))
        miss = Formula("subtract", a, expected)
        misses.append(Formula("multiply", miss, miss))
    of.add("layer cost", l, f"loss{l}", total(misses))
    of.add("layer cost", l, "", mean(layer_loss(of.net, l)), left=_cost(l))


def _layer_gradient(of: Deriving, formulas: dict[str, Formula], l: int) -> None:
    units = range(of.layer(l).outputs)
    for k in units:
        name, a, z = f"{LAYERWISE}delta{l}_{k}", variable(f"a{l}_{k}"), variable(f"z{l}_{k}")
        miss = Formula("subtract", a, variable(f"e{l}_{k}"))
        chained = times(times(number(2), miss), partial(a, z))
        of.add("layer cost by z", l, name, chained, formulas[name])
    for j in units:
        z = variable(f"z{l}_{j}")
        for parameter in parameters_of(of.layer(l), l, j):
            by, name = variable(parameter), f"{LAYERWISE}d{parameter}"
            chained = mean(times(partial(layer_loss(of.net, l), z), partial(z, by)))
            kind = f"layer cost by {weight_or_bias(parameter)}"
            left = partial(_cost(l), by)
            of.add(kind, l, name, chained, mean(formulas[name]), left=left)
    p = variable(f"p{l}")  # any of the layer's
    times_exact = times(number(2 ** (of.last - l)), partial(COST, p))
    of.derivation.add("", l, partial(_cost(l), p), [times_exact])
