"""Equations as MathML, which browsers draw themselves: no script, and one font that comes with the pages.

Written from LaTeX by math-core, which knows LaTeX's mathematics and refuses what it does not know.
"""

from typing import Any

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.util import logging

_log = logging.getLogger(__name__)
_latex = LatexToMathML(fancy_error=False)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(self: Any, node: nodes.math) -> None:
    self.body.append(_mathml(node, displaystyle=False))
    raise nodes.SkipNode


def _block(self: Any, node: nodes.math_block) -> None:
    number = f'<span class="eqno">({node["number"]})</span>' if node.get("number") else ""
    identity = f' id="{node["ids"][0]}"' if node["ids"] else ""
    self.body.append(f'<div class="math"{identity}>{_mathml(node, displaystyle=True)}{number}</div>\n')
    raise nodes.SkipNode


def _mathml(node: nodes.Element, displaystyle: bool) -> str:
    try:
        return str(_latex.convert_with_local_state(node.astext(), displaystyle=displaystyle))
    except LatexError as error:
        _log.warning("%s in the formula %s", " ".join(str(error).split()), node.astext(), location=node)
        return ""
