"""In which languages a derivation is written, and which networks are written out."""

from __future__ import annotations

from fastgd.arguments.checks import shown
from fastgd.derivation.c import to_c
from fastgd.derivation.derived import derived
from fastgd.derivation.latex import to_latex, to_markdown
from fastgd.derivation.matrix_form import matrix_form
from fastgd.derivation.python import to_python
from fastgd.derivation.sympy import to_sympy
from fastgd.network import Network

_WRITERS = {
    "latex": to_latex, "markdown": to_markdown, "python": to_python, "c": to_c, "sympy": to_sympy,
}  # fmt: skip
_PAGES = ("latex", "markdown")  # which have wider networks in matrix form
LANGUAGES = tuple(_WRITERS)
MOST_PARAMETERS = 500  # of a network that is written out, which takes some nine lines for each


def derivation(net: Network, to: str) -> str:
    """The derivation of the gradient of `net`, as text of one of LANGUAGES.

    Raises
    ------
    ValueError, TypeError
        If there is no such language, or the network is too large to be written out.
    """
    if not isinstance(to, str) or to not in _WRITERS:
        kind = ValueError if isinstance(to, str) else TypeError
        raise kind(f"to must be one of {', '.join(LANGUAGES)}; got {shown(to)}")
    if net.n_params <= MOST_PARAMETERS:
        return _WRITERS[to](derived(net))
    if to not in _PAGES:
        raise ValueError(
            f"derivation to {to} serves networks of at most {MOST_PARAMETERS} parameters; got "
            f"{net}, which has {net.n_params}; {' and '.join(_PAGES)} have it in matrix form"
        )
    return _WRITERS[to](matrix_form(net))
