"""The kernel for one small network: its equations written out, every parameter a local name, in a
loop over vectors of samples.

Each name of `equations` holds a vector: of samples for z, a and delta, of one number on every lane
for parameters, so that the sums over samples that make the gradient need not leave the vector
registers. A batch that is all the data stays in place, and its number of vectors is a constant of
the code where it is small.
"""

from functools import cache

from fastgd.kernels.generated.equations import definitions, parameter_names
from fastgd.kernels.generated.lines import (
    Line,
    add,
    comment,
    functions_line,
    in_pairs,
    indented,
    let,
    text_of,
)
from fastgd.kernels.generated.sample import divisor, lines_of_sample
from fastgd.kernels.plan import Plan
from fastgd.network import Network
from fastgd.state import VECTOR_BYTES, padded

# of a sample, up to which a loop takes two vectors at a time: beyond, compiling takes longer than
# that gains
_MOST_LINES_IN_PAIRS = 100
# of samples in full batch, up to which their number is written into the code
_MOST_CONSTANT_VECTORS = 4

_HEADER = '''"""{title}. Written by fastgd.kernels.generated.unrolled."""

from fastgd.machine.jit import kernel
from fastgd.kernels.epoch import train as train_by
from fastgd.kernels.generated.vocabulary import *
from fastgd.kernels.codes import NO_UPDATE
from fastgd.state import EPOCH, EPOCH_COST_SUM, STOPPED, UPDATES
{functions}

@kernel
def steps(problem, batch_index, count, observe):
    net, data, params, work = problem.net, problem.data, problem.params, problem.work
    rule, course, method, eps = problem.rule, problem.course, problem.method, problem.eps
    x, y, lanes, epoch = work.a, work.y, lanes_of(params), course.cursor[EPOCH]
'''

_VALIDATE = """

@kernel
def validate(problem):
    net, data, params, work = problem.net, problem.data, problem.params, problem.work
    x, y, lanes = work.a, work.y, lanes_of(params)
"""

_FOOTER = """

@kernel
def train(address, zero, limit):
    train_by(steps, address, zero, limit)
"""


@cache
def source(plan: Plan) -> str:
    """The text of the module that trains `plan`."""
    rows = (
        f"{plan.n} rows in full batch"
        if _is_constant(plan)
        else "full batch"
        if plan.rows_stay
        else "mini-batches"
    )
    details = [plan.method, rows]
    details += [f"{plan.update_kind} update"] if plan.update_kind != "plain" else []
    details += ["with a schedule, l2 or clipping"] if plan.modifies_gradient else []
    details += ["weighted samples"] if plan.weighted else []
    details += ["validation rows"] if plan.validated else []
    validate = _VALIDATE + text_of(_validate(plan.net)) if plan.validated else ""
    title = f"{plan.net}: {', '.join(details)}"
    functions = functions_line(plan.update_kind) + definitions(plan.net)
    header = _HEADER.format(title=title, functions=functions)
    return header + text_of(_steps(plan)) + validate + _FOOTER


def _vectors(plan: Plan) -> int:
    """Vectors of samples in a batch."""
    return padded(plan.batch, plan.net.dtype) * plan.net.dtype.itemsize // VECTOR_BYTES


def _is_constant(plan: Plan) -> bool:
    """Whether the number of rows is written into the code."""
    return plan.rows_stay and _vectors(plan) <= _MOST_CONSTANT_VECTORS


def _load_parameters(names: list[str]) -> list[str]:
    return [f"{name} = broadcast(params, params[{i}])" for i, name in enumerate(names)]


def _put_parameters(place: str, names: list[str]) -> list[str]:
    """One at a time: LLVM would gather them in wide vectors, whose registers the loop lacks."""
    return [
        line
        for i, name in enumerate(names)
        for line in (f"{place}[{i}] = first_lane({name})", "stay_scalar()")
    ]


def _steps(plan: Plan) -> list[str]:
    """The body of `steps`."""
    net, full = plan.net, plan.rows_stay
    names = parameter_names(net)
    stride = padded(plan.n, net.dtype)
    # rows that weigh the same are weighed after they are summed
    weighted = plan.weighted or (stride != plan.n if full else not plan.one_row)
    share = "1.0" if weighted or plan.one_row else "1.0 / data.n"
    scale = share + divisor(plan.method)

    body = (
        [
            "if problem.is_held_out != 0:",
            "    course.sums[EPOCH_COST_SUM] += validate(problem)",
            "    return count",
        ]
        if plan.validated
        else []
    )
    body += _load_parameters(names)
    body += [] if weighted else [f"share = {share}"]
    body += [f"rate = rule.rate * ({scale})" if plan.update_kind == "plain" else f"scale = {scale}"]
    if full:
        body += [f"stride = {stride if _is_constant(plan) else 'work.block'}"]
        batch = []
    else:
        body += ["put_in_order(data, course.seed, epoch)"]
        batch = [] if plan.one_row else _take_rows(plan)
    batch += ["costs = broadcast(params, 0.0)"]
    loads, forward, gradient = _sample(plan, weighted)
    if full and _vectors(plan) == 1:
        body += ["s = 0", *loads]
        batch += [*forward, *(line.first() for line in gradient)]
    elif plan.one_row:
        batch += [*loads, *forward, *(line.first() for line in gradient)]
    else:
        batch += [f"d{name} = broadcast(params, 0.0)" for name in names]
        batch += _loop(plan, [*loads, *forward, *gradient])
    batch += ["if observe:", *indented(_observe(plan, names))]
    batch += ["if method == NO_UPDATE:", "    return count" if full else "    continue"]
    batch += _update(plan, names)
    body += ["made = count", "for i in range(count):", *indented(batch)]
    if plan.update_kind == "plain":
        body += _put_parameters("params", names)
    return [*body, "return made"]


def _take_rows(plan: Plan) -> list[str]:
    """Copy the rows of a batch into the block."""
    return [
        "start = (batch_index + i) * data.batch",
        "rows = min(data.batch, data.n - start)",
        "stride = (rows + lanes - 1) // lanes * lanes",
        f"total = {'batch_weight(data, start, rows)' if plan.weighted else 'float(rows)'}",
        "gather(net, data, work, start, rows, stride, 0, stride, data.mean_weight if method == "
        "NO_UPDATE else total)",
    ]


def _take_row(plan: Plan) -> list[Line]:
    """The only row of a batch, from where it lies."""
    inputs, outputs = plan.net.widths[0], plan.net.widths[-1]
    lines = [
        let("start", "batch_index + i"),
        let("row", "data.order[start] if data.shuffled != 0 else start"),
        *(let(f"x_{k}", f"broadcast(params, data.X[row * {inputs} + {k}])") for k in range(inputs)),
        *(
            let(f"y_{k}", f"broadcast(params, data.Y[row * {outputs} + {k}])")
            for k in range(outputs)
        ),
    ]
    if plan.weighted:
        total = "data.mean_weight if method == NO_UPDATE else batch_weight(data, start, 1)"
        lines += [let("total", total)]
        lines += [let("weight", "broadcast(params, data.weights[row] / total)")]
    return lines


def _observe(plan: Plan, names: list[str]) -> list[str]:
    """What is done with the cost of a batch: an epoch of one is looked at before its update."""
    cost = "first_lane(costs)" if plan.one_row else "first_lane(lane_total(costs))"
    if plan.batches > 1:
        return [f"course.sums[EPOCH_COST_SUM] += {cost}"]
    lines = ["if method == NO_UPDATE:", f"    course.sums[EPOCH_COST_SUM] += {cost}"]
    lines += [
        f"elif observe_epoch(course, epoch + i, {cost}):",
        *indented(_put_parameters("course.best", names)),
    ]
    return [*lines, "if course.cursor[STOPPED] != 0:", "    made = i", "    break"]


def _update(plan: Plan, names: list[str]) -> list[str]:
    """From the samples' gradients to new parameters."""
    if plan.update_kind == "plain":
        sums = [f"d{name}" if plan.one_row else f"lane_total(d{name})" for name in names]
        return [
            comment("the update, notes 004 Algorithm 1"),
            *(f"{name} = sgd({name}, {d}, rate)" for name, d in zip(names, sums, strict=True)),
        ]
    lines: list[str] = [comment(f"the update of each by {plan.update_kind}, see fastgd.optimizers")]
    lanes = VECTOR_BYTES // plan.net.dtype.itemsize
    sums = [f"d{name}" for name in names] + ["nothing"] * (-len(names) % lanes)
    lines += ["nothing = broadcast(params, 0.0)"] if "nothing" in sums else []
    summed = "in_lanes" if plan.one_row else "lane_sums"
    for p in range(0, len(sums), lanes):
        lines += [
            f"store(work.gradient, {p}, {summed}(({', '.join(sums[p : p + lanes])})) * scale)"
        ]
    prepare = "prepare(rule, params, work.gradient, course.cursor[UPDATES] + i)"
    lines += [f"rate = {prepare if plan.modifies_gradient else 'rule.rate'}", "begin(rule, rate)"]
    lines += ["update(rule, rule.numbers, rule.factors, params, work.gradient, rate, 0, rule.size)"]
    return lines + _load_parameters(names)


def _validate(net: Network) -> list[str]:
    """The body of `validate`: the cost of rows that stay in place."""
    loads = _loads(net, weighted=True)
    forward, (*cost, _), _ = lines_of_sample(net, "backprop", in_twos=True)
    body = _load_parameters(parameter_names(net))
    body += [
        "stride = work.block",
        "costs = broadcast(params, 0.0)",
        "for s in range(0, stride, lanes):",
    ]
    body += indented([*loads, *forward, *cost, add("costs", "weight * loss")])
    return [*body, "return first_lane(lane_total(costs))"]


def _loop(plan: Plan, lines: list[Line]) -> list[Line]:
    """The lines for every vector of samples."""
    if len(lines) > _MOST_LINES_IN_PAIRS or plan.method.endswith("difference"):
        return [Line("for s in range(0, stride, lanes):"), *indented(lines)]
    return in_pairs(lines, "stride", "lanes")


def _sample(plan: Plan, weighted: bool) -> tuple[list[Line], list[Line], list[Line]]:
    """Of a vector of samples: its loads; forward and cost; gradient."""
    # all of an update for the one before
    waits = len(plan.net.layers) == 1 and plan.rows_stay and _vectors(plan) == 1
    loads = _take_row(plan) if plan.one_row else _loads(plan.net, weighted)
    forward, cost, gradient = lines_of_sample(
        plan.net, plan.method, weighted, plan.small_changes, in_halves=waits,
        lanes=VECTOR_BYTES // plan.net.dtype.itemsize if plan.one_row else 0, in_twos=True,
    )  # fmt: skip
    if not plan.method.endswith("difference"):  # whose quotients need the cost in any case
        cost = [Line("if observe:"), *indented(cost)]
    return loads, [*forward, *cost], gradient


def _loads(net: Network, weighted: bool) -> list[Line]:
    lines = [let(f"x_{k}", f"load(x, {k} * stride + s)") for k in range(net.widths[0])]
    lines += [let(f"y_{k}", f"load(y, {k} * stride + s)") for k in range(net.n_targets)]
    return [*lines, let("weight", "load(work.weight, s)")] if weighted else lines
