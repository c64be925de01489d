"""The gradient of a batch and the update of all parameters, in parts that threads share out; see `team`.

How a batch is cut depends on the plan alone. Every part has a gradient of its own, and they are added in the order of the parts.
"""

import math

from fastgd.jit import kernel
from fastgd.kernels.layers import backward, differences, forward, seldom_block_cost
from fastgd.kernels.problem import NO_UPDATE
from fastgd.kernels.rows import gather
from fastgd.kernels.team import draw, finish, publish, wait_for_all
from fastgd.kernels.update import ADAM, ADAMW, clip_and_decay, count_power, rate_of, shortening, update
from fastgd.names import METHODS
from fastgd.simd import lanes_of, load, store

_, LAYERWISE, FINITE_DIFFERENCE, CENTRAL_DIFFERENCE = range(len(METHODS))
_SPAN = 4096  # parameters whose gradients are summed before they are updated: they stay in the first cache
# places in a team's task and its numbers
_KIND, _START, _STOP, _OBSERVE, _APART, _GRADIENTS = range(6)
_TOTAL, _RATE, _FACTOR = range(3)
_PASS, _SUM, _UPDATE = range(3)  # kinds of tasks


@kernel
def pass_over(problem, start, stop, total, observe, at, fresh):
    """Forward over the rows at places start ... stop of the order, and backward to their gradient, at gradient[at]; in blocks.

    Their share of the cost, if it is to be observed. `total` is what the weights of their batch sum to. Unless `fresh`, the block holds
    them already.
    """
    net, data, params, work, method = problem.net, problem.data, problem.params, problem.work, problem.method
    lanes = lanes_of(work.a)
    cost = 0.0
    for here in range(start, stop, work.block):
        rows = min(work.block, stop - here)
        stride = (rows + lanes - 1) // lanes * lanes
        if fresh:
            gather(net, data, work, here, rows, stride, total)
        forward(net, params, work, stride, 0)
        difference = method >= FINITE_DIFFERENCE
        share = seldom_block_cost(net, work, stride) if observe or difference else 0.0
        cost += share
        if difference:
            differences(net, params, work, stride, share, method == CENTRAL_DIFFERENCE, problem.eps, here > start)
        elif method != NO_UPDATE:
            backward(net, params, work, stride, 2.0 if method == LAYERWISE else 1.0, at, here > start)
    return cost


@kernel
def take_parts(problem):
    """Do what nobody else does of the task that is up."""
    team = problem.team
    part = draw(team)
    while part >= 0:
        if team.task[_KIND] == _PASS:
            now = problem.held_out if team.task[_APART] != 0 and problem.apart == 0 else problem
            _pass_over_part(now, part)
        else:
            _update_slice(problem, part)
        finish(team)
        part = draw(team)


@kernel
def _pass_over_part(problem, part):
    task, parts = problem.team.task, problem.data.parts
    start, rows = task[_START], task[_STOP] - task[_START]
    first, last = start + rows * part // parts, start + rows * (part + 1) // parts
    at = part * problem.rule.size
    problem.team.costs[part] = pass_over(problem, first, last, problem.team.numbers[_TOTAL], task[_OBSERVE] != 0, at, True)
    if first == last and problem.method != NO_UPDATE:
        for p in range(at, at + problem.rule.size):
            problem.work.gradient[p] = 0.0


@kernel
def _update_slice(problem, part):
    """Add up the gradients of a slice of the parameters, and update them."""
    rule, team, gradient = problem.rule, problem.team, problem.work.gradient
    lanes = lanes_of(gradient)
    vectors = rule.size // lanes
    first, last = vectors * part // rule.slices * lanes, vectors * (part + 1) // rule.slices * lanes
    for start in range(first, last, _SPAN):
        stop = min(start + _SPAN, last)
        for other in range(rule.size, team.task[_GRADIENTS] * rule.size, rule.size):
            for p in range(start, stop, lanes):
                store(gradient, p, load(gradient, p) + load(gradient, other + p))
        if team.task[_KIND] == _UPDATE:
            clip_and_decay(rule, problem.params, gradient, team.numbers[_FACTOR], start, stop)
            update(rule, problem.params, gradient, team.numbers[_RATE], start, stop)


@kernel
def share_pass(problem, start, stop, total, observe):
    """`pass_over` the rows of a batch, in parts; the cost of all."""
    team, parts = problem.team, problem.data.parts
    task = team.task
    task[_KIND], task[_START], task[_STOP], task[_OBSERVE], task[_APART] = _PASS, start, stop, int(observe), problem.apart
    team.numbers[_TOTAL] = total
    publish(team, parts)
    take_parts(problem)
    wait_for_all(team, parts)
    cost = 0.0
    for part in range(parts):
        cost += team.costs[part]
    return cost


@kernel
def share_update(problem, t):
    """Add up the gradients of the parts of the batch, and update all parameters; `t` updates were made before."""
    rule, team = problem.rule, problem.team
    task, numbers = team.task, team.numbers
    task[_GRADIENTS] = problem.data.parts
    numbers[_RATE], numbers[_FACTOR] = rate_of(rule, t), 1.0
    if rule.form == ADAM or rule.form == ADAMW:
        count_power(rule)
    if rule.clip_norm < math.inf:  # the norm is of the whole sum
        _share_slices(problem, _SUM)
        task[_GRADIENTS] = 1
        numbers[_FACTOR] = shortening(rule, problem.work.gradient)
    _share_slices(problem, _UPDATE)


@kernel
def _share_slices(problem, kind):
    team, slices = problem.team, problem.rule.slices
    team.task[_KIND] = kind
    if slices == 1:
        _update_slice(problem, 0)
        return
    publish(team, slices)
    take_parts(problem)
    wait_for_all(team, slices)
