"""Activations, losses and their derivatives as they are compiled, where arguments are as large and as small as numbers are."""

import numba
import numpy as np
import pytest

from fastgd.activations import ACTIVATIONS
from fastgd.formulas import vocabulary
from fastgd.formulas.curvature import bend
from fastgd.formulas.texts import slope_by_b_name, slope_name, text_of, value_name
from fastgd.functions.text import compiled
from fastgd.losses import LOSSES
from fastgd.machine import jit

UNITS = {name: each for name, each in ACTIVATIONS.items() if not each.whole_layer}
OF_ONE_OUTPUT = {name: each for name, each in LOSSES.items() if not each.whole_layer}


def sized(dtype, least=0.0):
    """Numbers of both signs, of all sizes from the smallest to the largest, whose size is at least that."""
    info = np.finfo(dtype)
    sizes = [info.smallest_subnormal, info.tiny / 3, info.tiny, 1, info.max / 2, info.max]
    sizes = np.array([*sizes, *10.0 ** np.arange(-30, float(np.log10(info.max)), 3.7)], dtype)
    sizes = sizes[sizes >= least]
    return np.concatenate([-sizes, sizes])


def all_compiled(functions, arguments, calls):
    """What calls by the names that `calls` gives for a function give for rows of arguments, all of them compiled as one function."""
    texts, lines, places = [], [f"def run({', '.join(f'all_{name}' for name in arguments)}, out):"], {}
    lines += [f"    for i in range(len(all_{arguments[0]})):", *(f"        {name} = all_{name}[i]" for name in arguments)]
    for function in functions:
        text, made = calls(function)
        texts.append(text)
        for what, call in made.items():
            places[function.name, what] = len(places)
            lines += [f"        {what if what == 'a' else 'result'} = {call}"]
            lines += [f"        out[{len(places) - 1}, i] = {what if what == 'a' else 'result'}"]
    names = vars(vocabulary) | {"__source__": "\n\n\n".join([*texts, "\n".join(lines)])}
    exec(names["__source__"], names)
    return numba.njit(**jit.FLAGS)(names["run"]), places


def of_activation(function):
    name, taken = f"{function.symbol}_bend", function.slope_arguments
    beside = f"{function.symbol}_beside"
    text = "\n\n\n".join(
        [
            text_of(function),
            compiled(name, taken, bend(function), "Second derivative."),
            compiled(beside, taken, function.slope_beside_value, "Derivative."),
        ]
    )
    calls = {"a": f"{value_name(function)}(z)", "slope": f"{slope_name(function)}(z, a)"}
    return text, calls | {"bend": f"{name}(z, a)", "beside": f"{beside}(z, a)"}


def of_loss(function):
    value, slope = value_name(function), slope_name(function)
    if function.of_pairs:
        calls = {"value": f"{value}(z, b, y)", "slope": f"{slope}(z, b, y)", "slope by b": f"{slope_by_b_name(function)}(z, b, y)"}
        return text_of(function), calls
    name = f"{function.symbol}_loss_bend"
    text = text_of(function) + "\n\n" + compiled(name, function.slope_arguments, bend(function), "Second derivative.")
    return text, {"value": f"{value}(z, z, y)", "slope": f"{slope}(z, y)", "bend": f"{name}(z, y)"}


@pytest.fixture(scope="module")
def activations():
    return all_compiled(UNITS.values(), ["z"], of_activation)


@pytest.fixture(scope="module")
def losses():
    return all_compiled(OF_ONE_OUTPUT.values(), ["z", "b", "y"], of_loss)


def results(made, *arguments):
    run, places = made
    out = np.empty((len(places), len(arguments[0])), arguments[0].dtype)
    run(*arguments, out)
    return {key: out[place] for key, place in places.items()}


def test_activations_of_all_finite_numbers(activations, dtype):
    z = sized(dtype)
    for key, numbers in results(activations, z).items():
        assert not np.isnan(numbers).any(), (key, z[np.isnan(numbers)])


def test_losses_of_all_finite_numbers(losses, dtype):
    z = sized(dtype)
    z = z[np.abs(z) < np.finfo(dtype).max / 1e4]  # so that a distance in the least deviations, of 1e-3, is finite
    for b in (-1e30, -3.0, 0.0, 1e30):
        for y in (-1.0, 0.0, 1.0):
            given = z, np.full_like(z, b), np.full_like(z, y)
            for key, numbers in results(losses, *given).items():
                assert not np.isnan(numbers).any(), (key, b, y, z[np.isnan(numbers)])


BEYOND = {  # the value and the derivative far below 0, and far above
    "identity": (lambda z: z, 1, lambda z: z, 1), "sigmoid": (0, 0, 1, 0), "tanh": (-1, 0, 1, 0),
    "relu": (0, 0, lambda z: z, 1), "leaky_relu": (lambda z: 0.01 * z, 0.01, lambda z: z, 1), "elu": (-1, 0, lambda z: z, 1),
    "selu": (-1.7580993408473766, 0, lambda z: 1.0507009873554805 * z, 1.0507009873554805), "softplus": (0, 0, lambda z: z, 1),
    "gelu": (0, 0, lambda z: z, 1), "gelu_tanh": (0, 0, lambda z: z, 1), "silu": (0, 0, lambda z: z, 1), "mish": (0, 0, lambda z: z, 1),
    "softsign": (-1, 0, 1, 0), "hard_tanh": (-1, 0, 1, 0), "hard_sigmoid": (0, 0, 1, 0), "gaussian": (0, 0, 0, 0),
    "elliot": (0, 0, 1, 0), "exp": (0, 0, np.inf, np.inf), "absolute": (lambda z: -z, -1, lambda z: z, 1),
}  # fmt: skip


@pytest.mark.parametrize("what", ["slope", "beside"])
def test_activations_far_from_0(activations, dtype, what):
    """Where those of the unbounded ones are their asymptotes; sines and squares have none."""
    assert set(UNITS) - set(BEYOND) == {"sin", "snake", "square"}
    z, eps = sized(dtype, 1e20), float(np.finfo(dtype).eps)
    z = z[np.abs(z) < np.finfo(dtype).max]  # of which selu's is infinite
    found = results(activations, z)
    for name, expected in BEYOND.items():
        for is_right, (value, slope) in enumerate([expected[:2], expected[2:]]):
            some = z[(z > 0) == is_right]
            a, s = (found[name, key][(z > 0) == is_right] for key in ("a", what))
            assert a == pytest.approx(value(some) if callable(value) else np.full(len(some), value), rel=4 * eps, abs=1e-15), name
            assert s == pytest.approx(np.full(len(some), slope), rel=4 * eps, abs=1e-15), name
