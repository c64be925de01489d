"""Whether what was printed is what a page shows."""

import re
from typing import Any

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d*)?(?:e[-+]?\d+)?(?![\w])", re.IGNORECASE)


def agrees(shown: str, printed: str) -> bool:
    """Line by line and up to blanks. `...` stands for anything, on a line of its own for any lines; a number with a point or an
    exponent may differ by one in its last digit.
    """
    pattern, numbers = "", []
    for part in re.split(r"(^ *\.\.\. *$\n?|\.\.\.|\s+)", shown.strip(), flags=re.MULTILINE):
        if part.strip() == "...":
            pattern += r"[\s\S]*" if part != "..." or not pattern or pattern.endswith("\n") else ".*"
        elif not part.strip():
            pattern += r"\s*\n\s*" if "\n" in part else r"\s*" if part else ""
        else:
            at = 0
            for number in _NUMBER.finditer(part):
                pattern += re.escape(part[at : number.start()]) + rf"({_NUMBER.pattern})"
                numbers.append(number[0])
                at = number.end()
            pattern += re.escape(part[at:])
    found = re.fullmatch(pattern, printed.strip(), re.IGNORECASE)
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
