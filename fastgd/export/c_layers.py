"""The layers of a network as functions of C99, forwards and backwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.export.c_words import array, comment
from fastgd.export.exported import Exported
from fastgd.functions.activation import Activation
from fastgd.functions.formula import Formula
from fastgd.functions.languages import c99, c_number
from fastgd.functions.loss import Loss
from fastgd.network import Layer


@dataclass(frozen=True)
class Code:
    """What is written: a network, under a name, by double or float; whether weights may change."""

    of: Exported
    name: str
    real: str
    constant: bool

    @property
    def kind(self) -> str:
        """How its arrays are declared."""
        return f"static {'const ' if self.constant else ''}{self.real}"

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Its layers."""
        return self.of.net.layers

    def number(self, value: float) -> str:
        """A literal."""
        return c_number(value, self.real)

    def array(self, name: str, values: Array, kind: str | None = None) -> str:
        """An array of numbers with a name of the network's."""
        places = "".join(f"[{size}]" for size in values.shape)
        text = array(values, self.real)
        return f"{kind or self.kind} {self.name}_{name}{places} = {text};\n"

    def inside(self, name: str, taken: str, lines: Sequence[str], returns: str = "void") -> str:
        """A function that the others call."""
        return _function(f"static inline {returns} {self.name}_{name}({taken})", lines)

    def public(self, name: str, taken: str, lines: Sequence[str], returns: str = "void") -> str:
        """A function that is called from outside."""
        suffix = f"_{name}" if name else ""
        head = f"{self.name.upper()}_API {returns} {self.name}{suffix}({taken})".replace("* ", "*")
        return _function(head, lines)

    # -- functions of numbers

    def function(self, function: Activation | Loss, slope: bool = False) -> str:
        """An activation, a loss, or its derivative, of the variables that it needs."""
        name = self._name_of(function, slope)
        formula, variables = _formula(function, slope)
        return c99(name, variables, formula, self.real, "static inline")

    def call(self, function: Activation | Loss, slope: bool = False, **values: str) -> str:
        """Its call with these values."""
        _, variables = _formula(function, slope)
        return f"{self._name_of(function, slope)}({', '.join(values[each] for each in variables)})"

    def _name_of(self, function: Activation | Loss, slope: bool) -> str:
        suffix = "_derivative" if slope else ""
        return f"{self.name}_{function.what}_{function.symbol}{suffix}"

    def functions(self, with_slopes: bool) -> str:
        """Those of its layers, each once."""
        used = dict.fromkeys(layer.function for layer in self.layers if not is_linear(layer))
        text = "".join(self.function(each) for each in used)
        return text + "".join(self.function(each, slope=True) for each in used if with_slopes)

    # -- what is refused

    def finite(self) -> str:
        """The function that says whether numbers are finite."""
        lines = [
            "int all = 1;",
            "for (int k = 0; k < count; ++k) all &= isfinite(v[k]) ? 1 : 0;",
            "return all;",
        ]
        of = comment(["whether all of some numbers are finite"])
        return of + self.inside("finite", f"const {self.real} *v, int count", lines, "int")

    def unless_finite(self, lines: Sequence[str], **sizes: str) -> list[str]:
        """Statements for arrays of which some number is not finite; how large each is, by name."""
        size = self.name.upper()
        checks = [f"!{self.name}_finite({each}, {size}_{of})" for each, of in sizes.items()]
        return [f"if ({' || '.join(checks)}) {{", *(f"    {line}" for line in lines), "}"]

    def every_output(self, statement: str) -> str:
        """A statement for each of them, j."""
        return f"for (int j = 0; j < {self.name.upper()}_OUTPUTS; ++j) {statement}".rstrip()

    # -- one layer

    def parameters(self, l: int) -> str:
        """W and b of layer l, W by input, then unit, so that units lie side by side."""
        weights, biases = self.of.layers[l - 1]
        text = self.array(f"W{l}", np.ascontiguousarray(weights.T))
        return text + (self.array(f"b{l}", biases) if biases is not None else "")

    def equation(self, l: int) -> str:
        """What layer l computes."""
        layer, before = self.layers[l - 1], f"a{l - 1}" if l > 1 else "x"
        bias = f" + b{l}" if layer.bias else ""
        return f"z{l} = W{l} {before}{bias}, a{l} = {layer.activation}(z{l})"

    def forward(self, l: int) -> str:
        """z and a of layer l."""
        layer, name = self.layers[l - 1], self.name
        start = f"{name}_b{l}[j]" if layer.bias else self.number(0.0)
        lines = [
            f"for (int j = 0; j < {layer.outputs}; ++j) z[j] = {start};",
            f"for (int k = 0; k < {layer.inputs}; ++k)",
            f"    for (int j = 0; j < {layer.outputs}; ++j) z[j] += {name}_W{l}[k][j] * x[k];",
            *self._activated(layer),
        ]
        taken = f"const {self.real} x[{layer.inputs}], {self._vectors(layer.outputs, 'z', 'a')}"
        of = comment([f"layer {l}: {self.equation(l)}; W{l}[k][j] is from input k to unit j"])
        return of + self.parameters(l) + self.inside(f"layer{l}", taken, lines)

    def _vectors(self, size: int, *names: str) -> str:
        return ", ".join(f"{self.real} {name}[{size}]" for name in names)

    def _activated(self, layer: Layer) -> list[str]:
        every = f"for (int j = 0; j < {layer.outputs}; ++j)"
        if not layer.function.whole_layer:
            value = "z[j]" if is_linear(layer) else self.call(layer.function, z="z[j]")
            return [f"{every} a[j] = {value};"]
        exp = "exp" if self.real == "double" else "expf"
        return [
            f"{self.real} largest = z[0], total = {self.number(0.0)};",
            f"{every} largest = z[j] > largest ? z[j] : largest;",
            f"{every} {{",
            f"    a[j] = {exp}(z[j] - largest);",
            "    total += a[j];",
            "}",
            f"{every} a[j] /= total;",
        ]

    def backward(self, l: int) -> str:
        """The derivative by the inputs of layer l, from delta, that by its z."""
        layer = self.layers[l - 1]
        lines = [
            f"for (int k = 0; k < {layer.inputs}; ++k) {{",
            f"    {self.real} sum = {self.number(0.0)};",
            f"    for (int j = 0; j < {layer.outputs}; ++j) "
            f"sum += {self.name}_W{l}[k][j] * delta[j];",
            "    da[k] = sum;",
            "}",
        ]
        taken = f"const {self.real} delta[{layer.outputs}], {self.real} da[{layer.inputs}]"
        of = comment([f"back through layer {l}: da = W{l}^T delta"])
        return of + self.inside(f"back{l}", taken, lines)

    def slope(self, l: int, j: str) -> str:
        """f'(z) of unit j of layer l, as a factor; nothing where it is 1."""
        layer = self.layers[l - 1]
        if is_linear(layer):
            return ""
        return " * " + self.call(layer.function, slope=True, z=f"z{l}[{j}]", a=f"a{l}[{j}]")

    # -- all of them

    def pass_forward(self, *, last: str | None = None) -> list[str]:
        """Statements that make x0, and z and a of every layer; those of the last one in `last`."""
        count, lines, source = len(self.layers), [], "x"
        for l, layer in enumerate(self.layers, start=1):
            target = last if last and l == count else f"a{l}"
            own = [f"z{l}[{layer.outputs}]"]
            own += [f"a{l}[{layer.outputs}]"] if target == f"a{l}" else []
            lines.append(f"{self.real} {', '.join(own)};")
        if self.of.input_scaling is not None:
            lines += [f"{self.real} x0[{self.layers[0].inputs}];", f"{self.name}_scale(x, x0);"]
            source = "x0"
        for l in range(1, count + 1):
            target = last if last and l == count else f"a{l}"
            lines.append(f"{self.name}_layer{l}({source}, z{l}, {target});")
            source = target
        return lines

    def scaling(self) -> str:
        """The functions that scale inputs, and outputs back."""
        text = ""
        if self.of.input_scaling is not None:
            text += comment(["what the network sees of an input: (x - shift) / scale"])
            text += self._shifts("input", self.of.input_scaling)
            rest = f" - {self.name}_input_rest[k]" if self.real == "float" else ""
            moved = f"((x[k] - {self.name}_input_shift[k]){rest})"
            each = f"scaled[k] = {moved} / {self.name}_input_scale[k];"
            inputs = self.layers[0].inputs
            lines = [f"for (int k = 0; k < {inputs}; ++k) {each}"]
            taken = f"const {self.real} x[{inputs}], {self.real} scaled[{inputs}]"
            text += self.inside("scale", taken, lines)
        if self.of.target_scaling is not None:
            text += comment(["an output in units of its own: scale a + shift"])
            text += self._shifts("target", self.of.target_scaling)
        return text

    def _shifts(self, what: str, scaling: tuple[Sequence[float], Sequence[float]]) -> str:
        """Shift and scale; and, where floats shift inputs, what they lack of a double."""
        shift, scale, kind = np.array(scaling[0]), np.array(scaling[1]), f"static const {self.real}"
        text = self.array(f"{what}_shift", shift, kind) + self.array(f"{what}_scale", scale, kind)
        if what == "input" and self.real == "float":
            with np.errstate(all="ignore"):
                rest = shift - shift.astype(np.float32)
            text += self.array("input_rest", np.where(np.isfinite(rest), rest, 0.0), kind)
        return text

    def scaled_back(self, source: str) -> list[str]:
        """Statements that write the outputs into y."""
        every = f"for (int j = 0; j < {self.layers[-1].outputs}; ++j) "
        if self.of.target_scaling is not None:
            scale, shift = f"{self.name}_target_scale[j]", f"{self.name}_target_shift[j]"
            return [f"{every}y[j] = {source}[j] * {scale} + {shift};"]
        return [] if source == "y" else [f"{every}y[j] = {source}[j];"]


def is_linear(layer: Layer) -> bool:
    """Whether its activation, number by number, is z itself."""
    return layer.function.value.operation == "variable"


def _formula(function: Activation | Loss, slope: bool) -> tuple[Formula, list[str]]:
    """The formula, and the variables that it has."""
    formula = function.slope if slope else function.value
    known = function.slope_arguments if slope else function.arguments
    there = formula.variables
    return formula, [each for each in known if each in there]


def _function(head: str, lines: Sequence[str]) -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return f"{head}\n{{\n{body}}}\n"
