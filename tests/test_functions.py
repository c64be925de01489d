"""Activations and losses as they are declared: written down, derived, compared, refused."""

import copy
import ctypes
import math
import pickle
import shutil
import subprocess

import numba
import numpy as np
import pytest

from fastgd import numeric
from fastgd.activations import ACTIVATIONS, activation, leaky_relu, softmax
from fastgd.functions.activation import Activation
from fastgd.functions.comparison import points
from fastgd.functions.derivative import derivative
from fastgd.functions.formula import variable
from fastgd.functions.function import computed
from fastgd.functions.loss import Loss
from fastgd.functions.parts import parts_of
from fastgd.losses import LOSSES
from fastgd.numeric import exp, log, where

OF_ONE_UNIT = [each for each in ACTIVATIONS.values() if not each.whole_layer]
OF_ONE_OUTPUT = [each for each in LOSSES.values() if not each.whole_layer]


def helper(z):
    return math.log1p(math.exp(-abs(z)))


def of_math(z):
    return max_of(z) + helper(z)


def max_of(z):
    return numeric.maximum(z, 0)


class Scaled:
    def __init__(self, factor):
        self.factor = factor

    def by(self, z):
        return self.factor * math.tanh(z)


# -- the built-in ones ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [*OF_ONE_UNIT, *OF_ONE_OUTPUT], ids=str)
def test_built_in_ones_are_declared_as_ones_own_would_be(function):
    """What is checked when one's own is declared."""
    function.check()
    assert pickle.loads(pickle.dumps(function)) is function
    assert function.text.startswith(f"def {function.symbol}(")


@pytest.mark.parametrize("function", OF_ONE_UNIT, ids=str)
def test_bounds_hold(function):
    least, most = function.bounds
    values = function.reference(np.concatenate([points(), [-1e3, 0.0, 1e3]]))
    assert np.all((values >= least) & (values <= most))


# -- writing down --------------------------------------------------------------------------------------------------------------------------

WAYS = {  # a function, and what it computes by NumPy
    "arithmetic": (lambda z: (2 * z - z / 3 + 1) - -z, lambda z: (2 * z - z / 3 + 1) + z),
    "powers": (lambda z: z**2 + z**7 - z**-3 + abs(z) ** 0.5, lambda z: z**2 + z**7 - z**-3.0 + np.sqrt(np.abs(z))),
    "math": (of_math, lambda z: np.logaddexp(0, z)),
    "NumPy": (lambda z: np.tanh(np.float64(2) * z) * np.exp(-np.square(z)), lambda z: np.tanh(2 * z) * np.exp(-(z**2))),
    "where": (lambda z: where((z > -1) & ~(z >= 1) | (z == 2), z, 0.5), lambda z: np.where((z > -1) & (z < 1), z, 0.5)),
    "where of NumPy": (lambda z: np.where((z > -1) & (z < 1), z, 0.5), lambda z: np.where((z > -1) & (z < 1), z, 0.5)),
    "clip of NumPy": (lambda z: np.clip(z, -1, 0.5), lambda z: np.clip(z, -1, 0.5)),
    "where a number decides": (lambda z, k=2: where(k > 1, z, 0) + where(np.float64(k) < 1, 0, 1), lambda z: z + 1),
    "one that Numba has compiled": (numba.njit(max_of), lambda z: np.maximum(z, 0)),
    "a method": (Scaled(3).by, lambda z: 3 * np.tanh(z)),
    "two": (lambda z: numeric.maximum(z, -z) - numeric.minimum(2 * z, z), lambda z: np.abs(z) - np.minimum(2 * z, z)),
    "sign": (lambda z: numeric.sign(z) * z, np.abs),
    "a loop": (lambda z: sum(z**k / math.factorial(k) for k in range(5)), lambda z: sum(z**k / math.factorial(k) for k in range(5))),
    "fma": (lambda z: numeric.fma(z, 2.0, 1.0), lambda z: 2 * z + 1),
    "normal distribution": (
        lambda z: numeric.normal_cdf(z) - numeric.normal_pdf(2 * z),
        lambda z: np.array([0.5 * math.erfc(-v / math.sqrt(2)) - math.exp(-2 * v * v) / math.sqrt(2 * math.pi) for v in z]),
    ),
    "erf": (lambda z: numeric.erf(z), lambda z: np.array([math.erf(v) for v in z])),
    "all else": (
        lambda z: (
            numeric.expm1(0.1 * z) + numeric.log1p(abs(z)) + log(2 + z * z) + numeric.sqrt(1 + z * z) + numeric.sin(z) * numeric.cos(z)
        ),
        lambda z: np.expm1(0.1 * z) + np.log1p(np.abs(z)) + np.log(2 + z * z) + np.sqrt(1 + z * z) + np.sin(z) * np.cos(z),
    ),
    "sigmoid": (lambda z: numeric.sigmoid(z) * z, lambda z: z / (1 + np.exp(-z))),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_written_down(way):
    """The formula, its text and its derivative, against NumPy and central differences."""
    function, expected = WAYS[way]
    mine, z = Activation(function, name="mine"), points() / 4
    assert mine.reference(z) == pytest.approx(expected(z), rel=1e-12, abs=1e-12)
    names = {name: getattr(numeric, name) for name in numeric.__all__}
    exec(mine.text, names)
    assert names["mine"](z) == pytest.approx(expected(z), rel=1e-12, abs=1e-12)
    z = z[np.abs(np.abs(z) - 1) > 1e-4]
    h = 1e-6 * np.abs(z)
    slope = (mine.reference(z + h) - mine.reference(z - h)) / (2 * h)
    exact = computed(derivative(mine.value, variable("z")), {"z": z})
    assert exact == pytest.approx(slope, rel=1e-5, abs=1e-5)
    assert names["mine_derivative"](z, mine.reference(z)) == pytest.approx(exact, rel=1e-9, abs=1e-12)


def test_a_derivative_uses_the_value_where_it_can():
    assert Activation(lambda z: numeric.tanh(z), name="mine").text.endswith("return 1.0 - a * a\n")
    assert Activation(lambda z: exp(z), name="mine").text.endswith("return a\n")


def test_what_is_written_twice_is_computed_once():
    text = Activation(lambda z: exp(-z) / (1 + exp(-z)), name="mine").text
    assert text.partition("\n\n")[0].count("exp(") == 1


def test_numbers_of_its_own():
    mine = Activation(lambda z, slope=0.5, shift=0.0: where(z > shift, z, slope * z), name="mine")
    assert mine.name == "mine"
    assert mine(0.25).name == "mine(0.25)"
    assert mine(0.5, 2).name == "mine(0.5, 2)"
    assert mine(0.25).reference(np.array([-1.0])) == -0.25
    assert leaky_relu(0.2) == activation("leaky_relu(0.2)") == activation("leaky_relu( 0.2 )") != leaky_relu
    assert leaky_relu(0.01) == leaky_relu
    with pytest.raises(TypeError, match="takes 2 numbers of its own; got 3"):
        mine(1, 2, 3)


def test_equal_if_their_formulas_are():
    mine, same, other = (Activation(lambda z, k=k: k * z, name="mine") for k in (1.0, 1.0, 2.0))
    assert mine == same
    assert hash(mine) == hash(same)
    assert mine != other
    assert mine != Activation(lambda z: 1.0 * z, name="yours")


@pytest.mark.parametrize(
    "mine", [Activation(lambda z: z * math.tanh(helper(z)), name="mine"), Loss(lambda a, y: (a - y) ** 4, name="mine")], ids=str
)
def test_pickles_as_its_formula(mine):
    for again in (pickle.loads(pickle.dumps(mine)), copy.copy(mine), copy.deepcopy(mine)):
        assert again == mine
        assert again.text == mine.text
        assert repr(again) == repr(mine)


def test_pickles_however_deep():
    def nested(z):
        for _ in range(1000):
            z = z * 0.5 + math.tanh(z)
        return z

    mine = Activation(nested)
    again = pickle.loads(pickle.dumps(mine))
    assert again.value is mine.value
    assert again.slope is mine.slope
    assert copy.deepcopy(mine) == mine


# -- in other languages --------------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("cc") is None, reason="no compiler of C")
@pytest.mark.parametrize(("real", "number"), [("double", ctypes.c_double), ("float", ctypes.c_float)])
def test_in_c(real, number, tmp_path):
    """Each of the table, and what is written down above, compiled by a compiler of C."""
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


# -- refused -------------------------------------------------------------------------------------------------------------------------------


def branches(z):
    if z > 0:
        return z
    return 0.0


def asks_deep_inside(z):
    return z + branches(z)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Activation(branches), ValueError, ["'branches' can't be compiled: branches, line", "use where"]),
        (lambda: Activation(asks_deep_inside), ValueError, ["'asks_deep_inside' can't be compiled: branches, line", "use where"]),
        (lambda: Activation(lambda z: max(z, 0), name="mine"), ValueError, ["maximum", "<lambda>, line"]),
        (lambda: Activation(lambda z: math.gamma(z), name="mine"), ValueError, ["line", "fastgd.numeric"]),
        (lambda: Activation(lambda z: np.arctan(z), name="mine"), ValueError, ["numpy.arctan"]),
        (lambda: Activation(lambda z: z**1.5, name="mine"), ValueError, ["whole numbers"]),
        (lambda: Activation(lambda z: [z], name="mine"), ValueError, ["is no number"]),
        (lambda: Activation(lambda z: z > 0, name="mine"), ValueError, ["returns a comparison"]),
        (lambda: Activation(lambda z: z * (z > 0), name="mine"), ValueError, ["line", "a comparison is no number"]),
        (lambda: Activation(lambda z: where((z > 0) & z, z, 0), name="mine"), ValueError, ["line", "join comparisons"]),
        (lambda: Activation(lambda z: where((z > 0) == (z > 1), z, 0), name="mine"), ValueError, ["line", "joined by &"]),
        (lambda: Activation(lambda z: z**z, name="mine"), ValueError, ["whole numbers"]),
        (lambda: Activation(lambda z: z ** "2", name="mine"), ValueError, ["line", "'2' is no number"]),
        (lambda: Activation(lambda z: np.cumsum(z), name="mine"), ValueError, ["line", "numpy.cumsum is not known"]),
        (lambda: Activation(lambda z, k="a": z, name="mine"), TypeError, ["k of activation 'mine'", "number", "'a'"]),
        (lambda: Activation(lambda z, k=None: z, name="mine"), TypeError, ["k of activation 'mine'", "number", "None"]),
        (lambda: Activation(lambda z: z, name="lambda"), ValueError, ["name", "'lambda'"]),
        (lambda: Activation(exp, name="mine", scheme="mine"), ValueError, ["scheme", "'mine'", "glorot, he"]),
        (lambda: Activation(exp, name="mine", bounds=1), TypeError, ["bounds must be two numbers", "got 1"]),
        (lambda: Activation(exp, name="mine", bounds=(1, 0)), ValueError, ["bounds must be two numbers", "got (1, 0)"]),
        (lambda: Activation(exp, name="mine", bounds=(0, 1)), ValueError, ["bounds of activation 'mine'", "(0.0, 1.0)", "at z = "]),
        (lambda: Loss(lambda a, y: a * y, name="mine", targets=1), TypeError, ["targets must be two numbers", "got 1"]),
        (lambda: Loss(lambda a, y: a * y, lambda a, y: y, "mine", output="exp"), TypeError, ["output", "Activation", "'exp'"]),
        (lambda: Activation(lambda z: where(z, z, 0), name="mine"), ValueError, ["where needs a comparison"]),
        (lambda: Activation(lambda z: round(z), name="mine"), ValueError, ["round"]),
        (lambda: Activation(lambda z: math.nan * z, name="mine"), ValueError, ["nan"]),
        (lambda: Activation(lambda z, b: z, name="mine"), ValueError, ["function must take z", "got z, b"]),
        (lambda: Activation(lambda z: log(-exp(z)), name="mine"), ValueError, ["finite", "'mine'"]),
        (lambda: Activation("tanh"), TypeError, ["function must be a function of z", "'tanh'"]),
        (lambda: Activation(exp, "exp"), TypeError, ["derivative must be a function of z, a", "'exp'"]),
        (lambda: Activation(lambda z: z), ValueError, ["name", "'<lambda>'"]),
        (lambda: Activation(lambda z: z, name="my own"), ValueError, ["name", "'my own'"]),
        (lambda: Loss(lambda a: a, name="mine"), ValueError, ["loss 'mine' can't be compiled"]),
        (lambda: Loss(lambda z, y: z * y, name="mine", output=softmax), ValueError, ["derivative must be given"]),
    ],
)
def test_refused_at_its_declaration(make, error, words):
    with pytest.raises(error) as caught:
        make()
    assert all(word in str(caught.value) for word in words)
    assert "\n" not in str(caught.value)


def test_a_line_is_named():
    line = branches.__code__.co_firstlineno + 1
    with pytest.raises(ValueError, match=f"branches, line {line}: "):
        Activation(branches)


def test_a_wrong_derivative_is_refused_naming_a_point():
    with pytest.raises(
        ValueError, match=r"derivative of activation 'mine' must be its function's; got \S+ at z = \S+, a = \S+, where that is \S+"
    ):
        Activation(lambda z: exp(z), lambda z, a: a + where(z > 3, 1e-3 * z, 0), "mine")
    with pytest.raises(ValueError, match=r"derivative of loss 'mine' .* at a = \S+, y = \S+, where"):
        Loss(lambda a, y: (a - y) ** 2, lambda a, y: a - y, "mine")


def test_what_a_function_raises_itself_is_left_as_it_is():
    def choosy(z):
        raise KeyError("choosy")

    with pytest.raises(KeyError, match="choosy"):
        Activation(choosy)
