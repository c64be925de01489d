"""What members of an ensemble may have of their own: arguments with one value for all or one for
each, checked.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from fastgd.arguments.advice import params_array
from fastgd.arguments.arrays import filled, real_array
from fastgd.arguments.checks import Array, seed_of, shown, whole_number
from fastgd.member_settings import BY_LAYER, NONE, OWN_NUMBERS, MemberSettings
from fastgd.mlp import MLP
from fastgd.optimizers import Optimizer, check_optimizer
from fastgd.options import CHECKS
from fastgd.schedules import KINDS, Schedule, as_schedule, check_learning_rate
from fastgd.state import MOST


def count_members(net: MLP, given: dict[str, Any]) -> int:
    """How many members the arguments speak of; those with one axis more than one run's have one
    value for each.

    Raises
    ------
    ValueError, TypeError
        If they disagree, or none of them says.
    """
    counts: dict[str, int] = {}
    if given["members"] is not None:
        counts["members"] = whole_number("members", given["members"], least=1)
    for name, axes in _AXES.items():
        shape = _shape(name, given[name]) if _is_array(given[name]) else ()
        if len(shape) == axes + 1 or (len(shape) == 2 and name in BY_LAYER):
            counts[name] = int(shape[0])
    if not counts:
        if given["params"] is not None:  # layers, say, which are not those of members
            params_array(net, given["params"], (net.n_params,))
        raise ValueError(
            "members must be given, where no other argument has a value for each of them; got None"
        )
    if len(set(counts.values())) > 1 or 0 in counts.values():
        raise ValueError(
            "members must be as many in all arguments; got "
            f"{', '.join(f'{n} by {name}' for name, n in counts.items())}"
        )
    return next(iter(counts.values()))


_AXES = {  # of an argument that all members share
    "params": 1, "rng": 0, "epochs": 0, "learning_rate": 0, "optimizer": 0, "l2": 0, "l1": 0,
    "dropout": 0, "max_norm": 0, "input_noise": 0, "clip_norm": 0,
    "target_cost": 0, "patience": 0, "min_delta": 0, "X": 2, "Y": 2, "sample_weight": 1,
}  # fmt: skip


def _shape(name: str, value: Any) -> tuple[int, ...]:
    """() of what is refused later as an array."""
    try:
        return np.shape(value)
    except ValueError:
        if name == "params":
            return ()
        expected = "one value or one for each member"
        raise ValueError(f"{name} must be {expected}; got {shown(value)}") from None


def _is_array(value: Any) -> bool:
    if value is None or type(value) in (int, float, str):  # asked of most arguments
        return False
    return isinstance(value, (np.ndarray, list, tuple)) or hasattr(value, "__array__")


def check_optimizers(optimizer: Any) -> list[Optimizer]:
    """That of all members, or one for each, of one kind."""
    if not _is_array(optimizer):
        return [check_optimizer("optimizer", optimizer)]
    if np.ndim(optimizer) != 1:
        raise ValueError(
            f"optimizer must be one, or one for each member; got an array of {np.ndim(optimizer)} "
            "axes"
        )
    optimizers = [check_optimizer("optimizer", one) for one in optimizer]
    kinds = list(dict.fromkeys(type(one).__name__ for one in optimizers))
    if len(kinds) > 1:
        raise ValueError(
            f"optimizer must be of one kind for all members; got {' and '.join(kinds)}"
        )
    return optimizers


def check_settings(
    net: MLP, members: int, given: dict[str, Any], optimizers: list[Optimizer]
) -> MemberSettings:
    """One value for each member, or a ValueError or TypeError that names what is wrong."""
    seeds = _seeds(given["rng"], members)
    rates, schedules, times = _rates(given["learning_rate"], members)
    own = {name: _values(name, given[name], members) for name in ("epochs", *OWN_NUMBERS)}
    return MemberSettings(
        seeds=seeds,
        rates=rates,
        schedules=schedules,
        times=times,
        numbers=_broadcast(np.array([one.numbers for one in optimizers], np.float64), members),
        params=_params(net, given["params"], seeds),
        **own,
    )


def differing(given: dict[str, Any]) -> list[str]:
    """The names of options that are given for each member, the optimizer apart."""
    return [name for name in ("learning_rate", *OWN_NUMBERS) if _is_array(given[name])]


_CHECKS = CHECKS | {"epochs": partial(whole_number, least=0, most=MOST)}
_WHOLE = ("epochs", "patience")


def _values(name: str, value: Any, members: int) -> Array:
    """(members,) float64 or int64, each of which passes the check of one; or (members, layers) of
    what layers have of their own. In an array, inf stands for no clip_norm or max_norm.
    """
    check, none = _CHECKS[name], NONE.get(name)
    dtype = np.int64 if name in _WHOLE else np.float64
    if not _is_array(value):
        one = check(name, value) if value is not None or none is None else none
        return filled(members, one, dtype)
    is_float = np.asarray(value).dtype.kind == "f"
    if none == np.inf and is_float and (free := np.isposinf(value)).any():
        return np.where(free, np.inf, _values(name, np.where(free, 1.0, value), members))
    if np.ndim(value) == 0:
        return filled(members, check(name, value), dtype)
    array = real_array(name, value, np.dtype(np.float64)) if is_float else np.asarray(value)
    if array.ndim == 2 and name in BY_LAYER:
        return np.array([check(name, row) for row in array], dtype)
    if array.ndim != 1:
        by_layer = f", or ({members}, layers)" if name in BY_LAYER else ""
        raise ValueError(
            f"{name} must be one value or one for each of {members} members{by_layer}; got shape "
            f"{array.shape}"
        )
    if array.dtype.kind not in "iuf":
        return np.array([check(name, one) for one in np.asarray(value, object)], dtype)
    fractions = array[array != np.floor(array)] if array.dtype.kind == "f" else array[:0]
    for number in (array.min(), array.max(), *fractions[:1]):
        check(name, number)
    return array.astype(dtype)


def _broadcast(values: Array, members: int) -> Array:
    """A row for each member, of one or as many."""
    return np.repeat(values, members, axis=0) if len(values) == 1 else values


def _rates(value: Any, members: int) -> tuple[Array, Array, Array]:
    """First rates, places of schedules and their times."""
    several = np.array([value], object) if isinstance(value, Schedule) else np.asarray(value)
    if several.dtype != object or several.ndim != 1:
        rates = _values("learning_rate", value, members)
        return rates, filled(members, -1, np.int64), np.zeros((members, 3))
    checked = [check_learning_rate("learning_rate", one) for one in several]
    places = np.array(
        [list(KINDS).index(one.name) if isinstance(one, Schedule) else -1 for one in checked],
        np.int64,
    )
    rows = [as_schedule(one).numbers for one in checked]
    longest = max(map(len, rows))
    padded = np.array([[*row, *[0.0] * (longest - len(row))] for row in rows])
    numbers = _broadcast(padded, members)
    return numbers[:, 0].copy(), _broadcast(places, members), numbers[:, 1:].copy()


def _seeds(rng: Any, members: int) -> Array:
    """rng, rng + 1, ... for an int; drawn by a Generator; or as given."""
    if isinstance(rng, np.random.Generator):
        return rng.integers(2**63, size=members)
    if _is_array(rng) and np.ndim(rng) == 1:
        return np.array([seed_of(seed) for seed in np.asarray(rng)], np.int64)
    first = seed_of(rng) if rng is not None else seed_of(None) // 2
    seed_of(first + members - 1)  # refuses what is too large
    return first + np.arange(members, dtype=np.int64)


def _params(net: MLP, params: Any, seeds: Array) -> Array:
    """(members, n_params): given for each, the same for all, or those of the seeds."""
    if params is None:
        return net.drawn(seeds.tolist())
    array = params_array(net, params, (net.n_params,), (len(seeds), net.n_params))
    each: Array = np.empty((len(seeds), net.n_params), net.dtype)
    each[...] = array
    return each
