"""Updates by hidden halves, which two threads share, as a kernel that the matrix kernel calls."""

import numpy as np

from fastgd.kernels.codes import LEAD
from fastgd.kernels.matrix.hidden_halves import begin_halves, update_half
from fastgd.kernels.matrix.tasks import (
    HALF,
    OBSERVE,
    PARTS,
    ROWS,
    SLOW_PARTNER,
    SOLO_LEFT,
    SOLO_NEXT,
    START,
    share,
)
from fastgd.machine.jit import kernel, merged

# rows times parameters of a batch that take as long as one look at a counter, if done alone instead
# of by two
_WORTH = 1024
# stretches of halves that are done alone after some in which the other thread was late
_MOST_SOLO = 255


@merged
def run(problem, part):
    """A half of the updates that have been written down, or all of them."""
    if part == LEAD:
        _share_halves(problem)
    else:
        do_half(problem, part)


@kernel
def do_half(problem, half):
    task = problem.queue.task
    start, rows = task[START], task[ROWS]
    spins = update_half(problem, half, start, rows, task[OBSERVE] != 0, task[PARTS] == 1)
    if spins * _WORTH > rows * problem.data.batch * problem.net.n_params:
        task[SLOW_PARTNER] = 1


@kernel
def _share_halves(problem):
    """The updates by two threads, each with half of the hidden units.

    Where they wait for each other for longer than one would take alone, since processors are busy,
    one does the next stretches alone: twice as many each time, and half as many after a stretch
    that went well.
    """
    task, alone = problem.queue.task, problem.queue.task[SOLO_LEFT] > 0
    begin_halves(problem.queue)
    task[SLOW_PARTNER] = 0
    share(do_half, problem, HALF, np.int64(1 if alone else 2))
    if alone:
        task[SOLO_LEFT] -= 1
    else:
        before = task[SOLO_NEXT]
        task[SOLO_NEXT] = (
            min(2 * before + 1, _MOST_SOLO) if task[SLOW_PARTNER] != 0 else before // 2
        )
        task[SOLO_LEFT] = task[SOLO_NEXT] if task[SLOW_PARTNER] != 0 else 0
