"""What an activation is: a function of the pre-activation z, and its derivative."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastgd.arguments.choices import check_name
from fastgd.functions.comparison import check_bounds, check_slope, points
from fastgd.functions.derivative import beside
from fastgd.functions.derivative import derivative as derivative_of
from fastgd.functions.formula import Formula, variable
from fastgd.functions.function import Function, check_interval, computed

if TYPE_CHECKING:
    from fastgd.arguments.checks import Array

_EVERYWHERE = (-math.inf, math.inf)


class Activation(Function):
    """An activation of one's own, for `MLP(..., activation=mine)`.

    Its functions are plain Python over numbers: arithmetic, comparisons within `where`, and the
    functions of `fastgd.numeric`, `math` or NumPy. Each is called once, when it is declared, with
    symbols, and written down as a formula; that is what is compiled, for single numbers and for
    vectors, and what is pickled. A run file keeps its name and its text, and is loaded with the
    activation at hand: `fastgd.load_run(path, activations=[mine])`.

    Parameters
    ----------
    function : callable
        function(z), the activation a of a pre-activation z. Further arguments with defaults are
        numbers of its own: `mine(0.2)` is the activation by another one.
    derivative : callable, optional
        derivative(z, a), which may use whichever is cheaper. By default it is derived from the
        formula, exactly.
    name : str, optional
        The function's own name, if not given; not one of a built-in activation.
    bounds : (float, float)
        Between which its values lie.
    scheme : str
        What `net.init` draws the weights of its layer by if it is asked for `auto`: glorot or he.

    Raises
    ------
    ValueError
        If a function can't be compiled, naming its line; if the derivative is not the function's,
        naming a point.

    Examples
    --------
    >>> from fastgd.numeric import sigmoid
    >>> swish = fastgd.Activation(lambda z, beta=1.0: z * sigmoid(beta * z), name="swish")
    >>> net = fastgd.MLP(2, 4, 1, activation=swish(1.5), output="identity")
    >>> net.n_params
    17
    """

    what = "activation"
    arguments, slope_arguments = ("z",), ("z", "a")

    def __init__(
        self,
        function: Callable[..., Any],
        derivative: Callable[..., Any] | None = None,
        name: str | None = None,
        *,
        bounds: tuple[float, float] = _EVERYWHERE,
        scheme: str = "glorot",
        whole_layer: bool = False,
        derived_beside_value: bool = False,
        check: bool = True,
    ):
        super().__init__(function, derivative, name)
        self.bounds = check_interval("bounds", bounds)
        self.scheme = check_name("scheme", scheme, ("glorot", "he"))
        self.whole_layer = whole_layer  # whether it looks at all units of a layer, as softmax does
        # whether the derived derivative takes less than the given one where the value is computed
        # in the same code, which then shares what they have in common
        self.derived_beside_value = derived_beside_value
        if check:
            self.check()

    def check(self) -> None:
        """ValueError if the derivative is not the function's, or there is none, or a value lies
        outside the bounds.
        """
        z = points()
        a = self.reference(z)
        check_slope(self, variable("z"), {"z": z}, {"z": z, "a": a})
        check_bounds(self, self.bounds, z, a)

    def _derived(self) -> Formula:
        slope = derivative_of(self.value, variable("z"))
        return slope.replaced(self.value, variable("a")) if self.value.inner else slope

    @property
    def slope_beside_value(self) -> Formula:
        """The derivative's formula for code that computes the value too."""
        return beside(self.value, self._derived() if self.derived_beside_value else self.slope)

    def reference(self, z: Array) -> Array:
        """f(z), by NumPy."""
        return computed(self.value, {"z": z})

    def _parts(self) -> tuple[Any, ...]:
        return self.name, self.text, self.bounds, self.scheme
