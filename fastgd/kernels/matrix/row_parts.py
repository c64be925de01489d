"""A batch in parts of its rows, and an update in slices of the parameters, shared by threads."""

import math

from fastgd.kernels.codes import FACTOR, RATE, TOTAL
from fastgd.kernels.matrix.passes import pass_over_part
from fastgd.kernels.matrix.tasks import (
    GRADIENTS,
    HELD_OUT,
    KIND,
    OBSERVE,
    PARTS,
    PASS,
    ROWS,
    START,
    SUM,
    UPDATE,
    share,
    take_parts,
    write_down,
)
from fastgd.kernels.update import begin_any, clip_and_decay, clip_factor, rate_of, update_any
from fastgd.machine.call import call
from fastgd.machine.jit import inline, kernel
from fastgd.machine.span import lanes_of, load, store

_SPAN = 4096  # parameters whose gradients are summed before they are updated: they stay in a cache
_OF_PARAMETERS = SUM, UPDATE  # tasks whose parts are slices of the parameters


@kernel
def do_part(problem, part):
    """A part of the task that is up; by the kernel by which work is arranged, if it is one of its
    own.
    """
    queue, task = problem.queue, problem.queue.task
    kind = task[KIND]
    if kind == PASS:
        start, rows, total = task[START], task[ROWS], queue.numbers[TOTAL]
        queue.costs[part] = pass_over_part(problem, start, rows, part, total, task[OBSERVE] != 0)
    elif kind in _OF_PARAMETERS:
        _update_slice(problem, part, task[PARTS])
    else:
        call(problem.apart.arrangement, problem, part)


@inline
def help_with_parts(problem):
    """Do what nobody else does of the task that is up."""
    take_parts(do_part, problem)


@kernel
def _update_slice(problem, part, parts):
    """Add up the gradients of a slice of the parameters, and update them."""
    rule, queue, gradient = problem.rule, problem.queue, problem.work.gradient
    lanes = lanes_of(gradient)
    vectors = rule.size // lanes
    first, last = vectors * part // parts * lanes, vectors * (part + 1) // parts * lanes
    for start in range(first, last, _SPAN):
        stop = min(start + _SPAN, last)
        for other in range(rule.size, queue.task[GRADIENTS] * rule.size, rule.size):
            for p in range(start, stop, lanes):
                store(gradient, p, load(gradient, p) + load(gradient, other + p))
        if queue.task[KIND] == UPDATE:
            clip_and_decay(rule, problem.params, gradient, queue.numbers[FACTOR], start, stop)
            update_any(problem, queue.numbers[RATE], start, stop)


@kernel
def share_rows(problem, start, stop, total, observe):
    """A pass over a batch in parts of its rows; the cost if it is to be observed. Every part leaves
    a gradient.
    """
    parts = problem.data.row_parts
    write_down(problem, start, stop - start, total, observe)
    share(do_part, problem, PASS, parts)
    cost = 0.0
    for part in range(parts):
        cost += problem.queue.costs[part]
    return cost


@kernel
def share_update(problem, gradients, t):
    """Add up the gradients that a pass has left, and update all parameters; `t` updates were made
    before.
    """
    rule, numbers, task = problem.rule, problem.queue.numbers, problem.queue.task
    task[GRADIENTS], task[HELD_OUT] = gradients, problem.is_held_out
    numbers[RATE], numbers[FACTOR] = rate_of(rule, t), 1.0
    begin_any(problem, numbers[RATE])
    if rule.clip_norm < math.inf:  # the norm is of the whole sum
        share(do_part, problem, SUM, rule.update_slices)
        task[GRADIENTS] = 1
        numbers[FACTOR] = clip_factor(rule, problem.work.gradient)
    share(do_part, problem, UPDATE, rule.update_slices)
