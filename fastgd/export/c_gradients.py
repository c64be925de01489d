"""Derivatives of a network as functions of C99: by its inputs, and a step of gradient descent."""

from __future__ import annotations

from fastgd.export.c_layers import Code
from fastgd.export.c_words import comment


def jacobian(code: Code) -> str:
    """The outputs, and the derivative of each by each input."""
    last, (first, *_), real = len(code.layers), code.layers, code.real
    outputs, size = code.layers[-1].outputs, code.name.upper()
    zero, one = code.number(0.0), code.number(1.0)
    body = [_deltas(code)]
    if code.layers[-1].function.whole_layer:
        each = f"a{last}[i] * ((i == j ? {one} : {zero}) - a{last}[j])"
    else:
        each = f"(i == j ? {one}{code.slope(last, 'j')} : {zero})"
    body += [f"for (int j = 0; j < {outputs}; ++j) d{last}[j] = {each};"]
    for l in range(last, 1, -1):
        body += [f"{code.name}_back{l}(d{l}, d{l - 1});", *_sloped(code, l - 1)]
    body += [f"{code.name}_back1(d1, jacobian[i]);"]
    factor = _unit_factor(code)
    if factor:
        body += [f"for (int k = 0; k < {first.inputs}; ++k) jacobian[i][k] {factor};"]
    refused = [
        code.every_output("y[j] = NAN;"),
        code.every_output(""),
        f"    for (int k = 0; k < {size}_INPUTS; ++k) jacobian[j][k] = NAN;",
        "return;",
    ]
    lines = [*code.unless_finite(refused, x="INPUTS"), *code.pass_forward()]
    lines += [f"for (int i = 0; i < {outputs}; ++i) {{"]
    lines += [f"    {line}" for line in body] + ["}", *code.scaled_back(f"a{last}")]
    taken = (
        f"const {real} x[{size}_INPUTS], {real} y[{size}_OUTPUTS], "
        f"{real} jacobian[{size}_OUTPUTS][{size}_INPUTS]"
    )
    of = comment(["the outputs y, and dy[i] / dx[k] in jacobian[i][k]; NaN unless x is finite"])
    return of + code.public("jacobian", taken, lines)


def step(code: Code) -> str:
    """One update of gradient descent on one sample; its loss before."""
    last, real, size = len(code.layers), code.real, code.name.upper()
    lines = code.unless_finite(["return NAN;"], x="INPUTS", y="OUTPUTS")
    lines += [*code.pass_forward(), *_target(code), _deltas(code), *_loss(code), *_output(code)]
    for l in range(last, 0, -1):
        layer = code.layers[l - 1]
        if l > 1:
            lines += [f"{code.name}_back{l}(d{l}, d{l - 1});", *_sloped(code, l - 1)]
        source = f"a{l - 1}" if l > 1 else "x0" if code.of.input_scaling is not None else "x"
        every = f"for (int j = 0; j < {layer.outputs}; ++j)"
        lines += [
            f"for (int k = 0; k < {layer.inputs}; ++k)",
            f"    {every} {code.name}_W{l}[k][j] -= rate * (d{l}[j] * {source}[k]);",
        ]
        lines += [f"{every} {code.name}_b{l}[j] -= rate * d{l}[j];"] if layer.bias else []
    taken = f"const {real} x[{size}_INPUTS], const {real} y[{size}_OUTPUTS], {real} rate"
    of = comment(
        [
            "one step of gradient descent at this rate on one sample, x with its target y;",
            "returns its loss before the step, of what the network sees of y; NaN, and there is no",
            "step, unless x and y are finite",
        ]
    )
    return (
        code.function(code.of.net.loss_function)
        + code.function(code.of.net.loss_function, slope=True)
        + of
        + code.public("step", taken, [*lines, "return loss;"], real)
    )


def _deltas(code: Code) -> str:
    """Their declaration."""
    names = ", ".join(f"d{l}[{layer.outputs}]" for l, layer in enumerate(code.layers, start=1))
    return f"{code.real} {names};"


def _sloped(code: Code, l: int) -> list[str]:
    """From da to delta of a hidden layer, in place."""
    slope, units = code.slope(l, "j"), code.layers[l - 1].outputs
    return [f"for (int j = 0; j < {units}; ++j) d{l}[j] = d{l}[j]{slope};"] if slope else []


def _unit_factor(code: Code) -> str:
    """By what a derivative is multiplied and divided, in the units of a table."""
    target, inputs = code.of.target_scaling, code.of.input_scaling
    if target is not None and inputs is not None:
        return f"*= {code.name}_target_scale[i] / {code.name}_input_scale[k]"
    if target is not None:
        return f"*= {code.name}_target_scale[i]"
    return "" if inputs is None else f"/= {code.name}_input_scale[k]"


def _target(code: Code) -> list[str]:
    """The target t as the network sees it."""
    loss, outputs = code.of.net.loss_function, code.layers[-1].outputs
    value = "y[j]"
    if code.of.target_scaling is not None:
        value = f"(y[j] - {code.name}_target_shift[j]) / {code.name}_target_scale[j]"
    if loss.smoothing:
        kept, spread = 1 - loss.smoothing, loss.smoothing / outputs
        value = f"{value} * {code.number(kept)} + {code.number(spread)}"
    return [
        f"{code.real} t[{outputs}];",
        f"for (int j = 0; j < {outputs}; ++j) t[j] = {value};",
    ]


def _loss(code: Code) -> list[str]:
    """The loss of the sample."""
    function, l, outputs = code.of.net.loss_function, len(code.layers), code.layers[-1].outputs
    every, zero = f"for (int j = 0; j < {outputs}; ++j)", code.number(0.0)
    lines = [f"{code.real} loss = {zero};"]
    z, single = f"z{l}[j]", "f" if code.real == "float" else ""
    if function.whole_layer:
        lines += [
            f"{code.real} largest = z{l}[0], sum = {zero}, total = {zero};",
            f"{every} largest = z{l}[j] > largest ? z{l}[j] : largest;",
            f"{every} sum += exp{single}(z{l}[j] - largest);",
            f"{every} total += t[j];",
            f"sum = log{single}(sum);",
        ]
        z = f"({z} - largest)"
    call = code.call(function, z=z, a=f"a{l}[j]", y="t[j]", log_sum_exp="sum")
    return [*lines, f"{every} loss += {call};"]


def _output(code: Code) -> list[str]:
    """delta of the last layer."""
    function, l, layer = code.of.net.loss_function, len(code.layers), code.layers[-1]
    every = f"for (int j = 0; j < {layer.outputs}; ++j)"
    da = code.call(function, slope=True, a=f"a{l}[j]", y="t[j]", total="total")
    if function.output is not None:
        return [f"{every} d{l}[j] = {da};"]
    if layer.function.whole_layer:
        return [
            f"{code.real} inner = {code.number(0.0)};",
            f"{every} d{l}[j] = {da};",
            f"{every} inner += a{l}[j] * d{l}[j];",
            f"{every} d{l}[j] = a{l}[j] * (d{l}[j] - inner);",
        ]
    return [f"{every} d{l}[j] = {da}{code.slope(l, 'j')};"]
