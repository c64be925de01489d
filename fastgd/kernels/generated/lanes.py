"""The kernel for many copies of one small network: its equations written out, the members of an
ensemble in the lanes of vectors.

Each name of `equations` holds a vector with one number of every member. Rows that all members take
in the same order are broadcast; others are gathered, so that every lane has its own. Stop rules are
lines of the loop: members are settled, by `lane_group`, where one ends.
"""

from dataclasses import fields
from functools import cache

from fastgd.kernels.generated.equations import definitions, parameter_names
from fastgd.kernels.generated.lines import (
    Line,
    functions_line,
    in_pairs,
    indented,
    let,
    text_of,
)
from fastgd.kernels.generated.sample import divisor, lines_of_sample
from fastgd.kernels.plan import Plan
from fastgd.optimizers.optimizer import FORMS

# of a full batch, instead of a loop over them
_MOST_ROWS_WRITTEN_OUT, _MOST_LINES_WRITTEN_OUT = 8, 200
# of a sample, up to which a loop takes two at a time: beyond, compiling takes longer than that
# gains
_MOST_LINES_IN_PAIRS = 160

_HEADER = '''"""{title}. Written by fastgd.kernels.generated.lanes."""

import math

from fastgd.machine.jit import kernel
from fastgd.kernels.generated.lane_group import train as train_by
from fastgd.kernels.generated.vocabulary import *
{functions}

@kernel
def steps(group, count):
    data, params, rule = group.data, group.params, group.rule
    lanes, eps, most = lanes_of(params), group.eps, broadcast(params, math.inf)
'''

_FOOTER = """

@kernel
def train(address, zero, limit):
    train_by(steps, address, zero, limit)
"""


@cache
def source(plan: Plan) -> str:
    """The text of the module that trains many copies by `plan`."""
    details = ["many copies", plan.method, _rows(plan)]
    details += [f"{plan.update_kind} update"] if plan.update_kind != "plain" else []
    details += ["with a schedule, l2 or clipping"] if plan.modifies_gradient else []
    details += ["weighted samples"] if plan.weighted else []
    details += ["rows of their own"] if plan.own_rows else []
    title = f"{plan.net}: {', '.join(details)}"
    functions = functions_line(plan.update_kind) + definitions(plan.net)
    header = _HEADER.format(title=title, functions=functions)
    return header + text_of(_steps(plan)) + _FOOTER


def _rows(plan: Plan) -> str:
    if not plan.rows_stay:
        return "mini-batches"
    return f"{plan.n} rows in full batch" if plan.n <= _MOST_ROWS_WRITTEN_OUT else "full batch"


def _is_written_out(plan: Plan, lines: int) -> bool:
    """Whether samples of so many lines are written out one after another: of two that a loop holds,
    less is done at once.
    """
    return (
        plan.rows_stay
        and plan.n <= _MOST_ROWS_WRITTEN_OUT
        and plan.n * lines <= _MOST_LINES_WRITTEN_OUT
    )


def _load_parameters(names: list[str]) -> list[str]:
    return [f"{name} = load(params, {i} * lanes)" for i, name in enumerate(names)]


def _steps(plan: Plan) -> list[str]:
    """The body of `steps`."""
    names = parameter_names(plan.net)
    body = _load_parameters(names)
    body += [
        "target_cost, min_delta, patience_cost = load(group.targets, 0), load(group.min_delta, 0), "
        "load(group.patience_cost, 0)"
    ]
    body += ["epoch, patience_epoch, made = broadcast(params, 0.0), broadcast(params, -1.0), 0"]
    body += ["rate = narrowed(params, group.rates, 0)"] if plan.update_kind == "plain" else []
    body += _full_batch(plan, names) if plan.rows_stay else _mini_batches(plan, names)
    body += (
        [f"store(params, {i} * lanes, {name})" for i, name in enumerate(names)]
        if plan.update_kind == "plain"
        else []
    )
    return [
        *body,
        "store(group.patience_cost, 0, patience_cost)",
        "store(group.patience_epoch, 0, patience_epoch)",
        "store(group.costs, 0, costs)",
        "return made",
    ]


def _full_batch(plan: Plan, names: list[str]) -> list[str]:
    """Epochs that end in a look at the cost of the parameters as they are, before an update of
    which is stopped.
    """
    body = ["rows = data.n", "share = 1.0 / rows", f"scale = {_scale(plan)}"]
    epoch = ["observe = group.monitored != 0 or made == count", "costs = broadcast(params, 0.0)"]
    epoch += _pass(plan, names, plan.own_rows)
    epoch += ["if observe:", *indented(_look(["made == count"]))]
    epoch += [*_update(plan, names, "0"), "made += 1", "epoch += 1.0"]
    return [*body, "while True:", *indented(epoch)]


def _mini_batches(plan: Plan, names: list[str]) -> list[str]:
    """Epochs of several updates, after which their mean cost is looked at; if `count` is 0, one
    pass without updates.
    """
    batch = ["start = batch_index * data.batch", "rows = min(data.batch, data.n - start)"]
    batch += [
        f"gather_members(group, start, rows, learning, {plan.net.widths[0]}, "
        f"{plan.net.widths[-1]})",
        f"scale = {_scale(plan)}",
    ]
    batch += ["share = 1.0 / (rows * data.batches if learning else data.n)"]
    batch += [
        *_pass(plan, names, own_rows=True),
        "if learning:",
        *indented(_update(plan, names, "batch_index")),
    ]
    epoch = ["if learning:", "    order_rows(group, made)", "costs = broadcast(params, 0.0)"]
    epoch += ["for batch_index in range(data.batches):", *indented(batch)]
    epoch += [
        "if not learning:",
        "    break",
        "made += 1",
        "epoch += 1.0",
        *_look(["made == count"]),
    ]
    return ["learning, observe = count != 0, True", "while True:", *indented(epoch)]


def _scale(plan: Plan) -> str:
    """What the sum over the samples is multiplied by."""
    return f"{'1.0' if plan.weighted else '1.0 / rows'}{divisor(plan.method)}"


def _pass(plan: Plan, names: list[str], own_rows: bool) -> list[str]:
    """The rows of a batch: their cost and their gradient."""
    inputs, outputs = plan.net.widths[0], plan.net.widths[-1]
    if own_rows:
        sample = [
            let(f"x_{k}", f"load(group.x, (s * {inputs} + {k}) * lanes)") for k in range(inputs)
        ]
        sample += [
            let(f"y_{k}", f"load(group.y, (s * {outputs} + {k}) * lanes)") for k in range(outputs)
        ]
        sample += [let("weight", "load(group.weight, s * lanes)")] if plan.weighted else []
    else:
        sample = [
            let(f"x_{k}", f"broadcast(params, data.X[s * {inputs} + {k}])") for k in range(inputs)
        ]
        sample += [
            let(f"y_{k}", f"broadcast(params, data.Y[s * {outputs} + {k}])") for k in range(outputs)
        ]
        sample += [let("weight", "broadcast(params, group.weight[s])")] if plan.weighted else []
    forward, cost, gradient = lines_of_sample(
        plan.net, plan.method, plan.weighted, plan.small_changes
    )
    if not plan.method.endswith("difference"):  # whose quotients need the cost in any case
        cost = [Line("if observe:"), *indented(cost)]
    lines = [f"d{name} = broadcast(params, 0.0)" for name in names]
    sample += [*forward, *cost, *gradient]
    if _is_written_out(plan, len(sample)):
        return lines + [line for s in range(plan.n) for line in [f"s = {s}", *sample]]
    if len(sample) > _MOST_LINES_IN_PAIRS or plan.method.endswith("difference"):
        return [*lines, "for s in range(rows):", *indented(sample)]
    return [*lines, *in_pairs(sample, "rows", "1")]


def _look(ends: list[str]) -> list[str]:
    """Remember when the cost was last better; leave the loop at its end, or where a member has
    reached its target or an infinite cost.
    """
    lines = [
        "better = costs - (patience_cost - min_delta)",
        "patience_epoch = where_negative(better, epoch, patience_epoch)",
    ]
    lines += ["patience_cost = where_negative(better, costs, patience_cost)"]
    return [
        *lines,
        f"if {' or '.join([*ends, 'not all_between(costs, target_cost, most)'])}:",
        "    break",
    ]


def _update(plan: Plan, names: list[str], batch_index: str) -> list[str]:
    """The update of every parameter: in registers, or by the optimizer's function, over arrays of
    all lanes.
    """
    if plan.update_kind == "plain":
        return ["step = rate * scale", *(f"{name} = sgd({name}, d{name}, step)" for name in names)]
    lines = [f"store(group.gradient, {i} * lanes, d{name} * scale)" for i, name in enumerate(names)]
    lines += [f"prepare_members(group, made, {batch_index})"] if plan.modifies_gradient else []
    lines += ["rate = narrowed(params, group.rates, 0)"]
    cls, form = FORMS[plan.update_kind]
    numbers = [f"load_doubles(params, group.numbers, {i} * lanes)" for i in range(len(fields(cls)))]
    factors = [f"narrowed(params, rule.factors, {i} * lanes)" for i in range(len(form.makes))]
    lines += ["begin_members(group)"]
    lines += [f"number_{i} = {each}" for i, each in enumerate(numbers)]
    lines += [f"factor_{i} = {each}" for i, each in enumerate(factors)]
    lines += [f"numbers = ({''.join(f'number_{i}, ' for i in range(len(numbers)))})"]
    lines += [f"factors = ({''.join(f'factor_{i}, ' for i in range(len(factors)))})"]
    lines += ["update(rule, numbers, factors, params, group.gradient, rate, 0, rule.size)"]
    return lines + _load_parameters(names)
