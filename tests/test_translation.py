"""Kernels translated to LLVM without Numba's front end: the same as Python computes, and as Numba does."""

import ast
import linecache
from importlib.machinery import BuiltinImporter
from pathlib import Path

import numpy as np
import pytest

import fastgd
from fastgd import kernels
from fastgd.kernels.derivative_entries import SLOPES, NetworkFunctions
from fastgd.kernels.generated import lanes
from fastgd.kernels.matrix_binding import ALL_APART, MATRIX
from fastgd.kernels.stepwise import STRETCH
from fastgd.machine import object_code
from fastgd.machine.cache import Entry
from fastgd.machine.translation.python_source import tree_of
from fastgd.machine.translation.values import UntranslatableError
from fastgd.options import Options

FLOAT64 = np.dtype("float64")

KERNEL = '''"""A program over two arrays."""

import math
from typing import Any, NamedTuple

import numpy as np

from fastgd.machine.jit import kernel, merged
from fastgd.machine.struct import Doubles, Integers
from fastgd.machine.struct_view import viewer


class Box(NamedTuple):
    n: Integers
    x: Doubles


box_of = viewer(Box)

{functions}

@kernel
def train(address, zero, limit):
    box = box_of(address, zero)
    program(box.n, box.x)
'''

# what the names of a program are to Python itself
PYTHON = """
import math
from collections import namedtuple
import numpy as np
from typing import Any, NamedTuple
kernel = merged = lambda function: function
"""

PROGRAMS = {
    "downwards": """
@kernel
def program(n, x):
    step, ends = -2, (n[0], x[0], 7)
    for i in range(9, 2, step):
        n[0] = 10 * n[0] + i
    n[1] = ends[-1] - ends[-3]
    x[0] = ends[-2] + 1
""",
    "integers": """
@kernel
def program(n, x):
    place = 3
    for i in range(-7, 8):
        for j in range(-3, 4):
            if j != 0:
                n[place] = i // j
                n[place + 1] = i % j
                x[place] = i / j
                place += 2
        n[place], n[place + 1], place = i // 4, i % 8, place + 2
    for k in range(10, -5, -3):
        n[0] += k * k - (k >> 1) + (k ^ 3) + (k & 6) + (k | 1)
    n[1] = min(n[0], 5, -2) * max(n[0], 7)
""",
    "floats": """
@kernel
def program(n, x):
    for i in range(12):
        value = x[i] * 0.5 + i
        x[i + 20] = math.sqrt(abs_of(value)) / 3.0 - value ** 2
        x[i + 40] = math.pow(1.5, float(math.floor(value))) + math.pow(abs_of(value), 0.25)
        x[i + 60] = value if value > 2.0 else -value
        n[i] = int(value) + int(value > 1.0)
        x[i + 80] = min(value, 3) + max(i, value, 1.25)


@merged
def abs_of(value):
    return -value if value < 0 else value
""",
    "branches": """
FAR = (2, 5, 11)


@kernel
def kind_of(i):
    if i in FAR:
        return 1
    if i < 4 or not i < 15:
        return 2 if i == 0 else 2.5
    while True:
        i -= 3
        if i < 0:
            return -1
        if i % 2 == 0 and i not in FAR:
            break
    return i


@kernel
def program(n, x):
    total = 0
    for i in range(len(n) // 4):
        if i % 5 == 1:
            continue
        if i == 23:
            break
        share = 1
        if i % 2 == 0:
            share = 0.25
        x[i] = kind_of(i) + share
        total += i
        j = i
        while j > 0 and n[j] == 0:
            j //= 2
            n[j] += 1
    n[100] = total
    if total > 3:
        pass
    elif total < -3:
        n[101] = 1
    else:
        n[102] = 1
""",
    "tuples": """
class Pair(NamedTuple):
    first: Any
    second: Any


STEPS = (4, 9)


@merged
def swapped(pair):
    first, second = pair
    return Pair(second, first)


def scaled_by(factor):
    @merged
    def scaled(value):
        return factor * value

    return scaled


twice, half = scaled_by(2), scaled_by(0.5)


@merged
def over(function, values):
    return function(values[0]) + function(values[1])


@kernel
def program(n, x):
    n[0], n[1] = 5, 8
    n[0], n[1] = n[1], n[0]
    a = b = n[0] + 1
    pair = swapped(Pair(a, 2.5))
    x[0], n[2] = pair.first, pair.second + b
    for i in range(2):
        n[3 + i] = STEPS[i]
    x[1] = over(half, (3, 4.0))
    n[5] = over(twice, (3, 4))
    x[2], x[3] = third_of((1.5, 2.5)), third_of((1.5, 2.5, 3.5))
    i = i_at_last(10)
    n[6] = i


@merged
def third_of(values):
    return values[2] if len(values) > 2 else values[0]


@kernel
def i_at_last(stop):
    last = 0
    for i in range(0, stop, stop // 3):
        last = i
        i += 100
    return last
""",
}


def arrays():
    return np.arange(400) % 3, np.linspace(-3.0, 9.0, 400)


def compiled(name):
    """What the program leaves in the arrays, as machine code."""
    n, x = arrays()
    entry = Entry(f"tiny_{name}", KERNEL.format(functions=PROGRAMS[name]), "train", FLOAT64)
    entry(np.array([n.ctypes.data, n.size, x.ctypes.data, x.size]), 1)
    return n, x


@pytest.fixture
def without_numba(monkeypatch):
    """Nothing is left to Numba's front end."""

    def refuse(*arguments):
        raise AssertionError("it is not translated")

    monkeypatch.setattr(object_code, "_lowered_by_numba", refuse)


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_python_computes(name, own_cache, without_numba):
    """To the bit, but for products and sums that may be fused, and powers."""
    namespace = {}
    exec(PYTHON + PROGRAMS[name], namespace)
    expected_n, expected_x = arrays()
    namespace["program"](expected_n, expected_x)
    n, x = compiled(name)
    assert np.array_equal(n, expected_n)
    np.testing.assert_allclose(x, expected_x, rtol=1e-14, atol=1e-14)
    assert not np.array_equal(x, arrays()[1])


BY_NUMBA = """
import sys
sys.path.insert(0, {tests!r})
import test_translation
from fastgd.machine import object_code

def refuse(*arguments):
    raise test_translation.UntranslatableError("nothing is known")

object_code._translated = refuse
n, x = test_translation.compiled({name!r})
print(n.tobytes().hex(), x.tobytes().hex())
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_numba_computes(name, own_cache, python):
    """To the bit, with its front end and without; by a process of its own, since what Numba makes of a power depends on what it has
    lowered before.
    """
    program = BY_NUMBA.format(tests=str(Path(__file__).parent), name=name)
    numbas = python(program, FASTGD_CACHE_DIR=own_cache / "of_numba").split()
    for ours, of_numba in zip(compiled(name), numbas, strict=True):
        np.testing.assert_array_equal(ours, np.frombuffer(bytes.fromhex(of_numba), ours.dtype))


UNKNOWN = """
@kernel
def program(n, x):
    for i in range(9):
        last = 2 * i
    n[0] = last
    for i, value in enumerate((3, 4)):
        n[i + 1] = value
    x[0] = abs(-1.5)
"""


def test_what_is_not_known_is_left_to_numba(own_cache, monkeypatch):
    """And kept on disk like other code; to the same, of course."""
    monkeypatch.setitem(PROGRAMS, "unknown", UNKNOWN)
    n, x = compiled("unknown")
    assert (n[:3].tolist(), x[0]) == ([16, 3, 4], 1.5)
    assert [path.name for path in own_cache.iterdir()] == ["tiny_unknown.kernel"]
    with pytest.raises(UntranslatableError):
        object_code._translated(KERNEL.format(functions=UNKNOWN), "train", FLOAT64)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("n[0] = i if n[1] > 0 else sum", "may not be bound"),  # a name of its own that is bound later, not Python's
        ("n[0] = (n[1] or 7)", "no truth"),
        ("n[0] = [1, 2][0]", "List"),
        ("for k in range(4):\n        i = i + 0.5", "changes its type in a loop"),
        ("while i < 3:\n        i += 1\n    else:\n        n[0] = 1", "while"),
        ("n[0] = max(n, key=len)", "key=len"),
        ("n[0] = print(1)", "print"),
        ("n[0] = 1 < i < 3", "1 < i < 3"),
        ("x[0] = 0x9E3779B97F4A7C15", "no int64"),  # which Numba takes as an unsigned number
        ("x[0] = 2**62 + 2**62", "no int64"),
    ],
)
def test_what_is_not_known_is_named(line, error):
    text = f"""
@kernel
def program(n, x):
    i = 1
    {line}
    sum = i
"""
    with pytest.raises(UntranslatableError, match=error if error != "List" else r"\[1, 2\]"):
        object_code._translated(KERNEL.format(functions=text), "train", FLOAT64)


CELL = "def earlier(x):\n    return x\n\n\n@staticmethod\ndef twice(x):\n    return 2 * x\n"


@pytest.mark.parametrize(
    "module",
    [
        {"__source__": CELL},
        {"__name__": "__main__", "__loader__": BuiltinImporter},  # of Python's prompt
        {"__name__": "__main__", "__loader__": None},  # of a notebook
        {"__name__": "__main__"},
    ],
)
def test_the_text_of_a_function(module, monkeypatch):
    """Wherever it stands; of one that has none, nothing is found, nor of another at its place."""
    monkeypatch.setitem(linecache.cache, "<cell 1>", (len(CELL), None, CELL.splitlines(keepends=True), "<cell 1>"))
    for name in ("<cell 1>", "<nowhere>"):
        namespace = dict(module)
        exec(compile(CELL, name, "exec"), namespace)
        tree = tree_of(namespace["twice"].__func__, {})
        if name == "<cell 1>" or "__source__" in module:
            assert ast.unparse(tree.body[0]) == "return 2 * x"
        else:
            assert tree is None


def sources():
    """Of kernels that call nearly all there is to call."""
    yield MATRIX, "evaluate"
    yield MATRIX, "train"
    yield MATRIX, "layer_costs"
    for text in ALL_APART:
        yield text, "train"
    yield SLOPES, "slopes"
    yield STRETCH, "train"
    yield NetworkFunctions(fastgd.MLP(1, 1)).source(), "hessian_vector"
    X = np.zeros((5, 2))
    for activation, output, loss in [
        ("sigmoid", "identity", "squared_error"),
        ("leaky_relu", "softmax", "cross_entropy"),
        ("sin", "sigmoid", "binary_cross_entropy"),
    ]:
        net = fastgd.MLP(2, 2, 2, activation=activation, output=output, loss=loss)
        for method, settings in [
            ("backprop", {"optimizer": fastgd.Adam(), "batch_size": 2, "shuffle": True}),
            ("central_difference", {"optimizer": fastgd.Rprop(), "l2": 0.1}),
        ]:
            options = Options(method=method, **settings)
            plan = kernels.make_plan(net, len(X), options, "unrolled", validated=True)
            yield kernels.source(plan), "train"
            plan = kernels.make_plan(net, len(X), options, "lanes", 10, members=8, weighted=True, own_rows=True)
            yield lanes.source(plan), "train"


@pytest.mark.parametrize(("source", "function"), list(sources()), ids=lambda value: value.partition("\n")[0].strip('"')[:60])
def test_kernels_are_translated(source, function, without_numba):
    facts, code = object_code.machine_code(source, function, FLOAT64)
    assert len(code) > 1000
    assert not [name for name in facts["calls"] if "numba" in name.lower() or name.startswith("_Py")]
