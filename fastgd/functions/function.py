"""A function of numbers with a name: what activations and losses have in common."""

from __future__ import annotations

import copy
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from keyword import iskeyword
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from fastgd import numeric
from fastgd.functions.formula import Formula
from fastgd.functions.languages import c99
from fastgd.functions.parts import latex_of_parts
from fastgd.functions.symbols import written_down
from fastgd.functions.text import compiled, python

if TYPE_CHECKING:
    from fastgd.arguments.checks import Array

Kind = TypeVar("Kind", bound="Function")
_NAME = re.compile(r"[A-Za-z_]\w*")
_COMPUTED: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y, "subtract": lambda x, y: x - y, "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y, "negative": lambda x: -x, "less": lambda x, y: x < y,
    "less_equal": lambda x, y: x <= y, "equal": lambda x, y: x == y, "and": lambda x, y: x & y,
    "or": lambda x, y: x | y, "not": lambda x: ~x,
}  # fmt: skip


def computed(formula: Formula, values: Mapping[str, Array]) -> Array:
    """A formula of arrays, by NumPy."""
    import numpy as np

    def change(node: Formula, inner: tuple[Any, ...]) -> Any:
        if node.operation in ("number", "variable"):
            (told,) = node.arguments
            return np.float64(told) if node.number is not None else values[told]
        of = _COMPUTED.get(node.operation) or getattr(numeric, node.operation)
        return of(*inner)

    with np.errstate(all="ignore"):
        result = np.asarray(formula.changed(change))
    return np.broadcast_to(result, np.broadcast_shapes(*(each.shape for each in values.values())))


class Function(ABC):
    """A function of Python's and its derivative, each written down as a formula.

    What the function takes beyond `arguments` are numbers with defaults; calling this with others
    gives the function by those, and with them its name: `leaky_relu(0.2)`.
    """

    what: ClassVar[str]  # it is
    arguments: tuple[str, ...]  # of the function
    slope_arguments: tuple[str, ...]  # of its derivative
    # for a built-in one, what finds it by its name
    named: Callable[[str], Any] | None = None

    def __init__(
        self,
        function: Callable[..., Any],
        derivative: Callable[..., Any] | None,
        name: str | None,
    ):
        _check_callable("function", function, self.arguments)
        if derivative is not None:
            _check_callable("derivative", derivative, self.slope_arguments)
        family = getattr(function, "__name__", None) if name is None else name
        if not isinstance(family, str) or not _NAME.fullmatch(family) or iskeyword(family):
            raise ValueError(
                "name must be letters, digits and underscores, and no word of Python's; "
                f"got {family!r}"
            )
        self.family, self._function, self._derivative = family, function, derivative
        self.defaults = self._defaults(function)
        self.numbers = self.defaults

    def _defaults(self, function: Any) -> tuple[float, ...]:
        """Of the numbers that it takes beyond its arguments."""
        code = getattr(function, "__code__", None)
        if code is None:
            return ()
        names = code.co_varnames[hasattr(function, "__self__") : code.co_argcount]
        own, given = names[len(self.arguments) :], function.__defaults__ or ()
        if len(given) < len(own):
            raise ValueError(
                f"function must take {', '.join(self.arguments)}, and more numbers only with "
                f"defaults; got {', '.join(names)}"
            )
        given = given[len(given) - len(own) :]
        for name, value in zip(own, given, strict=True):
            if not isinstance(value, Real):
                raise TypeError(
                    f"{name} of {self.what} {self.family!r} must have a number as its default; "
                    f"got {value!r}"
                )
        return tuple(map(float, given))

    def __call__(self: Kind, *numbers: float) -> Kind:
        """The same as `by`."""
        return self.by(*numbers)

    def by(self: Kind, *numbers: float) -> Kind:
        """The function by these numbers in the place of its defaults."""
        if self._function is None or len(numbers) > len(self.defaults):
            raise TypeError(
                f"{self.what} {self.family!r} takes {len(self.defaults)} numbers of its own; got "
                f"{len(numbers)}"
            )
        from fastgd.arguments.checks import finite_number

        checked = tuple(
            finite_number(f"number {i} of {self.what} {self.family!r}", each)
            for i, each in enumerate(numbers, 1)
        )
        other = copy.copy(self)
        for name in ("value", "slope", "name", "text"):
            other.__dict__.pop(name, None)
        other.numbers = checked + self.defaults[len(checked) :]
        other.value, other.slope  # noqa: B018
        return other

    def __copy__(self: Kind) -> Kind:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    # -- what it is

    @cached_property
    def name(self) -> str:
        """With numbers in brackets, up to the last that is not its default."""
        told = list(self.numbers)
        while told and told[-1] == self.defaults[len(told) - 1]:
            told.pop()
        return f"{self.family}({', '.join(map(_shortest, told))})" if told else self.family

    @property
    def symbol(self) -> str:
        """Its name as one of Python's, another one for other numbers."""
        return _plain(self.name.replace(", ", "__").removesuffix(")"))

    @cached_property
    def value(self) -> Formula:
        """Its formula."""
        told = f"{self.what} {self.family!r}"
        return written_down(told, self._function, self.arguments, *self.numbers)

    @cached_property
    def slope(self) -> Formula:
        """The formula of its derivative."""
        if self._derivative is None:
            return self._derived()
        told = f"the derivative of {self.what} {self.family!r}"
        return written_down(told, self._derivative, self.slope_arguments, *self.numbers)

    @property
    def slope_beside_value(self) -> Formula:
        """The derivative's formula for code that computes the value too."""
        return self.slope

    @abstractmethod
    def _derived(self) -> Formula:
        """The derivative, from its formula."""

    @cached_property
    def text(self) -> str:
        """It and its derivative as functions over `fastgd.numeric`, which say all that it is."""
        name = _plain(self.name).strip("_")  # as files have it
        texts = [python(name, self.arguments, self.value)]
        for kind, formula in self.slopes.items():
            texts.append(python(f"{name}_{kind}", self.slope_arguments, formula))
        return "\n\n".join(texts) + "\n"

    @property
    def slopes(self) -> dict[str, Formula]:
        """The formulas of its derivatives, by what they are called behind its name."""
        return {"derivative": self.slope}

    def __repr__(self) -> str:
        return f"<{self.what} {self.name}>"

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return type(self) is type(other) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash((self.name, self.text))

    def _parts(self) -> tuple[Any, ...]:
        return self.name, self.text

    def __reduce__(self) -> Any:
        """As its name, or as its formulas, which need no function of the caller's."""
        if self.named is not None:
            return self.named, (self.name,)
        self.value, self.slope  # noqa: B018
        state = {**self.__dict__, "_function": None, "_derivative": None}
        return _restored, (type(self), state)

    # -- in other languages

    @property
    def latex(self) -> str:
        """Its formula in LaTeX's mathematics; a long one with what it needs often behind it."""
        return latex_of_parts(self.value)

    @property
    def slope_latex(self) -> str:
        """That of its derivative."""
        return latex_of_parts(self.slope)

    def c(self, real: str = "double") -> str:
        """`activation_tanh` and `activation_tanh_derivative`, in C over math.h, of double or
        float.
        """
        name = f"{self.what}_{self.symbol}"
        texts = [c99(name, self.arguments, self.value, real)]
        for kind, formula in self.slopes.items():
            texts.append(c99(f"{name}_{kind}", self.slope_arguments, formula, real))
        return "\n".join(texts)

    # -- in compiled code

    def compiled(self, name: str, arguments: tuple[str, ...]) -> str:
        """The function as text that is compiled."""
        return compiled(name, arguments, self.value, f"{self.what} {self.name}")

    def compiled_slope(
        self,
        name: str,
        arguments: tuple[str, ...],
        kind: str = "derivative",
        beside_value: bool = False,
    ) -> str:
        """A derivative as text that is compiled, `beside_value` in code that computes that too."""
        about = f"The {kind.replace('_', ' ')} of {self.what} {self.name}."
        slope = self.slope_beside_value if beside_value else self.slopes[kind]
        return compiled(name, arguments, slope, about)


def _check_callable(argument: str, value: object, arguments: tuple[str, ...]) -> None:
    if not callable(value):
        raise TypeError(f"{argument} must be a function of {', '.join(arguments)}; got {value!r}")


def check_interval(argument: str, value: Any) -> tuple[float, float]:
    """Two numbers, the least and the largest one."""
    expected = f"{argument} must be two numbers, the lower one first; got {value!r}"
    try:
        least, most = map(float, value)
    except (TypeError, ValueError):
        raise TypeError(expected) from None
    if not least < most:
        raise ValueError(expected)
    return least, most


def _restored(cls: type[Function], state: dict[str, Any]) -> Function:
    result = object.__new__(cls)
    result.__dict__.update(state)
    return result


def _plain(name: str) -> str:
    return re.sub(r"\W+", "_", name.replace("-", "m").replace("+", ""))


def _shortest(value: float) -> str:
    text = f"{value:g}"
    return text if float(text) == value else repr(value)
