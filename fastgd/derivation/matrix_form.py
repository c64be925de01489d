"""The derivation of a network too wide to be written out unit by unit, as notes 004 have it: of
whole layers, by products of matrices and vectors.
"""

from __future__ import annotations

import re
from types import MappingProxyType

from fastgd.derivation.deriving import COST, LOSS, layer_loss, mean, partial
from fastgd.derivation.forward import functions, update
from fastgd.derivation.notation import CITING, Notation
from fastgd.derivation.steps import Derivation
from fastgd.formulas.texts import slope_by_b_name, slope_name, value_name
from fastgd.functions.derivative import plus, times
from fastgd.functions.formula import Formula, number, variable
from fastgd.network import Network

_NAME = re.compile(r"([Wbzap])(\d+)")


class MatrixNotation(Notation):
    """Vectors and matrices of a layer; functions act on each number of a vector."""

    products = MappingProxyType({"product": "", "each": r"\odot ", "inner": r"\cdot "})

    def __init__(self, net: Network):
        super().__init__(net)
        self.small = {}
        self.patterns |= {
            "transposed": r"{{{0}}}^\top", "softmax": r"\mathrm{{softmax}}({0})",
            "stacked": r"\left({0}, {1}\right)", "units": r"\textstyle\sum_k {0}",
        }  # fmt: skip

    def legend(self) -> list[str]:
        """What the names are, in sentences."""
        lines = [
            "The network is too wide to be written out unit by unit: this is the matrix form of "
            "notes 004. Sample $i$ of $n$ has the inputs $x_i$ and the targets $y_i$; $W^{(l)}$ "
            "holds a row of weights for each unit of layer $l$, and $z^{(l)}_i$, $a^{(l)}_i$ its "
            "pre-activations and activations. Functions act on each number of a vector, $\\odot$ "
            "multiplies number by number, and $k$ goes over the targets.",
            CITING,
        ]
        if self.net.loss_function.of_pairs:
            lines += [
                "The loss is one of two outputs for each target: $a'$ is the first half of the "
                "last layer's, $a''$ the second."
            ]
        return lines

    def name(self, name: str) -> str:
        """A variable."""
        last = f"^{{({len(self.net.layers)})}}" if len(self.net.layers) > 1 else ""
        known = {"a0": "x_i", "y_each": "y_i", "y_k": "y_{ik}", "target_k": "t_{ik}"}
        known |= {"a_k": f"a{last}_{{ik}}", "z_k": f"z{last}_{{ik}}"}
        known |= {"first": "a'_i", "second": "a''_i", "first_k": "a'_{ik}", "second_k": "a''_{ik}"}
        if name in known:
            return known[name]
        match = _NAME.fullmatch(name)
        if match is None:
            return super().name(name)
        kind, l = match.groups()
        above = f"^{{({l})}}" if len(self.net.layers) > 1 else ""
        return f"{kind}{above}" + ("_i" if kind in "za" else "")


def matrix_form(net: Network) -> Derivation:
    """The derivation of whole layers."""
    derivation = Derivation(net, whole_layers=True)
    functions(derivation)
    _forward(derivation)
    _cost(derivation)
    _backward(derivation)
    if net.loss == "squared_error":
        _layerwise(derivation)
    update(derivation)
    return derivation


def _target(net: Network) -> Formula:
    """The targets of a sample."""
    return variable("target" if net.loss_function.smoothing else "y_each")


def _target_k(net: Network) -> Formula:
    """One of them."""
    return variable("target_k" if net.loss_function.smoothing else "y_k")


def _slope(net: Network, l: int) -> Formula | None:
    """f'(z) of layer l, where it is not 1 for each."""
    layer = net.layers[l - 1]
    if layer.activation == "identity":
        return None
    return Formula(slope_name(layer.function), variable(f"z{l}"), variable(f"a{l}"))


def _each(x: Formula, y: Formula | None) -> Formula:
    return x if y is None else Formula("each", x, y)


def _forward(of: Derivation) -> None:
    of.section("Forward", "From the first layer to the last, for each sample.")
    for l, layer in enumerate(of.net.layers, start=1):
        z = variable(f"z{l}")
        product = Formula("product", variable(f"W{l}"), variable(f"a{l - 1}"))
        of.add("forward", l, z, [plus(product, variable(f"b{l}")) if layer.bias else product])
        whole = layer.function.whole_layer
        value = Formula("softmax" if whole else value_name(layer.function), z)
        of.add("forward", l, variable(f"a{l}"), [z if layer.activation == "identity" else value])


def _cost(of: Derivation) -> None:
    text = "The loss of a sample is the sum over its outputs, the cost the mean over the samples."
    of.section("Cost", text)
    net, loss, last = of.net, of.net.loss_function, len(of.net.layers)
    if loss.smoothing:
        kept = times(number(1.0 - loss.smoothing), variable("y_each"))
        spread = number(loss.smoothing / net.widths[-1])
        of.add("loss", last, variable("target"), [plus(kept, spread)])
    a, y = variable("a_k"), _target_k(net)
    if loss.whole_layer:
        each = times(y, Formula("log", a))
        of.add("loss", last, LOSS, [Formula("negative", Formula("units", each))])
    elif loss.of_pairs:
        each = Formula(value_name(loss), variable("first_k"), variable("second_k"), y)
        of.add("loss", last, LOSS, [Formula("units", each)])
    else:
        each = Formula(value_name(loss), variable("z_k"), a, y)
        of.add("loss", last, LOSS, [Formula("units", each)])
    of.add("cost", last, COST, [mean(LOSS)])


def _backward(of: Derivation) -> None:
    text = "From the last layer to the first; this recursion is the exact gradient, notes 004."
    of.section("Back-propagation", text)
    last = len(of.net.layers)
    _last_delta(of, last)
    for l in range(last, 0, -1):
        delta = partial(LOSS, variable(f"z{l}"))
        _by_parameters(of, l, delta, COST, "cost")
        if l > 1:
            a = partial(LOSS, variable(f"a{l - 1}"))
            of.add("activation", l - 1, a, [_back(l, delta)])
            before = partial(LOSS, variable(f"z{l - 1}"))
            of.add("delta", l - 1, before, [_each(a, _slope(of.net, l - 1))])


def _back(l: int, delta: Formula) -> Formula:
    """Back through layer l."""
    return Formula("product", Formula("transposed", variable(f"W{l}")), delta)


def _last_delta(of: Derivation, l: int) -> None:
    loss, a, y = of.net.loss_function, variable(f"a{l}"), _target(of.net)
    by_z, by_a = partial(LOSS, variable(f"z{l}")), partial(LOSS, a)
    if loss.whole_layer:
        total = Formula("units", _target_k(of.net))
        of.add("delta", l, by_z, [Formula("subtract", times(total, a), y)])
        return
    slope = Formula(slope_name(loss), a, y)
    if loss.of_pairs:
        pair = variable("first"), variable("second"), y
        by_b = Formula(slope_by_b_name(loss), *pair)
        slope = Formula("stacked", Formula(slope_name(loss), *pair), by_b)
    if loss.output is not None:
        of.add("delta", l, by_z, [slope])
        return
    of.add("delta", l, by_a, [slope])
    if of.net.layers[-1].function.whole_layer:
        inner = Formula("subtract", by_a, Formula("inner", a, by_a))
        of.add("delta", l, by_z, [Formula("each", a, inner)])
    else:
        of.add("delta", l, by_z, [_each(by_a, _slope(of.net, l))])


def _by_parameters(of: Derivation, l: int, delta: Formula, cost: Formula, kind: str) -> None:
    product = Formula("product", delta, Formula("transposed", variable(f"a{l - 1}")))
    of.add(f"{kind} by weight", l, partial(cost, variable(f"W{l}")), [mean(product)])
    if of.net.layers[l - 1].bias:
        of.add(f"{kind} by bias", l, partial(cost, variable(f"b{l}")), [mean(delta)])


def _layerwise(of: Derivation) -> None:
    text = (
        "The notes give each layer a cost of its own, $C^{(l)}$; read for each sample, the "
        "gradient of layer $l$ of $m$ is $2^{m-l}$ times the exact one. That of the last layer is "
        "the one above; $p^{(l)}$ is any parameter of layer $l$."
    )
    of.section("A cost for each layer", text)
    last = len(of.net.layers)
    for l in range(last - 1, 0, -1):
        after = partial(layer_loss(of.net, l + 1), variable(f"z{l + 1}"))
        a = partial(layer_loss(of.net, l + 1), variable(f"a{l}"))
        of.add("layer cost by activation", l, a, [_back(l + 1, after)])
        delta, cost = partial(layer_loss(of.net, l), variable(f"z{l}")), variable(f"C{l}")
        of.add("layer cost by z", l, delta, [_each(times(number(2), a), _slope(of.net, l))])
        _by_parameters(of, l, delta, cost, "layer cost")
        p = variable(f"p{l}")
        of.add("", l, partial(cost, p), [times(number(2 ** (last - l)), partial(COST, p))])
