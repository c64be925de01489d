"""A derivation as a module of Python over NumPy, which computes cost and gradient by it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from fastgd.derivation.program import ABOUT, Line, Part, Program, wrapped
from fastgd.derivation.steps import Derivation
from fastgd.functions.text import InOneLine, python
from fastgd.kernels.generated.equations import parameter_names
from fastgd.network import Network

_WIDE = 96
_NUMPY = (
    "cos", "exp", "expm1", "log", "log1p", "maximum", "mean", "minimum", "sin", "sqrt", "tanh",
    "where",
)  # fmt: skip
_OWN = {  # what NumPy has not, or by another name
    "sigmoid": (
        'def sigmoid(x):\n    """1 / (1 + e^-x)."""\n'
        "    small = np.exp(-abs(x))\n    return np.where(x < 0, small, 1.0) / (1.0 + small)"
    ),
    "softplus": 'def softplus(x):\n    """log(1 + e^x)."""\n    return np.logaddexp(0.0, x)',
    "erf": (
        'def erf(x):\n    """The error function."""\n'
        "    return np.vectorize(math.erf, otypes=[float])(x)"
    ),
    "normal_pdf": (
        'def normal_pdf(x):\n    """The density of the normal distribution at x."""\n'
        "    return np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)"
    ),
    "normal_cdf": (
        'def normal_cdf(x):\n    """The share of the normal distribution below x."""\n'
        "    return 0.5 * np.vectorize(math.erfc, otypes=[float])(-math.sqrt(0.5) * x)"
    ),
}
_COLUMNS = '''def columns(rows):
    """The columns of (n, count) rows; n numbers are one column."""
    rows = np.asarray(rows, float)
    return rows[None] if rows.ndim == 1 else rows.T'''


def to_python(derivation: Derivation) -> str:
    """A module with `cost(params, X, Y)` and `gradient(params, X, Y)`, and for squared error
    `layerwise_gradient`.
    """
    program = Program(derivation)
    used = program.operations
    own = [text for name, text in _OWN.items() if name in used]
    names = ", ".join(name for name in _NUMPY if name in used)
    imports = ["import math\n"] if any("math." in text for text in own) else []
    imports += ["import numpy as np", *([f"from numpy import {names}"] if names else [])]
    parts = ["\n".join([_about(derivation.net), "", *imports]), _COLUMNS, *own]
    parts += [
        f"# {each.mark}\n{python(each.name, each.arguments, each.formula)}"
        for each in program.functions
    ]
    quiet = '@np.errstate(all="ignore")  # of what `where` does not choose\n'
    parts += [
        (quiet if "where" in used else "") + _function(program.net, part) for part in program.parts
    ]
    return "\n\n\n".join(parts) + "\n"


def _about(net: Network) -> str:
    own = f"{ABOUT[-1]} A\nname holds a number for each of the n rows, or one of all."
    text = "\n".join([*ABOUT[:-1], own])
    return f'"""Gradient descent of one network, as the notes derive it:\n{net}.\n\n{text}\n"""'


def _function(net: Network, part: Part) -> str:
    lines = [f"def {part.name}(params, X, Y):", f'    """{part.about}"""']
    lines += _unpacked(parameter_names(net), "np.asarray(params, float)")
    needed = part.variables
    for letter, width in (("x", net.widths[0]), ("y", net.n_targets)):
        names = [f"{letter}_{k}" for k in range(width)]
        if needed & set(names):
            lines += _unpacked(names, f"columns({letter.upper()})")
    lines += [text for line in part.lines for text in _written(line)]
    if part.name == "cost":
        return "\n".join([*lines, "    return mean(loss)"])
    return "\n".join([*lines, "    return np.array([", *_inside(part.results), "    ])"])


def _unpacked(names: Sequence[str], of: str) -> list[str]:
    """Names of what an array holds."""
    text = f"    ({', '.join(names)}{',' if len(names) == 1 else ''}) = {of}"
    return [text] if len(text) <= _WIDE else ["    (", *_inside(names), f"    ) = {of}"]


def _inside(names: Sequence[str]) -> list[str]:
    return [f"        {line}" for line in wrapped(names, _WIDE - 8)]


def _written(line: Line) -> list[str]:
    """A statement, in as many lines as it needs."""
    value = InOneLine(line.formula).result
    text = f"    {line.name} = {value}  # {line.mark}"
    if len(text) <= _WIDE:
        return [text]
    if len(f"    {line.name} = {value}") <= _WIDE:
        return [f"    # {line.mark}", f"    {line.name} = {value}"]
    rows = textwrap.wrap(value, _WIDE - 8, break_long_words=False, break_on_hyphens=False)
    return [f"    {line.name} = (  # {line.mark}", *(f"        {row}" for row in rows), "    )"]
