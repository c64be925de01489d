"""What writing a module of code needs besides the equations: indenting, and importing all that the text calls."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from textwrap import indent

# where the called functions live; a name is imported from the first that defines it
_HOMES = ("simd", "numeric", "activations", "losses", "updates", "kernels.update", "kernels.rows", "kernels.driver", "kernels.crew_epoch")


def indented(lines: Iterable[str]) -> list[str]:
    """One level further in."""
    return [indent(line, "    ") for line in lines]


def interleaved(lines: Sequence[str], index: str, marks: Sequence[str]) -> list[str]:
    """The lines once for every mark, which `index` and the names that the lines bind get.

    The sums (`+=`) come last, those to one name next to each other, so that it is fetched and put away once. Their terms must not be bound
    again on the way.
    """
    own = "|".join([index, *re.findall(r"^ *(\w+) = ", "\n".join(lines), re.MULTILINE)])
    copies = [[re.sub(rf"(?<!\.)\b({own})\b", rf"\g<1>{mark}", line) for line in lines] for mark in marks]
    is_sum = re.compile(r"\w+ \+= ").match
    before = [line for copy in copies for line in copy if not is_sum(line)]
    return before + [line for same in zip(*copies, strict=True) for line in same if is_sum(line)]


def divisor(method: str) -> str:
    """What the distance of two perturbed costs is divided by."""
    return {"finite_difference": " / eps", "central_difference": " / (2.0 * eps)"}.get(method, "")


@cache
def _defined(module: str) -> frozenset[str]:
    """The names that a module of fastgd defines, read from its text: importing it would load Numba."""
    text = (Path(__file__).parent.parent / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
    return frozenset(re.findall(r"^(?:def )?(\w+)(?:\(| = )", text, re.MULTILINE))


def imports(text: str) -> str:
    """Imports of all that the text calls."""
    names = set(re.findall(r"(?<![.\w])[a-z]\w*(?=\()", text))
    lines = []
    for module in _HOMES:
        found = names & _defined(module)
        names -= found
        lines += [f"from fastgd.{module} import {', '.join(sorted(found))}"] if found else []
    return "\n".join(lines)
