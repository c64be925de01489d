"""What a loss is: a function of one output, or of two, and their target, and its derivative."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fastgd.functions.activation import Activation
from fastgd.functions.comparison import check_slope, points
from fastgd.functions.derivative import derivative as derivative_of
from fastgd.functions.formula import Formula, variable
from fastgd.functions.function import Function, check_interval


class Loss(Function):
    """A loss of one's own, for `MLP(..., loss=mine)`: of one output of one sample. The loss of a
    sample is the sum over its outputs, the cost the mean over the samples.

    One of two outputs serves networks with twice as many outputs as targets: with k targets, that
    of target i is of outputs i and k + i, which may be a mean and how far off it is.

    Its functions are written as those of an `Activation` are.

    Parameters
    ----------
    function : callable
        function(a, y), of an output a and its target y, or function(a, b, y), of two outputs.
        Further arguments with defaults are numbers of its own: `mine(0.5)` is the loss by another
        one.
    derivative : callable, optional
        derivative(a, y) by a. By default it is derived from the formula, exactly, as those of a
        loss of two outputs always are.
    name : str, optional
        The function's own name, if not given; not one of a built-in loss.
    output : Activation, optional
        The only one that it serves. The function is then one of its z, function(z, y), and the
        derivative, which has to be given, is that by z: where outputs are probabilities, their own
        derivative cancels, and the value stays finite where they reach 0 or 1.
    targets : (float, float)
        Between which targets must lie.

    Raises
    ------
    ValueError
        If a function can't be compiled, naming its line; if the derivative is not the function's,
        naming a point.

    Examples
    --------
    >>> cauchy = fastgd.Loss(lambda a, y: fastgd.numeric.log1p((a - y) ** 2), name="cauchy")
    >>> net = fastgd.MLP(1, 1, activation="identity", bias=False, loss=cauchy)
    >>> round(net.cost([0.0], *fastgd.data.twice()), 3)
    2.446
    """

    what = "loss"

    def __init__(
        self,
        function: Callable[..., Any],
        derivative: Callable[..., Any] | None = None,
        name: str | None = None,
        *,
        output: Activation | None = None,
        targets: tuple[float, float] = (-math.inf, math.inf),
        check: bool = True,
    ):
        if output is not None and not isinstance(output, Activation):
            raise TypeError(f"output must be a fastgd.Activation, or None; got {output!r}")
        self.output, self.targets = output, check_interval("targets", targets)
        self.of_pairs = _required(function) == 3 and not self.whole_layer
        if self.of_pairs and not (output is None and derivative is None):
            raise ValueError(
                "derivative and output must be None for a loss of two outputs, which is derived; "
                f"got {derivative!r} and {output!r}"
            )
        self.arguments, self.slope_arguments = ("a" if output is None else "z", "y"), ("a", "y")
        if self.of_pairs:
            self.arguments = self.slope_arguments = ("a", "b", "y")
        if self.whole_layer:  # of z less the largest, and by the sum of the sample's targets
            self.arguments, self.slope_arguments = ("z", "log_sum_exp", "y"), ("a", "y", "total")
        super().__init__(function, derivative, name)
        if output is not None and derivative is None:
            raise ValueError(
                f"derivative must be given for loss {self.family!r}, which is one of z"
            )
        if check:
            self.check()

    @property
    def whole_layer(self) -> bool:
        """Whether it looks at all outputs of a sample, as softmax does."""
        return self.output is not None and self.output.whole_layer

    @property
    def smoothing(self) -> float:
        """The share of a row's targets that is spread over all of its classes."""
        return self.numbers[0] if self.whole_layer and self.numbers else 0.0

    def check(self) -> None:
        """ValueError if the derivative is not the function's, or there is none."""
        least, most = self.targets
        by, y = points(), points(1).clip(least, most)
        if math.isfinite(least) and math.isfinite(most):
            y = least + (most - least) / (1 + abs(points(1)))
        name = self.arguments[0]
        if self.of_pairs:
            at = {"a": by, "b": points(2) / 4, "y": y}
            check_slope(self, variable("a"), at, at)
            return
        a = by if self.output is None else self.output.reference(by)
        check_slope(self, variable(name), {name: by, "y": y}, {"a": a, "y": y})

    def _derived(self) -> Formula:
        return derivative_of(self.value, variable("a"))

    @property
    def slopes(self) -> dict[str, Formula]:
        by_b = {"derivative_by_b": self.slope_by_b} if self.of_pairs else {}
        return super().slopes | by_b

    @property
    def slope_by_b(self) -> Formula:
        """The formula of its derivative by the second of two outputs."""
        return derivative_of(self.value, variable("b"))

    def _parts(self) -> tuple[Any, ...]:
        return self.name, self.text, self.output, self.targets


def _required(function: Any) -> int:
    """How many arguments a function of Python's has without defaults; 0 of what else is called."""
    code = getattr(function, "__code__", None)
    if code is None:
        return 0
    is_method, defaults = hasattr(function, "__self__"), function.__defaults__ or ()
    return int(code.co_argcount) - is_method - len(defaults)
