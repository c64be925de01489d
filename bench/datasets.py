"""Data of the works: X (n, inputs) and Y (n, outputs)."""

from typing import Any

import numpy as np
from unavailable import Unavailable

Array = np.ndarray[Any, np.dtype[Any]]
Data = tuple[Array, Array]


def ramp() -> Data:
    """Four numbers and their complements."""
    X = np.array([[0.0], [0.25], [0.75], [1.0]])
    return X, 1 - X


def surface(n: int) -> Data:
    """A smooth function of two inputs, with values in [0, 1]."""
    X = np.random.default_rng(1).uniform(-1, 1, (n, 2))
    return X, (1 + np.sin(3 * X[:, :1]) * X[:, 1:]) / 2


def classes(n: int, inputs: int, outputs: int) -> Data:
    """Random rows in classes that a linear map tells apart, one-hot."""
    rng = np.random.default_rng(2)
    X = rng.uniform(0, 1, (n, inputs))
    scores = (X - 0.5) @ rng.normal(size=(inputs, outputs))
    return X, np.eye(outputs)[scores.argmax(axis=1)]


def matrix_exponentials(n: int) -> Data:
    """Random matrices A, (2, 2), and exp A, four numbers each: the task that SimpleChains.jl publishes times of."""
    A = np.random.default_rng(3).normal(size=(n, 2, 2))
    values, vectors = np.linalg.eig(A)  # A = V diag(w) V^-1, so exp A = V diag(exp w) V^-1
    exp_A = (vectors * np.exp(values)[:, None, :]) @ np.linalg.inv(vectors)
    return A.reshape(n, 4), exp_A.real.reshape(n, 4)


def digits(n: int) -> Data:
    """The first n of scikit-learn's 1797 images of digits, 8 x 8 numbers in [0, 1], one-hot."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise Unavailable("the digits are scikit-learn's: pip install '.[bench]'") from None
    X, digit = load_digits(return_X_y=True)
    return X[:n] / 16, np.eye(10)[digit[:n]]
