"""The update of a range of parameters from their gradient, by each optimizer.

`numbers` are the optimizer's own: those of the rule, or a tuple of vectors where each lane has its
own.
"""

from __future__ import annotations

import math

import numpy as np

from fastgd.formulas.updates import (
    average,
    decayed,
    mean_square,
    rate_at,
    rprop,
    rprop_gradient,
    rprop_step,
    scaled,
    sgd,
    velocity,
)
from fastgd.machine.dispatch import by_number
from fastgd.machine.jit import kernel, merged
from fastgd.machine.lane_sums import lane_sum
from fastgd.machine.span import broadcast, lanes_of, load, store
from fastgd.machine.vector import like, some_positive, where_positive
from fastgd.names import UPDATE_KINDS

PLAIN, ADAM, ADAMW = (UPDATE_KINDS.index(form) for form in ("plain", "adam", "adamw"))
NORM_MARGIN = 1e-6  # PyTorch's, in the divisor of clip_norm


@kernel
def clip_factor(rule, gradient):
    """The factor that brings the norm of a gradient down to clip_norm; 1 where it is no longer."""
    lanes = lanes_of(gradient)
    total = broadcast(gradient, 0.0)
    for p in range(0, rule.size, lanes):
        total += load(gradient, p) * load(gradient, p)
    factor = rule.clip_norm / (math.sqrt(lane_sum(total)) + NORM_MARGIN)
    return factor if not factor >= 1.0 else 1.0


@merged
def add_decay(rule, l2, params, gradient, start, stop):
    """Add l2 w to the gradient of weights, if the rule has an l2."""
    if rule.l2 != 0.0:
        for p in range(start, stop, lanes_of(params)):
            store(gradient, p, load(gradient, p) + l2 * load(rule.is_weight, p) * load(params, p))


@merged
def clip_and_decay(rule, params, gradient, factor, start, stop):
    """Multiply the gradient by a factor and add l2 w to that of weights."""
    if factor != 1.0:
        for p in range(start, stop, lanes_of(params)):
            store(gradient, p, factor * load(gradient, p))
    add_decay(rule, rule.l2, params, gradient, start, stop)


@kernel
def rate_of(rule, t):
    """The learning rate of the update that follows t others."""
    return rate_at(rule.schedule, rule.rate, rule.times[0], rule.times[1], rule.times[2], t)


@kernel
def prepare(rule, params, gradient, t):
    """Clip the whole gradient, add l2 w to that of weights; the learning rate of the update that
    follows t others.
    """
    factor = clip_factor(rule, gradient) if rule.clip_norm < math.inf else 1.0
    clip_and_decay(rule, params, gradient, factor, np.int64(0), rule.size)
    return rate_of(rule, t)


@merged
def count_power(rule):
    """Adam's beta1^t and beta2^t, one update on."""
    rule.powers[0] *= rule.numbers[0]
    rule.powers[1] *= rule.numbers[1]


@merged
def update_sgd(rule, numbers, params, gradient, rate, start, stop):
    """w - rate g."""
    for p in range(start, stop, lanes_of(params)):
        store(params, p, sgd(load(params, p), load(gradient, p), rate))


@merged
def update_momentum(rule, numbers, params, gradient, rate, start, stop):
    """SGD with momentum: slot 0 is v."""
    momentum, nesterov = numbers[0], numbers[1]
    for p in range(start, stop, lanes_of(params)):
        g = load(gradient, p)
        v = velocity(load(rule.slots, p), g, momentum)
        store(rule.slots, p, v)
        ahead = (
            where_positive(like(v, nesterov), velocity(v, g, momentum), v)
            if some_positive(nesterov)
            else v
        )
        store(params, p, sgd(load(params, p), ahead, rate))


@merged
def update_adagrad(rule, numbers, params, gradient, rate, start, stop):
    """Adagrad: slot 0 is s."""
    eps = numbers[0]
    for p in range(start, stop, lanes_of(params)):
        g = load(gradient, p)
        s = load(rule.slots, p) + g * g
        store(rule.slots, p, s)
        store(params, p, scaled(load(params, p), g, s, rate, eps))


@merged
def update_rmsprop(rule, numbers, params, gradient, rate, start, stop):
    """RMSprop: slot 0 is s."""
    rho, eps = numbers[0], numbers[1]
    for p in range(start, stop, lanes_of(params)):
        g = load(gradient, p)
        s = mean_square(load(rule.slots, p), g, rho)
        store(rule.slots, p, s)
        store(params, p, scaled(load(params, p), g, s, rate, eps))


@merged
def update_adam(rule, numbers, params, gradient, rate, start, stop):
    """Adam, and AdamW where there is a fourth number, its weight_decay; after `count_power`."""
    root = math.sqrt(1.0 - rule.powers[1])
    # r m' / (sqrt v' + eps), with one division instead of two
    corrected = rate * (root / (1.0 - rule.powers[0]))
    kept = decayed(rate, numbers[3]) if len(numbers) > 3 else like(rate, 1.0)
    update_moments(rule, numbers, params, gradient, kept, corrected, numbers[2] * root, start, stop)


@merged
def update_moments(rule, numbers, params, gradient, kept, corrected, eps, start, stop):
    """Adam's update with rate and eps corrected for the moments' beginning at 0: slot 0 is m, slot
    1 is v. `kept` is what is left of a parameter after its decay.
    """
    beta1, beta2 = numbers[0], numbers[1]
    for p in range(start, stop, lanes_of(params)):
        g = load(gradient, p)
        m = average(load(rule.slots, p), g, beta1)
        v = average(load(rule.slots, rule.size + p), g * g, beta2)
        store(rule.slots, p, m)
        store(rule.slots, rule.size + p, v)
        store(params, p, scaled(kept * load(params, p), m, v, corrected, eps))


@merged
def update_rprop(rule, numbers, params, gradient, rate, start, stop):
    """Rprop: slot 0 is the last gradient, slot 1 the step of each parameter."""
    shrink, grow, least, most = numbers[0], numbers[1], numbers[2], numbers[3]
    for p in range(start, stop, lanes_of(params)):
        g = load(gradient, p)
        agreement = g * load(rule.slots, p)
        step = rprop_step(load(rule.slots, rule.size + p), agreement, shrink, grow, least, most)
        g = rprop_gradient(g, agreement)
        store(rule.slots, p, g)
        store(rule.slots, rule.size + p, step)
        store(params, p, rprop(load(params, p), g, step))


update_plain, update_adamw = update_sgd, update_adam
FUNCTIONS = {
    "plain": update_plain,
    "sgd": update_sgd,
    "momentum": update_momentum,
    "adagrad": update_adagrad,
    "rmsprop": update_rmsprop,
    "adam": update_adam,
    "adamw": update_adamw,
    "rprop": update_rprop,
}
_update_by_form = by_number(
    {i: FUNCTIONS[kind] for i, kind in enumerate(UPDATE_KINDS)},
    "rule, numbers, params, gradient, rate, start, stop",
)


@kernel
def update(rule, params, gradient, rate, start, stop):
    """The update of parameters start ... stop by the rule's own optimizer."""
    _update_by_form(rule.update_kind, rule, rule.numbers, params, gradient, rate, start, stop)
