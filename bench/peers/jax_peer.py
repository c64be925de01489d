"""The same work in JAX, by the protocol of protocol.h with the dtype before its arguments: whole epochs in one jitted loop.

usage: python jax_peer.py DTYPE OPTIMIZER METHOD RATE EPS N BATCH WIDTH WIDTH [WIDTH ...]
"""

import sys
import time
from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree

dtype, optimizer, method, *numbers = sys.argv[1:]
rate, eps = map(float, numbers[:2])
n, batch, *widths = map(int, numbers[2:])
if n % batch:
    sys.exit("JAX wants batches of one size")
jax.config.update("jax_enable_x64", dtype == "float64")


def read(*shape: int) -> jax.Array:
    return jnp.asarray(np.array(sys.stdin.readline().split(), dtype).reshape(shape))


layers = [(jnp.zeros((units, inputs), dtype), jnp.zeros(units, dtype)) for inputs, units in pairwise(widths)]
flat_zeros, unflatten = ravel_pytree(layers)
initial = unflatten(read(flat_zeros.size))
X, Y = read(n, widths[0]), read(n, widths[-1])


def cost(params, x, y):
    """Notes 002 (17)."""
    for W, b in params:
        x = jax.nn.sigmoid(x @ W.T + b)
    return ((x - y) ** 2).sum(axis=1).mean()


def finite_difference(params, x, y):
    """Notes 002 (1), all parameters at once."""
    flat, _ = ravel_pytree(params)
    perturbed = jax.vmap(lambda p: cost(unflatten(p), x, y))(flat + eps * jnp.eye(flat.size, dtype=dtype))
    return unflatten((perturbed - cost(params, x, y)) / eps)


gradient = jax.grad(cost) if method == "backprop" else finite_difference


def update(state, rows):
    params, m, v, t = state
    g, t = gradient(params, *rows), t + 1
    if optimizer == "adam":
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        c, d = 1 - 0.9**t, 1 - 0.999**t
        g = jax.tree.map(lambda m, v: m / c / (jnp.sqrt(v / d) + 1e-8), m, v)
    return (jax.tree.map(lambda p, g: p - rate * g, params, g), m, v, t), None


@partial(jax.jit, static_argnames="shuffle")
def train(params, epochs, shuffle):
    def epoch(number, state):
        if batch == n:
            return update(state, (X, Y))[0]
        rows = (X, Y)
        if shuffle:
            order = jax.random.permutation(jax.random.fold_in(jax.random.key(0), number), n)
            rows = (X[order], Y[order])
        return lax.scan(update, state, [part.reshape(n // batch, batch, -1) for part in rows])[0]

    zeros = jax.tree.map(jnp.zeros_like, params)
    return lax.fori_loop(0, epochs, epoch, (params, zeros, zeros, jnp.zeros((), dtype)))[0]


for request in sys.stdin:
    epochs, shuffle = map(int, request.split())
    jax.block_until_ready(train(initial, 0, bool(shuffle)))  # compiles
    start = time.perf_counter()
    params = jax.block_until_ready(train(initial, epochs, bool(shuffle)))
    seconds = time.perf_counter() - start
    print(seconds, *map(float, ravel_pytree(params)[0]), flush=True)
