"""A derivation as C99, which computes cost and gradient by it, and needs nothing but math.h."""

from __future__ import annotations

from collections.abc import Sequence

from fastgd.derivation.program import ABOUT, Line, Part, Program
from fastgd.derivation.steps import Derivation
from fastgd.export.c_words import comment
from fastgd.functions.languages import C99Writer, c99
from fastgd.functions.text import InOneLine
from fastgd.kernels.generated.equations import parameter_names
from fastgd.network import Network

_TAKEN = "const double params[PARAMS], const double *X, const double *Y, size_t n"


class _OneLine(InOneLine, C99Writer):
    """An expression of C."""


def to_c(derivation: Derivation) -> str:
    """A file with `cost`, `gradient`, and for squared error `layerwise_gradient`."""
    program = Program(derivation)
    net = program.net
    sizes = {"INPUTS": net.widths[0], "TARGETS": net.n_targets, "PARAMS": net.n_params}
    parts = [
        _about(net),
        "#include <math.h>\n#include <stddef.h>\n",
        "".join(f"#define {name} {size}\n" for name, size in sizes.items()),
        *(
            f"/* {each.mark} */\n{c99(each.name, each.arguments, each.formula)}"
            for each in program.functions
        ),
        *(_function(net, part) for part in program.parts),
    ]
    return "\n".join(parts)


def _about(net: Network) -> str:
    lines = ["Gradient descent of one network, as the notes derive it:", f"{net}.", "", *ABOUT]
    return comment([*lines, "X is n rows of INPUTS, Y n rows of TARGETS."])


def _function(net: Network, part: Part) -> str:
    is_cost = part.name == "cost"
    names = [f"x_{k}" for k in range(net.widths[0])] + [f"y_{k}" for k in range(net.n_targets)]
    needed = part.variables
    params = [
        f"const double {name} = params[{i}];"
        for i, name in enumerate(parameter_names(net))
        if name in needed
    ]
    row = [f"const double {name} = {_place(name)};" for name in names if name in needed]
    row += [_statement(line, is_cost, part.results) for line in part.lines]
    lines = [
        *(["double total = 0.0;"] if is_cost else []),
        *(f"(void){each};" for each in _unused(needed)),
        *([] if is_cost else ["for (int p = 0; p < PARAMS; ++p) result[p] = 0.0;"]),
        *params,
        "for (size_t i = 0; i < n; ++i) {",
        *(f"    {each}" for each in row),
        *(["    total += loss;"] if is_cost else []),
        "}",
        "return total / (double)n;"
        if is_cost
        else "for (int p = 0; p < PARAMS; ++p) result[p] /= (double)n;",
    ]
    head = "double cost(" if is_cost else f"void {part.name}("
    head += _TAKEN + ("" if is_cost else ",\n    double result[PARAMS]") + ")"
    body = "".join(f"    {line}\n" for line in lines)
    return f"/* {part.about} */\n{head}\n{{\n{body}}}\n"


def _place(name: str) -> str:
    letter, _, k = name.partition("_")
    return f"{letter.upper()}[i * {'INPUTS' if letter == 'x' else 'TARGETS'} + {k}]"


def _unused(needed: set[str]) -> list[str]:
    """Arguments of which nothing is needed."""
    letters = {name[0] for name in needed}
    return [name for name, letter in (("X", "x"), ("Y", "y")) if letter not in letters]


def _statement(line: Line, is_cost: bool, results: Sequence[str]) -> str:
    """A line of one row; means are summed, and divided after the last."""
    formula = line.formula
    if not is_cost and formula.operation == "mean":
        (summand,) = formula.arguments
        text = f"result[{results.index(line.name)}] += {_OneLine(summand, 'double').result};"
    else:
        text = f"const double {line.name} = {_OneLine(formula, 'double').result};"
    return f"{text} /* {line.mark} */"
