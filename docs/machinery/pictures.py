"""Pictures that pages draw: a page with `<!-- picture: ... -->` is run when it is built, and each such line becomes what was drawn."""

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

from machinery.pages import Page

_log = logging.getLogger(__name__)
_MARK = re.compile(r"^<!-- picture: (.+) -->$", re.MULTILINE)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", _draw)
    return {"parallel_read_safe": False}


def _draw(app: Sphinx, docname: str, source: list[str]) -> None:
    if not _MARK.search(source[0]):
        return
    page = Page(Path(app.env.doc2path(docname)), Path(app.srcdir) / "_pictures")
    for wrong in page.run():
        _log.warning("%s", wrong, location=docname)
    drawn = iter(page.drawn)

    def image(mark: re.Match[str]) -> str:
        path = next(drawn, None)
        return f"![{mark[1]}](/_pictures/{path.name})" if path else ""

    source[0] = _MARK.sub(image, source[0])
