"""Formulas in other languages: C, and LaTeX."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from fastgd.functions.formula import COMPARISONS, Formula
from fastgd.functions.text import Writer

_INFINITE = {math.inf: "INFINITY", -math.inf: "-INFINITY"}
_C = {  # what math.h has no function for
    "sigmoid": "(1.0 / (1.0 + exp(-({0}))))",
    "abs": "fabs({0})",
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


class _C99(Writer):
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
            for each in ("exp", "fmax", "log1p", "fabs", "erfc", name):
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
    writer = _C99(formula, real)
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
    "fma": r"\left({0} \cdot {1} + {2}\right)",
}  # fmt: skip


def latex(formula: Formula) -> str:
    """The formula in LaTeX's mathematics, all of it one expression."""

    def written(node: Formula, inner: tuple[tuple[str, int], ...]) -> tuple[str, int]:
        """The text, and how strongly it binds."""
        operation, texts = node.operation, [text for text, _ in inner]
        if operation == "variable":
            return _name(node.arguments[0]), 4
        if node.number is not None:
            return _number(node.number), 4 if node.number >= 0 else 1
        if operation in ("add", "subtract"):
            sign = " + " if operation == "add" else " - "
            return _within(inner[0], 1) + sign + _within(inner[1], 2), 1
        if operation == "multiply":
            if node.arguments[0] is node.arguments[1]:
                return f"{_within(inner[0], 4)}^2", 3
            return f"{_within(inner[0], 2)} {_times(inner[1])}{_within(inner[1], 3)}", 2
        if operation == "divide":
            return rf"\frac{{{texts[0]}}}{{{texts[1]}}}", 3
        if operation == "negative":
            return f"-{_within(inner[0], 2)}", 1
        if operation in _SIGNS:
            return f"{texts[0]} {_SIGNS[operation]} {texts[1]}", 0
        if operation in ("and", "or", "not"):
            words = {"and": r" \land ", "or": r" \lor "}
            text = words.get(operation, "").join(rf"\left({each}\right)" for each in texts)
            return (rf"\lnot {text}" if operation == "not" else text), 0
        if operation == "where":
            truth, yes, no = texts
            rows = rf"{yes} & \text{{if }} {truth} \\ {no} & \text{{otherwise}}"
            return rf"\begin{{cases}} {rows} \end{{cases}}", 1
        return _LATEX[operation].format(*texts), 3

    text: str = formula.changed(written)[0]
    return text


def _within(part: tuple[str, int], level: int) -> str:
    text, binds = part
    return text if binds >= level else rf"\left({text}\right)"


def _times(factor: tuple[str, int]) -> str:
    """Between numbers a point says that they are two."""
    return r"\cdot " if factor[0][:1].isdigit() else ""


def _name(name: str) -> str:
    return name if len(name) == 1 else rf"\mathrm{{{name.replace('_', ' ')}}}"


def _number(value: float) -> str:
    if math.isinf(value):
        return r"\infty" if value > 0 else r"-\infty"
    mantissa, _, exponent = f"{value:.12g}".partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa
