"""A derivation as a list of numbered equations, which every language writes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fastgd.derivation.notes import cites_of
from fastgd.functions.formula import Formula
from fastgd.network import Network


@dataclass(frozen=True)
class Equation:
    """left = right, of one sample i; without a left side it goes on from the one before.

    `name` is what code calls the left side, where right is what code computes; `cites` are the
    equations of the notes of which it is a case.
    """

    number: int
    left: Formula | None
    right: Formula
    cites: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True)
class Section:
    """Equations under a title, with sentences before them, whose mathematics stands between $."""

    title: str
    text: str
    equations: list[Equation] = field(default_factory=list)


@dataclass
class Derivation:
    """What is derived of a network: sections in order, unit by unit, or of whole layers."""

    net: Network
    whole_layers: bool = False
    sections: list[Section] = field(default_factory=list)

    def section(self, title: str, text: str = "") -> None:
        """Begin one."""
        self.sections.append(Section(title, text))

    @property
    def equations(self) -> list[Equation]:
        """All of them, in order."""
        return [each for section in self.sections for each in section.equations]

    def add(
        self, kind: str, l: int, left: Formula, sides: Sequence[Formula], name: str = ""
    ) -> None:
        """left = side = side ..., each with a number, a side that says nothing new left out. Code
        that calls it by a name computes the last side.
        """
        cites = cites_of(self.net, kind, l)
        new = [
            s for i, s in enumerate(sides) if s is not left and (i == 0 or s is not sides[i - 1])
        ]
        number = len(self.equations)
        for i, side in enumerate(new):
            number += 1
            cite = tuple(cites[:2]) if kind == "forward" else cites[min(i, len(cites) - 1) :][:1]
            begun = left if i == 0 else None
            own = name if i == len(new) - 1 else ""
            self.sections[-1].equations.append(Equation(number, begun, side, cite, own))
