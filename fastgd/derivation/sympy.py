"""A derivation as a module over SymPy, which confirms that each step equals the one before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fastgd.derivation.deriving import meanings_of, parameters_of
from fastgd.derivation.kernel_lines import calls_of, substituted
from fastgd.derivation.program import ABOUT, mark_of, wrapped
from fastgd.derivation.steps import Derivation, Equation
from fastgd.formulas.texts import slope_name, value_name
from fastgd.functions.formula import Formula, variable
from fastgd.functions.text import CompiledWriter
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
_CHOICE = '''

class where_{name}(sp.Function):
    """x where this {sign} other, otherwise y; SymPy's own takes long to look at nested ones."""

    nargs = 4

    @classmethod
    def eval(cls, this, other, x, y):
        if this.is_number and other.is_number:
            return x if this {sign} other else y

    def _eval_derivative(self, by):
        this, other, x, y = self.args
        return where_{name}(this, other, x.diff(by), y.diff(by))
'''
_HELPERS = '''
DIGITS, POINTS, TOLERANCE, SHORT = 50, 3, sp.Float("{tolerance}"), 40
values = [{{}} for _ in range(POINTS)]  # of every name, at some points
defined, constant = {{}}, set()  # what names stand for, in order; and those that stay as they are
exact, numeric = [], []  # equations that are confirmed by algebra, and at the points


def given(names):
    """Symbols, with a number at every point."""
    chance, symbols = random.Random(names), sp.symbols(names, real=True, seq=True)
    for at in values:
        for each in symbols:
            at[each] = sp.Float(sp.Rational(chance.randint(-1500, 1500), 1000), DIGITS)
    return symbols


def named(name, stands_for, stays=False):
    """A symbol for what it stands for; that is no function of anything, if it stays."""
    symbol = sp.Symbol(name, real=True)
    defined[symbol] = stands_for
    constant.update({{symbol}} if stays else ())
    for at in values:
        at[symbol] = number(stands_for, at)
    return symbol


def number(expression, at):
    """What an expression is at a point."""
    return sp.sympify(expression).xreplace(at).evalf(DIGITS)


def partial(of, by):
    """The derivative by SymPy, through all that was named since."""
    for name in reversed(defined):
        if name == by:
            break
        of = of if name in constant else of.xreplace({{name: defined[name]}})
    return sp.diff(of, by)


def closed(name, function, slopes=()):
    """A function that is computed of numbers only, by its derivatives by arguments of some places;
    SymPy takes long to look into large ones again and again.
    """

    def evaluate(cls, *given):
        return function(*given) if all(each.is_number for each in given) else None

    def fdiff(self, place=1):
        return slopes[place](*self.args) if place in slopes else sp.Integer(0)

    return type(name, (sp.Function,), {{"eval": classmethod(evaluate), "fdiff": fdiff}})


def mean(of_a_sample):
    """The mean over the samples: what is equal for each is equal in the mean."""
    return of_a_sample


def same(line, before, after):
    """`after`, or an AssertionError that names the line unless it equals what stands before."""
    if before == after or sp.count_ops(before) < SHORT and sp.expand(before - after) == 0:
        exact.append(line)
        return after
    for at in values:
        left, right = number(before, at), number(after, at)
        assert abs(left - right) <= TOLERANCE * (1 + abs(left)), f"({{line}}): {{left}}, {{right}}"
    numeric.append(line)
    return after
'''
_END = """

if __name__ == "__main__":
    print(f"{len(exact)} steps are confirmed by algebra, {len(numeric)} to {DIGITS} digits")
"""


class _Sympy(CompiledWriter):
    """An expression of SymPy's, whose numbers are exact."""

    def _used(self, node: Formula) -> Sequence[Formula]:
        return ()

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
    parts += [_HELPERS.format(tolerance="1e-12" if is_rounded else "1e-30")]
    parts += [
        _CHOICE.format(name=name, sign=sign) for name, sign in _CHOICES.items() if name in used
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
    return "".join(parts) + _END


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
    names = [f"x_{k}" for k in range(net.widths[0])] + [f"y_{k}" for k in range(net.widths[-1])]
    names += parameter_names(net)
    if net.layers[-1].function.whole_layer:  # which is the same for any
        names += ["largest"]
    for line in wrapped(["z", "a", "y", *names], _WIDE - 12):
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
    left, loss = equation.left, net.loss_function
    assert left is not None
    functions = {slope_name(layer.function): layer.function for layer in net.layers}
    slope = left.operation
    if slope in functions:
        value = value_name(functions[slope])
        told, place, derived = "z", 1, f"{slope}(z, {value}(z))"
        text = f"sp.diff({value}(z), z), {derived}"
    elif slope == slope_name(loss) and not loss.whole_layer:
        value, place = value_name(loss), 2 if loss.output is None else 1
        told, derived = "z, a, y", f"{slope}(a, y)"
        a = "a" if loss.output is None else f"{value_name(loss.output)}(z)"
        text = f"sp.diff({value}(z, {a}, y), {'za'[place - 1]}), {slope}({a}, y)"
    else:
        yield f"# {mark_of(equation)}: {slope}"
        return
    yield f"same({equation.number}, {text})" + _cited(equation)
    if any(_is_large(calls_of(net)[name][1]) for name in (slope, value)):
        yield f'{slope} = closed("{slope}", {slope})'
        slopes = f"{{{place}: lambda {told}: {derived}}}"
        yield f'{value} = closed("{value}", {value}, {slopes})'


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
