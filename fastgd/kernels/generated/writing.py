"""What writing a module of code needs besides the equations: indenting, and importing all that the text calls."""

import re
from collections.abc import Iterable, Sequence
from itertools import chain, groupby
from textwrap import indent

from fastgd.machine.sources import defined_in

# where the called functions live; a name is imported from the first that defines it
_HOMES = (
    "machine.vector", "machine.span", "machine.elementary", "formulas.activations", "formulas.losses",
    "formulas.updates", "kernels.update", "kernels.rows", "kernels.epoch", "kernels.generated.member_epoch",
)  # fmt: skip


def indented(lines: Iterable[str]) -> list[str]:
    """One level further in."""
    return [indent(line, "    ") for line in lines]


def interleaved(lines: Sequence[str], index: str, marks: Sequence[str]) -> list[str]:
    """The lines once for every mark, which `index` and the names that the lines bind get; sums (`+=`) to one name next to each other.

    With a mark, no name may be one that the lines use already.
    """
    bound = re.findall(r"^ *(\w+(?:, \w+)*) = ", "\n".join(lines), re.MULTILINE)
    own = "|".join([index, *", ".join(bound).split(", ")])
    copies = [[re.sub(rf"(?<!\.)\b({own})\b", rf"\g<1>{mark}", line) for line in lines] for mark in marks]
    is_sum = [re.match(r"\w+ \+= ", line) is not None for line in lines]
    for i in reversed(range(len(lines) - 1)):
        if lines[i].startswith("#"):
            is_sum[i] = is_sum[i + 1]
    written: list[str] = []
    for summing, group in groupby(zip(is_sum, zip(*copies, strict=True), strict=True), key=lambda pair: pair[0]):
        same = [copy for _, copy in group]
        written += chain(*map(dict.fromkeys, same)) if summing else chain(*zip(*same, strict=True))
    return written


def in_pairs(lines: Sequence[str], stop: str, step: str) -> list[str]:
    """The lines for every s from 0 by `step` to `stop`, two at a time, the names of the next one marked by an n; then for one that is left.

    Sums are fetched and put away half as often, and one sample is computed where the other waits.
    """
    two = "2" if step == "1" else f"(2 * {step})"
    pair = [f"sn = s + {step}", *interleaved(lines, "s", ["", "n"])]
    rest = [f"s = {stop} - {step}", *lines]
    return [
        "# two at a time; names of the next one end in n", f"for s in range(0, {stop} - {step}, {two.strip('()')}):", *indented(pair),
        "# one may be left", f"if {stop} % {two} != 0:", *indented(rest),
    ]  # fmt: skip


def divisor(method: str) -> str:
    """What the distance of two perturbed costs is divided by."""
    return {"finite_difference": " / eps", "central_difference": " / (2.0 * eps)"}.get(method, "")


def imports(text: str) -> str:
    """Imports of all that the text calls."""
    names = set(re.findall(r"(?<![.\w])[a-z]\w*(?=\()", text))
    lines = []
    for module in _HOMES:
        found = names & defined_in(module)
        names -= found
        lines += [f"from fastgd.{module} import {', '.join(sorted(found))}"] if found else []
    return "\n".join(lines)
