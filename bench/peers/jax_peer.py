"""The same work in JAX: whole epochs in one jitted loop."""

import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree
from protocol import pack, read_problem, serve

problem = read_problem()
rate, eps, n, batch = problem.rate, problem.eps, problem.n, problem.batch
if n % batch:
    raise SystemExit("JAX wants batches of one size")
jax.config.update("jax_enable_x64", problem.dtype == "float64")

initial = [(jnp.asarray(W.T), jnp.asarray(b)) for W, b in problem.unpack(problem.initial)]  # W (inputs, units): XLA's faster product
_, unflatten = ravel_pytree(initial)
data = jnp.asarray(problem.X), jnp.asarray(problem.Y)

ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "gelu": partial(jax.nn.gelu, approximate=False),
    "softmax": jax.nn.log_softmax,  # whose negative the cross entropy sums
}
LOSSES = {
    "squared_error": lambda a, y: (a - y) ** 2,
    "cross_entropy": lambda log_a, y: -y * log_a,
    "huber": lambda a, y: jnp.where(jnp.abs(a - y) <= 1, 0.5 * (a - y) ** 2, jnp.abs(a - y) - 0.5),
}


def cost(params, x, y):
    """Notes 002 (17)."""
    for (W, b), activation in zip(params, problem.activations, strict=True):
        x = ACTIVATIONS[activation](x @ W + b)
    return LOSSES[problem.loss](x, y).sum(axis=1).mean()


def finite_difference(params, x, y):
    """Notes 002 (1), all parameters at once."""
    flat, _ = ravel_pytree(params)
    perturbed = jax.vmap(lambda p: cost(unflatten(p), x, y))(flat + eps * jnp.eye(flat.size, dtype=flat.dtype))
    return unflatten((perturbed - cost(params, x, y)) / eps)


gradient = jax.grad(cost) if problem.method == "backprop" else finite_difference


def sgd(params, rows):
    return jax.tree.map(lambda p, g: p - rate * g, params, gradient(params, *rows)), None


def adam(state, rows):
    params, m, v, t = state
    g, t = gradient(params, *rows), t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    c, d = 1 - 0.9**t, 1 - 0.999**t
    params = jax.tree.map(lambda p, m, v: p - rate * (m / c) / (jnp.sqrt(v / d) + 1e-8), params, m, v)
    return (params, m, v, t), None


zeros = jax.tree.map(jnp.zeros_like, initial)
update, start = (sgd, initial) if problem.optimizer == "sgd" else (adam, (initial, zeros, zeros, jnp.zeros((), problem.dtype)))


@partial(jax.jit, static_argnames="shuffle")
def run(state, data, epochs, shuffle):
    def epoch(number, state):
        if batch == n:
            return update(state, data)[0]
        rows = data
        if shuffle:
            order = jax.random.permutation(jax.random.fold_in(jax.random.key(0), number), n)
            rows = [part[order] for part in data]
        return lax.scan(update, state, [part.reshape(n // batch, batch, -1) for part in rows])[0]

    return lax.fori_loop(0, epochs, epoch, state)


def train(epochs, shuffle):
    jax.block_until_ready(run(start, data, 0, shuffle))  # compiles
    begin = time.perf_counter()
    state = jax.block_until_ready(run(start, data, epochs, shuffle))
    seconds = time.perf_counter() - begin
    params = state if problem.optimizer == "sgd" else state[0]
    return seconds, pack([(np.asarray(W).T, np.asarray(b)) for W, b in params])


serve(train)
