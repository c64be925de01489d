"""One compiled function that stands for several, of which a number known at run
time chooses one.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fastgd.machine.jit import merged


def by_number(functions: Mapping[int, Callable[..., Any]], arguments: str) -> Any:
    """The function `choose(number, arguments)` that is `functions[number](arguments)`; the first
    one for numbers that are not there.

    It is written out as a branch for each: Numba can't merge the functions of a table into their
    caller. A function of several numbers is one branch.
    """
    places: dict[Callable[..., Any], list[int]] = {}
    for number, function in functions.items():
        places.setdefault(function, []).append(number)
    (first, _), *others = places.items()
    names: dict[str, Any] = {"function": first}
    lines = [f"def choose(number, {arguments}):", f"    result = function({arguments})"]
    for i, (function, numbers) in enumerate(others):
        names[f"function_{i}"] = function
        lines += [f"    {'elif' if i else 'if'} {' or '.join(f'number == {n}' for n in numbers)}:"]
        lines += [f"        result = function_{i}({arguments})"]
    if others:  # the first one comes last
        lines += ["    else:", "    " + lines.pop(1)]
    names["__source__"] = "\n".join([*lines, "    return result"])
    exec(names["__source__"], names)
    return merged(names["choose"])
