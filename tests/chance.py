"""What chance does to rows in training, as fastgd.kernels.perturbation has it, in NumPy: a hash of the seed, the epoch, the row and the
unit. And training by it, one line an equation.
"""

import numpy as np
import oracle

GOLDEN, STREAM = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)


def mix(x):
    """The finalizer of splitmix64."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def hashed(key, number):
    with np.errstate(over="ignore"):
        return mix(key + GOLDEN * (np.asarray(number, np.uint64) + np.uint64(1)))


def keys_of(seed, epoch, rows):
    return hashed(hashed(hashed(STREAM, seed), epoch), rows)


def masks_of(net, seed, epoch, rows, shares):
    """(rows, units) for each hidden layer."""
    keys, first, masks = keys_of(seed, epoch, rows), net.widths[0], []
    for width, share in zip(net.widths[1:-1], shares, strict=True):
        chance = np.stack([hashed(keys, first + j) >> np.uint64(32) for j in range(width)], axis=1)
        masks.append((chance >= np.uint64(share * 2**32)) / (1 - share))
        first += width
    return masks


def noise_of(net, seed, epoch, rows):
    """(rows, inputs) normal numbers."""
    chance = np.stack([hashed(keys_of(seed, epoch, rows), k) for k in range(net.widths[0])], axis=1)
    uniform = ((chance >> np.uint64(40)).astype(float) + 1) / 2**24
    angle = (chance & np.uint64(0xFFFFFF)).astype(float) * (2 * np.pi / 2**24)
    return np.sqrt(-2 * np.log(uniform)) * np.cos(angle)


def forward(net, params, X, masks):
    """z of every layer, its f(z), and that times its mask; the last one is whole."""
    zs, wholes, activations = [], [], [X]
    for l, ((W, b), name) in enumerate(zip(oracle.layers_of(net, params), net.activations, strict=True)):
        zs.append(activations[-1] @ W.T + b)
        wholes.append(oracle.ACTIVATIONS[name][0](zs[-1]))
        activations.append(wholes[-1] * (masks[l] if l < len(masks) else 1))
    return zs, wholes, activations


def cost(net, params, X, Y, masks):
    return ((forward(net, params, X, masks)[2][-1] - Y) ** 2).sum(axis=1).mean()


def gradient(net, params, X, Y, masks, weights=None, factor=1.0):
    """Of the mean squared error of what is left of the network, by per-layer backprop."""
    zs, _, activations = forward(net, params, X, masks)
    weights = np.ones(len(X)) if weights is None else weights
    delta = 2 * (activations[-1] - Y) * (weights / weights.sum())[:, None]
    layers, parts = oracle.layers_of(net, params), []
    for l in range(len(layers) - 1, -1, -1):
        delta = delta * oracle.ACTIVATIONS[net.activations[l]][1](zs[l])
        parts.append(np.concatenate([(delta.T @ activations[l]).ravel(), delta.sum(axis=0)]))
        if l > 0:
            delta = factor * delta @ layers[l][0] * masks[l - 1]
    return np.concatenate(parts[::-1])


def train(net, params, X, Y, epochs, rate, seed, shares, deviation=0.0, batch_size=None, order=None, weights=None, factor=1.0):
    """The parameters, and the mean over the batches of an epoch of their costs before the update."""
    params, size, costs = np.array(params, float), batch_size or len(X), []
    for epoch in range(epochs):
        places = np.arange(len(X)) if order is None else order(epoch)
        batch_costs = []
        for start in range(0, len(X), size):
            rows = places[start : start + size]
            noisy = X[rows] + deviation * noise_of(net, seed, epoch, rows)
            masks = masks_of(net, seed, epoch, rows, shares)
            batch_costs.append(cost(net, params, noisy, Y[rows], masks))
            of_rows = None if weights is None else weights[rows]
            params = params - rate * gradient(net, params, noisy, Y[rows], masks, of_rows, factor)
        costs.append(np.mean(batch_costs))
    return params, np.array(costs)
