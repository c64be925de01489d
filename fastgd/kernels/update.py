"""The update of a range of parameters from their gradient, by each optimizer, and what comes before
it.

`numbers` are the optimizer's own, and `factors` what `begin` has made of them: those of the rule,
or a tuple of vectors where each lane has its own.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from fastgd.formulas.schedules import rate_at
from fastgd.formulas.updates import formula, sign
from fastgd.kernels.codes import CALLED, IN_KERNEL, RATE
from fastgd.machine.call import call
from fastgd.machine.dispatch import by_number
from fastgd.machine.jit import kernel, merged
from fastgd.machine.lane_sums import lane_sum
from fastgd.machine.span import broadcast, lanes_of, load, store
from fastgd.optimizers.optimizer import FORMS, kept_of, names_of, powers_of
from fastgd.schedules.plateau import NOW

PLAIN = IN_KERNEL.index("plain")
BEGIN = -1  # in the place of a range, for a kernel that is called
_MOST_VECTORS = 2**32  # of a range, both of whose numbers are one number then
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
def add_decay(rule, l2, l1, params, gradient, start, stop):
    """Add l2 w and l1 sign(w) to the gradient of weights, if the rule has an l2 or an l1."""
    if rule.l2 != 0.0:
        for p in range(start, stop, lanes_of(params)):
            store(gradient, p, load(gradient, p) + l2 * load(rule.is_weight, p) * load(params, p))
    if rule.l1 != 0.0:
        for p in range(start, stop, lanes_of(params)):
            steepness = l1 * load(rule.is_steep, p)
            store(gradient, p, load(gradient, p) + steepness * sign(load(params, p)))


@merged
def clip_and_decay(rule, params, gradient, factor, start, stop):
    """Multiply the gradient by a factor and add l2 w and l1 sign(w) to that of weights."""
    if factor != 1.0:
        for p in range(start, stop, lanes_of(params)):
            store(gradient, p, factor * load(gradient, p))
    add_decay(rule, rule.l2, rule.l1, params, gradient, start, stop)


@kernel
def rate_of(rule, t):
    """The learning rate of the update that follows t others."""
    if len(rule.plateau) != 0:
        return rule.plateau[NOW]
    return rate_at(rule.schedule, rule.rate, rule.times, np.int64(0), t)


@kernel
def prepare(rule, params, gradient, t):
    """Clip the whole gradient, add l2 w and l1 sign(w) to that of weights; the learning rate of the
    update that follows t others.
    """
    factor = clip_factor(rule, gradient) if rule.clip_norm < math.inf else 1.0
    clip_and_decay(rule, params, gradient, factor, np.int64(0), rule.size)
    return rate_of(rule, t)


# -- loops that are written out from the declarations of optimizers


class Functions(NamedTuple):
    """What an update is made of."""

    begin: Any  # (rule, rate), once before an update of all parameters
    # (group), the same for members, each on a lane
    begin_members: Any
    update: Any  # (rule, numbers, factors, params, gradient, rate, start, stop)


@merged
def _nothing(rule, rate):
    pass


@merged
def _nothing_of_members(group):
    pass


def functions_of(kind: str) -> Functions:
    """Those of an update of this kind."""
    kind = "sgd" if kind == "plain" else kind
    update = _update_of(kind)
    if FORMS[kind][1].begin is None:
        return Functions(_nothing, _nothing_of_members, update)
    return Functions(_begin_of(kind), _begin_members_of(kind), update)


@cache
def _function(name: str, text: str, function: Any) -> Any:
    """The function `name` of this text, in which `formula` is this one."""
    names: dict[str, Any] = {"lanes_of": lanes_of, "load": load, "store": store}
    names |= {"formula": formula(function), "__source__": text}
    exec(text, names)
    return merged(names[name])


def _update_of(kind: str) -> Any:
    (cls, form), kept = FORMS[kind], kept_of(kind)
    places = {"w": "load(params, p)", "g": "load(gradient, p)", "rate": "rate"}
    places |= {name: f"load(rule.slots, {_slot(i)})" for i, name in enumerate(kept)}
    places |= {name: f"numbers[{i}]" for i, name in enumerate(cls.field_names())}
    places |= {name: f"factors[{i}]" for i, name in enumerate(form.makes)}
    results = ["w", *kept]
    lines = [
        "def update(rule, numbers, factors, params, gradient, rate, start, stop):",
        "    for p in range(start, stop, lanes_of(params)):",
        f"        {', '.join(results)} = formula({_arguments(form.update, places)})",
        *(f"        store(rule.slots, {_slot(i)}, {name})" for i, name in enumerate(kept)),
        "        store(params, p, w)",
    ]
    return _function("update", "\n".join(lines), form.update)


def _slot(i: int) -> str:
    return " + ".join([*["rule.size"] * i, "p"])


def _arguments(function: Any, places: dict[str, str]) -> str:
    return ", ".join(places[name] for name in names_of(function))


def _begin_of(kind: str) -> Any:
    (cls, form), powers = FORMS[kind], powers_of(kind)
    places = {"rate": "rate"}
    places |= {name: f"rule.numbers[{i}]" for i, name in enumerate(cls.field_names())}
    places |= {name: f"rule.powers[{i}]" for i, name in enumerate(powers)}
    results = [f"rule.powers[{i}]" for i in range(len(powers))]
    results += [f"rule.factors[{i}]" for i in range(len(form.makes))]
    call = f"formula({_arguments(form.begin, places)})"
    lines = ["def begin(rule, rate):", f"    {', '.join(results)} = {call}"]
    return _function("begin", "\n".join(lines), form.begin)


def _begin_members_of(kind: str) -> Any:
    """By vectors of float64, of which one or two hold all lanes."""
    (cls, form), powers = FORMS[kind], powers_of(kind)

    def row(array: str, i: int) -> str:
        return f"{array}, {i} * lanes + lane"

    places = {"rate": "load(group.rates, lane)"}
    places |= {name: f"load({row('group.numbers', i)})" for i, name in enumerate(cls.field_names())}
    places |= {name: f"load({row('rule.powers', i)})" for i, name in enumerate(powers)}
    stores = [f"store({row('rule.powers', i)}, {name})" for i, name in enumerate(powers)]
    stores += [f"store({row('rule.factors', i)}, {name})" for i, name in enumerate(form.makes)]
    lines = [
        "def begin_members(group):",
        "    rule, lanes = group.rule, len(group.member_of_lane)",
        "    for lane in range(0, lanes, lanes_of(rule.powers)):",
        f"        {', '.join([*powers, *form.makes])} = formula({_arguments(form.begin, places)})",
        *(f"        {store}" for store in stores),
    ]
    return _function("begin_members", "\n".join(lines), form.begin)


# -- of the matrix kernel, which has those of IN_KERNEL, and calls others

_KINDS = {i: functions_of(kind) for i, kind in enumerate(IN_KERNEL)}
_begin_by_kind = by_number({i: each.begin for i, each in _KINDS.items()}, "rule, rate")
_update_by_kind = by_number(
    {i: each.update for i, each in _KINDS.items()},
    "rule, numbers, factors, params, gradient, rate, start, stop",
)


@kernel
def begin(rule, rate):
    """What is done once before an update of all parameters, by an optimizer of IN_KERNEL."""
    _begin_by_kind(rule.update_kind, rule, rate)


@kernel
def update(rule, params, gradient, rate, start, stop):
    """The update of parameters start ... stop by the rule's own optimizer, one of IN_KERNEL."""
    _update_by_kind(
        rule.update_kind, rule, rule.numbers, rule.factors, params, gradient, rate, start, stop
    )


@kernel
def begin_any(problem, rate):
    """What is done once before an update of all parameters, by any optimizer."""
    rule = problem.rule
    if rule.update_kind == CALLED:
        call(rule.update_address, problem, BEGIN)
    else:
        begin(rule, rate)


@kernel
def update_any(problem, rate, start, stop):
    """The update of parameters start ... stop by any optimizer."""
    rule, params = problem.rule, problem.params
    if rule.update_kind == CALLED:
        lanes = lanes_of(params)
        call(rule.update_address, problem, start // lanes * _MOST_VECTORS + (stop - start) // lanes)
    else:
        update(rule, params, problem.work.gradient, rate, start, stop)


@merged
def update_called(begin, update, problem, limit):
    """What a kernel for another update does: `begin` it, or `update` a range of parameters."""
    rule, params, rate = problem.rule, problem.params, problem.queue.numbers[RATE]
    if limit == BEGIN:
        begin(rule, rate)
    else:
        lanes = lanes_of(params)
        start = limit // _MOST_VECTORS * lanes
        stop = start + limit % _MOST_VECTORS * lanes
        update(rule, rule.numbers, rule.factors, params, problem.work.gradient, rate, start, stop)
