"""The update of one parameter by each optimizer, and the learning rate at a step, once, for one
float or one vector of them.

w is a parameter, g its gradient, the rest is what the optimizer keeps for it. The optimizer's own
numbers are float64, or vectors of it where each lane has its own. `optimizers` and `schedules`
describe them to the user.
"""

import math

from fastgd.machine.dispatch import by_number
from fastgd.machine.elementary import sqrt
from fastgd.machine.jit import merged
from fastgd.machine.vector import like, where_negative, where_positive
from fastgd.names import SCHEDULES


@merged
def sgd(w, g, rate):
    """w - rate g, notes 004 Algorithm 1."""
    return w - rate * g


@merged
def velocity(v, g, momentum):
    """momentum v + g."""
    return like(v, momentum) * v + g


@merged
def average(m, x, rho):
    """Exponential moving average."""
    return like(m, rho) * m + like(m, 1.0 - rho) * x


@merged
def scaled(w, m, s, rate, eps):
    """A step along m divided by the root of the mean square s: adagrad, rmsprop, adam."""
    return w - rate * m / (sqrt(s) + like(s, eps))


@merged
def decayed(rate, weight_decay):
    """What is left of 1 after an update's decay."""
    return 1.0 - rate * like(rate, weight_decay)


@merged
def smaller(x, y):
    """The smaller of two, lane by lane."""
    return where_positive(x - y, y, x)


@merged
def larger(x, y):
    """The larger of two, lane by lane."""
    return where_negative(x - y, y, x)


@merged
def rprop_step(step, agreement, shrink, grow, least, most):
    """The step after gradients whose product is `agreement`."""
    step = where_positive(
        agreement,
        step * like(step, grow),
        where_negative(agreement, step * like(step, shrink), step),
    )
    return larger(smaller(step, like(step, most)), like(step, least))


@merged
def rprop_gradient(g, agreement):
    """The gradient, forgotten where it has changed its sign."""
    return where_negative(agreement, like(g, 0.0), g)


@merged
def rprop(w, g, step):
    """w - sign(g) step."""
    return w - where_positive(g, step, where_negative(g, -step, 0.0 * g))


# -- schedules: the rate t updates after a warm-up; a and b are a schedule's own numbers, in the
# order of its fields


@merged
def constant(rate, a, b, t):
    """rate."""
    return rate


@merged
def whole_power(b, n):
    """b^n for a whole n of at least 0, by squaring where that is short."""
    if n > 2**16:
        return math.pow(b, float(n))
    power = 1.0
    while n != 0:
        if n & 1:
            power *= b
        n >>= 1
        b *= b
    return power


@merged
def step(rate, a, b, t):
    """rate b^(t // a)."""
    return rate * whole_power(b, math.floor(t / a))


@merged
def exponential(rate, a, b, t):
    """rate a^t."""
    return rate * math.pow(a, t)


@merged
def inverse_time(rate, a, b, t):
    """rate / (1 + a t)."""
    return rate / (1.0 + a * t)


@merged
def cosine(rate, a, b, t):
    """Half a cosine from rate to b in a updates."""
    return b + (rate - b) * 0.5 * (1.0 + math.cos(math.pi * min(t, a) / a))


SCHEDULE_FUNCTIONS = {
    "constant": constant,
    "step": step,
    "exponential": exponential,
    "inverse_time": inverse_time,
    "cosine": cosine,
}
_scheduled = by_number(
    {i: SCHEDULE_FUNCTIONS[name] for i, name in enumerate(SCHEDULES)}, "rate, a, b, t"
)


@merged
def rate_at(kind, rate, warmup, a, b, t):
    """The learning rate of the update that follows t others, by the schedule at place `kind`."""
    if t < warmup:
        return rate * (t + 1) / warmup
    return _scheduled(kind, rate, a, b, float(t) - warmup)
