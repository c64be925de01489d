"""What is known of a network while its derivation is written down."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from fastgd.derivation.kernel_lines import LAYERWISE, calls_of, formulas_of
from fastgd.derivation.steps import Derivation
from fastgd.formulas.texts import slope_name
from fastgd.functions.derivative import ONE, derivative, plus
from fastgd.functions.formula import Formula, variable
from fastgd.kernels.generated.equations import backward, bias_name, forward, loss, weight_name
from fastgd.network import Layer, Network

LOSS, COST = variable("loss"), variable("C")


def partial(of: Formula, by: Formula) -> Formula:
    """The partial derivative of a name by a name, before it is known."""
    return Formula("partial", of, by)


def mean(formula: Formula) -> Formula:
    """The mean over the samples."""
    return Formula("mean", formula)


def layer_loss(net: Network, l: int) -> Formula:
    """The cost of layer l, of one sample: of the last one the loss."""
    return LOSS if l == len(net.layers) else variable(f"loss{l}")


def meanings_of(net: Network) -> dict[str, Formula]:
    """The derivatives that names of both recursions stand for."""
    found = {}
    for l, layer in enumerate(net.layers, start=1):
        for j in range(layer.outputs):
            a, z = variable(f"a{l}_{j}"), variable(f"z{l}_{j}")
            found[f"da{l}_{j}"] = partial(LOSS, a)
            found[f"delta{l}_{j}"] = partial(LOSS, z)
            if l < len(net.layers):
                found[f"{LAYERWISE}da{l}_{j}"] = partial(layer_loss(net, l + 1), a)
                found[f"{LAYERWISE}delta{l}_{j}"] = partial(layer_loss(net, l), z)
    return found


def total(terms: Sequence[Formula]) -> Formula:
    """The sum of the terms."""
    return reduce(plus, terms)


def parameters_of(layer: Layer, l: int, j: int) -> list[str]:
    """The names of the weights and of the bias of unit j in layer l."""
    weights = [weight_name(l, j, k) for k in range(layer.inputs)]
    return [*weights, bias_name(l, j)] if layer.bias else weights


def weight_or_bias(parameter: str) -> str:
    """Which of the two a name is."""
    return "bias" if parameter.startswith("b") else "weight"


class Deriving:
    """The kernel's formulas, name by name, and the derivation that is made of them."""

    def __init__(self, net: Network):
        self.net, self.derivation = net, Derivation(net)
        self.last, self.calls = len(net.layers), calls_of(net)
        self.forward = formulas_of(forward(net), self.calls)
        whole = formulas_of([*forward(net), *loss(net)], self.calls)
        self.loss = {name: whole[name] for name in whole if name not in self.forward}
        self.exact = self.backward("backprop")

    def backward(self, method: str) -> dict[str, Formula]:
        """What a recursion computes; of a gradient, what one sample adds."""
        lines = backward(self.net, method, weighted=False, known_first=False)
        return formulas_of(lines, self.calls)

    def section(self, title: str, text: str) -> None:
        """Begin one."""
        self.derivation.section(title, text)

    def add(
        self, kind: str, l: int, name: str, *sides: Formula, left: Formula | None = None
    ) -> None:
        """What is called by this name in code, and is the left side if there is no other."""
        self.derivation.add(kind, l, variable(name) if left is None else left, sides, name)

    def layer(self, l: int) -> Layer:
        """The layer of this number, from 1."""
        return self.net.layers[l - 1]

    def slope(self, l: int, j: int) -> Formula:
        """f'(z) of unit j of layer l."""
        layer = self.layer(l)
        if layer.activation == "identity":
            return ONE
        return Formula(slope_name(layer.function), variable(f"z{l}_{j}"), variable(f"a{l}_{j}"))

    def by(self, z: str, name: str) -> Formula:
        """The derivative of a pre-activation by a name that it is computed of."""
        return derivative(self.forward[z], variable(name))

    def is_by_z(self, l: int) -> bool:
        """Whether the loss is one of the pre-activations of layer l."""
        return l == self.last and self.net.loss_function.output is not None

    def unit(self, l: int, j: int) -> Formula:
        """By which the chain rule goes through unit j of layer l: a if it is one of its own z
        alone, and the loss is one of a; otherwise z.
        """
        by_z = self.layer(l).function.whole_layer or self.is_by_z(l)
        return variable(f"{'z' if by_z else 'a'}{l}_{j}")
