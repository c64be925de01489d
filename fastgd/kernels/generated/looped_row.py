"""A network of any widths as functions of one row: loops over its layers, written for its widths.

In their text `w` is the parameters, and `a` memory of the call, in shorter vectors `v`, where x, y,
and z, a and delta of every layer have places that are literals. Gradients are of vectors that the
inputs of their layer fill.
"""

from collections.abc import Iterator
from itertools import accumulate

from fastgd.formulas.texts import slope_by_b_name, slope_name, value_name
from fastgd.functions.formula import TRUTHS, Formula
from fastgd.kernels.generated.lines import Line, comment, indented, let
from fastgd.kernels.generated.row_loops import room
from fastgd.network import Layer, Network
from fastgd.state import VECTOR_BYTES, WIDE_VECTOR_BYTES

_SHORT = {"number", "variable", "add", "subtract", "multiply", "negative", "abs", "where", *TRUTHS}
# how a span is read and written by vectors, by the bytes that there are at least
_VECTORS = {
    WIDE_VECTOR_BYTES: "in_wide_vectors({})",
    VECTOR_BYTES: "{}",
    VECTOR_BYTES // 2: "in_half_vectors({})",
    0: "in_wide_vectors({})",  # of less than a vector, number by number
}


class LoopedRow:
    """The bodies of a network's functions, as loops over its layers."""

    def __init__(self, net: Network):
        self.net, self.layers, self.last = net, net.layers, len(net.layers)
        sizes = {"x": net.widths[0], "dx": net.widths[0], "y": net.widths[-1]}
        for l, layer in enumerate(net.layers, start=1):
            sizes |= {f"{name}{l}": layer.outputs for name in ("z", "a", "delta")}
        starts = accumulate(map(room, sizes.values()), initial=0)
        self.place = dict(zip([*sizes, "end"], starts, strict=True))
        for l in range(1, self.last + 1):  # a is z
            if self._is_identity(l):
                self.place[f"a{l}"] = self.place[f"z{l}"]
        self.place["a0"] = self.place["x"]

    def predict(self) -> Iterator[Line]:
        """Forward."""
        yield from self._forward()
        yield from self._for("j", self.net.widths[-1], "out[j] = a[{a} + j]")

    def cost_and_gradient(self) -> Iterator[Line]:
        """Forward, and backward."""
        yield from self._forward()
        smoothing, outputs = self.net.loss_function.smoothing, self.net.widths[-1]
        kept = f" * {1.0 - smoothing!r} + {smoothing / outputs!r}" if smoothing else ""
        yield comment(f"{self.net.loss} at the output, notes 002 (20), 004")
        yield from self._for("k", self.net.n_targets, f"a[{{y}} + k] = y[k]{kept}")
        yield from self._loss()
        yield from self._output_delta()
        for l in range(self.last, 0, -1):
            layer, places = self.layers[l - 1], [self.place[f"delta{l}"], self.place[f"a{l - 1}"]]
            g, a = self._spans("gradient", layer.inputs)
            yield comment(f"layer {l}: dC/dW = delta a, dC/db = delta, notes 002 (50), (51)")
            yield Line(f"write_gradient({g}, {_shape(layer)}, {a}, {places[0]}, {places[1]})")
            if l > 1:
                yield from self._delta_before(l)
        yield Line("return loss")

    def input_gradient(self) -> Iterator[Line]:
        """Forward, and backward from each output by itself."""
        first, dx = self.layers[0], self.place["dx"]
        yield from self._forward()
        yield Line(f"for i in range({self.net.widths[-1]}):")
        lines = [comment("output i: delta = da / dz, then as notes 002 (52)")]
        lines += self._delta_of_output()
        for l in range(self.last, 1, -1):
            lines += self._delta_before(l)
        lines += [self._multiply_back(1, dx)]
        lines += self._for("k", first.inputs, "out[i, k] = a[{dx} + k]")
        yield from indented(lines)

    # -- their parts

    def _forward(self) -> Iterator[Line]:
        yield let("w", "in_wide_vectors(span_of(params))")
        yield let("v", "span_of(memory)")
        yield let("a", "in_wide_vectors(v)")
        yield from self._for("k", self.net.widths[0], "a[{x} + k] = x[k]")
        for l, layer in enumerate(self.layers, start=1):
            z, a, before = (self.place[name] for name in (f"z{l}", f"a{l}", f"a{l - 1}"))
            yield comment(f"layer {l}: z = W a + b, a = {layer.activation}(z), notes 002 (45), 004")
            yield Line(f"multiply(w, {_shape(layer)}, a, {before}, {z})")
            if layer.function.whole_layer:
                yield let("largest, total", f"softmax(a, {z}, {a}, {layer.outputs})")
            elif not self._is_identity(l):
                span, name = self._span(layer.outputs), value_name(layer.function)
                if span == "v" and is_short(layer.function.value):
                    yield from self._for("j", layer.outputs, f"a[{a} + j] = {name}(a[{z} + j])")
                else:
                    value = f"{name}(load({span}, {z} + j))"
                    yield from _by_vectors(layer.outputs, a, value, span)

    def _loss(self) -> Iterator[Line]:
        loss, name = self.net.loss_function, value_name(self.net.loss_function)
        value = f"{name}(a[{{z}} + k], a[{{a}} + k], a[{{y}} + k])"
        if loss.whole_layer:
            yield let("log_sum_exp", "log(total)")
            value = f"{name}(a[{{z}} + k] - largest, log_sum_exp, a[{{y}} + k])"
        if loss.of_pairs:
            value = f"{name}({self._pair})"
        yield let("loss", "like(a[0], 0.0)")
        yield from self._for("k", self.net.n_targets, f"loss += {value}")

    @property
    def _pair(self) -> str:
        """What a loss of two outputs is of, at target k."""
        return f"a[{{a}} + k], a[{{a}} + {self.net.n_targets} + k], a[{{y}} + k]"

    def _output_delta(self) -> Iterator[Line]:
        """delta of the last layer, notes 004 (Biases)."""
        loss, outputs = self.net.loss_function, self.net.widths[-1]
        name, of_softmax = slope_name(loss), self.layers[-1].function.whole_layer
        if loss.whole_layer:
            yield let("target", "like(a[0], 0.0)")
            yield from self._for("k", outputs, "target += a[{y} + k]")
            value = f"{name}(a[{{a}} + k], a[{{y}} + k], target)"
            yield from self._for("k", outputs, f"a[{{delta}} + k] = {value}")
        elif loss.of_pairs:
            halves = {"k": name, f"{self.net.n_targets} + k": slope_by_b_name(loss)}
            for j, of in halves.items():
                value = f"{of}({self._pair})" + ("" if of_softmax else self._slope(self.last, j))
                yield from self._for("k", self.net.n_targets, f"a[{{delta}} + {j}] = {value}")
        else:
            slope = "" if loss.output is not None or of_softmax else self._slope(self.last, "k")
            value = f"{name}(a[{{a}} + k], a[{{y}} + k]){slope}"
            yield from self._for("k", outputs, f"a[{{delta}} + k] = {value}")
        if of_softmax and loss.output is None:
            value = "a[{a} + k] * (a[{delta} + k] - inner)"
            yield let("inner", "like(a[0], 0.0)")
            yield from self._for("k", outputs, "inner += a[{a} + k] * a[{delta} + k]")
            yield from self._for("k", outputs, f"a[{{delta}} + k] = {value}")

    def _delta_of_output(self) -> Iterator[Line]:
        """The derivative of output i by z of the last layer."""
        outputs, delta = self.net.widths[-1], self.place[f"delta{self.last}"]
        if self.layers[-1].function.whole_layer:
            own = self.place[f"a{self.last}"]
            yield from self._for("j", outputs, "a[{delta} + j] = -a[{a} + i] * a[{a} + j]")
            yield Line(f"a[{delta} + i] += a[{own} + i]")
        else:
            yield from self._for("j", outputs, "a[{delta} + j] = 0.0")
            yield Line(f"a[{delta} + i] = like(a[0], 1.0){self._slope(self.last, 'i')}")

    def _delta_before(self, l: int) -> Iterator[Line]:
        """delta of the layer before l."""
        before = self.layers[l - 2]
        z, a, to = (self.place[f"{name}{l - 1}"] for name in ("z", "a", "delta"))
        yield comment(f"layer {l - 1}: delta = W delta f'(z), notes 002 (52)")
        yield self._multiply_back(l, to)
        if not self._is_identity(l - 1):
            span = self._span(before.outputs)
            own = f"load({span}, {z} + j), load({span}, {a} + j)"
            value = f"load({span}, {to} + j) * {slope_name(before.function)}({own})"
            yield from _by_vectors(before.outputs, to, value, span)

    def _multiply_back(self, l: int, to: int) -> Line:
        """W delta of layer l."""
        layer, delta = self.layers[l - 1], self.place[f"delta{l}"]
        w, a = self._spans("params", layer.inputs)
        shape = f"{layer.start}, {layer.outputs}, {layer.inputs}"
        return Line(f"multiply_back({w}, {shape}, {a}, {delta}, {to})")

    def _spans(self, array: str, count: int) -> list[str]:
        """The array and the memory, in vectors as wide as so many numbers fill."""
        size = count * self.net.dtype.itemsize
        form = next(form for least, form in _VECTORS.items() if size >= least)
        return [form.format(span) for span in (f"span_of({array})", "v")]

    def _is_identity(self, l: int) -> bool:
        return self.layers[l - 1].activation == "identity"

    def _span(self, units: int) -> str:
        """The memory in vectors that are as wide as can be, but for units that leave half empty."""
        return "v" if units * self.net.dtype.itemsize <= VECTOR_BYTES else "a"

    def _slope(self, l: int, j: str) -> str:
        """f'(z) of unit j, as a factor; nothing where it is 1."""
        if self._is_identity(l):
            return ""
        z, a = self.place[f"z{l}"], self.place[f"a{l}"]
        return f" * {slope_name(self.layers[l - 1].function)}(a[{z} + {j}], a[{a} + {j}])"

    def _for(self, name: str, count: int, statement: str) -> list[Line]:
        """A loop; in its statement z, a and delta between braces are places of the last layer."""
        own = {each: self.place[f"{each}{self.last}"] for each in ("z", "a", "delta")}
        text = statement.format(**{**self.place, **own})
        return [Line(f"for {name} in range({count}):"), *indented([text])]


def _shape(layer: Layer) -> str:
    """Where W and b are, and how many units and inputs there are."""
    biases = layer.biases.start if layer.bias else -1
    return f"{layer.start}, {biases}, {layer.outputs}, {layer.inputs}"


def is_short(formula: Formula) -> bool:
    """Whether it takes less of a few numbers than to gather them into a vector does."""
    return all(node.operation in _SHORT for node in formula.nodes())


def _by_vectors(units: int, to: int, value: str, span: str) -> list[Line]:
    lines = [f"store({span}, {to} + j, {value})"]
    return [Line(f"for j in range(0, {units}, lanes_of({span})):"), *indented(lines)]
