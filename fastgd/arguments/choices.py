"""One of several names that are known, or refused by listing them, without NumPy."""

from collections.abc import Sequence


def check_name(argument: str, name: object, known: Sequence[str]) -> str:
    """`name` if it is one of `known`; otherwise a ValueError, or TypeError for what is no string,
    that lists them.
    """
    if not isinstance(name, str):
        from fastgd.arguments.checks import shown  # which takes NumPy

        raise TypeError(f"{argument} must be a name, one of {', '.join(known)}; got {shown(name)}")
    if name not in known:
        raise ValueError(f"unknown {argument} {name!r}; known: {', '.join(known)}")
    return name
