"""Formulas as text: for compiled code, for C, and for LaTeX."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fastgd.functions.formula import COMPARISONS, TRUTHS, Formula

_SIGNS = {"add": " + ", "subtract": " - ", "multiply": " * ", "divide": " / "}
_COMPARED = {"less": " < ", "less_equal": " <= ", "equal": " == "}
# how strongly an operation binds; what is not here binds like a name
_LEVELS = {
    "or": 0, "and": 1, "not": 2, "less": 3, "less_equal": 3, "equal": 3, "add": 4, "subtract": 4,
    "multiply": 5, "divide": 5, "negative": 6,
}  # fmt: skip
_NAME = 7


def level_of(node: Formula) -> int:
    """How strongly what it is written as binds."""
    if node.number is not None and node.number < 0:
        return _LEVELS["negative"]
    return _LEVELS.get(node.operation, _NAME)


class Writer:
    """Writes a formula as Python; what is needed more than once is computed first, by a name."""

    def __init__(self, formula: Formula):
        self.formula = formula
        self.names: dict[Formula, str] = {}
        self.lines: list[str] = []
        nodes = list(formula.nodes())
        uses = Counter(each for node in nodes for each in self._used(node))
        for node in nodes:
            if uses[node] > 1 and node.inner and node.operation not in TRUTHS:
                text, name = self.text(node), f"t{len(self.names)}"
                self.lines.append(self.assigned(name, text))
                self.names[node] = name
        self.result = self.text(formula)

    def _used(self, node: Formula) -> Sequence[Formula]:
        """What it is computed of, as often as it is written."""
        return node.inner

    def assigned(self, name: str, text: str) -> str:
        """A statement that gives a name to what is computed."""
        return f"{name} = {text}"

    def text(self, node: Formula) -> str:
        """The expression of a node."""
        if node in self.names:
            return self.names[node]
        operation, inner = node.operation, node.inner
        if operation == "variable":
            return str(node.arguments[0])
        if node.number is not None:
            return self.number(node.number)
        if operation in _SIGNS:
            left, right = inner
            return self.within(node, left, 0) + _SIGNS[operation] + self.within(node, right, 1)
        if operation == "negative":
            return f"-{self.within(node, inner[0], 1)}"
        if operation in TRUTHS:
            return self.truth(node)
        if operation == "where":
            return self.where(*inner)
        return self.call(operation, [self.text(each) for each in inner])

    def within(self, node: Formula, inner: Formula, more: int) -> str:
        """A part of an operation, in brackets unless it binds at least as strongly, or `more`."""
        text = self.text(inner)
        level = _NAME if inner in self.names else level_of(inner)
        return text if level >= _LEVELS[node.operation] + more else f"({text})"

    def truth(self, node: Formula) -> str:
        """A comparison, or some of them."""
        inner = [self.within(node, each, 1) for each in node.inner]
        if node.operation in COMPARISONS:
            return _COMPARED[node.operation].join(inner)
        if node.operation == "not":
            return f"~({self.text(node.inner[0])})"
        return {"and": " & ", "or": " | "}[node.operation].join(f"({text})" for text in inner)

    def number(self, value: float) -> str:
        """A number."""
        return repr(value)

    def where(self, truth: Formula, yes: Formula, no: Formula) -> str:
        """One of two."""
        return f"where({self.text(truth)}, {self.text(yes)}, {self.text(no)})"

    def call(self, name: str, arguments: Sequence[str]) -> str:
        """A function of numbers."""
        return f"{name}({', '.join(arguments)})"


class InOneLine(Writer):
    """Writes all of a formula as one expression, with what it needs more than once as often."""

    def _used(self, node: Formula) -> Sequence[Formula]:
        return ()


def python(name: str, arguments: Sequence[str], formula: Formula) -> str:
    """A function over `fastgd.numeric` that computes the formula."""
    return _function(f"def {name}({', '.join(arguments)}):", Writer(formula))


def _function(head: str, writer: Writer) -> str:
    return "\n".join(
        [head, *(f"    {line}" for line in [*writer.lines, f"return {writer.result}"])]
    )


# -- for compiled code -----------------------------------------------------------------------------


class CompiledWriter(Writer):
    """By the functions of `machine`, for single floats and for vectors; numbers are those of the
    dtype of `pattern`.
    """

    def __init__(self, formula: Formula, pattern: str):
        self.pattern = pattern
        super().__init__(formula)

    def _used(self, node: Formula) -> Sequence[Formula]:
        is_simple = node.operation != "where" or node.arguments[0].operation in COMPARISONS
        return node.inner if is_simple else [*node.inner, *node.inner[1:]]

    def number(self, value: float) -> str:
        text = repr(value).replace("inf", "1e999")
        return f"like({self.pattern}, {text})"

    def where(self, truth: Formula, yes: Formula, no: Formula) -> str:
        return self._choice(truth, self.text(yes), self.text(no))

    def _choice(self, truth: Formula, yes: str, no: str) -> str:
        """One of two that are written already."""
        operation, inner = truth.operation, truth.arguments
        if operation == "not":
            return self._choice(inner[0], no, yes)
        if operation == "and":
            return self._choice(inner[0], self._choice(inner[1], yes, no), no)
        if operation == "or":
            return self._choice(inner[0], yes, self._choice(inner[1], yes, no))
        return f"where_{operation}({', '.join(map(self.text, inner))}, {yes}, {no})"

    def call(self, name: str, arguments: Sequence[str]) -> str:
        return super().call("absolute" if name == "abs" else name, arguments)


def compiled(name: str, arguments: Sequence[str], formula: Formula, about: str) -> str:
    """A function that is compiled: `name(arguments)`, for a float or a vector of floats."""
    head = f'@merged\ndef {name}({", ".join(arguments)}):\n    """{about}"""'
    return _function(head, CompiledWriter(formula, arguments[0]))
