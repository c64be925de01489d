"""Writing a function of Python's down as a formula: it is called once, with symbols for numbers.

What is called in there, what it closes over and what it loops over are Python's own; a symbol takes
arithmetic, comparisons and the functions of `fastgd.numeric` or of `math`. Anything else, like an
`if` that would have to know a number, is refused by the line that asks for it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FunctionType,
    MethodType,
    ModuleType,
)
from typing import Any

from fastgd import numeric
from fastgd.functions.derivative import FUNCTIONS
from fastgd.functions.formula import (
    Formula,
    larger,
    number,
    sign,
    smaller,
    variable,
    where,
)

_NAMED = {name: getattr(numeric, name) for name in numeric.__all__}
_OF_MATH = {getattr(math, name): of for name, of in _NAMED.items() if hasattr(math, name)}
_OF_MATH[math.fabs] = numeric.abs
_OF_NUMPY: dict[str, Callable[..., Any]] = {  # ufuncs by their names
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul,
    "divide": operator.truediv, "negative": operator.neg, "power": operator.pow,
    "square": lambda x: x * x, "absolute": numeric.abs, "less": operator.lt,
    "less_equal": operator.le, "greater": operator.gt, "greater_equal": operator.ge,
    "equal": operator.eq, "not_equal": operator.ne, **_NAMED,
}  # fmt: skip
_OF_ARRAYS: dict[str, Callable[..., Any]] = {  # NumPy's functions that are no ufuncs, likewise
    "where": numeric.where,
    "clip": lambda x, least, most: numeric.minimum(numeric.maximum(x, least), most),
}
_WRITTEN: dict[str, Callable[..., Formula]] = {
    **{name: partial(Formula, name) for name in (*FUNCTIONS, "fma")},
    "sign": sign, "maximum": larger, "minimum": smaller, "where": where,
}  # fmt: skip
_MOST_POWER = 64
_HOUSE = str(Path(numeric.__file__).parent)


class UnknownError(Exception):
    """What a symbol is asked for, and has no answer to."""


def _formula_of(value: Any) -> Formula:
    """That of a number."""
    if isinstance(value, Truth):
        raise UnknownError("a comparison is no number; where(comparison, 1, 0) is one")
    if isinstance(value, Symbol):
        return value.formula
    kind = getattr(getattr(value, "dtype", None), "kind", "O")
    if isinstance(value, bool) or not (isinstance(value, (int, float)) or kind in "iuf"):
        raise UnknownError(f"{value!r} is no number")
    if math.isnan(value):
        raise UnknownError("nan is no number")
    return number(float(value))


def _written(operation: str, *arguments: Formula) -> Formula:
    """An operation, or what it leaves as it is: a product with 1, a quotient by 1."""
    x, y = arguments[0], arguments[-1]
    if operation in ("multiply", "divide") and y.number == 1:
        return x
    return y if operation == "multiply" and x.number == 1 else Formula(operation, *arguments)


def _operator(operation: str, turned: bool = False) -> Any:
    def of(self: Symbol, *others: Any) -> Any:
        arguments = [_formula_of(each) for each in (self, *others)]
        if turned:
            arguments.reverse()
        return Number(_written(operation, *arguments))

    return of


def _comparison(operation: str, turned: bool = False) -> Any:
    def of(self: Symbol, other: Any) -> Any:
        arguments = [_formula_of(each) for each in (self, other)]
        return Truth(Formula(operation, *(reversed(arguments) if turned else arguments)))

    return of


def _joined(operation: str) -> Any:
    def of(self: Truth, other: Any) -> Truth:
        if not isinstance(other, Truth):
            raise UnknownError("& and | join comparisons; a known one decides by if")
        return Truth(Formula(operation, self.formula, other.formula))

    return of


class Symbol:
    """Stands for a formula in a function that is being written down."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, formula: Formula):
        self.formula = formula

    def __numeric__(self, name: str, arguments: Sequence[Any]) -> Number:
        if name != "where":
            return Number(_WRITTEN[name](*map(_formula_of, arguments)))
        truth, yes, no = arguments
        if type(truth).__name__ in ("bool", "bool_"):  # one that is known
            return Number(_formula_of(yes if truth else no))
        if not isinstance(truth, Truth):
            raise UnknownError("where needs a comparison")
        return Number(where(truth.formula, _formula_of(yes), _formula_of(no)))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """What NumPy asks of it where one of its functions is called."""
        if method != "__call__" or options or ufunc.__name__ not in _OF_NUMPY:
            raise UnknownError(f"numpy.{ufunc.__name__} is not known; see fastgd.numeric")
        known = (each if isinstance(each, Symbol) else float(each) for each in inputs)
        return _OF_NUMPY[ufunc.__name__](*known)

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        """The same, where it is none of those that take arrays number by number."""
        if options or function.__name__ not in _OF_ARRAYS:
            raise UnknownError(f"numpy.{function.__name__} is not known; see fastgd.numeric")
        return _OF_ARRAYS[function.__name__](*inputs)

    def __float__(self) -> float:
        raise UnknownError("a number is asked for that only compiled code has; see fastgd.numeric")

    __int__ = __index__ = __len__ = __iter__ = __float__


class Number(Symbol):
    """Stands for a number."""

    __add__, __radd__ = _operator("add"), _operator("add", turned=True)
    __sub__, __rsub__ = _operator("subtract"), _operator("subtract", turned=True)
    __mul__, __rmul__ = _operator("multiply"), _operator("multiply", turned=True)
    __truediv__, __rtruediv__ = _operator("divide"), _operator("divide", turned=True)
    __neg__ = _operator("negative")
    __lt__, __gt__ = _comparison("less"), _comparison("less", turned=True)
    __le__, __ge__ = _comparison("less_equal"), _comparison("less_equal", turned=True)
    __eq__ = _comparison("equal")

    def __ne__(self, other: object) -> Any:
        return ~(self == other)

    def __pos__(self) -> Number:
        return self

    def __abs__(self) -> Number:
        return Number(Formula("abs", self.formula))

    def __pow__(self, power: Any) -> Any:
        power = _formula_of(power).number
        if power == 0.5:
            return numeric.sqrt(self)
        if power is None or not power.is_integer() or abs(power) > _MOST_POWER:
            raise UnknownError(f"** takes whole numbers up to {_MOST_POWER}, or 0.5")
        if power < 0:
            return 1.0 / self**-power
        return 1.0 if power == 0 else self if power == 1 else self._raised(int(power))

    def _raised(self, power: int) -> Any:
        half = self if power < 4 else self._raised(power // 2)
        return half * half * self if power % 2 else half * half

    def __bool__(self) -> bool:
        raise UnknownError("whether a number is 0 is only known in compiled code; use where")


class Truth(Symbol):
    """Stands for a comparison."""

    __and__ = __rand__ = _joined("and")
    __or__ = __ror__ = _joined("or")

    def __eq__(self, other: object) -> Any:
        raise UnknownError("comparisons are joined by & and |, and turned by ~")

    __ne__ = __eq__

    def __invert__(self) -> Truth:
        return Truth(Formula("not", self.formula))

    def __bool__(self) -> bool:
        raise UnknownError(
            "what a comparison says is only known in compiled code; use where(condition, x, y), or "
            "maximum or minimum for max or min"
        )


# -- functions -------------------------------------------------------------------------------------


def written_down(
    what: str, function: Callable[..., Any], names: Sequence[str], *numbers: float
) -> Formula:
    """The formula of a function of numbers with these names, and of more that are known.

    `what` it is says an error: ValueError for what can't be compiled, with the function and the
    line; whatever else the function raises is left as it is.
    """
    arguments = [Number(variable(name)) for name in names]
    try:
        result = _replaced(function, {})(*arguments, *numbers)
        if isinstance(result, Truth):
            raise UnknownError("it returns a comparison")
        return _formula_of(result)
    except (UnknownError, TypeError) as error:
        raise ValueError(f"{what} can't be compiled: {_where(function, error)}{error}") from None


def _where(function: Callable[..., Any], error: BaseException) -> str:
    """The function of the caller's and the line of its file that asked for what is not known."""
    name, line = getattr(function, "__name__", repr(function)), 0
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith(_HOUSE):
            name, line = code.co_name, trace.tb_lineno
        trace = trace.tb_next
    return f"{name}, line {line}: " if line else f"{name}: "


def _with_numeric(function: Any, known: dict[Any, Any]) -> Any:
    """The function, by whose names of `math` those of `fastgd.numeric` are meant."""
    if function in known or (function.__module__ or "").startswith("fastgd."):
        return known.get(function, function)
    inside, cells = dict(function.__globals__), function.__closure__ or ()
    replaced = FunctionType(
        function.__code__, inside, function.__name__, function.__defaults__,
        tuple(CellType(*(_replaced(each, known) for each in _contents(cell))) for cell in cells),
    )  # fmt: skip
    replaced.__kwdefaults__ = function.__kwdefaults__
    known[function] = replaced
    for name in _names_in(function.__code__) & inside.keys():
        inside[name] = _replaced(inside[name], known)
    return replaced


def _contents(cell: CellType) -> tuple[Any, ...]:
    """What a cell holds, if it holds anything yet."""
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def _replaced(value: Any, known: dict[Any, Any]) -> Any:
    """What stands for `math`, its functions, and functions that call them; for what Numba has
    compiled, that of which it was.
    """
    if value is math:
        return _MATH
    if callable(value) and isinstance(getattr(value, "py_func", None), FunctionType):
        value = value.py_func
    if isinstance(value, FunctionType):
        return _with_numeric(value, known)
    if isinstance(value, MethodType):
        return MethodType(_replaced(value.__func__, known), value.__self__)
    return (
        _OF_MATH[value] if isinstance(value, BuiltinFunctionType) and value in _OF_MATH else value
    )


def _names_in(code: CodeType) -> set[str]:
    """Names that code and the code within it may look up."""
    names = set(code.co_names)
    for each in code.co_consts:
        if isinstance(each, CodeType):
            names |= _names_in(each)
    return names


_MATH = ModuleType("math")
vars(_MATH).update(vars(math) | {of.__name__: function for of, function in _OF_MATH.items()})
