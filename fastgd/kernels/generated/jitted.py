"""A network as functions of one row that a user's own compiled code calls: of a small one written
out, the others loops over its layers, written for its widths.
"""

from collections.abc import Iterable
from functools import cache
from types import ModuleType

from fastgd.kernels.estimates import MOST_LINES
from fastgd.kernels.generated.equations import definitions
from fastgd.kernels.generated.lines import Line, text_of
from fastgd.kernels.generated.looped_row import LoopedRow
from fastgd.kernels.generated.written_row import WrittenRow
from fastgd.machine.jitted_module import module_of
from fastgd.network import Network

_ON_STACK = 2**13  # numbers, at most: more are allocated
# parameters, up to which functions are merged into those that call them, and written out where
# they are of at most MOST_LINES
_SMALL = 1000
_ARGUMENTS = {
    "predict": "params, x, out",
    "cost_and_gradient": "params, x, y, gradient",
    "input_gradient": "params, x, out",
}
_TEXT = '''"""{title}. Written by fastgd.kernels.generated.jitted."""

import numpy as np
from numba import carray

from fastgd.formulas.vocabulary import *
from fastgd.kernels.generated.row_loops import multiply, multiply_back, softmax, write_gradient
from fastgd.machine.jit import {decorator} as compiled
from fastgd.machine.lane_sums import gathered, lane_sum, lane_sums
from fastgd.machine.span import (
    in_half_vectors, in_wide_vectors, lanes_of, load, span_of, span_of_dtype, store
)
from fastgd.machine.stack import on_stack
from fastgd.machine.vector import lane, where_positive
{functions}

@compiled
def predict(params, x, out):
    """Write the outputs of one row x, (inputs,), to out, (outputs,)."""
{predict}


@compiled
def cost_and_gradient(params, x, y, gradient):
    """The loss of one row x, (inputs,), with its target y, (outputs,); its derivative by each
    parameter is written to gradient, (n_params,)."""
{cost_and_gradient}


@compiled
def input_gradient(params, x, out):
    """Write the derivative of each output by each input to out, (outputs, inputs)."""
{input_gradient}
'''
_MEMORY = """

place = on_stack({size})
"""
_LOOPS = """

@merged
def _{name}(memory, {arguments}):
{body}
"""


@cache
def jitted(net: Network) -> ModuleType:
    """The module of `predict`, `cost_and_gradient` and `input_gradient`."""
    return module_of("jitted", lambda decorator: source(net, decorator))


def source(net: Network, decorator: str) -> str:
    """The text of the module, whose functions have this decorator of `machine.jit`."""
    is_small = net.n_params <= _SMALL
    bodies = _written(net) if is_small else {}
    of_loops, behind = _looped(net, [name for name in _ARGUMENTS if name not in bodies])
    text = _TEXT.format(
        title=repr(net),
        decorator=f"{decorator}_merged" if is_small else decorator,
        functions=definitions(net),
        **bodies,
        **of_loops,
    )
    return text + behind


def _written(net: Network) -> dict[str, str]:
    """The bodies of those functions that take few enough lines."""
    lines = _lines_of(WrittenRow, net, _ARGUMENTS)
    return {name: text_of(each) for name, each in lines.items() if len(each) <= MOST_LINES}


def _looped(net: Network, names: list[str]) -> tuple[dict[str, str], str]:
    """The bodies of these functions, which call loops with memory for them; and the loops."""
    if not names:
        return {}, ""
    size = LoopedRow(net).place["end"]
    fits = size <= _ON_STACK
    memory = f"carray(place(params), {size})" if fits else f"np.empty({size}, params.dtype)"
    behind = _MEMORY.format(size=size if fits else 1)
    for name, lines in _lines_of(LoopedRow, net, names).items():
        behind += _LOOPS.format(name=name, arguments=_ARGUMENTS[name], body=text_of(lines))
    return {name: f"    return _{name}({memory}, {_ARGUMENTS[name]})" for name in names}, behind


def _lines_of(
    row: type[WrittenRow] | type[LoopedRow], net: Network, names: Iterable[str]
) -> dict[str, list[Line]]:
    return {name: list(getattr(row(net), name)()) for name in names}
