"""A derivation as a module over SymPy, which confirms that each step equals the one before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fastgd.derivation.deriving import meanings_of, parameters_of
from fastgd.derivation.kernel_lines import arguments_of, calls_of, substituted
from fastgd.derivation.program import ABOUT, mark_of, wrapped
from fastgd.derivation.steps import Derivation, Equation
from fastgd.derivation.sympy_helpers import CHOICE, END, HELPERS
from fastgd.formulas.texts import slope_by_b_name, slope_name, value_name
from fastgd.functions.activation import Activation
from fastgd.functions.formula import Formula, variable
from fastgd.functions.loss import Loss
from fastgd.functions.text import CompiledWriter, InOneLine
from fastgd.kernels.generated.equations import parameter_names
from fastgd.network import Network

_WIDE = 96
_MOST_NODES = 10  # of a function that is looked into wherever it is called
_MOST_DIGITS = 8  # of a number that is none that was rounded
_OF_SYMPY = ("cos", "erf", "exp", "log", "sin", "sqrt", "tanh")
_OWN = {
    "absolute": "return where_less(x, 0, -x, x)",
    "sigmoid": "return 1 / (1 + sp.exp(-x))",
    "softplus": "return sp.log(1 + sp.exp(x))",
    "expm1": "return sp.exp(x) - 1",
    "log1p": "return sp.log(1 + x)",
    "normal_pdf": "return sp.exp(-x * x / 2) / sp.sqrt(2 * sp.pi)",
    "normal_cdf": "return (1 + sp.erf(x / sp.sqrt(2))) / 2",
    "fma": "return x * factor + summand",
}
_TAKEN = {"fma": "x, factor, summand"}
_CHOICES = {"less": "<", "less_equal": "<=", "equal": "=="}


class _Sympy(InOneLine, CompiledWriter):
    """An expression of SymPy's, whose numbers are exact."""

    def number(self, value: float) -> str:
        return str(int(value)) if value == int(value) else f'sp.Rational("{value!r}")'


def _text(formula: Formula) -> str:
    return _Sympy(formula, "").result


def to_sympy(derivation: Derivation) -> str:
    """A module that raises an AssertionError where a step is not what stands before it."""
    net, calls = derivation.net, calls_of(derivation.net)
    formulas = [*(of for _, of in calls.values()), *(each.right for each in derivation.equations)]
    nodes = {node for formula in formulas for node in formula.nodes()}
    used = {"absolute" if node.operation == "abs" else node.operation for node in nodes}
    used |= {"less"} if "absolute" in used else set()
    is_rounded = any(
        len(f"{node.number!r}") > _MOST_DIGITS for node in nodes if node.number is not None
    )
    lines = ["import random", "", "import sympy as sp"]
    names = ", ".join(name for name in _OF_SYMPY if name in used)
    lines += [f"from sympy import {names}"] if names else []
    parts = [_about(net) + "\n".join(lines) + "\n"]
    parts += [HELPERS.format(tolerance="1e-12" if is_rounded else "1e-30")]
    parts += [
        CHOICE.format(name=name, sign=sign) for name, sign in _CHOICES.items() if name in used
    ]
    parts += [
        f"\n\ndef {name}({_TAKEN.get(name, 'x')}):\n    {body}\n"
        for name, body in _OWN.items()
        if name in used
    ]
    for name, (arguments, formula) in calls.items():
        head = f"def {name}({', '.join(arguments)}):"
        parts += [f"\n\n{head}\n    return {_text(formula)}\n"]
    parts += ["\n\n", "\n".join(_given(net)), "\n"]
    for section in derivation.sections:
        parts += [f"\n# {section.title}\n", "\n".join(_steps(net, section.equations)), "\n"]
    return "".join(parts) + END


def _about(net: Network) -> str:
    lines = [
        '"""Gradient descent of one network, as the notes derive it, confirmed by SymPy:',
        f"{net}.",
        "",
        "Each step is built as an expression, which has to equal the one before: by algebra where",
        "both are short and expanding is enough, otherwise to many digits at some points. One that",
        "does not raises an AssertionError with its number.",
        "",
        *ABOUT,
        '"""',
        "",
    ]
    return "\n".join(lines)


def _given(net: Network) -> Iterator[str]:
    """Symbols for what is not computed, and the arguments of functions."""
    names = [f"x_{k}" for k in range(net.widths[0])] + [f"y_{k}" for k in range(net.n_targets)]
    names += parameter_names(net)
    if net.layers[-1].function.whole_layer:  # which is the same for any
        names += ["largest"]
    for line in wrapped(["z", "a", "b", "y", *names], _WIDE - 12):
        own = line.rstrip(",")
        yield f'{line} = given("{own.replace(",", "")}")'


def _steps(net: Network, equations: Sequence[Equation]) -> Iterator[str]:
    """The statements of a section, row by row."""
    row: list[Equation] = []
    for equation in equations:
        if equation.left is not None and row:
            yield from _row(net, row)
            row = []
        row.append(equation)
    yield from _row(net, row)


def _row(net: Network, row: Sequence[Equation]) -> Iterator[str]:
    left, (first, *_) = row[0].left, row
    assert left is not None
    name = left.arguments[0] if left.operation == "variable" else ""
    if left.operation in calls_of(net):
        yield from _function(net, first)
    elif left.operation == "new" or name == "largest":
        yield f"# {mark_of(first)}: {_text(left)} = {_text(first.right)}"
    elif left.operation == "partial" and left.arguments[1].arguments[0].startswith("p"):
        yield from _of_layer(net, first)
    elif name and name not in meanings_of(net):
        stays = ", stays=True" if name.startswith("e") and name[1:2].isdigit() else ""
        value = f'{name} = named("{name}", {_text(first.right)}{stays})'
        yield f"{value}  # {mark_of(first)}"
    else:
        yield from _chain(meanings_of(net).get(name, left), row)


def _chain(meaning: Formula, row: Sequence[Equation]) -> Iterator[str]:
    """What a row stands for, and that each of its sides is what stands before it."""
    yield f"it = {_text(meaning)}"
    for equation in row:
        if equation.right is meaning:
            yield f"# {mark_of(equation)}"
            continue
        name, text = equation.name, f"same({equation.number}, it, {_text(equation.right)})"
        is_used = name and equation.right.operation != "mean"
        value = f'{name} = named("{name}", {text})' if is_used else f"it = {text}"
        yield value + _cited(equation)


def _cited(equation: Equation) -> str:
    return f"  # {', '.join(equation.cites)}" if equation.cites else ""


def _function(net: Network, equation: Equation) -> Iterator[str]:
    """That a derivative is its function's; large ones are not looked into from there on."""
    assert equation.left is not None
    slope, loss = equation.left.operation, net.loss_function
    for function in dict.fromkeys(layer.function for layer in net.layers):
        if slope == slope_name(function):
            value = f"{value_name(function)}(z)"
            text = f"sp.diff({value}, z), {slope}(z, {value})"
            yield f"same({equation.number}, {text})" + _cited(equation)
            yield from _closed(net, function, {1: f"{slope}(z, {value})"})
            return
    told = ", ".join(arguments_of(loss))
    slopes = {slope_name(loss): "a", slope_by_b_name(loss): "b"}
    if slope not in slopes or loss.whole_layer:
        yield f"# {mark_of(equation)}: {slope}"
        return
    by, given, value = slopes[slope], ", ".join(loss.slope_arguments), told
    if loss.output is not None:  # of one alone, by its z
        a = f"{value_name(loss.output)}(z)"
        by, given, value = "z", f"{a}, y", f"z, {a}, y"
    text = f"sp.diff({value_name(loss)}({value}), {by}), {slope}({given})"
    yield f"same({equation.number}, {text})" + _cited(equation)
    places = {1: f"{slope_name(loss)}({', '.join(loss.slope_arguments)})"}
    if loss.of_pairs:
        if slope == slope_name(loss):
            return
        places[2] = f"{slope}({told})"
    elif loss.output is None:
        places = {2: places[1]}
    yield from _closed(net, loss, places)


def _closed(net: Network, function: Activation | Loss, places: dict[int, str]) -> Iterator[str]:
    """Statements that close a function and its derivatives, if they are large."""
    calls, value = calls_of(net), value_name(function)
    slopes = {text.partition("(")[0]: text for text in places.values()}
    if any(_is_large(calls[name][1]) for name in (value, *slopes)):
        yield from (f'{name} = closed("{name}", {name})' for name in slopes)
        told = ", ".join(arguments_of(function))
        given = ", ".join(f"{place}: lambda {told}: {text}" for place, text in places.items())
        yield f'{value} = closed("{value}", {value}, {{{given}}})'


def _is_large(formula: Formula) -> bool:
    nodes = list(formula.nodes())
    return len(nodes) > _MOST_NODES or any(node.operation == "where" for node in nodes)


def _of_layer(net: Network, equation: Equation) -> Iterator[str]:
    """For each parameter of a layer, which stands for any of them."""
    left = equation.left
    assert left is not None
    p = left.arguments[1]
    l = int(p.arguments[0][1:])
    for j in range(net.widths[l]):
        for name in parameters_of(net.layers[l - 1], l, j):
            own = {p.arguments[0]: variable(name)}
            before, after = (_text(substituted(each, own)) for each in (left, equation.right))
            yield f"same({equation.number}, {before}, {after})"
