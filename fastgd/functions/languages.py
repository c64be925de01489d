"""Formulas in other languages: C, and LaTeX."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence

from fastgd.functions.formula import COMPARISONS, Formula
from fastgd.functions.text import Writer

_INFINITE = {math.inf: "INFINITY", -math.inf: "-INFINITY"}
_C = {  # what math.h has no function for
    "sigmoid": "(1.0 / (1.0 + exp(-({0}))))",
    "abs": "fabs({0})",
    "maximum": "fmax({0}, {1})",
    "minimum": "fmin({0}, {1})",
    "normal_cdf": "(0.5 * erfc(-0.7071067811865476 * ({0})))",
    "normal_pdf": "(0.3989422804014327 * exp(-0.5 * ({0}) * ({0})))",
    "softplus": "(fmax({0}, 0.0) + log1p(exp(-fabs({0}))))",
}


def c_number(value: float, real: str = "double") -> str:
    """A number in C, in the fewest digits that are it; infinite where a float can't hold it."""
    if real == "double":
        return _INFINITE.get(value, repr(float(value)))
    import numpy as np

    with np.errstate(over="ignore", under="ignore"):
        single = np.float32(value)
    return _INFINITE.get(float(single), f"{single!s}f")


class C99Writer(Writer):
    """An expression of doubles, or of floats."""

    def __init__(self, formula: Formula, real: str):
        self.real = real
        super().__init__(formula)

    def assigned(self, name: str, text: str) -> str:
        return f"const {self.real} {name} = {text};"

    def number(self, value: float) -> str:
        return c_number(value, self.real)

    def truth(self, node: Formula) -> str:
        if node.operation in COMPARISONS:
            return super().truth(node)
        if node.operation == "not":
            return f"!({self.text(node.arguments[0])})"
        sign = {"and": " && ", "or": " || "}[node.operation]
        return sign.join(f"({self.text(each)})" for each in node.arguments)

    def where(self, truth: Formula, yes: Formula, no: Formula) -> str:
        return f"({self.text(truth)} ? {self.text(yes)} : {self.text(no)})"

    def call(self, name: str, arguments: Sequence[str]) -> str:
        places = ", ".join(f"{{{i}}}" for i in range(len(arguments)))
        pattern = _C.get(name, f"{name}({places})")
        if self.real == "float":
            for each in ("exp", "fmax", "fmin", "log1p", "fabs", "erfc", name):
                pattern = pattern.replace(f"{each}(", f"{each}f(")
            pattern = re.sub(r"(\d\.\d+)", r"\1f", pattern)
        return pattern.format(*arguments)


def c99(
    name: str,
    arguments: Sequence[str],
    formula: Formula,
    real: str = "double",
    linkage: str = "static",
) -> str:
    """A function of C that computes the formula, by what math.h has; real is double or float."""
    writer = C99Writer(formula, real)
    taken = ", ".join(f"{real} {each}" for each in arguments)
    lines = "".join(f"    {line}\n" for line in [*writer.lines, f"return {writer.result};"])
    return f"{linkage} {real} {name}({taken})\n{{\n{lines}}}\n"


# -- LaTeX -----------------------------------------------------------------------------------------

_SIGNS = {"less": "<", "less_equal": r"\le", "equal": "="}
_LATEX = {
    "exp": r"e^{{{0}}}", "expm1": r"\left(e^{{{0}}} - 1\right)", "sqrt": r"\sqrt{{{0}}}",
    "log1p": r"\log\left(1 + {0}\right)", "sigmoid": r"\sigma\left({0}\right)",
    "erf": r"\operatorname{{erf}}\left({0}\right)", "sin": r"\sin\left({0}\right)",
    "softplus": r"\log\left(1 + e^{{{0}}}\right)", "log": r"\log\left({0}\right)",
    "cos": r"\cos\left({0}\right)", "tanh": r"\tanh\left({0}\right)",
    "normal_cdf": r"\Phi\left({0}\right)", "abs": r"\left|{0}\right|",
    "normal_pdf": r"\varphi\left({0}\right)",
    "maximum": r"\max\left({0}, {1}\right)", "minimum": r"\min\left({0}, {1}\right)",
    "fma": r"\left({0} \cdot {1} + {2}\right)",
}  # fmt: skip


# how strongly what is written binds
_SUM, _PREFIX, _PRODUCT, _POWER, _ATOM = 1, 2, 3, 4, 5


def latex_name(name: str) -> str:
    """A variable in LaTeX's mathematics."""
    if re.fullmatch(r"[a-z]\d+", name):
        return f"{name[0]}_{{{name[1:]}}}"
    return name if len(name) == 1 else rf"\mathrm{{{name.replace('_', ' ')}}}"


def latex(
    formula: Formula,
    names: Callable[[str], str] = latex_name,
    patterns: Mapping[str, str] | None = None,
    prefixes: Sequence[str] = (),
    products: Mapping[str, str] | None = None,
) -> str:
    """The formula in LaTeX's mathematics, all of it one expression; `patterns` has operations that
    formulas of numbers have not, of which `prefixes` reach as far as a product does; `products` has
    the signs of others.
    """
    known = _LATEX if patterns is None else {**_LATEX, **patterns}

    def written(node: Formula, inner: tuple[tuple[str, int], ...]) -> tuple[str, int]:
        """The text, and how strongly it binds."""
        operation, texts = node.operation, [text for text, _ in inner]
        if operation == "variable":
            name = names(node.arguments[0])
            return name, _POWER if "^" in name else _ATOM
        if node.number is not None:
            return _number(node.number), _ATOM if node.number >= 0 else _SUM
        if operation in ("add", "subtract"):
            sign = " + " if operation == "add" else " - "
            return _within(inner[0], _SUM) + sign + _within(inner[1], _SUM + 1), _SUM
        if operation == "multiply":
            if node.arguments[0] is node.arguments[1]:
                return f"{_within(inner[0], _ATOM)}^2", _POWER
            left, right = _within(inner[0], _PRODUCT), _within(inner[1], _POWER)
            return f"{left} {_times(right)}{right}", _PRODUCT
        if products is not None and operation in products:
            left, right = _within(inner[0], _PRODUCT), _within(inner[1], _POWER)
            return f"{left} {products[operation]}{right}", _PRODUCT
        if operation == "divide":
            return rf"\frac{{{texts[0]}}}{{{texts[1]}}}", _POWER
        if operation == "negative":
            return f"-{_within(inner[0], _PRODUCT)}", _SUM
        if operation in _SIGNS:
            return f"{texts[0]} {_SIGNS[operation]} {texts[1]}", 0
        if operation in ("and", "or", "not"):
            words = {"and": r" \land ", "or": r" \lor "}
            text = words.get(operation, "").join(rf"\left({each}\right)" for each in texts)
            return (rf"\lnot {text}" if operation == "not" else text), 0
        if operation == "where":
            truth, yes, no = texts
            rows = rf"{yes} & \text{{if }} {truth} \\ {no} & \text{{otherwise}}"
            return rf"\begin{{cases}} {rows} \end{{cases}}", _SUM
        return known[operation].format(*texts), _PREFIX if operation in prefixes else _POWER

    text: str = formula.changed(written)[0]
    return text


def _within(part: tuple[str, int], level: int) -> str:
    text, binds = part
    return text if binds >= level else rf"\left({text}\right)"


def _times(factor: str) -> str:
    """Between numbers a point says that they are two."""
    return r"\cdot " if factor[:1].isdigit() else ""


def _number(value: float) -> str:
    if math.isinf(value):
        return r"\infty" if value > 0 else r"-\infty"
    mantissa, _, exponent = f"{value:.12g}".partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa
