"""Lines of generated code, which know what they bind, and how they are laid out in loops."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain, groupby

from fastgd.arguments.functions import mark_of
from fastgd.optimizers.optimizer import FORMS


class Line(str):
    """A line of code, the `names` that it binds, and whether it adds to the one that it names."""

    __slots__ = ("adds", "names")

    names: tuple[str, ...]
    adds: bool | None  # None of a comment, which belongs to the line that follows

    def __new__(cls, text: str, names: tuple[str, ...] = (), adds: bool | None = False) -> Line:
        line = super().__new__(cls, text)
        line.names, line.adds = names, adds
        return line

    def first(self) -> Line:
        """Where there is nothing to add to yet: what was to be added is bound."""
        return let(self.partition(" += ")[0], self.partition(" += ")[2]) if self.adds else self

    def renamed(self, names: Iterable[str], mark: str) -> Line:
        """With a mark behind these names, wherever they stand."""
        text = re.sub(rf"(?<!\.)\b({'|'.join(names)})\b", rf"\g<1>{mark}", self)
        return Line(text, self.names, self.adds)


def let(names: str, value: str) -> Line:
    """Bind one name, or several between commas."""
    return Line(f"{names} = {value}", tuple(names.split(", ")))


def add(name: str, term: str) -> Line:
    """Add to a name that is bound outside."""
    return Line(f"{name} += {term}", adds=True)


def comment(text: str) -> Line:
    """What the next lines are."""
    return Line(f"# {text}", adds=None)


def indented(lines: Iterable[str]) -> list[Line]:
    """One level further in."""
    return [Line(f"    {line}" if line else "", getattr(line, "names", ())) for line in lines]


def text_of(lines: Iterable[str]) -> str:
    """The lines as the body of a function."""
    return "\n".join(indented(lines))


def interleaved(lines: Sequence[Line], index: str, marks: Sequence[str]) -> list[Line]:
    """The lines once for every mark, which `index` and the names that the lines bind get; those
    that add to one name next to each other.

    With a mark, no name may be one that the lines use already.
    """
    own = list(dict.fromkeys([index, *chain.from_iterable(line.names for line in lines)]))
    copies = [[line.renamed(own, mark) for line in lines] for mark in marks]
    adds = [line.adds for line in lines]
    for i in reversed(range(len(lines) - 1)):
        if adds[i] is None:
            adds[i] = adds[i + 1]
    written: list[Line] = []
    for adding, group in groupby(
        zip(adds, zip(*copies, strict=True), strict=True), key=lambda pair: pair[0]
    ):
        same = [copy for _, copy in group]
        written += chain(*map(dict.fromkeys, same)) if adding else chain(*zip(*same, strict=True))
    return written


def in_pairs(lines: Sequence[Line], stop: str, step: str) -> list[Line]:
    """The lines for every s from 0 by `step` to `stop`, two at a time, the names of the next one
    marked by an n; then for one that is left.

    Sums are fetched and put away half as often, and one sample is computed where the other waits.
    """
    two = "2" if step == "1" else f"(2 * {step})"
    pair = [let("sn", f"s + {step}"), *interleaved(lines, "s", ["", "n"])]
    rest = [let("s", f"{stop} - {step}"), *lines]
    return [
        comment("two at a time; names of the next one end in n"),
        Line(f"for s in range(0, {stop} - {step}, {two.strip('()')}):"), *indented(pair),
        comment("one may be left"),
        Line(f"if {stop} % {two} != 0:"), *indented(rest),
    ]  # fmt: skip


def functions_line(kind: str) -> str:
    """By which a module has the functions of an update of this kind; those that are not of fastgd
    are told by what they do.
    """
    if kind == "plain":
        return ""
    form = FORMS[kind][1]
    mark = mark_of(form.update, form.begin)
    return f"begin, begin_members, update = functions_of({kind!r})" + (f"  # {mark}" * bool(mark))
