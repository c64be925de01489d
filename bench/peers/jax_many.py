"""Many copies of a small network in JAX, full batch: vmap over the members, all epochs in one jitted loop."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from many_protocol import read_work, serve, share

work = read_work()
jax.config.update("jax_enable_x64", work["dtype"] == "float64")
X, Y, params, rates = (jnp.asarray(np.array(work[name]), work["dtype"]) for name in ("X", "Y", "params", "rates"))
widths = work["widths"]
ACTIVATIONS = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "identity": lambda z: z}


def cost(flat, x, y):
    """Unit by unit, which XLA makes faster code of than of products of matrices this small."""
    place, units = 0, list(x.T)
    for l, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        W, b = flat[place : place + inputs * outputs].reshape(outputs, inputs), flat[place + inputs * outputs :]
        z = [sum(W[j, k] * units[k] for k in range(inputs)) + b[j] for j in range(outputs)]
        units = [ACTIVATIONS[work["activations"][l]](each) for each in z]
        place += outputs * (inputs + 1)
    return sum((a - target) ** 2 for a, target in zip(units, y.T, strict=True)).mean()


gradient = jax.grad(cost)


def sgd(state, rate):
    return (state[0] - rate * gradient(state[0], X, Y), *state[1:])


def adam(state, rate):
    p, m, v, t = state
    g, t = gradient(p, X, Y), t + 1
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    c, d = 1 - 0.9**t, 1 - 0.999**t
    return p - rate * (m / c) / (jnp.sqrt(v / d) + 1e-8), m, v, t


update = {"sgd": sgd, "adam": adam}[work["optimizer"]]
every = jax.vmap(update, in_axes=((1, 1, 1, 0), 0), out_axes=(1, 1, 1, 0))  # members last, where vectors are loaded from


@share
def run(members, epochs):
    params, rates = members
    zeros = jnp.zeros_like(params.T)
    state = (params.T, zeros, zeros, jnp.zeros(len(rates), params.dtype))
    return lax.fori_loop(0, epochs, lambda _, state: every(state, rates), state)[0].T


def train(epochs):
    return jax.block_until_ready(run((params, rates), epochs))


serve(work, np.asarray(train(work["checked_epochs"])), train)
