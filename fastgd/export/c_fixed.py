"""A network as C99 in whole numbers, for processors without floats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.export.c_words import comment, enclosed
from fastgd.export.exported import Exported
from fastgd.export.fixed_point import Curve, FixedLayer, FixedPoint


class FixedCode:
    """What is written: a network in whole numbers, under a name."""

    def __init__(self, of: Exported, fixed: FixedPoint, name: str):
        self.of, self.fixed, self.name, self.size = of, fixed, name, name.upper()
        self.kind = f"int{fixed.bits}_t"
        self.widths = of.net.widths

    @property
    def output_fraction(self) -> int:
        """Bits behind the point of an output."""
        return self.fixed.layers[-1].fraction

    def text(self, linkage: str, classes: str) -> str:
        """The header."""
        size = self.size
        parts = [
            comment(self._about()),
            f"#ifndef {size}_INCLUDED\n#define {size}_INCLUDED\n",
            "#include <stdint.h>\n",
            f"#ifndef {size}_API\n#define {size}_API{linkage}\n#endif\n",
            f"#define {size}_INPUTS {self.widths[0]}\n#define {size}_OUTPUTS {self.widths[-1]}\n"
            f"#define {size}_INPUT_ONE {_power(self.fixed.fraction)}\n"
            f"#define {size}_OUTPUT_ONE {_power(self.output_fraction)}\n"
            f"#define {size}_ERROR {self.fixed.error:.3g}\n",
            classes,
            self._helpers(),
            *map(self._layer, range(1, len(self.fixed.layers) + 1)),
            self._predict(),
            self._units(),
            "#endif\n",
        ]
        return "\n".join(filter(None, parts))

    def _about(self) -> list[str]:
        kind, size, name, net = self.kind, self.size, self.name, self.of.net
        wide = "-".join(map(str, net.widths))
        bits = self.fixed.bits
        return [
            f"{name}: a network {wide} in whole numbers of {bits} bits, written by fastgd",
            "",
            f"void {name}(const {kind} x[{size}_INPUTS], {kind} y[{size}_OUTPUTS]);",
            f"void {name}_inputs(const double values[{size}_INPUTS], {kind} x[{size}_INPUTS]);",
            f"void {name}_outputs(const {kind} y[{size}_OUTPUTS], double values[{size}_OUTPUTS]);",
            "",
            f"x is {size}_INPUT_ONE times what the network sees, y {size}_OUTPUT_ONE times",
            "what it tells. The last two functions turn numbers, in units of their own, into x,",
            "of which those beyond the format count as its last ones, NaN as its first, and y back",
            "into such. Sums that leave the format stay at its end.",
            f"An output of the network is off by at most {size}_ERROR, twice the most that was",
            f"measured over 4096 inputs of up to {self.fixed.largest:g} in size as it sees them.",
        ]

    def _helpers(self) -> str:
        limit = 2 ** (self.fixed.bits - 1) - 1
        fit = f"return ({self.kind})(v > {limit} ? {limit} : v < -{limit} - 1 ? -{limit} - 1 : v);"
        lines = ["return v < 0 ? ~(~v >> bits) : v >> bits;"]
        text = comment(["v / 2^bits, rounded down"])
        text += self._inside("down", "int64_t v, int bits", lines, "int64_t")
        text += comment(["within the format"])
        return text + self._inside("fit", "int64_t v", [fit], self.kind)

    def _layer(self, l: int) -> str:
        layer, spec = self.fixed.layers[l - 1], self.of.net.layers[l - 1]
        kind, name, outputs = self.kind, self.name, spec.outputs
        text = comment(
            [f"layer {l}: z = W x + b, a = {spec.activation}(z); W[k][j] is from input k to unit j"]
        )
        text += self._array(f"W{l}", np.ascontiguousarray(layer.W.T), kind)
        text += self._array(f"b{l}", layer.b, "int64_t")
        text += self._table(l, layer.curve)
        half = 1 << (layer.shift - 1) if layer.shift else 0
        is_softmax = spec.function.whole_layer
        lines = [
            f"int64_t z[{outputs}];",
            f"for (int j = 0; j < {outputs}; ++j) z[j] = {name}_b{l}[j];",
            f"for (int k = 0; k < {spec.inputs}; ++k)",
            f"    for (int j = 0; j < {outputs}; ++j) z[j] += (int64_t){name}_W{l}[k][j] * x[k];",
            f"for (int j = 0; j < {outputs}; ++j)",
            f"    z[j] = {name}_down(z[j] + {_long(half)}, {layer.shift});",
        ]
        lines += self._softmax(l, layer, outputs) if is_softmax else []
        if not is_softmax:
            fit = f"{name}_fit(z[j])"
            value = fit if layer.curve is None else f"{name}_curve{l}({fit})"
            lines += [f"for (int j = 0; j < {outputs}; ++j) a[j] = {value};"]
        taken = f"const {kind} x[{spec.inputs}], {kind} a[{outputs}]"
        return text + self._inside(f"layer{l}", taken, lines)

    def _softmax(self, l: int, layer: FixedLayer, outputs: int) -> list[str]:
        name, every = self.name, f"for (int j = 0; j < {outputs}; ++j)"
        one = _long(1 << layer.fraction)
        return [
            "int64_t largest = z[0], total = 0;",
            f"{every} largest = z[j] > largest ? z[j] : largest;",
            f"{every} {{",
            f"    z[j] = {name}_curve{l}({name}_fit(z[j] - largest));",
            "    total += z[j];",
            "}",
            f"{every} a[j] = {name}_fit((z[j] * {one} + total / 2) / total);",
        ]

    def _table(self, l: int, curve: Curve | None) -> str:
        """The table of an activation, and what reads it."""
        if curve is None:
            return ""
        name, shift = self.name, self.fixed.bits - 8
        text = self._array(f"values{l}", curve.values, self.kind)
        lines = [
            f"const int i = (int){name}_down(z, {shift}) + 128;",
            f"const int64_t t = z - (i - 128) * {_long(1 << shift)};",
            f"const int64_t p = {name}_values{l}[i], q = {name}_values{l}[i + 1];",
        ]
        half = _long(1 << (shift - 1))
        if curve.slopes is None:
            lines += [f"return {name}_fit(p + {name}_down((q - p) * t + {half}, {shift}));"]
        else:
            text += self._array(f"slopes{l}", curve.slopes, self.kind)
            lines += [
                f"const int64_t d = {name}_slopes{l}[i], e = {name}_slopes{l}[i + 1];",
                f"int64_t v = {name}_down((2 * (p - q) + d + e) * t, {shift});",
                f"v = {name}_down((v + 3 * (q - p) - 2 * d - e) * t, {shift}) + d;",
                f"return {name}_fit(p + {name}_down(v * t + {half}, {shift}));",
            ]
        return text + self._inside(f"curve{l}", "int64_t z", lines, self.kind)

    def _predict(self) -> str:
        kind, source = self.kind, "x"
        lines = []
        for l, layer in enumerate(self.of.net.layers, start=1):
            target = "y" if l == len(self.fixed.layers) else f"a{l}"
            lines += [] if target == "y" else [f"{kind} a{l}[{layer.outputs}];"]
            lines += [f"{self.name}_layer{l}({source}, {target});"]
            source = target
        taken = f"const {kind} x[{self.size}_INPUTS], {kind} y[{self.size}_OUTPUTS]"
        return comment(["the outputs y of an input x"]) + self._public("", taken, lines)

    def _units(self) -> str:
        """Numbers as inputs, and outputs as numbers, in units of their own."""
        kind, size, text = self.kind, self.size, ""
        scaled, told = "values[k]", f"(double)y[j] / {size}_OUTPUT_ONE"
        for what, scaling in (("input", self.of.input_scaling), ("target", self.of.target_scaling)):
            for which, numbers in zip(("shift", "scale"), scaling or (), strict=False):
                text += self._array(f"{what}_{which}", np.array(numbers), "double")
        if self.of.input_scaling is not None:
            scaled = f"(values[k] - {self.name}_input_shift[k]) / {self.name}_input_scale[k]"
        if self.of.target_scaling is not None:
            told += f" * {self.name}_target_scale[j] + {self.name}_target_shift[j]"
        most = _power(self.fixed.bits - 1)
        inputs = [
            f"for (int k = 0; k < {size}_INPUTS; ++k) {{",
            f"    const double v = ({scaled}) * {size}_INPUT_ONE;",
            f"    const double most = (double){most} - 1.0;",
            "    const double near = v > most ? most : v > -most ? v : -most;",
            f"    x[k] = ({kind})(near < 0.0 ? near - 0.5 : near + 0.5);",
            "}",
        ]
        outputs = [f"for (int j = 0; j < {size}_OUTPUTS; ++j) values[j] = {told};"]
        x, y = f"{kind} x[{size}_INPUTS]", f"const {kind} y[{size}_OUTPUTS]"
        text += self._public("inputs", f"const double values[{size}_INPUTS], {x}", inputs)
        return text + self._public("outputs", f"{y}, double values[{size}_OUTPUTS]", outputs)

    # -- words

    def _array(self, name: str, values: Array, kind: str) -> str:
        places = "".join(f"[{size}]" for size in values.shape)
        rows = values if values.ndim == 2 else values[None]
        texts = [enclosed(map(self._literal, row.tolist())) for row in rows]
        inside = "{\n    " + ",\n    ".join(texts) + "\n}" if values.ndim == 2 else texts[0]
        return f"static const {kind} {self.name}_{name}{places} = {inside};\n"

    def _literal(self, value: float) -> str:
        if isinstance(value, float):
            return repr(value)
        return _long(value) if abs(value) >= 2**31 else str(value)

    def _inside(self, name: str, taken: str, lines: Sequence[str], returns: str = "void") -> str:
        return _function(f"static inline {returns} {self.name}_{name}({taken})", lines)

    def _public(self, name: str, taken: str, lines: Sequence[str]) -> str:
        suffix = f"_{name}" if name else ""
        return _function(f"{self.size}_API void {self.name}{suffix}({taken})", lines)


def _function(head: str, lines: Iterable[str]) -> str:
    return head + "\n{\n" + "".join(f"    {line}\n" for line in lines) + "}\n"


def _long(value: int) -> str:
    """A literal of 64 bits; the least number that 32 bits hold has none of its own."""
    return f"INT64_C({value})" if value >= 0 else f"-INT64_C({-value})"


def _power(bits: int) -> str:
    return f"{2.0**bits!r}"
