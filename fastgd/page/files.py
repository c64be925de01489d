"""The files of the page, which come with the package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

_KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@cache
def _names() -> frozenset[str]:
    return frozenset(each.name for each in files("fastgd.page").joinpath("static").iterdir())


def read_file(path: str) -> tuple[bytes, str] | None:
    """The bytes of a file and what they are, by a path below the page's address; None if it has no
    such file.
    """
    name = path or "index.html"
    kind = _KINDS.get(name.rpartition(".")[2])
    if kind is None or name not in _names():
        return None
    return files("fastgd.page").joinpath("static", name).read_bytes(), kind
