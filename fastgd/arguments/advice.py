"""What is often given as widths, layers or parameters: refused, with what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from fastgd.arguments.arrays import real_array
from fastgd.arguments.checks import Array, shown, whole_number

_TOGETHER = (list, tuple, range, np.ndarray)


class Described(Protocol):
    """What is asked of a network."""

    @property
    def widths(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...


def check_widths(widths: tuple[Any, ...]) -> tuple[int, ...]:
    """At least two whole numbers, given one by one."""
    several = [i for i, width in enumerate(widths) if isinstance(width, _TOGETHER)]
    parts = [width if isinstance(width, _TOGETHER) else [width] for width in widths]
    one_by_one = [one for part in parts for one in part]
    if several and len(one_by_one) > 1:
        place = several[0]
        raise (ValueError if len(widths) == 1 else TypeError)(
            f"widths[{place}] must be a whole number of at least 1; got {shown(widths[place])}: "
            f"write MLP({', '.join(map(str, one_by_one))}), or MLP(*widths)"
        )
    if len(widths) < 2:
        expected = "at least two numbers, inputs and outputs, as in MLP(2, 2, 1)"
        raise ValueError(f"widths must be {expected}; got {shown(widths)}")
    return tuple(whole_number(f"widths[{i}]", width, least=1) for i, width in enumerate(widths))


def params_array(net: Described, params: Any, *shapes: tuple[int, ...]) -> Array:
    """`params` of the network's dtype, of one of these shapes; errors tell what makes them."""
    try:
        array = real_array("params", params, net.dtype)
    except (ValueError, TypeError) as error:
        if (advice := _how_to_flatten(net, params)) is None:
            raise
        raise type(error)(_not_of_shape(net, params, shapes, advice)) from None
    if array.shape not in shapes:
        raise ValueError(_not_of_shape(net, params, shapes, _how_to_flatten(net, params)))
    return array


def _not_of_shape(
    net: Described, params: Any, shapes: tuple[tuple[int, ...], ...], advice: str | None
) -> str:
    """What is wrong with params that are not flat, with what makes them, if that can be told."""
    if advice is None:
        got = str(np.shape(params))
    else:
        several = isinstance(params, (list, tuple, Mapping))
        got = f"a {type(params).__name__} of {len(params)}" if several else shown(params)
        got = f"{got}: {advice}"
    return f"params must have shape {' or '.join(map(str, shapes))} for {net}; got {got}"


def _how_to_flatten(net: Described, params: Any) -> str | None:
    """What makes a flat array of what was given as one, if that can be told."""
    if isinstance(params, type(net)):
        return "a network owns no numbers, net.init(rng) makes some"
    if hasattr(params, "params"):
        return "those of a run are run.params"
    if isinstance(params, Mapping) or _has_arrays(params):
        return "net.pack([(W, b), ...]) makes them of layers, where W is (outputs, inputs)"
    is_data = np.ndim(params) == 2 and np.shape(params)[1] == net.widths[0]
    return "params come before X" if is_data else None


def _has_arrays(value: Any) -> bool:
    """Whether it is a list of arrays or lists."""
    several = value if isinstance(value, (list, tuple)) else ()
    return any(isinstance(one, (list, tuple)) or np.ndim(one) > 0 for one in several)


def how_to_pair(layers: Any) -> str:
    """What makes pairs of what was given as layers, if that can be told."""
    if isinstance(layers, Mapping):
        return ": take W and b out of it, layer by layer, as [(W, b), ...]"
    if isinstance(layers, Iterator):
        return ": call list(...) first"
    if isinstance(layers, (list, tuple)) and layers and isinstance(layers[0], np.ndarray):
        return ": list(zip(layers[::2], layers[1::2])) makes one of W1, b1, W2, b2, ..."
    return ""
