"""`net.derivation` of wide networks, in matrix form: its equations computed as they stand, against the kernel's gradient."""

import numpy as np
import pytest
from conftest import random_problem
from derived_networks import PDFLATEX, compiles, ids

import fastgd
from fastgd.derivation.deriving import COST, partial
from fastgd.derivation.kernel_lines import calls_of
from fastgd.derivation.matrix_form import matrix_form
from fastgd.functions.formula import variable
from fastgd.functions.function import computed

WIDE = [
    fastgd.MLP(30, 20, 3),
    fastgd.MLP(25, 20, 15, 4, activation=["tanh", "relu", "identity"], bias=False),
    fastgd.MLP(30, 20, 5, activation="tanh", output="softmax", loss="cross_entropy(0.1)"),
    fastgd.MLP(30, 20, 5, activation="tanh", output="softmax", loss="huber"),
    fastgd.MLP(300, 2, activation="sigmoid", loss="binary_cross_entropy"),
    fastgd.MLP(30, 20, 4, activation=["tanh", "identity"], loss="gaussian_nll"),
]


VECTORS = {  # as columns
    "product": lambda x, y: x @ y,
    "transposed": np.transpose,
    "each": np.multiply,
    "inner": lambda x, y: np.sum(x * y),
    "softmax": lambda z: np.exp(z - z.max()) / np.exp(z - z.max()).sum(),
    "units": np.sum,
    "stacked": lambda x, y: np.concatenate([x, y]),
    "mean": lambda x: x,  # of one sample
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "negative": np.negative,
    "log": np.log,
}


def computed_by(derivation, values):
    """Each left side of a derivation in matrix form, of one sample; `values` are those of names."""
    calls, found = calls_of(derivation.net), {variable(name): value for name, value in values.items()}

    def change(node, inner):
        if node in found:
            return found[node]
        if node.number is not None:
            return node.number
        if node.operation in calls:
            names, formula = calls[node.operation]
            return computed(formula, {name: np.asarray(each, float) for name, each in zip(names, inner, strict=True)})
        if node.operation in ("variable", "partial") or any(each is None for each in inner):
            return None  # which is not asked for
        return VECTORS[node.operation](*inner)

    last = len(derivation.net.layers)
    for section in derivation.sections[1:-1]:
        for each in section.equations:
            found[each.left] = each.right.changed(change)
            for name in ("a", "z"):
                if each.left is variable(f"{name}{last}"):
                    found[variable(f"{name}_k")] = found[each.left]
            if each.left is variable(f"a{last}"):
                for place, half in zip(("first", "second"), np.split(found[each.left], [derivation.net.n_targets]), strict=True):
                    found[variable(place)] = found[variable(f"{place}_k")] = half
            if each.left is variable("target"):
                found[variable("target_k")] = found[each.left]
    return found


@pytest.mark.parametrize("net", WIDE, ids=ids)
def test_matrix_form_is_the_gradient(net):
    """Its own equations, computed of one sample."""
    X, Y, params = random_problem(net, 1)
    values = {"a0": X.T, "y_each": Y.T, "y_k": Y.T}
    for l, (W, b) in enumerate(net.unpack(params), start=1):
        values |= {f"W{l}": W, f"b{l}": None if b is None else b[:, None]}
    found = computed_by(matrix_form(net), values)

    def flat(cost_of):
        kinds = "Wb" if net.bias else "W"
        layers = range(1, len(net.layers) + 1)
        return np.concatenate([np.ravel(found[partial(cost_of(l), variable(f"{kind}{l}"))]) for l in layers for kind in kinds])

    np.testing.assert_allclose(flat(lambda l: COST), net.gradient(params, X, Y), rtol=1e-10, atol=1e-12)
    assert found[COST] == pytest.approx(net.cost(params, X, Y), rel=1e-10)
    if net.loss == "squared_error":
        last = len(net.layers)
        expected = net.gradient(params, X, Y, method="layerwise")
        ours = flat(lambda l: COST if l == last else variable(f"C{l}"))
        np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-12)


@PDFLATEX
@pytest.mark.parametrize("net", [WIDE[1], WIDE[2], WIDE[5]], ids=ids)
def test_matrix_form_compiles(net, tmp_path):
    compiles(net.derivation(), tmp_path)
