"""The work of one update as tasks of several parts, which threads share; see `work_queue`.

How it is cut depends on the plan alone. A batch is cut into parts of its rows, each with a gradient
of its own, and these are added in the order of the parts; or, where it is small and layers are
wide, every layer is cut into slices of its units; or, where there is one hidden layer, that is cut
into halves for many updates at a stretch. Parameters are updated in slices, where the gradient has
not gone to them already.

The matrix kernel holds the first and the last. The others are kernels that it calls at an address:
`run(problem, part)`, which leads where the part is LEAD, after `write_down`.
"""

import numpy as np

from fastgd.kernels.codes import LEAD, TOTAL
from fastgd.kernels.threads.work_queue import finish, publish, take, wait_for_all
from fastgd.machine.call import call
from fastgd.machine.jit import inline, kernel

# kinds of tasks; Numba compiles once for an int64
PASS, GATHER, FORWARD, BACKWARD, GRADIENT, SUM, UPDATE, HALF = np.arange(8, dtype=np.int64)
FEW_FORWARD, FEW_BACKWARD, FEW_UPDATE = np.arange(8, 11, dtype=np.int64)
PACK_FORWARD, PACK_BACKWARD, PACK_GRADIENT = np.arange(11, 14, dtype=np.int64)
# places in a queue's task
(
    KIND,
    PARTS,
    START,
    ROWS,
    LAYER,
    OBSERVE,
    HELD_OUT,
    GRADIENTS,
    SLOW_PARTNER,
    SOLO_LEFT,
    SOLO_NEXT,
    ADD,
) = range(12)


@kernel
def take_parts(do, problem):
    """Do what nobody else does of the task that is up, by `do(problem, part)`."""
    queue = problem.queue
    part = take(queue)
    while part >= 0:
        now, which = problem, queue.task[HELD_OUT]
        if which != problem.is_held_out:  # which is 0 of those who help
            now = problem.held_out if which == 1 else problem.untouched
        do(now, part)
        finish(queue)
        part = take(queue)


@kernel
def share(do, problem, kind, parts):
    """Have all parts of a task done; there may be none."""
    queue = problem.queue
    queue.task[KIND], queue.task[PARTS] = kind, parts
    if parts == 0:
        return
    if parts == 1:
        do(problem, np.int64(0))
        return
    publish(queue, parts)
    take_parts(do, problem)
    wait_for_all(queue, parts)


@inline
def write_down(problem, start, rows, total, observe):
    task = problem.queue.task
    task[START], task[ROWS], task[OBSERVE], task[HELD_OUT] = (
        start,
        rows,
        int(observe),
        problem.is_held_out,
    )
    problem.queue.numbers[TOTAL] = total


@inline
def lead_apart(problem):
    """Have the kernel lead by which work is arranged."""
    call(problem.apart.arrangement, problem, LEAD)
