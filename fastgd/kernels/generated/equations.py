"""The equations of one sample, written out for one network as lines of Python.

A name is that of the notes: `w2_0_1` is the weight of layer 2 from unit 1 of the layer before to unit 0, `b2_0` a bias, `z` a
pre-activation, `a` an activation, `delta` the cost's derivative by z, `x` an input, `y` a target; `dw2_0_1` collects the gradient.
The lines are the same whether a name holds a number, a vector of samples or a vector of networks: that is for the loop around them. So are
the samples' shares in the cost: `weight` if each has its own, otherwise `share`, which the loop gives to the gradient after its sum.
"""

from collections.abc import Sequence

from fastgd.kernels.generated.lines import Line, add, comment, let
from fastgd.names import PARTNERS
from fastgd.network import Layer, Network


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


# -- forward -------------------------------------------------------------------------------------------------------------------------


def pre_activation(layer: Layer, l: int, j: int, in_halves: bool) -> str:
    """b + sum of w a, notes 002 (45); of two halves that are added by themselves, `in_halves`, if there are two."""
    bias = [bias_name(l, j)] if layer.bias else []
    terms = bias + [f"{weight_name(l, j, k)} * {activation_of(l - 1, k)}" for k in range(layer.inputs)]
    middle = (len(terms) + 1) // 2
    return f"plus({total(terms[:middle])}, {total(terms[middle:])})" if in_halves and len(terms) > 1 else total(terms)


def activation(layer: Layer, z: str) -> str:
    """f(z)."""
    return z if layer.activation == "identity" else f"{layer.activation}({z})"


def softmax(layer: Layer, l: int, mark: str = "") -> list[Line]:
    """a_k = exp z_k / sum exp z, shifted by the largest z; also leaves log_sum_exp of the shifted ones."""
    units = range(layer.outputs)
    largest, exponentials = f"largest{mark}", f"exponentials{mark}"
    lines = [let(largest, f"z{l}_0{mark}")]
    for j in units[1:]:
        z = f"z{l}_{j}{mark}"
        lines += [let(largest, f"where_positive({z} - {largest}, {z}, {largest})")]
    lines += [let(f"e_{j}{mark}", f"exp(z{l}_{j}{mark} - {largest})") for j in units]
    lines += [let(exponentials, total([f"e_{j}{mark}" for j in units]))]
    return lines + [let(f"a{l}_{j}{mark}", f"e_{j}{mark} / {exponentials}") for j in units]


def forward(net: Network, parts: bool = False, in_halves: bool = False) -> list[Line]:
    """The forward pass: z and a of every layer, in order; with `parts` also those of e^-z = u / t where a is a sigmoid.

    `apart` is for `pre_activation`.
    """
    lines: list[Line] = []
    for l, layer in enumerate(net.layers, start=1):
        lines += [comment(f"layer {l}: z = W a + b, a = {layer.activation}(z), notes 002 (45), 004")]
        lines += [let(f"z{l}_{j}", pre_activation(layer, l, j, in_halves)) for j in range(layer.outputs)]
        if layer.activation == "softmax":
            lines += softmax(layer, l)
        elif layer.activation == "sigmoid" and parts:
            for j in range(layer.outputs):
                lines += [let(f"t{l}_{j}, u{l}_{j}", f"sigmoid_parts(z{l}_{j})")]
                lines += [let(f"a{l}_{j}", f"t{l}_{j} / (t{l}_{j} + u{l}_{j})")]
        else:
            lines += [let(f"a{l}_{j}", activation(layer, f"z{l}_{j}")) for j in range(layer.outputs)]
    return lines


def loss(net: Network, mark: str = "") -> list[Line]:
    """The loss of the sample, in `loss`."""
    l, units = len(net.layers), range(net.widths[-1])
    if net.loss == "cross_entropy":
        lines = [let(f"log_sum_exp{mark}", f"log(exponentials{mark})")]
        terms = [f"cross_entropy(z{l}_{k}{mark} - largest{mark}, log_sum_exp{mark}, y_{k})" for k in units]
    else:
        lines = []
        terms = [f"{net.loss}(z{l}_{k}{mark}, a{l}_{k}{mark}, y_{k})" for k in units]
    return [*lines, let(f"loss{mark}", total(terms))]


# -- backward ------------------------------------------------------------------------------------------------------------------------


def output_delta(net: Network, weighted: bool) -> list[Line]:
    """delta of the last layer, notes 004 (Biases), times the sample's weight if there is one."""
    l, layer, units = len(net.layers), net.layers[-1], range(net.widths[-1])
    weight = "weight * " if weighted else ""
    if net.loss == "cross_entropy":
        lines = [let("target", total([f"y_{k}" for k in units]))]
        own = [f"{weight}cross_entropy_derivative(a{l}_{k}, y_{k}, target)" for k in units]
        return lines + [let(f"delta{l}_{k}", own[k]) for k in units]
    derivatives = [f"{net.loss}_derivative(a{l}_{k}, y_{k})" for k in units]
    if net.loss in PARTNERS:
        return [let(f"delta{l}_{k}", f"{weight}{derivatives[k]}") for k in units]
    if layer.activation == "softmax":
        lines = [let(f"da{l}_{k}", f"{weight}{derivatives[k]}") for k in units]
        lines += [let("inner", total([f"a{l}_{k} * da{l}_{k}" for k in units]))]
        return lines + [let(f"delta{l}_{k}", f"a{l}_{k} * (da{l}_{k} - inner)") for k in units]
    slopes = [" * ".join(([weight[:-3]] if weighted else []) + slope(layer, l, k)) for k in units]
    return [let(f"delta{l}_{k}", derivatives[k] + (f" * ({slopes[k]})" if slopes[k] else "")) for k in units]


def slope(layer: Layer, l: int, j: int) -> list[str]:
    """f'(z), as a list of no factor where it is 1."""
    return [] if layer.activation == "identity" else [f"{layer.activation}_derivative(z{l}_{j}, a{l}_{j})"]


def gradient(net: Network, l: int) -> list[Line]:
    """Add the sample's gradient to `dw` and `db` of layer l."""
    layer = net.layers[l - 1]
    by_known = l == 1 < len(net.layers) and net.widths[2] == 1  # delta1 is delta2 times what is known, see `delta_before`
    lines = [comment(f"layer {l}: dC/dW = delta a, dC/db = delta, notes 002 (50), (51)")]
    for j in range(layer.outputs):
        for k in range(layer.inputs):
            a = activation_of(l - 1, k)
            term = f"delta2_0 * (known1_{j} * {a})" if by_known else f"delta{l}_{j} * {a}"
            lines += [add(f"d{weight_name(l, j, k)}", term)]
        lines += [add(f"d{bias_name(l, j)}", f"delta{l}_{j}")] if layer.bias else []
    return lines


def delta_before(net: Network, l: int, method: str) -> list[Line]:
    """delta of the layer before l. What is known before a single unit's is multiplied first, off the chain of dependent operations."""
    layer, twice = net.layers[l - 1], ["2.0"] if method == "layerwise" else []
    lines = [comment(f"layer {l - 1}: delta = {' '.join([*twice, 'W delta'])} f'(z), notes 002 (52)")]
    for k in range(layer.inputs):
        factors = [*twice, *slope(net.layers[l - 2], l - 1, k)]
        if layer.outputs == 1:
            lines += [let(f"known{l - 1}_{k}", " * ".join([weight_name(l, 0, k), *factors]))]
            lines += [let(f"delta{l - 1}_{k}", f"delta{l}_0 * known{l - 1}_{k}")]
        else:
            inflow = total([f"{weight_name(l, j, k)} * delta{l}_{j}" for j in range(layer.outputs)])
            da = f"da{l - 1}_{k}"
            lines += [let(da, inflow), let(f"delta{l - 1}_{k}", " * ".join([da, *factors]))]
    return lines


def backward(net: Network, method: str, weighted: bool) -> list[Line]:
    """Add the sample's gradient to `dw` and `db`, from the last layer to the first, notes 002 (50)-(52)."""
    lines = [comment(f"{net.loss} at the output, notes 002 (20), 004"), *output_delta(net, weighted)]
    for l in range(len(net.layers), 0, -1):
        lines += [*gradient(net, l), *(delta_before(net, l, method) if l > 1 else [])]
    return lines


# -- finite differences --------------------------------------------------------------------------------------------------------------


_BOUNDED = ("sigmoid", "tanh", "sin", "softmax")  # activations that are at most 1
_MARKS = {"+": "p", "-": "m"}  # of the names of what is computed with a parameter changed by eps, or -eps


def change_of(l: int, k: int | None, sign: str) -> str:
    """By how much z changes as a weight of layer l from unit k, or a bias, changes by eps or -eps; without a sign where it is positive."""
    return ("-" if sign == "-" else "") + ("eps" if k is None else f"eps * {activation_of(l - 1, k)}")


def ends_in_residuals(net: Network) -> bool:
    """Whether of perturbed sigmoids only what they miss their targets by is wanted, and the loop waits for it: where there is one layer."""
    return len(net.layers) == 1 and net.loss == "squared_error"


def perturbed_activation(net: Network, l: int, j: int, k: int | None, sign: str) -> str:
    """The name of a of unit j in layer l, or of a - y, when its weight from unit k, or its bias, changes by eps or -eps."""
    return f"{'residual' if ends_in_residuals(net) else 'a'}{l}_{j}_{'b' if k is None else k}{_MARKS[sign]}"


def perturbed_sigmoids(net: Network, l: int, changes: Sequence[tuple[int | None, str]]) -> list[Line]:
    """A layer's sigmoids when its z change by little, sigmoid(z + c) = t / (t + u e^-c) where e^-z = u / t, two by one division; less their
    targets if it `ends_in_misses`.

    Where one is left, its division begins as late as its denominator is known. That is computed from the one before, which takes one
    operation longer, so that the division for two, on which more has to wait, comes first; the two differ by little.
    """
    residuals = ends_in_residuals(net)
    less = " - y" if residuals else ""
    lines = [comment(f"sigmoid(z + c){less} for every change c of z: t / (t + u e^-c), e^-z = u / t, notes 002 (1), (9)")]
    lines += [let(f"shrink{i}", f"exp(-({change_of(l, k, sign)}))") for i, (k, sign) in enumerate(changes)]
    for j in range(net.layers[l - 1].outputs):
        names = [perturbed_activation(net, l, j, k, sign) for k, sign in changes]
        totals = [f"t{l}_{j} + u{l}_{j} * shrink{i}" for i in range(len(changes))]
        for i in range(0, len(changes) - 1, 2):
            function, target = ("residuals", f", y_{j}") if residuals else ("quotients", "")
            two = f"{function}(t{l}_{j}, {totals[i]}, {totals[i + 1]}{target})"
            lines += [let(f"{names[i]}, {names[i + 1]}", two)]
        if len(changes) % 2:
            last = len(changes) - 1
            later = f"({totals[-2]}) + u{l}_{j} * (shrink{last} - shrink{last - 1})" if last else totals[-1]
            numerator = f"(t{l}_{j} - y_{j} * denominator)" if residuals else f"t{l}_{j}"
            lines += [let("denominator", later), let(names[-1], f"{numerator} / denominator")]
    return lines


def perturbed_loss(net: Network, l: int, j: int, k: int | None, sign: str, small_changes: bool) -> list[Line]:
    """The loss when the weight of unit j in layer l from unit k, or its bias, changes by eps or -eps, in `loss` + mark.

    What the change does not reach is used again; so is what `perturbed_sigmoids` has computed, where it is `near`.
    """
    mark, layer = _MARKS[sign], net.layers[l - 1]
    if small_changes and ends_in_residuals(net):
        miss = perturbed_activation(net, l, j, k, sign)
        terms = [f"{miss} * {miss}" if i == j else f"squared_error(z{l}_{i}, a{l}_{i}, y_{i})" for i in range(layer.outputs)]
        return [let(f"loss{mark}", total(terms))]
    changed = [j]
    lines = [let(f"z{l}_{j}{mark}", f"z{l}_{j} + {change_of(l, k, sign)}")]
    for m in range(l, len(net.layers) + 1):
        layer = net.layers[m - 1]
        if m > l:
            before, changed = changed, list(range(layer.outputs))
            for i in changed:
                terms = [f"{weight_name(m, i, h)} * (a{m - 1}_{h}{mark} - a{m - 1}_{h})" for h in before]
                lines += [let(f"z{m}_{i}{mark}", total([f"z{m}_{i}", *terms]))]
        if layer.activation == "softmax":
            lines += [let(f"z{m}_{i}{mark}", f"z{m}_{i}") for i in range(layer.outputs) if i not in changed]
            lines += softmax(layer, m, mark)
            changed = list(range(layer.outputs))
        elif small_changes and m == l:
            lines += [let(f"a{m}_{j}{mark}", perturbed_activation(net, l, j, k, sign))]
        else:
            lines += [let(f"a{m}_{i}{mark}", activation(layer, f"z{m}_{i}{mark}")) for i in changed]
    last = len(net.layers)
    for i in range(net.widths[-1]):
        if i not in changed:
            lines += [let(f"{name}{last}_{i}{mark}", f"{name}{last}_{i}") for name in "za"]
    return lines + loss(net, mark)


def layer_differences(net: Network, l: int, central: bool, weighted: bool, small_changes: bool) -> list[Line]:
    """The sample's share of the quotients of layer l; with `near`, what changes of its z by little have in common is computed once."""
    layer, signs = net.layers[l - 1], "+-" if central else "+"
    incoming: list[int | None] = [*([None] if layer.bias else []), *range(layer.inputs)]  # as z waits for them
    lines = perturbed_sigmoids(net, l, [(k, sign) for k in incoming for sign in signs]) if small_changes else []
    for j in range(layer.outputs):
        for k in incoming:
            name = bias_name(l, j) if k is None else weight_name(l, j, k)
            for sign in signs:
                lines += [comment(f"C({name} {sign} eps)"), *perturbed_loss(net, l, j, k, sign, small_changes)]
            distance = f"lossp - {'lossm' if central else 'loss'}"
            lines += [add(f"d{name}", f"weight * ({distance})" if weighted else distance)]
    return lines


def divisor(method: str) -> str:
    """What the distance of two perturbed costs is divided by."""
    return {"finite_difference": " / eps", "central_difference": " / (2.0 * eps)"}.get(method, "")


def differences(net: Network, method: str, weighted: bool, small_changes: bool) -> list[Line]:
    """Add the sample's share of every difference quotient, times the distance of its two costs, notes 002 (1).

    `near` says whether eps times an input is small.
    """
    lines: list[Line] = []
    for l, layer in enumerate(net.layers, start=1):
        small = small_changes and (l == 1 or net.layers[l - 2].activation in _BOUNDED)
        lines += layer_differences(net, l, method == "central_difference", weighted, small and layer.activation == "sigmoid")
    return lines


def sample(
    net: Network, method: str, weighted: bool = True, small_changes: bool = True, in_halves: bool = False
) -> tuple[list[Line], list[Line], list[Line]]:
    """The lines of one sample by any method: forward, its share of the cost, its share of the gradient."""
    cost = [*loss(net), add("costs", f"{'weight' if weighted else 'share'} * loss")]
    if method in ("finite_difference", "central_difference"):
        return forward(net, parts=True, in_halves=in_halves), cost, differences(net, method, weighted, small_changes)
    return forward(net, in_halves=in_halves), cost, backward(net, method, weighted)
