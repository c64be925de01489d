"""The kernel for one small network: its equations written out, every parameter a local name, in a loop over vectors of samples.

Each name of `equations` holds a vector: of samples for z, a and delta, of one number on every lane for parameters, so that the sums over
samples that make the gradient need not leave the vector registers. A batch that is all the data stays in place, and its number of
vectors is a constant of the code where it is small.
"""

import re
from collections.abc import Iterable
from textwrap import indent

from fastgd import activations, losses, numeric, optimizers, simd
from fastgd.checks import Array
from fastgd.kernels import equations
from fastgd.kernels.plan import Plan
from fastgd.kernels.problem import Bound, padded
from fastgd.kernels.store import entry
from fastgd.network import MLP
from fastgd.simd import VECTOR_BYTES

_MOST_CONSTANT_VECTORS = 4  # of samples in full batch, up to which their number is written into the code

_HEADER = '''"""{title}. Written by fastgd.kernels.unrolled."""

import numba

from fastgd.jit import FLAGS, kernel
from fastgd.kernels import problem
from fastgd.kernels.problem import NO_UPDATE, gather
{imports}


@kernel
def steps(problem, batch_index, count, observe, pending):
    net, data, params, work, method, eps, batch, learning_rate = problem
    x, y, lanes = work.a, work.y, lanes_of(params)
'''

_FOOTER = """

@numba.njit(cache=True, **FLAGS)
def train(table, zero, method, eps, learning_rate, limit):
    problem.train(steps, table, zero, method, eps, learning_rate, limit)
"""


def source(plan: Plan) -> str:
    """The text of the module that trains `plan`."""
    net = plan.net
    names = equations.parameter_names(net)
    full, stride = plan.batch == plan.n and not plan.shuffle, padded(plan.n, net.dtype)
    vectors = stride * net.dtype.itemsize // VECTOR_BYTES
    weighted = not full or stride != plan.n  # rows that weigh the same are weighed after they are summed

    body = [f"{name} = broadcast(params, params[{i}])" for i, name in enumerate(names)]
    body += [f"share = {'1.0' if weighted else '1.0 / data.n'}", f"rate = learning_rate * share{_step(plan.method)}"]
    if full:
        body += [f"stride = {stride if vectors <= _MOST_CONSTANT_VECTORS else 'work.block'}"]
        body += ["if work.held[0] == 0:", "    gather(net, data, work, 0, data.n, stride, data.n)", "    work.held[0] = 1"]
        batch = []
    else:
        batch = [
            "start = (batch_index + i) * batch",
            "rows = min(batch, data.n - start)",
            "stride = (rows + lanes - 1) // lanes * lanes",
            "gather(net, data, work, start, rows, stride, rows)",
        ]
    batch += ["costs = broadcast(params, 0.0)"]
    sample = _sample(net, plan.method, weighted)
    if full and vectors == 1:
        batch += ["s = 0", *(line.replace(" += ", " = ") if line.startswith("d") else line for line in sample)]
    else:
        batch += [f"d{name} = broadcast(params, 0.0)" for name in names]
        batch += ["for s in range(0, stride, lanes):", *_indented(sample)]
    batch += ["if observe:", "    pending += first_lane(lane_total(costs))"]
    batch += ["if method == NO_UPDATE:", "    continue"]
    batch += ["# the update, notes 004 Algorithm 1"]
    batch += [f"{name} = sgd({name}, lane_total(d{name}), rate)" for name in names]
    body += ["for i in range(count):", *_indented(batch)]
    body += [f"params[{i}] = first_lane({name})" for i, name in enumerate(names)]
    body += ["return pending"]
    text = "\n".join(_indented(body))
    constant = full and vectors <= _MOST_CONSTANT_VECTORS
    rows = f"{plan.n} rows in full batch" if constant else "full batch" if full else "mini-batches"
    return _header(plan, rows, text) + text + _FOOTER


def _sample(net: MLP, method: str, weighted: bool) -> list[str]:
    """The loop over samples: load, forward, cost, gradient."""
    lines = [f"x_{k} = load(x, {k} * stride + s)" for k in range(net.widths[0])]
    lines += [f"y_{k} = load(y, {k} * stride + s)" for k in range(net.widths[-1])]
    lines += ["weight = load(work.weight, s)"] if weighted else []
    forward, cost, gradient = equations.sample(net, method, weighted)
    if not method.endswith("difference"):  # whose quotients need the cost in any case
        cost = ["if observe:", *_indented(cost)]
    return [*lines, *forward, *cost, *gradient]


def _step(method: str) -> str:
    """What the distance of two perturbed costs is divided by."""
    return {"finite_difference": " / eps", "central_difference": " / (2.0 * eps)"}.get(method, "")


def _indented(lines: Iterable[str]) -> list[str]:
    return [indent(line, "    ") for line in lines]


def _header(plan: Plan, rows: str, body: str) -> str:
    """Docstring and imports of all that the body calls."""
    called = {"lanes_of", *re.findall(r"([a-z]\w*)\(", body)} - {"gather"}
    homes = [simd, numeric, activations, losses, optimizers]
    lines = []
    for module in homes:
        found = {name for name in called if hasattr(module, name)}
        called -= found
        lines += [f"from {module.__name__} import {', '.join(sorted(found))}"] if found else []
    return _HEADER.format(title=f"{plan.net}: {plan.method}, {rows}", imports="\n".join(lines))


class Unrolled(Bound):
    """The unrolled kernel of a plan and its data."""

    def __init__(self, plan: Plan, X: Array, Y: Array):
        super().__init__(plan, X, Y, entry("unrolled", source(plan), "train"), plan.batch, wide=False)
