"""A NumPy version of the mathematics, written for reading, in float64, one line an equation.

Shapes: X (n, inputs), Y (n, outputs), W (outputs, inputs), a and z (n, units). Parameters are the flat array of a network.
"""

import numpy as np
from scipy.special import expit, log_softmax, softmax
from scipy.stats import norm


def elu(z, alpha=1.0):
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


def elu_slope(z, alpha=1.0):
    return np.where(z > 0, 1, alpha * np.exp(np.minimum(z, 0)))


def bent(z):
    """What gelu's other form takes the tanh of."""
    return np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)


def sech2(z):
    """1 / cosh(z)^2, where cosh overflows too."""
    return 4 * np.exp(-2 * np.abs(z)) / (1 + np.exp(-2 * np.abs(z))) ** 2


ACTIVATIONS = {  # f(z) and f'(z)
    "identity": (lambda z: z, lambda z: np.ones_like(z)),
    "sigmoid": (expit, lambda z: expit(z) * (1 - expit(z))),  # notes 002 (9), (10)
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1.0, 0.01)),
    "sin": (np.sin, np.cos),
    "elu": (lambda z: elu(z), lambda z: elu_slope(z)),
    "selu": (lambda z: 1.0507009873554805 * elu(z, 1.6732632423543772), lambda z: 1.0507009873554805 * elu_slope(z, 1.6732632423543772)),
    "softplus": (lambda z: np.logaddexp(0, z), expit),
    "gelu": (lambda z: z * norm.cdf(z), lambda z: norm.cdf(z) + z * norm.pdf(z)),
    "gelu_tanh": (
        lambda z: 0.5 * z * (1 + np.tanh(bent(z))),
        lambda z: 0.5 * (1 + np.tanh(bent(z))) + 0.5 * z * sech2(bent(z)) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * z**2),
    ),
    "silu": (lambda z: z * expit(z), lambda z: expit(z) * (1 + z * expit(-z))),
    "mish": (lambda z: z * np.tanh(np.logaddexp(0, z)), lambda z: np.tanh(np.logaddexp(0, z)) + z * sech2(np.logaddexp(0, z)) * expit(z)),
    "softsign": (lambda z: z / (1 + np.abs(z)), lambda z: 1 / (1 + np.abs(z)) ** 2),
    "hard_tanh": (lambda z: np.clip(z, -1, 1), lambda z: (np.abs(z) < 1) * 1.0),
    "hard_sigmoid": (lambda z: np.clip(z / 6 + 0.5, 0, 1), lambda z: (np.abs(z) < 3) / 6),
    "gaussian": (lambda z: np.exp(-(z**2)), lambda z: -2 * z * np.exp(-(z**2))),
    "elliot": (lambda z: (1 + np.abs(z) + z) / (2 + 2 * np.abs(z)), lambda z: 0.5 / (1 + np.abs(z)) ** 2),
    "exp": (np.exp, np.exp),
    "square": (np.square, lambda z: 2 * z),
    "absolute": (np.abs, np.sign),
    "snake": (lambda z: z + np.sin(z) ** 2, lambda z: 1 + np.sin(2 * z)),
    "softmax": (lambda z: softmax(z, axis=1), None),
}


def mean(a):
    """The first half of the outputs, of a loss of two for each target."""
    return a[:, : a.shape[1] // 2]


def log_variance(a):
    """The other half, which counts as one of 1e-6 where it is below."""
    return np.maximum(a[:, a.shape[1] // 2 :], np.log(1e-6))


LOSSES = {  # of a and y, and the derivative by a
    "squared_error": (lambda a, y: (a - y) ** 2, lambda a, y: 2 * (a - y)),
    "absolute": (lambda a, y: np.abs(a - y), lambda a, y: np.sign(a - y)),
    "huber": (lambda a, y: np.where(np.abs(a - y) < 1, (a - y) ** 2 / 2, np.abs(a - y) - 0.5), lambda a, y: np.clip(a - y, -1, 1)),
    "log_cosh": (lambda a, y: np.logaddexp(a - y, y - a) - np.log(2), lambda a, y: np.tanh(a - y)),
    "poisson": (lambda a, y: a - y * np.log(a), lambda a, y: 1 - y / a),
    "quantile": (lambda a, y: 0.5 * np.abs(a - y), lambda a, y: 0.5 * np.sign(a - y)),
    "gaussian_nll": (
        lambda a, y: np.hstack([0.5 * (log_variance(a) + (mean(a) - y) ** 2 / np.exp(log_variance(a))), 0 * y]),
        lambda a, y: np.hstack(
            [
                (mean(a) - y) / np.exp(log_variance(a)),
                (log_variance(a) > np.log(1e-6)) * 0.5 * (1 - (mean(a) - y) ** 2 / np.exp(log_variance(a))),
            ]
        ),
    ),
    "hinge": (lambda a, y: np.maximum(1 - y * a, 0), lambda a, y: -y * (y * a < 1)),
    "squared_hinge": (lambda a, y: np.maximum(1 - y * a, 0) ** 2, lambda a, y: -2 * y * np.maximum(1 - y * a, 0)),
}


def layers_of(net, params):
    """[(W, b), ...]: layers in order without gaps, W row by row, then b."""
    layers, start = [], 0
    for inputs, outputs in zip(net.widths, net.widths[1:], strict=False):
        W = np.array(params[start : start + outputs * inputs], float).reshape(outputs, inputs)
        start += outputs * inputs
        b = np.zeros(outputs)
        if net.bias:
            b = np.array(params[start : start + outputs], float)
            start += outputs
        layers.append((W, b))
    assert start == len(params)
    return layers


def forward(net, params, X):
    """z and a of every layer, a[0] being X: a = f(W a + b), notes 002 (45), 004."""
    zs, activations = [None], [np.asarray(X, float)]
    for (W, b), name in zip(layers_of(net, params), net.activations, strict=True):
        zs.append(activations[-1] @ W.T + b)
        activations.append(ACTIVATIONS[name][0](zs[-1]))
    return zs, activations


def predict(net, params, X):
    return forward(net, params, X)[1][-1]


def cost(net, params, X, Y):
    """Mean over the samples of the loss of one sample, notes 002 (17), 004."""
    zs, activations = forward(net, params, X)
    z, a, Y = zs[-1], activations[-1], np.asarray(Y, float)
    if net.loss in LOSSES:
        losses = LOSSES[net.loss][0](a, Y)
    elif net.loss == "binary_cross_entropy":
        losses = Y * np.logaddexp(0, -z) + (1 - Y) * np.logaddexp(0, z)
    else:
        losses = -Y * log_softmax(z, axis=1)
    return losses.sum(axis=1).mean()


def _deltas(net, params, X, Y, factor):
    """dC/da and dC/dz of every layer, one row a sample without the 1/n, from the last layer to the first, and the activations.

    The recursion of 004: dC/da of the layer before is dC/dz W, times `factor`; the last layer's is 2 (a - y). With a factor of 2 it is
    that of notes 002 (50)-(52), and dC/da here is twice what they call so, the 2 of (50) being in it already.
    """
    zs, activations = forward(net, params, X)
    a, Y = activations[-1], np.asarray(Y, float)
    if net.loss in LOSSES:
        da = LOSSES[net.loss][1](a, Y)
    elif net.loss == "binary_cross_entropy":
        da = -Y / a + (1 - Y) / (1 - a)
    else:
        da = -Y / a
    result = []
    layers = layers_of(net, params)
    for l in range(len(layers), 0, -1):
        a = activations[l]
        if net.activations[l - 1] == "softmax":
            jacobian = a[:, :, None] * (np.eye(a.shape[1]) - a[:, None, :])  # (n, units, units): da_j / dz_k
            dz = np.einsum("nj,njk->nk", da, jacobian)
        else:
            dz = da * ACTIVATIONS[net.activations[l - 1]][1](zs[l])
        result.append((da, dz))
        da = factor * dz @ layers[l - 1][0]
    return result[::-1], activations


def gradient(net, params, X, Y, factor=1.0):
    """The exact gradient, notes 004: the mean over the samples of dC/dz a(l-1) and of dC/dz."""
    deltas, activations = _deltas(net, params, X, Y, factor)
    parts = []
    for (_, dz), before in zip(deltas, activations, strict=False):
        parts.append((dz.T @ before).ravel() / len(X))
        if net.bias:
            parts.append(dz.mean(axis=0))
    return np.concatenate(parts)


def layerwise_gradient(net, params, X, Y):
    """The notes' recursion with a 2 at every layer, 002 (50)-(52)."""
    return gradient(net, params, X, Y, factor=2.0)


def layer_costs(net, params, X, Y):
    """C(1) ... C(m): C(m) = mean (a - y)^2, before it C(l) = mean (dC(l+1)/da(l))^2, notes 002 (32), (39), (49)."""
    deltas, _ = _deltas(net, params, X, Y, 2.0)
    return np.array([((da / 2) ** 2).sum(axis=1).mean() for da, _ in deltas])


def finite_difference(net, params, X, Y, eps):
    """(C(w + eps) - C(w)) / eps, notes 002 (1)."""
    base = cost(net, params, X, Y)
    return np.array([(cost(net, _moved(params, i, eps), X, Y) - base) / eps for i in range(len(params))])


def central_difference(net, params, X, Y, eps):
    """(C(w + eps) - C(w - eps)) / (2 eps)."""
    plus = [cost(net, _moved(params, i, eps), X, Y) for i in range(len(params))]
    minus = [cost(net, _moved(params, i, -eps), X, Y) for i in range(len(params))]
    return (np.array(plus) - np.array(minus)) / (2 * eps)


def _moved(params, i, step):
    moved = np.array(params, float)
    moved[i] += step
    return moved


def gradient_by(method, eps=1e-3):
    """The gradient function of a method's name."""
    return {
        "backprop": gradient,
        "layerwise": layerwise_gradient,
        "finite_difference": lambda *arguments: finite_difference(*arguments, eps),
        "central_difference": lambda *arguments: central_difference(*arguments, eps),
    }[method]


def train(net, params, X, Y, epochs, learning_rate, batch_size=None, order=None, gradient=gradient):
    """Algorithm 1 of notes 004. `order(epoch)` gives the epoch's order of rows. Returns the parameters and the cost at each epoch.

    The cost at an epoch is the mean over its batches of the batch's cost before its update; the last one a full pass.
    """
    params, n = np.array(params, float), len(X)
    size = batch_size or n
    costs = []
    for epoch in range(epochs):
        rows = np.arange(n) if order is None else order(epoch)
        batch_costs = []
        for start in range(0, n, size):
            batch = rows[start : start + size]
            batch_costs.append(cost(net, params, X[batch], Y[batch]))
            params = params - learning_rate * gradient(net, params, X[batch], Y[batch])
        costs.append(np.mean(batch_costs))
    return params, np.array([*costs, cost(net, params, X, Y)])
