"""Points of two classes in the plane that no line divides: spiral, circles and moons."""

from __future__ import annotations

import numpy as np

from fastgd.arguments.checks import Array, finite_number, seed_of, whole_number

_TURNS = 1.75  # of each arm of the spiral
_INNER = 0.5  # radius of the inner circle


def spiral(
    n: int = 200, noise: float = 0.0, rng: int | np.random.Generator | None = None
) -> tuple[Array, Array]:
    """Two arms wound about each other: t (cos(3.5 pi t), sin(3.5 pi t)) with 0 < t <= 1 is of class
    0, and its mirror image through the origin of class 1.

    Parameters
    ----------
    n : int
        Rows, of classes 0, 1, 0, 1 ...; those of a class lie at equal steps of t.
    noise : float
        The standard deviation of a normal number that is added to each coordinate.
    rng : int, numpy Generator or None
        What the noise is drawn by.

    Returns
    -------
    X : (n, 2) array
    Y : (n, 1) array of 0 and 1

    Raises
    ------
    ValueError, TypeError
        For an n below 2, a negative noise, or what is no seed.

    Examples
    --------
    >>> X, Y = fastgd.data.spiral()
    >>> X.shape, Y.shape
    ((200, 2), (200, 1))
    """
    place, count, classes = _places(n)
    t = (place + 1) / count
    angle, side = 2 * np.pi * _TURNS * t, 1 - 2 * classes
    return _with_noise(side * t * np.cos(angle), side * t * np.sin(angle), classes, noise, rng)


def circles(
    n: int = 200, noise: float = 0.0, rng: int | np.random.Generator | None = None
) -> tuple[Array, Array]:
    """Two circles about the origin, (cos t, sin t) of class 0 and (cos t, sin t) / 2 of class 1.

    Parameters
    ----------
    n : int
        Rows, of classes 0, 1, 0, 1 ...; those of a class lie at equal steps of t.
    noise : float
        The standard deviation of a normal number that is added to each coordinate.
    rng : int, numpy Generator or None
        What the noise is drawn by.

    Returns
    -------
    X : (n, 2) array
    Y : (n, 1) array of 0 and 1

    Raises
    ------
    ValueError, TypeError
        For an n below 2, a negative noise, or what is no seed.

    Examples
    --------
    >>> X, Y = fastgd.data.circles()
    >>> X.shape, Y.shape
    ((200, 2), (200, 1))
    """
    place, count, classes = _places(n)
    angle, radius = 2 * np.pi * place / count, np.where(classes, _INNER, 1.0)
    return _with_noise(radius * np.cos(angle), radius * np.sin(angle), classes, noise, rng)


def moons(
    n: int = 200, noise: float = 0.0, rng: int | np.random.Generator | None = None
) -> tuple[Array, Array]:
    """Two half circles that reach into each other: (cos t, sin t) with 0 <= t <= pi is of class 0,
    and (1 - cos t, 1/2 - sin t) of class 1.

    Parameters
    ----------
    n : int
        Rows, of classes 0, 1, 0, 1 ...; those of a class lie at equal steps of t.
    noise : float
        The standard deviation of a normal number that is added to each coordinate.
    rng : int, numpy Generator or None
        What the noise is drawn by.

    Returns
    -------
    X : (n, 2) array
    Y : (n, 1) array of 0 and 1

    Raises
    ------
    ValueError, TypeError
        For an n below 2, a negative noise, or what is no seed.

    Examples
    --------
    >>> X, Y = fastgd.data.moons()
    >>> X.shape, Y.shape
    ((200, 2), (200, 1))
    """
    place, count, classes = _places(n)
    angle = np.pi * place / np.maximum(count - 1, 1)
    x, y = np.cos(angle), np.sin(angle)
    return _with_noise(
        np.where(classes, 1 - x, x), np.where(classes, 0.5 - y, y), classes, noise, rng
    )


def _places(n: int) -> tuple[Array, Array, Array]:
    """Of each of n rows its place among those of its class, how many these are, and the class."""
    n = whole_number("n", n, least=2)
    classes = np.arange(n) % 2
    return np.arange(n) // 2, np.where(classes, n // 2, n - n // 2), classes


def _with_noise(
    x: Array, y: Array, classes: Array, noise: float, rng: int | np.random.Generator | None
) -> tuple[Array, Array]:
    """X (n, 2) and Y (n, 1)."""
    noise = finite_number("noise", noise, least=0.0)
    seed = seed_of(rng)
    X = np.column_stack([x, y])
    if noise:
        X += np.random.default_rng(seed).normal(0.0, noise, X.shape)
    return X, classes.reshape(-1, 1).astype(float)
