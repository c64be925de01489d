"""The fenced blocks of a page, and the comments that say what is done with them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

RUN = ("python", "sh")  # languages that are run; `text` is what the last such block prints
_COMMENT = re.compile(r"\s*<!-- (file|needs|not run|picture): (.+) -->\s*")
_FENCE = re.compile(r"( *)(`{3,}|~{3,}|:{3,})\s*([^\s`]*).*")


class PageError(Exception):
    """What is wrong with a page, with its line."""


@dataclass
class Block:
    """A fenced block: its language, its text, and the number of its first line, from 1."""

    language: str
    text: str
    line: int
    marks: dict[str, str] = field(default_factory=dict)  # of the comments before it: file, needs, not run
    output: "Block | None" = None  # what it prints, as the page has it
    pictures: list[str] = field(default_factory=list)  # descriptions of the figures that it leaves open

    @property
    def is_run(self) -> bool:
        return self.language in RUN and not self.marks.keys() & {"file", "not run"}


def blocks(text: str) -> list[Block]:
    """All blocks of a page but MyST's directives, in order."""
    found: list[Block] = []
    marks: dict[str, str] = {}
    last: Block | None = None  # of those that are run
    for line, kind, content in _pieces(text):
        if isinstance(content, Block):
            content.marks, marks = marks, {}
            found.append(content)
            if content.is_run:
                last = content
            elif content.language == "text" and not content.marks:
                if last is None or last.output is not None:
                    raise PageError(f"{line}: a text block is what the block before it prints; there is none without an output")
                last.output = content
            elif content.language != "none" and not content.marks.keys() & {"file", "not run"}:
                raise PageError(f"{line}: a block is python, sh, text or none, a file or not run; this is {content.language!r}")
        elif kind == "picture":
            if last is None:
                raise PageError(f"{line}: a picture is drawn by a block before it")
            last.pictures.append(content)
        else:
            marks[kind] = content
    return found


def _pieces(text: str) -> Iterator[tuple[int, str, "Block | str"]]:
    """(line, kind, content) of each comment and each fenced block."""
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if comment := _COMMENT.fullmatch(line):
            yield number, comment[1], comment[2]
        elif fence := _FENCE.fullmatch(line):
            start, (indent, marker, language) = number, fence.groups()
            while number < len(lines) and not re.fullmatch(rf" *{marker[0]}{{{len(marker)},}} *", lines[number]):
                number += 1
            if number == len(lines):
                raise PageError(f"{start}: a block that does not end")
            if not language.startswith("{"):
                content = [each.removeprefix(indent) for each in lines[start:number]]
                yield start, "block", Block(language, "\n".join(content), start + 1)
            number += 1
