"""One derivative by one library: `derivatives_peer.py fastgd|JAX WHAT widths rows`; parameters, X, Y and a vector, float64, on stdin.

The network is tanh, its outputs as they are, its loss squared error. It writes how many numbers come of it, and them, and then for every
line of seconds on stdin the least processor time of a call, in seconds.
"""

import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from timed_calls import answer, write

Array = np.ndarray[Any, np.dtype[Any]]

kind, what, given, rows = sys.argv[1:]
widths, n = tuple(map(int, given.split(","))), int(rows)


def read(*shape: int) -> Array:
    return np.frombuffer(sys.stdin.buffer.read(8 * int(np.prod(shape)))).reshape(shape)


params = read(sum((inputs + 1) * units for inputs, units in pairwise(widths)))
X, Y, v = read(n, widths[0]), read(n, widths[-1]), read(len(params))


def by_fastgd() -> Callable[[], Any]:
    import fastgd

    net = fastgd.MLP(*widths, activation="tanh", output="identity")
    o = net.objective(X, Y)
    return {
        "jacobian": lambda: o.jacobian(params),
        "input_gradient": lambda: net.input_gradient(params, X),
        "hessian_vector": lambda: o.hessian_vector(params, v),
    }[what]


def by_jax() -> Callable[[], Any]:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    theirs, vector, inputs, targets = map(jnp.asarray, (params, v, X, Y))

    def outputs(params, a):
        start = 0
        for l, (before, units) in enumerate(pairwise(widths)):
            stop = start + units * before
            z = params[start:stop].reshape(units, before) @ a + params[stop : stop + units]
            a, start = (jnp.tanh(z) if l < len(widths) - 2 else z), stop + units
        return a

    def cost(params):
        return ((jax.vmap(outputs, (None, 0))(params, inputs) - targets) ** 2).sum(axis=1).mean()

    jacobian, slopes = (jax.jit(jax.vmap(jax.jacrev(outputs, by), (None, 0))) for by in (0, 1))
    product = jax.jit(lambda params, vector: jax.jvp(jax.grad(cost), (params,), (vector,))[1])
    return {
        "jacobian": lambda: jacobian(theirs, inputs).block_until_ready(),
        "input_gradient": lambda: slopes(theirs, inputs).block_until_ready(),
        "hessian_vector": lambda: product(theirs, vector).block_until_ready(),
    }[what]


try:
    call = {"fastgd": by_fastgd, "JAX": by_jax}[kind]()
except ImportError as error:
    sys.exit(f"{kind} is left out: {error}")
result = np.asarray(call(), float)  # which may compile
write(np.array([result.size], float).tobytes() + result.tobytes())
answer(call)
