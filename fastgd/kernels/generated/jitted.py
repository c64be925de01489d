"""One small network written out as functions that a user's own compiled code calls, of one row."""

from functools import cache
from types import ModuleType

from fastgd.kernels.choice import can_unroll
from fastgd.kernels.estimates import MOST_LINES, lines_of
from fastgd.kernels.generated.equations import (
    backward,
    definitions,
    delta_before,
    forward,
    loss,
    parameter_names,
    slope,
    total,
    weight_name,
)
from fastgd.kernels.generated.lines import Line, comment, let, text_of
from fastgd.machine.jitted_module import module_of
from fastgd.network import Network

_TEXT = '''"""{title}. Written by fastgd.kernels.generated.jitted."""

from fastgd.formulas.vocabulary import *
from fastgd.machine.elementary import exp, log
from fastgd.machine.jit import {decorator} as compiled
from fastgd.machine.vector import where_positive
{functions}

@compiled
def predict(params, x, out):
    """Write the outputs of one row x, (inputs,), to out, (outputs,)."""
{predict}


@compiled
def cost_and_gradient(params, x, y, gradient):
    """The loss of one row x, (inputs,), with its target y, (outputs,); its derivative by each
    parameter is written to gradient, (n_params,)."""
{cost_and_gradient}


@compiled
def input_gradient(params, x, out):
    """Write the derivative of each output by each input to out, (outputs, inputs)."""
{input_gradient}
'''


@cache
def jitted(net: Network) -> ModuleType:
    """The module of `predict`, `cost_and_gradient` and `input_gradient`; ValueError if the network
    is too large to be written out.
    """
    if not can_unroll(net, "backprop"):
        raise ValueError(
            f"jitted serves networks whose equations take at most {MOST_LINES} lines; got {net}, "
            f"which takes {lines_of(net, 'backprop')}"
        )
    return module_of("jitted", lambda decorator: source(net, decorator))


def source(net: Network, decorator: str) -> str:
    """The text of the module, whose functions have this decorator of `machine.jit`."""
    return _TEXT.format(
        title=repr(net),
        decorator=decorator,
        functions=definitions(net),
        predict=text_of(_predict(net)),
        cost_and_gradient=text_of(_cost_and_gradient(net)),
        input_gradient=text_of(_input_gradient(net)),
    )


def _loads(net: Network) -> list[Line]:
    lines = [let(name, f"params[{i}]") for i, name in enumerate(parameter_names(net))]
    return lines + [let(f"x_{k}", f"x[{k}]") for k in range(net.widths[0])]


def _predict(net: Network) -> list[Line]:
    l, outputs = len(net.layers), range(net.widths[-1])
    stores = [Line(f"out[{j}] = a{l}_{j}") for j in outputs]
    return [*_loads(net), *forward(net), *stores]


def _cost_and_gradient(net: Network) -> list[Line]:
    targets = [let(f"y_{k}", f"y[{k}]") for k in range(net.widths[-1])]
    lines = [*_loads(net), *targets, *forward(net), *loss(net)]
    lines += [line.first() for line in backward(net, "backprop", weighted=False)]
    names = parameter_names(net)
    lines += [Line(f"gradient[{i}] = d{name}") for i, name in enumerate(names)]
    return [*lines, Line("return loss")]


def _input_gradient(net: Network) -> list[Line]:
    """Backwards from each output by itself."""
    last, outputs, (first, *_) = len(net.layers), range(net.widths[-1]), net.layers
    lines = [*_loads(net), *forward(net), let("zero", "like(x_0 * w1_0_0, 0.0)")]
    for i in outputs:
        lines += [comment(f"output {i}: delta = da / dz, then as notes 002 (52)")]
        lines += [let(f"delta{last}_{j}", _of_output(net, i, j)) for j in outputs]
        for l in range(last, 1, -1):
            lines += delta_before(net, l, "backprop")
        for k in range(first.inputs):
            terms = [f"{weight_name(1, j, k)} * delta1_{j}" for j in range(first.outputs)]
            lines += [Line(f"out[{i}, {k}] = {total(terms)}")]
    return lines


def _of_output(net: Network, i: int, j: int) -> str:
    """The derivative of output i by z of unit j of the last layer."""
    last, layer = len(net.layers), net.layers[-1]
    if layer.function.whole_layer:
        inner = f"a{last}_{i} * a{last}_{j}"
        return f"a{last}_{i} - {inner}" if i == j else f"-({inner})"
    if i != j:
        return "zero"
    return "".join(slope(layer, last, j)) or "zero + like(zero, 1.0)"
