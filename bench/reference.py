"""A case in NumPy and float64, written for reading: what every competitor is compared with."""

from functools import cache
from itertools import pairwise

import numpy as np
from cases import Case
from datasets import Array


@cache
def train(case: Case, epochs: int, shuffle: bool, epsilon: str = "corrected") -> Array:
    """The parameters after so many epochs, from the case's initial ones.

    Adam's epsilon is added to the root of v with its bias corrected, or of v as it is ("plain", Kingma and Ba, end of section 2).
    """
    X, Y = (part.astype(np.float64) for part in case.data)
    params = case.initial.astype(np.float64)
    m, v, t = np.zeros_like(params), np.zeros_like(params), 0
    order, rng = np.arange(case.n), np.random.default_rng(0)
    for _ in range(epochs):
        if shuffle:
            rng.shuffle(order)
        for start in range(0, case.n, case.batch):
            rows = order[start : start + case.batch]
            g, t = _gradient(case, params, X[rows], Y[rows]), t + 1
            if case.optimizer == "adam":  # Kingma and Ba, Algorithm 1
                m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
                c, d = 1 - 0.9**t, np.sqrt(1 - 0.999**t)
                g = m / c / (np.sqrt(v) / d + (1e-8 if epsilon == "corrected" else 1e-8 / d))
            params = params - case.learning_rate * g
    return params


def cost(case: Case, params: Array) -> float:
    """Mean over all samples of the loss, notes 002 (17)."""
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


def _softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


_ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "softmax": _softmax,
}
_DERIVATIVES = {  # by z, of the activation a
    "identity": np.ones_like,
    "sigmoid": lambda a: a * (1 - a),
    "tanh": lambda a: 1 - a**2,
    "relu": lambda a: (a > 0).astype(a.dtype),
}


def _activations(case: Case, params: Array, X: Array) -> list[Array]:
    """a(0) ... a(m), each (n, units), notes 002 (45)."""
    activations = [X]
    for (W, b), name in zip(_layers(case, params), case.net.activations, strict=True):
        activations.append(_ACTIVATIONS[name](activations[-1] @ W.T + b))
    return activations


def _cost(case: Case, params: Array, X: Array, Y: Array) -> float:
    a = _activations(case, params, X)[-1]
    losses = (a - Y) ** 2 if case.net.loss == "squared_error" else -Y * np.log(np.maximum(a, 1e-300))
    return float(losses.sum(axis=1).mean())


def _backprop(case: Case, params: Array, X: Array, Y: Array) -> Array:
    """The exact gradient: notes 002 (50)-(52) with the 2 of the squared error at the last layer only."""
    a = _activations(case, params, X)
    layers = _layers(case, params)
    if case.net.loss == "squared_error":
        delta = 2 * (a[-1] - Y) * _DERIVATIVES[case.net.activations[-1]](a[-1]) / len(X)  # (n, units)
    else:
        delta = (a[-1] - Y) / len(X)  # of softmax and cross entropy together
    gradient = [(delta.T @ a[-2]).ravel(), delta.sum(axis=0)]
    for l in range(len(layers) - 1, 0, -1):
        delta = (delta @ layers[l][0]) * _DERIVATIVES[case.net.activations[l - 1]](a[l])
        gradient = [(delta.T @ a[l - 1]).ravel(), delta.sum(axis=0), *gradient]
    return np.concatenate(gradient)
