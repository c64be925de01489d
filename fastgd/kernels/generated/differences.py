"""Finite differences of one sample's loss, written out: every parameter changed by eps, and what
the change does not reach used again.
"""

from collections.abc import Sequence

from fastgd.formulas.texts import value_name
from fastgd.kernels.generated.equations import (
    activation,
    activation_of,
    bias_name,
    loss,
    softmax,
    total,
    weight_name,
)
from fastgd.kernels.generated.lines import Line, add, comment, let
from fastgd.network import Layer, Network

# of the names of what is computed with a parameter changed by eps, or -eps
_MARKS = {"+": "p", "-": "m"}


def is_small(layer: Layer) -> bool:
    """Whether its activations are at most 1."""
    least, most = layer.function.bounds
    return least >= -1 and most <= 1


def change_of(l: int, k: int | None, sign: str) -> str:
    """By how much z changes as a weight of layer l from unit k, or a bias, changes by eps or -eps;
    without a sign where it is positive.
    """
    return ("-" if sign == "-" else "") + (
        "eps" if k is None else f"eps * {activation_of(l - 1, k)}"
    )


def ends_in_residuals(net: Network) -> bool:
    """Whether of perturbed sigmoids only what they miss their targets by is wanted, and the loop
    waits for it: where there is one layer.
    """
    return len(net.layers) == 1 and net.loss == "squared_error"


def perturbed_activation(net: Network, l: int, j: int, k: int | None, sign: str) -> str:
    """The name of a of unit j in layer l, or of a - y, when its weight from unit k, or its bias,
    changes by eps or -eps.
    """
    name = "residual" if ends_in_residuals(net) else "a"
    return f"{name}{l}_{j}_{'b' if k is None else k}{_MARKS[sign]}"


def perturbed_sigmoids(
    net: Network, l: int, changes: Sequence[tuple[int | None, str]]
) -> list[Line]:
    """A layer's sigmoids when its z change by little, sigmoid(z + c) = t / (t + u e^-c) where e^-z
    = u / t, two by one division; less their targets if it `ends_in_residuals`.

    Where one is left, its division begins as late as its denominator is known. That is computed
    from the one before, which takes one operation longer, so that the division for two, on which
    more has to wait, comes first; the two differ by little.
    """
    residuals = ends_in_residuals(net)
    less = " - y" if residuals else ""
    lines = [
        comment(
            f"sigmoid(z + c){less} for every change c of z: t / (t + u e^-c), e^-z = u / t, notes "
            "002 (1), (9)"
        )
    ]
    lines += [
        let(f"shrink{i}", f"exp(-({change_of(l, k, sign)}))") for i, (k, sign) in enumerate(changes)
    ]
    for j in range(net.layers[l - 1].outputs):
        names = [perturbed_activation(net, l, j, k, sign) for k, sign in changes]
        totals = [f"t{l}_{j} + u{l}_{j} * shrink{i}" for i in range(len(changes))]
        for i in range(0, len(changes) - 1, 2):
            function, target = ("residuals", f", y_{j}") if residuals else ("quotients", "")
            two = f"{function}(t{l}_{j}, {totals[i]}, {totals[i + 1]}{target})"
            lines += [let(f"{names[i]}, {names[i + 1]}", two)]
        if len(changes) % 2:
            last = len(changes) - 1
            later = (
                f"({totals[-2]}) + u{l}_{j} * (shrink{last} - shrink{last - 1})"
                if last
                else totals[-1]
            )
            numerator = f"(t{l}_{j} - y_{j} * denominator)" if residuals else f"t{l}_{j}"
            lines += [let("denominator", later), let(names[-1], f"{numerator} / denominator")]
    return lines


def perturbed_loss(
    net: Network, l: int, j: int, k: int | None, sign: str, small_changes: bool
) -> list[Line]:
    """The loss when the weight of unit j in layer l from unit k, or its bias, changes by eps or
    -eps, in `loss` + mark.

    What the change does not reach is used again; so is what `perturbed_sigmoids` has computed,
    where changes are small.
    """
    mark, layer = _MARKS[sign], net.layers[l - 1]
    if small_changes and ends_in_residuals(net):
        miss = perturbed_activation(net, l, j, k, sign)
        name = value_name(net.loss_function)
        terms = [
            f"{miss} * {miss}" if i == j else f"{name}(z{l}_{i}, a{l}_{i}, y_{i})"
            for i in range(layer.outputs)
        ]
        return [let(f"loss{mark}", total(terms))]
    changed = [j]
    lines = [let(f"z{l}_{j}{mark}", f"z{l}_{j} + {change_of(l, k, sign)}")]
    for m in range(l, len(net.layers) + 1):
        layer = net.layers[m - 1]
        if m > l:
            before, changed = changed, list(range(layer.outputs))
            for i in changed:
                terms = [
                    f"{weight_name(m, i, h)} * (a{m - 1}_{h}{mark} - a{m - 1}_{h})" for h in before
                ]
                lines += [let(f"z{m}_{i}{mark}", total([f"z{m}_{i}", *terms]))]
        if layer.function.whole_layer:
            lines += [
                let(f"z{m}_{i}{mark}", f"z{m}_{i}")
                for i in range(layer.outputs)
                if i not in changed
            ]
            lines += softmax(layer, m, mark)
            changed = list(range(layer.outputs))
        elif small_changes and m == l:
            lines += [let(f"a{m}_{j}{mark}", perturbed_activation(net, l, j, k, sign))]
        else:
            lines += [let(f"a{m}_{i}{mark}", activation(layer, f"z{m}_{i}{mark}")) for i in changed]
    last = len(net.layers)
    for i in range(net.widths[-1]):
        if i not in changed:
            lines += [let(f"{name}{last}_{i}{mark}", f"{name}{last}_{i}") for name in "za"]
    return lines + loss(net, mark)


def layer_differences(
    net: Network, l: int, central: bool, weighted: bool, small_changes: bool
) -> list[Line]:
    """The sample's share of the quotients of layer l; with `small_changes`, what changes of its z
    by little have in common is computed once.
    """
    layer, signs = net.layers[l - 1], "+-" if central else "+"
    # as z waits for them
    incoming: list[int | None] = [*([None] if layer.bias else []), *range(layer.inputs)]
    lines = (
        perturbed_sigmoids(net, l, [(k, sign) for k in incoming for sign in signs])
        if small_changes
        else []
    )
    for j in range(layer.outputs):
        for k in incoming:
            name = bias_name(l, j) if k is None else weight_name(l, j, k)
            for sign in signs:
                lines += [
                    comment(f"C({name} {sign} eps)"),
                    *perturbed_loss(net, l, j, k, sign, small_changes),
                ]
            distance = f"lossp - {'lossm' if central else 'loss'}"
            lines += [add(f"d{name}", f"weight * ({distance})" if weighted else distance)]
    return lines


def differences(net: Network, method: str, weighted: bool, small_changes: bool) -> list[Line]:
    """Add the sample's share of every difference quotient, times the distance of its two costs,
    notes 002 (1).

    `small_changes` says whether eps times an input is small.
    """
    lines: list[Line] = []
    for l, layer in enumerate(net.layers, start=1):
        small = small_changes and (l == 1 or is_small(net.layers[l - 2]))
        lines += layer_differences(
            net,
            l,
            method == "central_difference",
            weighted,
            small and layer.activation == "sigmoid",
        )
    return lines
