"""A learning rate that falls where the watched cost does no longer; see `schedules.Plateau`."""

from fastgd.machine.jit import merged
from fastgd.schedules import KINDS
from fastgd.schedules.plateau import BAD, COOLING, LEAST_CHANGE, LEAST_COST, NOW, SEEN

ON_PLATEAU = list(KINDS).index("plateau")


@merged
def look_for_plateau(plateau, at, times, first, epoch, cost):
    """Look at the cost of the parameters after `epoch` epochs, once. What a run keeps for it begins
    at plateau[at], the schedule's own numbers at times[first].
    """
    if epoch <= plateau[at + SEEN]:
        return
    factor, patience, threshold = times[first], times[first + 1], times[first + 2]
    cooldown, least = times[first + 3], times[first + 4]
    plateau[at + SEEN] = epoch
    if cost < plateau[at + LEAST_COST] * (1.0 - threshold):
        plateau[at + LEAST_COST], plateau[at + BAD] = cost, 0.0
    else:
        plateau[at + BAD] += 1.0
    if plateau[at + COOLING] > 0.0:
        plateau[at + COOLING] -= 1.0
        plateau[at + BAD] = 0.0
    if plateau[at + BAD] > patience:
        lower = max(plateau[at + NOW] * factor, least)
        if plateau[at + NOW] - lower > LEAST_CHANGE:
            plateau[at + NOW] = lower
        plateau[at + COOLING], plateau[at + BAD] = cooldown, 0.0
