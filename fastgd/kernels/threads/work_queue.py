"""Work that is cut into parts, taken by whichever thread is free.

The leader, who runs the loop, publishes a task of so many parts and takes parts itself; helpers take what is left. The one counter that
all of them draw from holds the number of the task, its parts and how many were taken, so that a helper who comes late takes none that
is not there. The leader waits for parts that were taken, never for a helper that has not come: where no other thread runs, it does
everything. The two parts of `halves` wait for each other too: whoever takes the first takes the second, if it is still there. What a
part computes does not depend on who takes it.
"""

from fastgd.kernels.structs import DRAWN, FINISHED
from fastgd.machine.atomic import add, give_way, read, relax, write
from fastgd.machine.jit import inline

_PARTS, _TASK = 2**16, 2**32  # one part, one task, in the counter that parts are drawn from
_PATIENCE = 4000  # looks at a counter, some 50 us, before another thread may have the processor
_BETWEEN = 256  # looks from then on; giving way may take longer than a part does


@inline
def publish(team, parts):
    """Put up a task of so many parts; what they are has been written down."""
    number = read(team.counters, DRAWN) // _TASK + 1
    write(team.counters, FINISHED, 0)
    write(team.counters, DRAWN, number * _TASK + parts * _PARTS)


@inline
def draw(team):
    """A part that nobody has taken, -1 if there is none."""
    drawn = add(team.counters, DRAWN, 1)
    part = drawn % _PARTS
    return part if part < drawn // _PARTS % _PARTS else -1


@inline
def finish(team):
    """A part is done."""
    add(team.counters, FINISHED, 1)


@inline
def rest(team, looks):
    """Between one look at a counter and the next."""
    relax()
    if looks > _PATIENCE and looks % _BETWEEN == 0:
        give_way(team.rest)


@inline
def wait_for_all(team, parts):
    """Until so many parts are done."""
    looks = 0
    while read(team.counters, FINISHED) < parts:
        looks += 1
        rest(team, looks)


@inline
def wait_for_task(team, before):
    """Until another task is up than the one numbered `before`: its number, 0 when there will be none."""
    looks = 0
    drawn = read(team.counters, DRAWN)
    while drawn // _TASK == before:
        looks += 1
        rest(team, looks)
        drawn = read(team.counters, DRAWN)
    return drawn // _TASK if drawn // _PARTS % _PARTS != 0 else 0
