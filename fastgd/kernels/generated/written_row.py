"""A small network as functions of one row, written out: the equations of the unrolled kernel, with
the units of a layer on the lanes of vectors as far as they fill them.

`w2` ... `w16` are the parameters, and `g2` ... `g16` the gradient, read and written by vectors of
so many lanes. A vector of products of a row of W and the inputs is summed over its lanes; what
takes long, as exp does, is of vectors that may be partly empty.
"""

from fastgd.formulas.texts import slope_name, value_name
from fastgd.kernels.generated.equations import (
    activation,
    activation_of,
    bias_name,
    largest,
    loss,
    output_delta,
    parameter_names,
    pre_activation,
    slope,
    target,
    total,
    weight_name,
)
from fastgd.kernels.generated.lines import Line, comment, let
from fastgd.kernels.generated.looped_row import is_short
from fastgd.kernels.generated.names_in_lanes import NamesInLanes, gathered
from fastgd.network import Network


class WrittenRow(NamesInLanes):
    """The body of one of a network's functions: of that which is asked for."""

    def __init__(self, net: Network):
        super().__init__(net.dtype)
        self.net, self.layers, self.last = net, net.layers, len(net.layers)
        names = parameter_names(net)
        self.unread |= {name: f"params[{i}]" for i, name in enumerate(names)}
        self.unread |= {f"x_{k}": f"x[{k}]" for k in range(net.widths[0])}
        for k in range(net.n_targets):
            self.unread |= {f"y_{k}": f"y[{k}]", f"t_{k}": f"like(y_{k}, {target(net, k)})"}
        self.spans("w", "params")

    def predict(self) -> list[Line]:
        """Forward."""
        self._forward()
        outputs = range(self.net.widths[-1])
        self.add(*(Line(f"out[{j}] = a{self.last}_{j}") for j in outputs))
        return self.lines

    def cost_and_gradient(self) -> list[Line]:
        """Forward, and backward."""
        self.spans("g", "gradient")
        self._forward()
        self.add(comment(f"{self.net.loss} at the output, notes 002 (20), 004"))
        for line in [*loss(self.net), *output_delta(self.net, weighted=False)]:
            self.add(self._of_rounded_targets(line))
        self._slopes()
        for l in range(self.last, 0, -1):
            self._gradient(l)
            if l > 1:
                self._delta_before(l, range(self.layers[l - 1].outputs))
        self.add(Line("return loss"))
        return self.lines

    def input_gradient(self) -> list[Line]:
        """Forward, and backward from each output by itself."""
        self._forward()
        self._slopes()
        of_softmax = self.layers[-1].function.whole_layer
        outputs = range(self.net.widths[-1])
        for i in outputs:
            units = outputs if of_softmax else range(i, i + 1)
            self.add(comment(f"output {i}: delta = da / dz, then as notes 002 (52)"))
            self.add(*(let(f"delta{self.last}_{j}", self._slope_of(i, j)) for j in units))
            for l in range(self.last, 0, -1):
                self._delta_before(l, units)
                units = range(self.layers[l - 1].inputs)
            self.add(*(Line(f"out[{i}, {k}] = dx_{k}") for k in units))
        return self.lines

    # -- numbers by their places

    def _weights(self, l: int, j: int, part: range) -> str:
        """Weights of unit j of layer l from these units of the layer before."""
        place, lanes = self.layers[l - 1].start + j * self.layers[l - 1].inputs, len(part)
        return weight_name(l, j, part[0]) if lanes == 1 else f"load(w{lanes}, {place + part[0]})"

    def _biases(self, l: int, part: range) -> list[str]:
        layer, lanes = self.layers[l - 1], len(part)
        place = layer.biases.start + part[0]
        own = bias_name(l, part[0]) if lanes == 1 else f"load(w{lanes}, {place})"
        return [own] if layer.bias else []

    def _write(self, place: int, part: range, value: str) -> None:
        """To the gradient, from this place on."""
        at, lanes = place + part[0], len(part)
        text = f"gradient[{at}] = {value}" if lanes == 1 else f"store(g{lanes}, {at}, {value})"
        self.add(Line(text))

    # -- forward

    def _forward(self) -> None:
        for l, layer in enumerate(self.layers, start=1):
            name = layer.activation
            self.add(comment(f"layer {l}: z = W a + b, a = {name}(z), notes 002 (45), 004"))
            self._pre_activations(l)
            if layer.function.whole_layer:
                self._softmax(l)
            else:
                self._activations(l)

    def _pre_activations(self, l: int) -> None:
        """z of a layer, of as many units at a time as a vector has lanes, or one."""
        layer = self.layers[l - 1]
        if layer.inputs == 1:
            for part in self.parts(layer.outputs):
                weights = self._column(l, part)
                z = [*self._biases(l, part), f"{weights} * {activation_of(l - 1, 0)}"]
                self.bind(f"z{l}", part, total(z))
            return
        lanes = next((lanes for lanes in self.lanes[1:] if lanes <= layer.inputs), 1)
        fill = lanes > 1 and layer.outputs >= self.lanes[1]
        together = layer.outputs // lanes * lanes if fill else 0
        for j in range(0, together, lanes):
            self._several(l, range(j, j + lanes))
        for j in range(together, layer.outputs):
            self.bind(f"z{l}", range(j, j + 1), self._one(l, j))

    def _column(self, l: int, part: range) -> str:
        """The weights of these units of a layer of one input."""
        first = self.layers[l - 1].start + part[0]
        return weight_name(l, part[0], 0) if len(part) == 1 else f"load(w{len(part)}, {first})"

    def _several(self, l: int, units: range) -> None:
        """z of as many units as a vector has lanes."""
        lanes, inputs, before = len(units), self.layers[l - 1].inputs, _name_of_inputs(l)
        whole = [range(k, k + lanes) for k in range(0, inputs - lanes + 1, lanes)]
        rest = range(len(whole) * lanes, inputs)
        a = [self.of(before, part) for part in whole]
        products = [
            total([f"{self._weights(l, j, part)} * {a[i]}" for i, part in enumerate(whole)])
            for j in units
        ]
        z = [*self._biases(l, units), f"lane_sums(({', '.join(products)}))"]
        if rest:
            others = [[f"{weight_name(l, j, k)} * {before}_{k}" for k in rest] for j in units]
            z += [gathered([total(terms) for terms in others])]
        self.bind(f"z{l}", units, total(z))

    def _one(self, l: int, j: int) -> str:
        """z of unit j."""
        layer, before = self.layers[l - 1], _name_of_inputs(l)
        parts = self.parts(layer.inputs)
        if not any(part in parts for part in self.held(before)):
            return pre_activation(layer, l, j, in_halves=False)
        z = self._biases(l, range(j, j + 1))
        for part in parts:
            product = f"{self._weights(l, j, part)} * {self.of(before, part)}"
            z += [product if len(part) == 1 else f"lane_sum({product})"]
        return total(z)

    def _activations(self, l: int) -> None:
        layer, z, a = self.layers[l - 1], f"z{l}", f"a{l}"
        if not is_short(layer.function.value):
            self._together(a, layer.outputs, f"{value_name(layer.function)}({{}})", z)
            return
        whole = self.held(z)
        held = {j for part in whole for j in part}
        single = [range(j, j + 1) for j in range(layer.outputs) if j not in held]
        for part in [*whole, *single]:
            self.bind(a, part, activation(layer, self.of(z, part)))

    def _softmax(self, l: int) -> None:
        """As `equations.softmax` has it."""
        layer = self.layers[l - 1]
        self.add(*largest(layer, l))
        self._together("e", layer.outputs, "exp({} - largest)", f"z{l}")
        self.add(let("exponentials", total([f"e_{j}" for j in range(layer.outputs)])))
        self._together(f"a{l}", layer.outputs, "{} / exponentials", "e")

    def _together(self, name: str, count: int, value: str, *of: str) -> None:
        """What takes long, of numbers `of`: by vectors, the last of which may be 0 behind them."""
        wide, lanes, _ = self.lanes
        for start in range(0, count, wide):
            part = range(start, min(start + wide, count))
            size = lanes if len(part) <= lanes else wide
            given = [
                self.of(each, part)
                if len(part) == size
                else gathered([f"{each}_{j}" for j in part], size)
                for each in of
            ]
            self.bind(name, part, value.format(*given), size)

    # -- backward

    def _slopes(self) -> None:
        """f'(z) of hidden layers, where it takes long."""
        for l, layer in enumerate(self.layers[:-1], start=1):
            if not is_short(layer.function.slope):
                value = f"{slope_name(layer.function)}({{}}, {{}})"
                self._together(f"slope{l}", layer.outputs, value, f"z{l}", f"a{l}")

    def _of_rounded_targets(self, line: Line) -> Line:
        """With smoothed targets of the network's dtype."""
        text = str(line)
        for k in range(self.net.n_targets):
            text = text.replace(target(self.net, k), f"t_{k}")
        return Line(text, line.names)

    def _slope_of(self, i: int, j: int) -> str:
        """The derivative of output i by z of unit j of the last layer, which is 0 for others than
        i but of softmax.
        """
        l, layer = self.last, self.layers[-1]
        if layer.function.whole_layer:
            own = f"a{l}_{i} - " if i == j else "-"
            return f"{own}a{l}_{i} * a{l}_{j}"
        return "".join(slope(layer, l, i)) or "like(x_0, 1.0)"

    def _gradient(self, l: int) -> None:
        layer, before = self.layers[l - 1], _name_of_inputs(l)
        units, delta = self.parts(layer.outputs), f"delta{l}"
        self.add(comment(f"layer {l}: dC/dW = delta a, dC/db = delta, notes 002 (50), (51)"))
        if layer.inputs == 1:
            for part in units:
                self._write(layer.start, part, f"{self.of(delta, part)} * {before}_0")
        else:
            for j in range(layer.outputs):
                for part in self.parts(layer.inputs):
                    value = f"{self.of(before, part)} * {delta}_{j}"
                    self._write(layer.start + j * layer.inputs, part, value)
        for part in units if layer.bias else []:
            self._write(layer.biases.start, part, self.of(delta, part))

    def _delta_before(self, l: int, units: range) -> None:
        """delta of the layer before l, or the derivative by the inputs, from these units of l."""
        name = f"delta{l - 1}" if l > 1 else "dx"
        text = f"layer {l - 1}: delta = W delta f'(z)" if l > 1 else "inputs: W delta"
        self.add(comment(f"{text}, notes 002 (52)"))
        for part in self.parts(self.layers[l - 1].inputs):
            da = total([f"{self._weights(l, j, part)} * delta{l}_{j}" for j in units])
            own = self._slope_before(l, part)
            self.bind(name, part, f"({da}) * {own}" if own else da)

    def _slope_before(self, l: int, part: range) -> str:
        """f'(z) of the layer before l; nothing where it is 1, or there is none."""
        if l == 1 or self.layers[l - 2].activation == "identity":
            return ""
        function = self.layers[l - 2].function
        if not is_short(function.slope):
            return self.of(f"slope{l - 1}", part)
        own = [self.of(f"{name}{l - 1}", part) for name in ("z", "a")]
        return f"{slope_name(function)}({', '.join(own)})"


def _name_of_inputs(l: int) -> str:
    """What the inputs of a layer are called."""
    return f"a{l - 1}" if l > 1 else "x"
