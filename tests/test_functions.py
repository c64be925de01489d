"""Activations and losses as they are declared: written down, derived, compared, refused."""

import copy
import math
import pickle

import numpy as np
import pytest
from written_functions import OF_ONE_OUTPUT, OF_ONE_UNIT, WAYS, helper

from fastgd import numeric
from fastgd.activations import activation, leaky_relu, softmax
from fastgd.functions.activation import Activation
from fastgd.functions.comparison import points
from fastgd.functions.derivative import derivative
from fastgd.functions.formula import Formula, variable
from fastgd.functions.function import computed
from fastgd.functions.loss import Loss
from fastgd.numeric import exp, log, where

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


def test_factor_that_is_divided_by_again():
    """The derivative of softplus(3 z) / 3 is the sigmoid, with nothing multiplied or divided, in code that computes both too."""
    function = activation("softplus(3)")
    inside = function.value.inner[0].inner[0]
    assert derivative(function.value, variable("z")) is Formula("sigmoid", inside)
    assert function.slope_beside_value is Formula("softplus_slope", inside)
