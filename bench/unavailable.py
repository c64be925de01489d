"""Unavailable: why a competitor, or the data of a work, takes no part."""


class Unavailable(Exception):  # noqa: N818 (no error)
    """Told to the user; the others are compared without it."""
