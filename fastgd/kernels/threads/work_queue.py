"""Work that is cut into parts, taken by whichever thread is free.

The leader, who runs the loop, publishes a task of so many parts and takes parts itself; helpers
take what is left. The one counter that all of them draw from holds the number of the task, its
parts and how many were taken, so that a helper who comes late takes none that is not there. The
leader waits for parts that were taken, never for a helper that has not come: where no other thread
runs, it does everything. The two hidden halves wait for each other too: whoever takes the first
takes the second, if it is still there. What a part computes does not depend on who takes it.
"""

from fastgd.kernels.codes import FINISHED, TAKEN
from fastgd.machine.atomic import add, give_way, read, relax, write
from fastgd.machine.jit import inline

_PARTS, _TASK = 2**16, 2**32  # one part, one task, in the counter that parts are drawn from
_PATIENCE = 4000  # looks at a counter, some 50 us, before another thread may have the processor
_BETWEEN = 256  # looks from then on; giving way may take longer than a part does


@inline
def publish(queue, parts):
    """Put up a task of so many parts; what they are has been written down."""
    number = read(queue.counters, TAKEN) // _TASK + 1
    write(queue.counters, FINISHED, 0)
    write(queue.counters, TAKEN, number * _TASK + parts * _PARTS)


@inline
def take(queue):
    """A part that nobody has taken, -1 if there is none."""
    taken = add(queue.counters, TAKEN, 1)
    part = taken % _PARTS
    return part if part < taken // _PARTS % _PARTS else -1


@inline
def finish(queue):
    """A part is done."""
    add(queue.counters, FINISHED, 1)


@inline
def back_off(queue, spins):
    """Between one look at a counter and the next."""
    relax()
    if spins > _PATIENCE and spins % _BETWEEN == 0:
        give_way(queue.yield_address)


@inline
def wait_for_all(queue, parts):
    """Until so many parts are done."""
    spins = 0
    while read(queue.counters, FINISHED) < parts:
        spins += 1
        back_off(queue, spins)


@inline
def wait_for_task(queue, before):
    """Until another task is up than the one numbered `before`: its number, 0 when there will be
    none.
    """
    spins = 0
    taken = read(queue.counters, TAKEN)
    while taken // _TASK == before:
        spins += 1
        back_off(queue, spins)
        taken = read(queue.counters, TAKEN)
    return taken // _TASK if taken // _PARTS % _PARTS != 0 else 0
