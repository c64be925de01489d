"""The functions of a network, its outputs and its cost, and how activations change."""

from __future__ import annotations

from fastgd.derivation.deriving import (
    COST,
    LOSS,
    Deriving,
    mean,
    parameters_of,
    partial,
    weight_or_bias,
)
from fastgd.derivation.kernel_lines import calls_of
from fastgd.derivation.steps import Derivation
from fastgd.formulas.texts import slope_by_b_name, slope_name, value_name
from fastgd.functions.derivative import ONE, minus, times
from fastgd.functions.formula import Formula, variable
from fastgd.kernels.generated.equations import activation_of


def functions(derivation: Derivation) -> None:
    """Each function, and its derivative."""
    derivation.section("Functions", "Each function and its derivative.")
    net, calls = derivation.net, calls_of(derivation.net)
    z, a = map(variable, "za")
    for function in dict.fromkeys(layer.function for layer in net.layers):
        if value_name(function) in calls:
            value = Formula(value_name(function), z)
            slope = Formula(slope_name(function), z, a)
            derivation.add(function.name, 0, value, [function.value])
            derivation.add(f"{function.name} by z", 0, slope, [function.slope])
    loss = net.loss_function
    if derivation.whole_layers and loss.whole_layer:  # which is written as one of vectors
        return
    for name, kind in (
        (value_name(loss), loss.name),
        (slope_name(loss), f"{loss.name} by a"),
        (slope_by_b_name(loss), f"{loss.name} by b"),
    ):
        if name in calls:
            given, formula = calls[name]
            derivation.add(kind, 0, Formula(name, *map(variable, given)), [formula])


def forward(of: Deriving) -> None:
    """z and a of every layer."""
    of.section("Forward", "From the first layer to the last, for each sample.")
    for name, formula in of.forward.items():
        number = name[1:].partition("_")[0]
        of.add("forward", int(number) if number.isdigit() else of.last, name, formula)


def cost(of: Deriving) -> None:
    """The loss of a sample, and the cost."""
    text = (
        "The loss of a sample is the sum over its outputs; the cost is the mean over the samples."
    )
    of.section("Cost", text)
    for name, formula in of.loss.items():
        of.add("loss", of.last, name, formula)
    of.add("cost", of.last, "", mean(LOSS), left=COST)


def partials(of: Deriving) -> None:
    """How each activation changes with what it is computed of."""
    text = "How each activation changes with what it is computed of, by the chain rule."
    of.section("Partial derivatives", text)
    for l, layer in enumerate(of.net.layers, start=1):
        for j in range(layer.outputs):
            if layer.function.whole_layer:
                _of_softmax(of, l, j)
            else:
                _of_unit(of, l, j)


def _of_unit(of: Deriving, l: int, j: int) -> None:
    a, z, slope = variable(f"a{l}_{j}"), variable(f"z{l}_{j}"), of.slope(l, j)
    for name in parameters_of(of.layer(l), l, j):
        sides = [times(slope, each) for each in (partial(z, variable(name)), _by(of, z, name))]
        kind = f"activation by {weight_or_bias(name)}"
        of.derivation.add(kind, l, partial(a, variable(name)), sides)
    for name in _before(of, l):
        side = times(slope, _by(of, z, name))
        of.derivation.add("activation by activation", l, partial(a, variable(name)), [side])


def _of_softmax(of: Deriving, l: int, j: int) -> None:
    z, a = variable(f"z{l}_{j}"), variable(f"a{l}_{j}")
    for k in range(of.layer(l).outputs):
        other = variable(f"a{l}_{k}")
        inner = Formula("subtract", ONE, a) if j == k else Formula("negative", other)
        side = Formula("multiply", a, inner)
        of.derivation.add("", l, partial(a, variable(f"z{l}_{k}")), [side])
    for name in [*parameters_of(of.layer(l), l, j), *_before(of, l)]:
        of.derivation.add("", l, partial(z, variable(name)), [_by(of, z, name)])


def _before(of: Deriving, l: int) -> list[str]:
    """The activations before layer l, of which inputs are none."""
    return [activation_of(l - 1, k) for k in range(of.layer(l).inputs)] if l > 1 else []


def _by(of: Deriving, z: Formula, name: str) -> Formula:
    return of.by(z.arguments[0], name)


def update(derivation: Derivation) -> None:
    """A step of gradient descent."""
    text = "Gradient descent, by the rate $\\eta$, of every parameter $p$ at once."
    derivation.section("Update", text)
    p = variable("p")
    step = times(variable("rate"), partial(COST, p))
    derivation.add("update", 0, Formula("new", p), [minus(p, step)])
