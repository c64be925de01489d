"""A case in NumPy and float64, written for reading: what every competitor is compared with."""

import math
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


def _gelu(z: Array) -> Array:
    return z * _normal_cdf(z)


def _normal_cdf(z: Array) -> Array:
    return np.array([0.5 * math.erfc(-each / math.sqrt(2)) for each in z.flat]).reshape(z.shape)


def _softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


_ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "gelu": _gelu,
    "softmax": _softmax,
}
_DERIVATIVES = {  # by z, of the activation a
    "identity": lambda z, a: np.ones_like(a),
    "sigmoid": lambda z, a: a * (1 - a),
    "tanh": lambda z, a: 1 - a**2,
    "relu": lambda z, a: (a > 0).astype(a.dtype),
    "gelu": lambda z, a: _normal_cdf(z) + z * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi),
}
_LOSSES = {
    "squared_error": lambda a, y: (a - y) ** 2,
    "cross_entropy": lambda a, y: -y * np.log(np.maximum(a, 1e-300)),
    "huber": lambda a, y: np.where(np.abs(a - y) <= 1, (a - y) ** 2 / 2, np.abs(a - y) - 0.5),
}
_SLOPES = {  # by a
    "squared_error": lambda a, y: 2 * (a - y),
    "huber": lambda a, y: np.clip(a - y, -1, 1),
}


def _forward(case: Case, params: Array, X: Array) -> tuple[list[Array], list[Array]]:
    """z(1) ... z(m) and a(0) ... a(m), each (n, units), notes 002 (45)."""
    pre_activations, activations = [], [X]
    for (W, b), name in zip(_layers(case, params), case.net.activations, strict=True):
        pre_activations.append(activations[-1] @ W.T + b)
        activations.append(_ACTIVATIONS[name](pre_activations[-1]))
    return pre_activations, activations


def _cost(case: Case, params: Array, X: Array, Y: Array) -> float:
    a = _forward(case, params, X)[1][-1]
    return float(_LOSSES[case.net.loss](a, Y).sum(axis=1).mean())


def _backprop(case: Case, params: Array, X: Array, Y: Array) -> Array:
    """The exact gradient: notes 002 (50)-(52) with the 2 of the squared error at the last layer only."""
    z, a = _forward(case, params, X)
    layers = _layers(case, params)
    if case.net.loss == "cross_entropy":
        delta = (a[-1] - Y) / len(X)  # (n, units), of softmax and cross entropy together
    else:
        delta = _SLOPES[case.net.loss](a[-1], Y) * _DERIVATIVES[case.net.activations[-1]](z[-1], a[-1]) / len(X)
    gradient = [(delta.T @ a[-2]).ravel(), delta.sum(axis=0)]
    for l in range(len(layers) - 1, 0, -1):
        delta = (delta @ layers[l][0]) * _DERIVATIVES[case.net.activations[l - 1]](z[l - 1], a[l])
        gradient = [(delta.T @ a[l - 1]).ravel(), delta.sum(axis=0), *gradient]
    return np.concatenate(gradient)
