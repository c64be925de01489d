"""The whole programs of bench/start.py by JAX: whole trainings in one jitted loop."""

from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from start_protocol import answer

XOR = jnp.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), jnp.array([[0.0], [1.0], [1.0], [0.0]])


def start(seed, *widths):
    """Glorot's uniform numbers, and biases of 0."""
    keys = jax.random.split(jax.random.key(seed), len(widths) - 1)
    shapes = list(pairwise(widths))
    limits = [(6 / (n + m)) ** 0.5 for n, m in shapes]
    return [
        (jax.random.uniform(key, shape, minval=-limit, maxval=limit), jnp.zeros(shape[1]))
        for key, limit, shape in zip(keys, limits, shapes, strict=True)
    ]


def forward(params, x, hidden, output):
    *inner, last = params
    for W, b in inner:
        x = hidden(x @ W + b)
    W, b = last
    return output(x @ W + b)


def identity(z):
    return z


def predict(X, params):
    layers, begin = [], 0
    for n, m in [(4, 32), (32, 16), (16, 4)]:
        layers.append((jnp.asarray(params[begin : begin + n * m].reshape(m, n).T), jnp.asarray(params[begin + n * m : begin + n * m + m])))
        begin += n * m + m
    return np.abs(jax.jit(partial(forward, hidden=jnp.tanh, output=identity))(layers, X[:1])).sum()


def squared_error(params, x, y):
    return ((forward(params, x, jax.nn.sigmoid, jax.nn.sigmoid) - y) ** 2).sum(axis=1).mean()


@jax.jit
def train_on_xor(params):
    def epoch(_, params):
        return jax.tree.map(lambda p, g: p - 3.0 * g, params, jax.grad(squared_error)(params, *XOR))

    return lax.fori_loop(0, 10_000, epoch, params)


def errors_on_xor(params):
    return jnp.abs(forward(params, XOR[0], jax.nn.sigmoid, jax.nn.sigmoid) - XOR[1]).max()


def xor():
    return errors_on_xor(train_on_xor(start(3, 2, 2, 1)))


def many():
    members = [start(seed, 2, 2, 1) for seed in range(64)]
    trained = jax.vmap(train_on_xor)(jax.tree.map(lambda *leaves: jnp.stack(leaves), *members))
    return np.mean(np.asarray(jax.vmap(errors_on_xor)(trained)) < 0.1)


def classes(hidden, rate, epochs, batch_size, X, labels, X_test, labels_test):
    n, count = len(X), labels.max() + 1
    batch = batch_size or n
    X, targets = jnp.asarray(X, jnp.float32), jnp.eye(count)[labels]

    def cost(params, x, y):
        return -(y * forward(params, x, jax.nn.relu, jax.nn.log_softmax)).sum(axis=1).mean()

    def step(state, rows):
        params, m, v, t = state
        g, t = jax.grad(cost)(params, X[rows], targets[rows]), t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        c, d = 1 - 0.9**t, 1 - 0.999**t
        return (jax.tree.map(lambda p, m, v: p - rate * (m / c) / (jnp.sqrt(v / d) + 1e-8), params, m, v), m, v, t), None

    def epoch(state, key):
        rows = jax.random.permutation(key, n)[: n // batch * batch].reshape(-1, batch)
        return lax.scan(step, state, rows)

    @jax.jit
    def train(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        (params, *_), _ = lax.scan(epoch, (params, zeros, zeros, 0.0), jax.random.split(jax.random.key(1), epochs))
        return params

    params = train(start(0, X.shape[1], hidden, int(count)))
    return np.mean(np.asarray(forward(params, jnp.asarray(X_test, jnp.float32), jax.nn.relu, identity)).argmax(axis=1) == labels_test)


def lbfgs(X, Y):
    from jax.flatten_util import ravel_pytree
    from scipy.optimize import minimize

    jax.config.update("jax_enable_x64", True)
    first, unflatten = ravel_pytree(jax.tree.map(lambda leaf: leaf.astype(np.float64), start(0, 2, 8, 1)))
    X, Y = jnp.asarray(X), jnp.asarray(Y)

    @jax.jit
    @jax.value_and_grad
    def cost(flat):
        return ((forward(unflatten(flat), X, jnp.tanh, identity) - Y) ** 2).sum(axis=1).mean()

    return minimize(cost, np.asarray(first), jac=True, method="L-BFGS-B", options={"maxiter": 200}).fun


answer(globals())
