"""A derivation as a document of LaTeX, or as a page of Markdown with the same mathematics."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastgd.derivation.matrix_form import MatrixNotation
from fastgd.derivation.notation import Notation
from fastgd.derivation.notes import CITED
from fastgd.derivation.steps import Derivation, Equation, Section
from fastgd.functions.formula import Formula

# of a line, in letters as they are set; and of a display, in lines
_WIDE, _LONG = 58, 40
_HEAD = r"""\documentclass{article}
\usepackage{amsmath}
\setlength{\textwidth}{6.5in}
\setlength{\textheight}{9in}
\setlength{\oddsidemargin}{0in}
\setlength{\topmargin}{-0.5in}
\allowdisplaybreaks
\begin{document}
"""


def to_latex(derivation: Derivation) -> str:
    """A document of article and amsmath, for pdflatex."""
    notation = notation_of(derivation)
    lines = [
        rf"\section*{{\raggedright {_title(derivation)}}}",
        "",
        *notation.legend(),
        "",
    ]
    for section in derivation.sections:
        lines += [rf"\section{{{section.title}}}", "", section.text]
        for display in _displays(section, notation):
            lines += [r"\begin{align}", *display, r"\end{align}"]
    lines += [r"\section*{What is cited}", "", r"\begin{itemize}"]
    lines += [rf"\item {cite}: {CITED[cite]}" for cite in _cited(derivation)]
    return _HEAD + "\n".join([*lines, r"\end{itemize}", r"\end{document}", ""])


def to_markdown(derivation: Derivation) -> str:
    """A page whose displays stand between lines of $$."""
    notation = notation_of(derivation)
    lines = [f"# {_title(derivation)}", "", *notation.legend(), ""]
    for section in derivation.sections:
        lines += [f"## {section.title}", "", section.text, ""]
        for display in _displays(section, notation):
            lines += ["$$", r"\begin{align}", *display, r"\end{align}", "$$", ""]
    lines += ["## What is cited", ""]
    return "\n".join([*lines, *(f"- {each}: {CITED[each]}" for each in _cited(derivation)), ""])


def notation_of(derivation: Derivation) -> Notation:
    """How its names are written."""
    kind = MatrixNotation if derivation.whole_layers else Notation
    return kind(derivation.net)


def _title(derivation: Derivation) -> str:
    net = derivation.net
    names = ", ".join(dict.fromkeys(net.activations))
    widths = "-".join(map(str, net.widths))
    return f"Gradient descent of a network {widths}: {names}; {net.loss}".replace("_", " ")


def _cited(derivation: Derivation) -> list[str]:
    used = {cite for equation in derivation.equations for cite in equation.cites}
    return [cite for cite in CITED if cite in used]


# -- lines -----------------------------------------------------------------------------------------


def _displays(section: Section, notation: Notation) -> Iterator[list[str]]:
    """The lines of a section, in displays that begin with a left side."""
    display: list[str] = []
    for equation in section.equations:
        if display and equation.left is not None and len(display) >= _LONG:
            yield _joined(display)
            display = []
        display += _lines(equation, notation)
    yield _joined(display)


def _joined(lines: list[str]) -> list[str]:
    return [rf"{line} \\" for line in lines[:-1]] + lines[-1:]


def _lines(equation: Equation, notation: Notation) -> list[str]:
    """One equation, whose right side takes as many lines as it needs."""
    left = "" if equation.left is None else notation.text(equation.left)
    parts: list[tuple[str, str]] = []
    if equation.left is not None and equation.left.operation in notation.calls:
        text, parts = notation.definition(equation.right)
        rows = [text]
    else:
        right = notation.written_out(equation.right)
        rows = _rows(right, notation, _WIDE - _width(left))
    sign = r"\leftarrow" if left == "p" else "="
    cite = ", ".join(equation.cites)
    end = (rf" && {{\scriptstyle\text{{{cite}}}}}" if cite else "") + rf" \tag{{{equation.number}}}"
    lines = [f"{left} &{sign} {rows[0]}".strip()]
    lines += [rf"&\quad {row}" for row in rows[1:]]
    lines += [rf"&\quad {name} = {text}" for name, text in parts]
    numbered = 0 if parts else len(lines) - 1
    return [line + (end if i == numbered else r" \notag") for i, line in enumerate(lines)]


def _rows(formula: Formula, notation: Notation, room: int) -> list[str]:
    """The text of a formula, a long sum in several rows."""
    rows = [""]
    for sign, term in _signed(formula):
        piece = f"{sign} {notation.text(term)}".strip()
        if rows[-1] and _width(rows[-1]) + _width(piece) > room:
            rows.append("")
        rows[-1] = f"{rows[-1]} {piece}".strip()
    return rows


def _signed(formula: Formula) -> list[tuple[str, Formula]]:
    """The terms of a sum with what stands before them."""
    if formula.operation not in ("add", "subtract"):
        return [("", formula)]
    before, term = formula.arguments
    return [*_signed(before), ("+" if formula.operation == "add" else "-", term)]


def _width(text: str) -> int:
    """About as many letters as a text takes: marks above and below count half, for they are small
    and stand one above the other.
    """
    text = re.sub(r"\\(left|right|quad|mathrm|text|begin|end|notag)\b", "", text)
    plain = re.sub(r"\\[a-z]+", "x", text)
    small = sum(len(each) for each in re.findall(r"[_^]\{([^{}]*)\}", plain))
    return len(re.sub(r"[_^{}\s\\]", "", plain)) - small // 2
