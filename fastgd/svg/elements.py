"""Elements of SVG and HTML as text, in which whatever a user has named stands as text only."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable

# seen on white and on black, in print, and by the colour-blind
BLUE, ORANGE = "#2f86d6", "#d9691a"
_FONT = "system-ui,sans-serif"


def escaped(text: object) -> str:
    """A text between tags or within quotes; what no text may hold, and what turns the direction of
    its neighbours, is replaced.
    """
    return html.escape("".join(each if _is_plain(each) else "\ufffd" for each in str(text)))


def _is_plain(character: str) -> bool:
    is_mark = character in "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    is_none = character in "\ufffe\uffff" or unicodedata.category(character) in ("Cc", "Cs")
    return character in "\n\t" or not (is_mark or is_none)


def shortened(text: object, most: int) -> str:
    """A text of at most so many characters, on one line."""
    whole = " ".join(str(text).split())
    return whole if len(whole) <= most else f"{whole[: most - 1]}\u2026"


def tag(name: str, content: str | Iterable[str] | None = None, **attributes: object) -> str:
    """An element; `stroke_width` is the attribute stroke-width, and `class_` is class."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(_shown(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if content is None:
        return f"<{name}{told}/>"
    inner = content if isinstance(content, str) else "".join(content)
    return f"<{name}{told}>{inner}</{name}>"


def _shown(value: object) -> object:
    """Numbers to a tenth of a pixel."""
    return f"{value:.3g}" if isinstance(value, float) and abs(value) < 1 else place(value)


def place(value: object) -> object:
    """A number of pixels, as short as it can be."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value


def text(x: float, y: float, words: object, anchor: str = "start", size: float = 12) -> str:
    """Words at a place: their start, middle or end."""
    return tag(
        "text", escaped(words), x=float(x), y=float(y), text_anchor=anchor, font_size=size,
        fill="currentColor",
    )  # fmt: skip


def picture(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    """A whole picture, which is no wider than where it stands; `title` says what it shows."""
    whole = (tag("title", escaped(title)), *parts)
    return tag(
        "svg", whole, xmlns="http://www.w3.org/2000/svg", role="img",
        viewBox=f"0 0 {width:g} {height:g}", width=f"{width:g}", font_family=_FONT,
        style="max-width:100%;height:auto",
    )  # fmt: skip
