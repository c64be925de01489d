"""Networks and tables that are taken elsewhere: 200 of them, over every activation."""

import functools

import numpy as np
from command_line import write

import fastgd
from fastgd.activations import ACTIVATIONS
from fastgd.numeric import exp, normal_pdf, where

OWN = fastgd.Activation(lambda z, slope=0.5: where(z > 1, 1 + slope * (z - 1), exp(z - 1)), name="bent")
BELL = fastgd.Activation(lambda z: normal_pdf(z) - 0.2, name="bell")
HIDDEN = [*(name for name in ACTIVATIONS if name != "softmax"), BELL, "snake(2)", "softplus(3)", OWN(0.25)]


@functools.cache
def networks(dtype):
    """200 of them, and parameters: every activation, with and without biases, up to four layers."""
    rng, made = np.random.default_rng(20), []
    for i in range(200):
        widths = rng.integers(1, 9, size=rng.integers(2, 6))
        activation = [HIDDEN[(i + 7 * l) % len(HIDDEN)] for l in range(len(widths) - 1)]
        if i % 5 == 0 and widths[-1] > 1:
            activation[-1] = "softmax"
        net = fastgd.MLP(*map(int, widths), activation=activation, bias=bool(i % 3), dtype=dtype)
        made.append((net, (rng.normal(size=net.n_params) * 0.7).astype(dtype)))
    return made


def trained_from(name, rows, target, **options):
    """A run of no epochs from a table of columns a, b and c that is written to a file, its columns, and the table."""
    write(name, ["a", "b", "c"], rows)
    columns = fastgd.data.read_columns(name)
    table = fastgd.data.Table.fit(columns, target, **options.pop("table", {}))
    net = fastgd.MLP(len(table.inputs), 4, table.outputs, activation="tanh", **options)
    run = fastgd.train(net, table.encode(columns), table.encode_targets(columns), 0, rng=0)
    return run.with_values(table=table.to_dict()), columns, table


def table_of_values(dtype):
    """Of two inputs, one of them far from 0, and a target, in the folder at hand."""
    rng = np.random.default_rng(1)
    rows = [[f"{1e5 + 3 * x:.6g}", f"{0.01 * x + y:.6g}", f"{40 * y - 1000:.6g}"] for x, y in rng.normal(size=(30, 2))]
    return trained_from("values.csv", rows, ["c"], output="identity", dtype=dtype)


CLASSES = {  # labels, and how a network tells them
    "text": (['one "?" \\ */', "zwölf", "x"], {"output": "softmax", "loss": "cross_entropy"}),
    "numbers": (["3", "5", "10"], {"output": "softmax", "loss": "cross_entropy", "table": {"task": "classes"}}),
    "one output": (["0", "1"], {"output": "sigmoid", "loss": "binary_cross_entropy", "table": {"outputs": 1}}),
    "scores": (["no", "yes"], {"output": "tanh"}),
}


def table_of_classes(kind):
    labels, options = CLASSES[kind]
    rng = np.random.default_rng(2)
    rows = [[x, y, labels[i % len(labels)]] for i, (x, y) in enumerate(rng.normal(size=(30, 2)).round(3).tolist())]
    return trained_from("classes.csv", rows, ["c"], **options)
