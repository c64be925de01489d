"""The equations of one sample, written out for one network as lines of Python.

A name is that of the notes: `w2_0_1` is the weight of layer 2 from unit 1 of the layer before to
unit 0, `b2_0` a bias, `z` a pre-activation, `a` an activation, `delta` the cost's derivative by z,
`x` an input, `y` a target; `dw2_0_1` collects the gradient. The lines are the same whether a name
holds a number, a vector of samples or a vector of networks: that is for the loop around them. So
are the samples' shares in the cost: `weight` if each has its own, otherwise `share`, which the loop
gives to the gradient after its sum.
"""

from collections.abc import Sequence

from fastgd.formulas.texts import slope_by_b_name, slope_name, text_of, value_name
from fastgd.kernels.generated.lines import Line, add, comment, let
from fastgd.network import Layer, Network

# units of a layer whose activations are computed together, where that is possible
_LEAST_TOGETHER = 3
# units of a layer whose activations are computed two at a time, in vectors of twice the size: with
# fewer, to join and to part them takes longer than half of the instructions
_LEAST_IN_TWOS = 4


def weight_name(l: int, j: int, k: int) -> str:
    """The name of the weight of layer l from unit k to unit j."""
    return f"w{l}_{j}_{k}"


def bias_name(l: int, j: int) -> str:
    """The name of the bias of unit j of layer l."""
    return f"b{l}_{j}"


def parameter_names(net: Network) -> list[str]:
    """The name of every parameter, in the order of the flat array."""
    names = []
    for l, layer in enumerate(net.layers, start=1):
        names += [weight_name(l, j, k) for j in range(layer.outputs) for k in range(layer.inputs)]
        names += [bias_name(l, j) for j in range(layer.outputs) if layer.bias]
    return names


def activation_of(l: int, j: int) -> str:
    """The name of activation j of layer l; layer 0 is the input."""
    return f"a{l}_{j}" if l else f"x_{j}"


def total(terms: Sequence[str]) -> str:
    """The sum of the terms, by halves: as few dependent additions as can be."""
    if len(terms) <= 2:
        return " + ".join(terms)
    middle = (len(terms) + 1) // 2
    left, right = total(terms[:middle]), total(terms[middle:])
    return f"({left}) + {right if len(terms) - middle == 1 else f'({right})'}"


# -- forward ---------------------------------------------------------------------------------------


def pre_activation(layer: Layer, l: int, j: int, in_halves: bool) -> str:
    """b + sum of w a, notes 002 (45); of two halves that are added by themselves, `in_halves`, if
    there are two.
    """
    bias = [bias_name(l, j)] if layer.bias else []
    terms = bias + [
        f"{weight_name(l, j, k)} * {activation_of(l - 1, k)}" for k in range(layer.inputs)
    ]
    middle = (len(terms) + 1) // 2
    return (
        f"plus({total(terms[:middle])}, {total(terms[middle:])})"
        if in_halves and len(terms) > 1
        else total(terms)
    )


def activation(layer: Layer, z: str) -> str:
    """f(z)."""
    return z if layer.activation == "identity" else f"{value_name(layer.function)}({z})"


def largest(layer: Layer, l: int, mark: str = "") -> list[Line]:
    """The largest z of a layer."""
    name = f"largest{mark}"
    lines = [let(name, f"z{l}_0{mark}")]
    for j in range(1, layer.outputs):
        z = f"z{l}_{j}{mark}"
        lines += [let(name, f"where_positive({z} - {name}, {z}, {name})")]
    return lines


def softmax(layer: Layer, l: int, mark: str = "") -> list[Line]:
    """a_k = exp z_k / sum exp z, shifted by the largest z; also leaves log_sum_exp of the shifted
    ones.
    """
    units = range(layer.outputs)
    exponentials = f"exponentials{mark}"
    lines = largest(layer, l, mark)
    lines += [let(f"e_{j}{mark}", f"exp(z{l}_{j}{mark} - largest{mark})") for j in units]
    lines += [let(exponentials, total([f"e_{j}{mark}" for j in units]))]
    return lines + [let(f"a{l}_{j}{mark}", f"e_{j}{mark} / {exponentials}") for j in units]


def activations_together(layer: Layer, l: int, lanes: int) -> list[Line]:
    """a of a layer whose z have one number on every lane: of so many units at a time, each on a
    lane of its own.
    """
    lines = []
    for j in range(0, layer.outputs, lanes):
        some = range(j, min(j + lanes, layer.outputs))
        z = [f"z{l}_{i}" for i in some]
        z += [z[-1]] * (lanes - len(z))
        names = ", ".join(f"a{l}_{i}" for i in some) + ", _" * (lanes - len(some))
        together = f"in_lanes(({', '.join(z)}))"
        lines += [let(names, f"each_lane({activation(layer, together)})")]
    return lines


def _units_in_twos(layer: Layer) -> range:
    """The first units of pairs of a layer whose activations are computed two at a time."""
    is_by_unit = layer.activation != "identity" and not layer.function.whole_layer
    return range(0, layer.outputs - 1 if is_by_unit and layer.outputs >= _LEAST_IN_TWOS else 0, 2)


def _two(name: str, l: int, j: int) -> tuple[str, str]:
    """The names of units j and j + 1 of layer l, and what joins them."""
    names = f"{name}{l}_{j}, {name}{l}_{j + 1}"
    return names, f"joined({names})"


def forward(
    net: Network,
    parts: bool = False,
    in_halves: bool = False,
    lanes: int = 0,
    in_twos: bool = False,
) -> list[Line]:
    """The forward pass: z and a of every layer, in order; with `parts` also those of e^-z = u / t
    where a is a sigmoid, `in_twos` with units two at a time where there are some.

    `in_halves` is for `pre_activation`. Where every name has one number on so many `lanes`, units
    of a layer share the lanes of a vector for their activations.
    """
    lines: list[Line] = []
    for l, layer in enumerate(net.layers, start=1):
        lines += [
            comment(f"layer {l}: z = W a + b, a = {layer.activation}(z), notes 002 (45), 004")
        ]
        lines += [
            let(f"z{l}_{j}", pre_activation(layer, l, j, in_halves)) for j in range(layer.outputs)
        ]
        if layer.function.whole_layer:
            lines += softmax(layer, l)
        elif layer.activation == "sigmoid" and parts:
            for j in range(layer.outputs):
                lines += [let(f"t{l}_{j}, u{l}_{j}", f"sigmoid_parts(z{l}_{j})")]
                lines += [let(f"a{l}_{j}", f"t{l}_{j} / (t{l}_{j} + u{l}_{j})")]
        elif lanes and layer.outputs >= _LEAST_TOGETHER and layer.activation != "identity":
            lines += activations_together(layer, l, lanes)
        else:
            twos = _units_in_twos(layer) if in_twos else range(0)
            for j in twos:
                both = activation(layer, _two("z", l, j)[1])
                lines += [let(_two("a", l, j)[0], f"halves({both})")]
            lines += [
                let(f"a{l}_{j}", activation(layer, f"z{l}_{j}"))
                for j in range(2 * len(twos), layer.outputs)
            ]
    return lines


def target(net: Network, k: int) -> str:
    """The target of an output; of a smoothed one what is left, and its part of what is spread."""
    smoothing = net.loss_function.smoothing
    if not smoothing:
        return f"y_{k}"
    return f"(y_{k} * {1.0 - smoothing!r} + {smoothing / net.widths[-1]!r})"


def loss(net: Network, mark: str = "") -> list[Line]:
    """The loss of the sample, in `loss`."""
    l, units, name = len(net.layers), range(net.widths[-1]), value_name(net.loss_function)
    if net.loss_function.whole_layer:
        lines = [let(f"log_sum_exp{mark}", f"log(exponentials{mark})")]
        terms = [
            f"{name}(z{l}_{k}{mark} - largest{mark}, log_sum_exp{mark}, {target(net, k)})"
            for k in units
        ]
    elif net.loss_function.of_pairs:
        lines, n = [], net.n_targets
        terms = [f"{name}(a{l}_{k}{mark}, a{l}_{n + k}{mark}, y_{k})" for k in range(n)]
    else:
        lines = []
        terms = [f"{name}(z{l}_{k}{mark}, a{l}_{k}{mark}, y_{k})" for k in units]
    return [*lines, let(f"loss{mark}", total(terms))]


# -- backward --------------------------------------------------------------------------------------


def output_delta(net: Network, weighted: bool) -> list[Line]:
    """delta of the last layer, notes 004 (Biases), times the sample's weight if there is one."""
    l, layer, units = len(net.layers), net.layers[-1], range(net.widths[-1])
    weight, name = "weight * " if weighted else "", slope_name(net.loss_function)
    if net.loss_function.whole_layer:
        lines = [let("target", total([target(net, k) for k in units]))]
        own = [f"{weight}{name}(a{l}_{k}, {target(net, k)}, target)" for k in units]
        return lines + [let(f"delta{l}_{k}", own[k]) for k in units]
    derivatives = [f"{name}(a{l}_{k}, y_{k})" for k in units]
    if net.loss_function.of_pairs:
        names, n = (name, slope_by_b_name(net.loss_function)), net.n_targets
        taken = [f"(a{l}_{k}, a{l}_{n + k}, y_{k})" for k in range(n)]
        derivatives = [each + arguments for each in names for arguments in taken]
    if net.loss_function.output is not None:
        return [let(f"delta{l}_{k}", f"{weight}{derivatives[k]}") for k in units]
    if layer.function.whole_layer:
        lines = [let(f"da{l}_{k}", f"{weight}{derivatives[k]}") for k in units]
        lines += [let("inner", total([f"a{l}_{k} * da{l}_{k}" for k in units]))]
        return lines + [let(f"delta{l}_{k}", f"a{l}_{k} * (da{l}_{k} - inner)") for k in units]
    slopes = [" * ".join(([weight[:-3]] if weighted else []) + slope(layer, l, k)) for k in units]
    return [
        let(f"delta{l}_{k}", derivatives[k] + (f" * ({slopes[k]})" if slopes[k] else ""))
        for k in units
    ]


def slope(layer: Layer, l: int, j: int) -> list[str]:
    """f'(z), as a list of no factor where it is 1."""
    return (
        []
        if layer.activation == "identity"
        else [f"{slope_name(layer.function)}(z{l}_{j}, a{l}_{j})"]
    )


def gradient(net: Network, l: int, known_first: bool = True) -> list[Line]:
    """Add the sample's gradient to `dw` and `db` of layer l."""
    layer = net.layers[l - 1]
    # delta1 is delta2 times what is known, see `delta_before`
    by_known = known_first and l == 1 < len(net.layers) and net.widths[2] == 1
    lines = [comment(f"layer {l}: dC/dW = delta a, dC/db = delta, notes 002 (50), (51)")]
    for j in range(layer.outputs):
        for k in range(layer.inputs):
            a = activation_of(l - 1, k)
            term = f"delta2_0 * (known1_{j} * {a})" if by_known else f"delta{l}_{j} * {a}"
            lines += [add(f"d{weight_name(l, j, k)}", term)]
        lines += [add(f"d{bias_name(l, j)}", f"delta{l}_{j}")] if layer.bias else []
    return lines


def delta_before(
    net: Network, l: int, method: str, known_first: bool = True, in_twos: bool = False
) -> list[Line]:
    """delta of the layer before l. With `known_first`, what is known before a single unit's is
    multiplied first, off the chain of dependent operations.
    """
    layer, twice = net.layers[l - 1], ["2.0"] if method == "layerwise" else []
    before = net.layers[l - 2]
    twos = _units_in_twos(before) if in_twos else range(0)
    lines = [
        comment(f"layer {l - 1}: delta = {' '.join([*twice, 'W delta'])} f'(z), notes 002 (52)")
    ]
    for j in twos:
        z, a = (_two(name, l - 1, j)[1] for name in "za")
        both = f"halves({slope_name(before.function)}({z}, {a}))"
        lines += [let(_two("slope", l - 1, j)[0], both)]
    for k in range(layer.inputs):
        own = [f"slope{l - 1}_{k}"] if k < 2 * len(twos) else slope(before, l - 1, k)
        factors = [*twice, *own]
        if known_first and layer.outputs == 1:
            lines += [let(f"known{l - 1}_{k}", " * ".join([weight_name(l, 0, k), *factors]))]
            lines += [let(f"delta{l - 1}_{k}", f"delta{l}_0 * known{l - 1}_{k}")]
        else:
            inflow = total([f"{weight_name(l, j, k)} * delta{l}_{j}" for j in range(layer.outputs)])
            da = f"da{l - 1}_{k}"
            lines += [let(da, inflow), let(f"delta{l - 1}_{k}", " * ".join([da, *factors]))]
    return lines


def backward(
    net: Network, method: str, weighted: bool, known_first: bool = True, in_twos: bool = False
) -> list[Line]:
    """Add the sample's gradient to `dw` and `db`, from the last layer to the first, notes 002
    (50)-(52); products as the notes have them, or what is known first.
    """
    lines = [
        comment(f"{net.loss} at the output, notes 002 (20), 004"),
        *output_delta(net, weighted),
    ]
    for l in range(len(net.layers), 0, -1):
        lines += gradient(net, l, known_first)
        lines += delta_before(net, l, method, known_first, in_twos) if l > 1 else []
    return lines


def definitions(net: Network) -> str:
    """The text of the network's activations and of its loss, which its equations call."""
    activations = [text_of(layer.function, together=True) for layer in net.layers]
    texts = dict.fromkeys([*activations, text_of(net.loss_function)])
    return "".join(f"\n\n{text}" for text in texts)
