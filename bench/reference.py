"""A case in NumPy and float64, written for reading: what every competitor is compared with."""

from functools import cache
from itertools import pairwise

import numpy as np
from cases import Array, Case


@cache
def train(case: Case) -> Array:
    """The parameters after `case.checked_epochs` epochs, rows in order."""
    X, Y = case.data
    params = case.initial.astype(np.float64)
    m, v, t = np.zeros_like(params), np.zeros_like(params), 0
    for _ in range(case.checked_epochs):
        for start in range(0, case.n, case.batch):
            rows = slice(start, start + case.batch)
            g, t = _gradient(case, params, X[rows], Y[rows]), t + 1
            if case.optimizer == "adam":  # Kingma and Ba, Algorithm 1
                m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
                g = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            params = params - case.learning_rate * g
    return params


def cost(case: Case, params: Array) -> float:
    """Mean over all samples of the squared error, notes 002 (17)."""
    return _cost(case, params.astype(np.float64), *case.data)


def _gradient(case: Case, params: Array, X: Array, Y: Array) -> Array:
    if case.method == "backprop":
        return _backprop(case, params, X, Y)
    base = _cost(case, params, X, Y)
    steps = case.eps * np.eye(len(params))
    return np.array([(_cost(case, params + step, X, Y) - base) / case.eps for step in steps])  # notes 002 (1)


def _layers(case: Case, params: Array) -> list[tuple[Array, Array]]:
    """[(W, b), ...]; not `case.net.unpack`, which would be one of those to be checked."""
    layers, start = [], 0
    for inputs, units in pairwise(case.net.widths):
        stop = start + units * inputs
        layers.append((params[start:stop].reshape(units, inputs), params[stop : stop + units]))
        start = stop + units
    return layers


def _activations(case: Case, params: Array, X: Array) -> list[Array]:
    """a(0) ... a(m), each (n, units), notes 002 (45)."""
    activations = [X]
    for W, b in _layers(case, params):
        activations.append(1 / (1 + np.exp(-(activations[-1] @ W.T + b))))
    return activations


def _cost(case: Case, params: Array, X: Array, Y: Array) -> float:
    return float(((_activations(case, params, X)[-1] - Y) ** 2).sum(axis=1).mean())


def _backprop(case: Case, params: Array, X: Array, Y: Array) -> Array:
    """The exact gradient: notes 002 (50)-(52) with the 2 of the squared error at the last layer only."""
    a = _activations(case, params, X)
    layers = _layers(case, params)
    delta = 2 * (a[-1] - Y) * a[-1] * (1 - a[-1]) / len(X)  # (n, units)
    gradient: list[Array] = []
    for l in range(len(layers) - 1, -1, -1):
        gradient = [(delta.T @ a[l]).ravel(), delta.sum(axis=0), *gradient]
        delta = (delta @ layers[l][0]) * a[l] * (1 - a[l])
    return np.concatenate(gradient)
