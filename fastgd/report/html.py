"""A page that stands alone: one file, which loads nothing, runs nothing and needs no script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from fastgd.svg.elements import escaped, tag

# what a browser may load for the page: pictures that it holds itself
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8881 }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; line-height: 1.45;
  font-family: system-ui, sans-serif; overflow-wrap: break-word }
h1 { font-size: 1.5rem; margin: .5rem 0 } h2 { font-size: 1.15rem; margin: 1.6rem 0 .5rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { text-align: left; vertical-align: top; padding: .2rem .9rem .2rem 0;
  border-bottom: 1px solid var(--line) }
th { font-weight: 600 }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 4px;
  padding: .6rem .8rem; white-space: pre-wrap; tab-size: 4 }
.pictures { display: flex; flex-wrap: wrap; gap: 1.2rem; align-items: center }
.pictures > * { max-width: 100% }
.wide { overflow-x: auto }
summary { cursor: pointer }
footer { margin-top: 2rem; font-size: .9rem; opacity: .8 }
@media print { details > * { display: block } }
"""


def page(title: str, parts: Iterable[str], foot: str) -> str:
    """The whole file."""
    head = (
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escaped(_POLICY)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        tag("title", escaped(title)),
        tag("style", _STYLE),
    )
    body = tag("main", [tag("h1", escaped(title)), *parts]) + tag("footer", escaped(foot))
    whole = tag("html", ["\n", tag("head", "\n".join(head)), "\n", tag("body", body)], lang="en")
    return f"<!doctype html>\n{whole}\n"


def section(title: str, *parts: str) -> str:
    """A part of the page, with a heading."""
    return tag("section", [tag("h2", escaped(title)), *parts]) + "\n"


def paragraph(text: str) -> str:
    return tag("p", escaped(text))


def pictures(*all_of_them: str) -> str:
    """Pictures beside one another, where there is room."""
    return tag("div", all_of_them, class_="pictures")


def code(text: str) -> str:
    """A text whose lines stay as they are."""
    return tag("pre", tag("code", escaped(text)))


def facts(rows: Mapping[str, object]) -> str:
    """What there is to say, by its name."""
    table = tag("table", (
        tag("tr", tag("th", escaped(name), scope="row") + tag("td", escaped(value)))
        for name, value in rows.items()
    ))  # fmt: skip
    return tag("div", table, class_="wide")


def columns(heads: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A table whose columns have heads, and whose rows begin with what they are of."""
    first = tag("tr", (tag("th", escaped(head), scope="col") for head in heads))
    rest = []
    for name, *cells in rows:
        told = "".join(tag("td", escaped(cell)) for cell in cells)
        rest.append(tag("tr", tag("th", escaped(name), scope="row") + told))
    table = tag("table", [tag("thead", first), tag("tbody", rest)])
    return tag("div", table, class_="wide")


def folded(title: str, *parts: str) -> str:
    """What is shown when its title is chosen."""
    return tag("details", [tag("summary", escaped(title)), *parts])
