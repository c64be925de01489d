"""Many copies of a network in JAX, on mini-batches: vmap over the members, all epochs in one jitted loop. Two layers, sigmoid and
softmax with cross entropy, plain gradient descent.

Every member has its own order of rows in every epoch. Of the forms tried this is the fastest on a CPU: W as (units, inputs), the gradient
written out, rows gathered batch by batch. `draw` says how orders are drawn: `jax.random.permutation` takes longer than the rest of an
epoch, ten times as long as `sorted_bits`.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from many_protocol import read_work, serve, share

work = read_work()
X, Y = (jnp.asarray(np.array(work[name]), work["dtype"]) for name in ("X", "Y"))
inputs, hidden, outputs = work["widths"]
n, batch, places = len(X), work["batch_size"], [inputs * hidden, (inputs + 1) * hidden, (inputs + 1) * hidden + hidden * outputs]
whole = n // batch * batch


def unpack(flat):
    W1, b1, W2, b2 = np.split(np.array(flat, work["dtype"]), places, axis=1)
    return W1.reshape(-1, hidden, inputs), b1, W2.reshape(-1, outputs, hidden), b2


def pack(params):
    return np.concatenate([np.asarray(part).reshape(len(part), -1) for part in params], axis=1)


def sgd(rate, params, rows):
    W1, b1, W2, b2 = params
    x, y = X[rows], Y[rows]
    a = jax.nn.sigmoid(x @ W1.T + b1)
    dz2 = (jax.nn.softmax(a @ W2.T + b2) - y) / len(rows)
    dz1 = dz2 @ W2 * a * (1 - a)
    gradient = (dz1.T @ x, dz1.sum(axis=0), dz2.T @ a, dz2.sum(axis=0))
    return jax.tree.map(lambda p, g: p - rate * g, params, gradient), None


def in_order(key):
    return jnp.arange(n)


def sorted_bits(key):
    """Random bits with the row in the last ones, in order of size."""
    low = jnp.uint32(2 ** n.bit_length() - 1)
    keyed = (jax.random.bits(key, (n,)) & ~low) | jnp.arange(n, dtype=jnp.uint32)
    return (jnp.sort(keyed, stable=False) & low).astype(jnp.int32)


def permutation(key):
    return jax.random.permutation(key, n)


def trainer(draw):
    def epoch(number, params, key, rate):
        order = draw(jax.random.fold_in(key, number))
        params, _ = lax.scan(partial(sgd, rate), params, order[:whole].reshape(-1, batch))
        return sgd(rate, params, order[whole:])[0] if whole < n else params

    @share
    def run(members, epochs):
        params, keys, rates = members
        return lax.fori_loop(0, epochs, lambda number, params: jax.vmap(partial(epoch, number))(params, keys, rates), params)

    return lambda epochs: jax.block_until_ready(run(members, epochs))


members = (unpack(work["params"]), jax.random.split(jax.random.key(0), len(work["params"])), jnp.asarray(work["rates"], work["dtype"]))
draw = {"sorted bits": sorted_bits, "permutation": permutation}[work["draw"]]
orders = np.asarray(jax.vmap(draw)(members[1]))
assert (np.sort(orders) == np.arange(n)).all(), "not permutations"
assert (orders[0] != orders[1]).any(), "the same for all members"
serve(work, pack(trainer(in_order)(work["checked_epochs"])), trainer(draw))
