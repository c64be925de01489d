"""Calls that are to be short, one kind a process: `calls_peer.py KIND dtype widths hidden output rows`, parameters and X on stdin.

It writes its outputs, and then for every line of seconds on stdin the least processor time of a call, in seconds. Parameters, rows and
outputs are float64.
"""

import struct
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from timed_calls import answer, write

Array = np.ndarray[Any, np.dtype[Any]]

kind, dtype, *given = sys.argv[1:]
widths, hidden, output, n = tuple(map(int, given[0].split(","))), given[1], given[2], int(given[3])
activations = [hidden] * (len(widths) - 2) + [output]


def read(*shape: int) -> Array:
    return np.frombuffer(sys.stdin.buffer.read(8 * int(np.prod(shape)))).reshape(shape).astype(dtype)


params, X = read(sum((inputs + 1) * units for inputs, units in pairwise(widths))), read(n, widths[0])
layers, start = [], 0
for inputs, units in pairwise(widths):
    stop = start + units * inputs
    layers.append((params[start:stop].reshape(units, inputs), params[stop : stop + units]))
    start = stop + units


def by_numpy() -> Callable[[], Any]:
    """The forward pass as an engineer writes it by hand."""
    if (hidden, output) == ("sigmoid", "sigmoid"):

        def forward() -> Array:
            a = X
            for W, b in layers:
                a = 1 / (1 + np.exp(-(a @ W.T + b)))
            return a

    else:  # relu, then identity

        def forward() -> Array:
            a = X
            for W, b in layers[:-1]:
                a = np.maximum(a @ W.T + b, 0)
            W, b = layers[-1]
            return a @ W.T + b

    return forward


def by_jax() -> Callable[[], Any]:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", dtype == "float64")
    functions = {"sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu, "identity": lambda z: z}
    theirs, rows = [(jnp.asarray(W.T), jnp.asarray(b)) for W, b in layers], jnp.asarray(X)

    @jax.jit
    def predict(layers, a):
        for (W, b), name in zip(layers, activations, strict=True):
            a = functions[name](a @ W + b)
        return a

    return lambda: predict(theirs, rows).block_until_ready()


def by_onnxruntime() -> Callable[[], Any]:
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    real = {"float64": TensorProto.DOUBLE, "float32": TensorProto.FLOAT}[dtype]
    nodes, arrays, name = [], [], "x"
    for l, ((W, b), activation) in enumerate(zip(layers, activations, strict=True)):
        arrays += [numpy_helper.from_array(W, f"W{l}"), numpy_helper.from_array(b, f"b{l}")]
        nodes.append(helper.make_node("Gemm", [name, f"W{l}", f"b{l}"], [f"z{l}"], transB=1))
        name = f"z{l}"
        if activation != "identity":
            nodes.append(helper.make_node(activation.capitalize(), [name], [f"a{l}"]))
            name = f"a{l}"
    ends = [helper.make_tensor_value_info(end, real, ["n", width]) for end, width in (("x", widths[0]), (name, widths[-1]))]
    graph = helper.make_graph(nodes, "network", ends[:1], ends[1:], arrays)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": X})[0]


def by_mlpfile() -> Callable[[], Any]:
    import mlpfile

    if (hidden, output, dtype, n) != ("relu", "identity", "float32", 1):
        sys.exit("mlpfile is for one row of float32, relu and identity")
    linear, relu = int(mlpfile.LayerType.Linear), int(mlpfile.LayerType.ReLU)
    with tempfile.NamedTemporaryFile() as file:
        file.write(struct.pack("=II", 2 * len(layers) - 1, widths[0]))
        file.write(struct.pack(f"={3 * len(layers) - 1}I", *[word for W, _ in layers for word in (linear, len(W), relu)][:-1]))
        file.write(b"".join(part.tobytes() for layer in layers for part in layer))
        file.flush()
        model = mlpfile.Model.load(file.name)
    row = X[0]
    return lambda: model.forward(row)


def of_fastgd(what: str) -> Callable[[], Any]:
    import fastgd

    net = fastgd.MLP(*widths, activation=hidden, output=output, dtype=dtype)
    if what == "predict":
        return lambda: net.predict(params, X)
    if what == "predictor":
        f = net.predictor(params)
        return lambda: f(X)
    Y = np.random.default_rng(0).uniform(size=(n, widths[-1])).astype(dtype)
    if what == "objective":
        o = net.objective(X, Y)
        return lambda: o(params)
    if what == "cost_and_gradient":
        return lambda: net.cost_and_gradient(params, X, Y)
    if what == "train":
        return lambda: fastgd.train(net, X, Y, 1, params=params, rng=0, kernel="matrix")
    start = np.tile(params, (8, 1))
    return lambda: fastgd.train_many(net, X, Y, 1, params=start, rng=0)


KINDS = {"NumPy": by_numpy, "JAX": by_jax, "onnxruntime": by_onnxruntime, "mlpfile": by_mlpfile}
try:
    call = KINDS[kind]() if kind in KINDS else of_fastgd(kind)
except ImportError as error:
    sys.exit(f"{kind} is left out: {error}")
first = call()  # which may compile
outputs = np.asarray(first, float) if kind in KINDS or kind.startswith("predict") else np.zeros((n, widths[-1]))
write(outputs.tobytes())
answer(call)
