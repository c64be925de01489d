"""Activations and losses in other languages: in C they compute the same, and their LaTeX is closed and short."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest
from written_functions import OF_ONE_OUTPUT, OF_ONE_UNIT, WAYS

from fastgd.activations import ACTIVATIONS
from fastgd.functions.activation import Activation
from fastgd.functions.comparison import points
from fastgd.functions.function import computed
from fastgd.functions.parts import parts_of
from fastgd.losses import LOSSES
from fastgd.numeric import exp


@pytest.mark.skipif(shutil.which("cc") is None, reason="no compiler of C")
@pytest.mark.parametrize(("real", "number"), [("double", ctypes.c_double), ("float", ctypes.c_float)])
def test_in_c(real, number, tmp_path):
    """Each of the table, and what is written down in every way, compiled by a compiler of C."""
    functions = [*OF_ONE_UNIT, *OF_ONE_OUTPUT, *(Activation(f, name=f"way_{i}") for i, (f, _) in enumerate(WAYS.values()))]
    source = tmp_path / "functions.c"
    source.write_text("#include <math.h>\n" + "".join(f.c(real) for f in functions).replace("static ", ""))
    command = ["cc", "-std=c99", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", tmp_path / "functions.so", source, "-lm"]
    subprocess.run(command, check=True)
    library = ctypes.CDLL(str(tmp_path / "functions.so"))
    z, y = points()[:50] / 4, points(1)[:50] / 4
    for function in functions:
        values = {"z": z, "a": z, "b": z[::-1] / 4, "y": y}
        if function.what == "activation":
            values["a"] = function.reference(z)
        for formula, names, suffix in [
            (function.value, function.arguments, ""),
            *((formula, function.slope_arguments, f"_{kind}") for kind, formula in function.slopes.items()),
        ]:
            call = getattr(library, f"{function.what}_{function.symbol}{suffix}")
            call.restype, call.argtypes = number, [number] * len(names)
            ours = [call(*row) for row in zip(*(values[name].tolist() for name in names), strict=True)]
            expected = computed(formula, values)
            bound = 1e-11 if real == "double" else 2e-4
            assert np.max(np.abs(ours - expected) / (1 + np.abs(expected))) < bound, function


@pytest.mark.parametrize("function", [*ACTIVATIONS.values(), *LOSSES.values()], ids=str)
def test_latex_is_closed(function):
    for text in (function.latex, function.slope_latex):
        for begin, end in [("{", "}"), (r"\left", r"\right"), (r"\begin{cases}", r"\end{cases}")]:
            assert text.count(begin) == text.count(end)


def test_latex():
    assert ACTIVATIONS["leaky_relu"].latex == r"\begin{cases} 0.01 z & \text{if } z < 0 \\ z & \text{otherwise} \end{cases}"
    assert ACTIVATIONS["softsign"].latex == r"\frac{z}{1 + \left|z\right|}"
    assert LOSSES["squared_error"].latex == r"\left(a - y\right)^2"
    assert Activation(lambda z: -(z - 1) * (2 * -z) + 1e-3 * exp(-z), name="mine").latex == (
        r"\left(-\left(z - 1\right)\right) \left(2 \left(-z\right)\right) + 0.001 e^{-z}"
    )


def nested(depth):
    """Every part of which is needed twice: 2^depth of them, one by one."""

    def function(z):
        for _ in range(depth):
            z = 0.5 * z * (1 - z)
        return z

    return Activation(function, name=f"nested_{depth}")


def test_latex_of_what_is_needed_often_is_short():
    short, long = nested(40), nested(80)
    for name in ("latex", "slope_latex"):
        one, two = (getattr(function, name) for function in (short, long))
        assert len(two) < 2.5 * len(one) < 20_000
        assert two.count(r"\quad") > one.count(r"\quad") > 30
    assert nested(3).latex.count(r"\quad") == 0
    assert short.latex.startswith("0.5 t_{39} ")
    z = points() / 4
    for formula in (short.value, short.slope):
        whole, named = parts_of(formula)
        values = {"z": z, "a": short.reference(z)}
        for part, each in named.items():
            values[part] = computed(each, values)
        assert computed(whole, values) == pytest.approx(computed(formula, values | {"z": z}), rel=1e-13)
