"""Names and formulas of a derivation as the notes write them, in LaTeX's mathematics."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType

from fastgd.derivation.deriving import meanings_of
from fastgd.derivation.kernel_lines import calls_of, substituted
from fastgd.formulas.texts import slope_by_b_name, slope_name, value_name
from fastgd.functions.activation import Activation
from fastgd.functions.by_hand import by_hand
from fastgd.functions.derivative import ONE
from fastgd.functions.formula import Formula, variable
from fastgd.functions.languages import latex
from fastgd.network import Network

CITING = (
    "Each line has a number, and before it the equation of the notes of which it is a case: file "
    "002 is the paper, 004 the matrix form and Algorithm 1."
)
_SMALL = 8  # nodes of a derivative that is written out where it is used
_LARGE = 5  # nodes of what is written once where it is needed twice
_PLAIN = {
    "loss": r"\ell_i", "C": "C", "largest": r"\mu_i", "exponentials": "s_i",
    "log_sum_exp": r"\lambda_i", "target": "t_i", "inner": "h_i", "rate": r"\eta", "p": "p",
    "total": "t",
}  # fmt: skip
_INDEXED = re.compile(r"(delta|loss|[wbzaexypC])(\d*)_?(\d*)_?(\d*)")
_PREFIXES = ("partial", "mean", "units")
_IN_WORDS = {  # whose formula has no other name
    "tanh": r"\frac{e^{z} - e^{-z}}{e^{z} + e^{-z}}", "sin": r"\text{the sine of } z",
}  # fmt: skip
_OPERATORS = ("tanh", "sin", "exp")


class Notation:
    """How a network's names and functions are written."""

    products: Mapping[str, str] = MappingProxyType({})  # signs of those that are none of numbers

    def __init__(self, net: Network):
        self.net, self.calls = net, calls_of(net)
        self.meanings = {
            name: of for name, of in meanings_of(net).items() if not name.startswith("delta")
        }
        self.patterns = {
            "partial": r"\partial_{{{1}}} {0}", "new": "{0}",
            "mean": r"\tfrac{{1}}{{n}} \textstyle\sum_{{i=1}}^n {0}",
        }  # fmt: skip
        for layer in net.layers:
            self._name_function(layer.function, _function_name(layer.function))
        loss = net.loss_function
        told = ", ".join(f"{{{i}}}" for i in self._places(value_name(loss)))
        self.patterns[value_name(loss)] = rf"\ell({told})"
        told = ", ".join(f"{{{i}}}" for i in range(len(loss.slope_arguments)))
        by_a = r"\partial_a \ell" if loss.of_pairs else r"\ell'"
        self.patterns[slope_name(loss)] = f"{by_a}({told})"
        self.patterns[slope_by_b_name(loss)] = rf"\partial_b \ell({told})"

    def _name_function(self, function: Activation, name: str) -> None:
        name = name.replace("{", "{{").replace("}", "}}")
        self.patterns[value_name(function)] = rf"{name}({{0}})"
        of_slope = name if "_" not in name else f"({name})"
        self.patterns[slope_name(function)] = rf"{of_slope}'({{0}})"

    def _places(self, name: str) -> list[int]:
        """Which of its arguments a function needs."""
        arguments, formula = self.calls[name]
        used = formula.variables
        return [i for i, each in enumerate(arguments) if each in used]

    @cached_property
    def small(self) -> dict[str, Formula]:
        """Derivatives and losses that are written out where they are used, by name."""
        activations = {value_name(layer.function) for layer in self.net.layers}
        found = {
            name: by_hand(of) for name, (_, of) in self.calls.items() if name not in activations
        }
        return {
            name: formula for name, formula in found.items()
            if len(list(formula.nodes())) <= _SMALL and not _has(formula, "where")
        }  # fmt: skip

    def written_out(self, formula: Formula) -> Formula:
        """By hand, with the small functions in the place of their calls."""

        def change(node: Formula, inner: tuple[Formula, ...]) -> Formula:
            if node.operation in self.small:
                names = self.calls[node.operation][0]
                return substituted(self.small[node.operation], dict(zip(names, inner, strict=True)))
            return node.with_inner(inner)

        return by_hand(formula.changed(change))

    # -- text

    def legend(self) -> list[str]:
        """What the names are, in sentences."""
        last = len(self.net.layers)
        names = ("x_0", "y_0", f"w{last}_0_0", f"b{last}_0", f"z{last}_0", f"a{last}_0")
        x, y, w, b, z, a = map(self.name, names)
        biases = f", ${b}$ the bias of a unit" if self.net.bias else ""
        lines = [
            f"Sample $i$ of $n$ has inputs ${x}$ and targets ${y}$. ${w}$ is a weight of layer "
            f"{last}, to a unit from a unit of the layer before{biases}; ${z}$ is a "
            f"pre-activation, ${a}$ an activation, $\\ell_i$ the loss of a sample, $C$ the cost.",
            "A layer of one unit needs no index of units, a network of one layer none of layers.",
            CITING,
        ]
        if self.net.layers[-1].function.whole_layer:
            lines += [
                "$\\mu_i$ is the largest pre-activation of the last layer, less which all of them "
                "give the same quotients $a$ of finite exponentials $q$."
            ]
        return lines

    def text(self, formula: Formula) -> str:
        """A formula that is written out already."""
        told = substituted(formula, self.meanings)
        return latex(told, self.name, self.patterns, _PREFIXES, self.products)

    def definition(self, formula: Formula) -> tuple[str, list[tuple[str, str]]]:
        """A function's formula, with what it needs more than once by names of their own."""
        if formula.operation in _IN_WORDS:
            return _IN_WORDS[formula.operation], []
        formula = by_hand(formula.changed(_without_sigmoid))
        known: dict[Formula, Formula] = {}
        parts: list[tuple[str, str]] = []
        uses = Counter(each for node in formula.nodes() for each in node.inner)

        def change(node: Formula, inner: tuple[Formula, ...]) -> Formula:
            written = node.with_inner(inner)
            if uses[node] > 1 and len(list(node.nodes())) >= _LARGE and node is not formula:
                known[node] = variable(f"u_{len(known) + 1}")
                parts.append((f"u_{len(known)}", self.text(written)))
                return known[node]
            return written

        return self.text(formula.changed(change)), parts

    def name(self, name: str) -> str:
        """A variable."""
        if name in _PLAIN:
            return _PLAIN[name]
        if name.startswith("u_"):
            return name
        if name.startswith("e_"):
            return self._with("q", "", self._units(len(self.net.layers), int(name[2:])), "i")
        match = _INDEXED.fullmatch(name)
        if match is None:
            return name
        kind, l, j, k = match.groups()
        if kind == "C":
            return f"C^{{({l})}}"
        if kind == "loss":
            return f"C^{{({l})}}_i"
        if kind == "p":
            return f"p^{{({l})}}"
        if kind in "xy":
            if not (l or j):
                return kind
            several = self.net.widths[0] if kind == "x" else self.net.n_targets
            return self._with(kind, "", [str(int(l or j) + 1)] if several > 1 else [], "i")
        if kind == "delta":
            return self._of_unit(r"\delta", l, j)
        if not l:
            return kind
        if kind in "wb":
            units = self._units(int(l), int(j)) + (self._units(int(l) - 1, int(k)) if k else [])
            return self._with(kind, l, units, "")
        return self._of_unit(kind, l, j)

    def _of_unit(self, kind: str, l: str, j: str) -> str:
        return self._with(kind, l, self._units(int(l), int(j)), "i")

    def _units(self, l: int, j: int) -> list[str]:
        """The index of a unit, from 1; none where a layer has but one."""
        return [] if self.net.widths[l] == 1 else [str(j + 1)]

    def _with(self, kind: str, l: str, units: list[str], sample: str) -> str:
        """A name with its layer, if there are several, its sample and its units."""
        above = f"^{{({l})}}" if l and len(self.net.layers) > 1 else ""
        separator = "," if max(self.net.widths) > 9 else ""
        below = separator.join([*([sample] if sample else []), *units])
        return f"{kind}{above}_{{{below}}}" if below else f"{kind}{above}"


def _has(formula: Formula, operation: str) -> bool:
    return any(node.operation == operation for node in formula.nodes())


def _without_sigmoid(node: Formula, inner: tuple[Formula, ...]) -> Formula:
    """1 / (1 + e^-x) for the sigmoid of x."""
    if node.operation != "sigmoid":
        return node.with_inner(inner)
    below = Formula("exp", Formula("negative", inner[0]))
    return Formula("divide", ONE, Formula("add", ONE, below))


def _function_name(function: Activation) -> str:
    if function.family == "sigmoid":
        return r"\sigma"
    if function.name in _OPERATORS:
        return f"\\{function.name}"
    family, _, numbers = function.name.partition("(")
    name = family.replace("_", r"\ ")
    return rf"\mathrm{{{name}}}" + (rf"_{{{numbers[:-1]}}}" if numbers else "")
