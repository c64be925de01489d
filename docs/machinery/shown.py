"""Whether what was printed is what a page shows."""

import re
from typing import Any

_NUMBER = r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d*)?(?:[eE][-+]?\d+)?(?!\w|\.\w)"
_PARTS = re.compile(rf"(?P<any>\.\.\.)|(?P<gap>\s+)|(?P<number>{_NUMBER})|(?P<character>.)")


def agrees(shown: str, printed: str) -> bool:
    """Line by line and up to blanks. `...` stands for anything, on a line of its own for any lines; a number with a point or an
    exponent may differ by one in its last digit.
    """
    shown, pattern, numbers = shown.strip(), "", []
    for part in _PARTS.finditer(shown):
        text = part[0]
        if part["any"]:
            alone = not (shown[: part.start()].rpartition("\n")[2] + shown[part.end() :].partition("\n")[0]).strip()
            pattern += r"[\s\S]*" if alone else ".*"
        elif part["gap"]:
            pattern += r"\s*\n\s*" if "\n" in text else r"[^\S\n]+"
        elif part["number"]:
            pattern += f"({_NUMBER})"
            numbers.append(text)
        else:
            pattern += re.escape(text)
    found = re.fullmatch(pattern, printed.strip())
    return found is not None and all(_near(one, other) for one, other in zip(numbers, found.groups(), strict=True))


def _near(shown: str, printed: str) -> bool:
    mantissa, _, exponent = shown.lower().replace(",", "").partition("e")
    if "." not in mantissa and not exponent:
        return shown == printed
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(float(shown.replace(",", "")) - float(printed.replace(",", ""))) <= 1.001 * unit


def plain(value: Any) -> Any:
    """A value as one would write it: numbers of NumPy's as Python's, arrays as lists."""
    if isinstance(value, (tuple, list)):
        return type(value)(map(plain, value)) if type(value) in (tuple, list) else value
    return value.tolist() if hasattr(value, "tolist") else value
