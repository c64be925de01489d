"""`fastgd train`: a network on a gate or on the rows of a file."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fastgd.cli.options import add_command, add_network_flags, check_writable, count, duration, names, network, number, seed, whole, widths
from fastgd.cli.progress import Line
from fastgd.cli.score import score_lines
from fastgd.names import GATES, KERNELS, METHODS, SCALES, SCHEMES, TARGET_SCALES, TASKS, check_name

if TYPE_CHECKING:
    from fastgd.checks import Array
    from fastgd.columns import Columns
    from fastgd.network import MLP
    from fastgd.run import Run
    from fastgd.tables import Table

_GATE_EPOCHS, _TABLE_EPOCHS = 1_000_000, 1_000
_EXAMPLES = """\
examples:
  fastgd train --gate xor --layers 2-2-1
  fastgd train --gate nand --method finite_difference --eps 0.1
  fastgd train iris.csv --target species --layers 4-8-3 --out iris.npz
  fastgd train houses.csv --target price,rent --inputs area,rooms,year --layers 3-16-2 --batch-size 32

A CSV file has a header row, commas and UTF-8; an .npz file has arrays X and Y. Text in a target column makes classes, one output
each; so do whole numbers of as many different values as there are outputs. Two classes also fit one output, which is then 0 or 1.
"""


def add(commands: Any) -> None:
    parser = add_command(commands, "train", "train a network on a gate or on the rows of a file", _EXAMPLES)
    data = parser.add_argument_group("data")
    data.add_argument("file", nargs="?", help="CSV with a header row, or .npz with arrays X and Y")
    data.add_argument("--gate", choices=GATES, help="a gate of the notes instead of a file")
    data.add_argument("--target", action="append", metavar="COLUMN[,COLUMN...]", help="columns to learn (default: Y of an .npz)")
    data.add_argument("--inputs", action="append", metavar="COLUMN[,COLUMN...]", help="columns to learn from (default: all others)")
    data.add_argument("--task", choices=TASKS, help="what the target holds (default: auto, see below)")
    data.add_argument("--scale-inputs", choices=SCALES, help="mean 0 and deviation 1, [0, 1], or as is (default: standard)")
    data.add_argument(
        "--scale-targets",
        choices=TARGET_SCALES,
        help="of values; auto: standard for identity, none for softmax, [-1, 1] for tanh and sin, [0, 1] for others (default: auto)",
    )

    model = parser.add_argument_group("network")
    model.add_argument(
        "--layers", type=widths, metavar="W-W-...", help="widths, inputs first: 4-8-3 (default for gates: 2-1, 2-2-1 for xor and xnor)"
    )
    add_network_flags(
        model,
        activation="sigmoid on gates, tanh on files, where one name leaves the output to --output",
        output="as --activation on gates; softmax for classes, sigmoid for two in one output, identity for values",
        loss="cross_entropy for softmax, binary_cross_entropy for two classes in one sigmoid output, else squared_error",
    )

    training = parser.add_argument_group("training")
    training.add_argument(
        "--epochs", type=whole, metavar="N", help=f"passes over the rows (default: {_GATE_EPOCHS:,} on gates, {_TABLE_EPOCHS:,} on files)"
    )
    training.add_argument(
        "--learning-rate", type=number, default=0.1, metavar="RATE", help="step along the gradient (default: %(default)s)"
    )
    training.add_argument("--method", metavar="NAME", default="backprop", help=f"{', '.join(METHODS)} (default: %(default)s)")
    training.add_argument(
        "--eps", type=number, default=1e-3, metavar="EPS", help="step of the two difference methods (default: %(default)s)"
    )
    training.add_argument("--batch-size", type=whole, metavar="N", help="rows of a batch (default: all rows at once)")
    training.add_argument(
        "--no-shuffle", action="store_true", help="keep the order of the rows in batches (default: a new one every epoch)"
    )
    training.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="of initial values and of the order of rows (default: %(default)s)"
    )
    training.add_argument("--init", metavar="SCHEME", help=f"{', '.join(SCHEMES)} (default: uniform on gates, auto on files)")
    training.add_argument("--kernel", metavar="NAME", default="auto", help=f"{', '.join(KERNELS)} (default: %(default)s)")

    result = parser.add_argument_group("result")
    result.add_argument("--out", metavar="FILE", help="save the run, with columns, classes and scales; `fastgd predict` reads it")
    result.add_argument("--json", action="store_true", help="print the summary as JSON and nothing else")
    parser.set_defaults(command=train)


def train(options: argparse.Namespace) -> None:
    if (options.file is None) == (options.gate is None):
        raise ValueError("train needs a file or --gate, one of the two; see fastgd train --help")
    # before any file is read
    check_name("method", options.method, METHODS)
    check_name("kernel", options.kernel, KERNELS)
    if options.out is not None:
        check_writable(options.out, *([options.file] if options.file else []))
    if options.gate:
        _train_gate(options)
    else:
        _train_file(options)


def _train_gate(options: argparse.Namespace) -> None:
    from fastgd.data import gate

    for flag in ("target", "inputs", "task", "scale-inputs", "scale-targets"):
        if getattr(options, flag.replace("-", "_")) is not None:
            does = "names" if flag in ("target", "inputs") else "is for"
            raise ValueError(f"--{flag} {does} columns of a file; --gate has none")
    X, Y = gate(options.gate)
    layers = options.layers or ((2, 2, 1) if options.gate in ("xor", "xnor") else (2, 1))
    if (layers[0], layers[-1]) != (2, 1):
        raise ValueError(f"--layers must begin with 2 and end with 1 for a gate; got {'-'.join(map(str, layers))}")
    net = network(options, layers, activation="sigmoid", output=None, loss="squared_error")
    run = _run(options, net, X, Y, scheme="uniform", epochs=_GATE_EPOCHS, table=None)
    outputs = run.predict(X)[:, 0].tolist()
    if options.json:
        _print_json(options, run, {"data": {"gate": options.gate, "rows": 4}, "outputs": outputs})
        return
    print(f"{'data':<12}gate {options.gate}")
    _print_run(run)
    for x, y, output in zip(X, Y[:, 0], outputs, strict=True):
        print(f"{f'{x[0]:g} {x[1]:g}':<12}{output:.4f} (target {y:g})")
    _print_saved(options)


def _train_file(options: argparse.Namespace) -> None:
    from fastgd.columns import read_columns
    from fastgd.tables import Table

    columns = read_columns(options.file)
    targets = _columns_named(columns, options.target) or list(columns.targets)
    if not targets:
        raise ValueError(f"say what to learn: --target COLUMN; {columns.source} has: {', '.join(columns.names)}")
    inputs = _columns_named(columns, options.inputs) if options.inputs else None
    settings: dict[str, Any] = {
        "inputs": inputs,
        "task": options.task or "auto",
        "scale_inputs": options.scale_inputs or "standard",
        "scale_targets": options.scale_targets or "auto",
    }
    if options.layers is None:
        table = Table.fit(columns, targets, **{**settings, "scale_targets": "auto"})
        suggestion = f"--layers {len(table.inputs)}-8-{table.outputs}"
        raise ValueError(f"say the widths of the network, such as {suggestion} for {_meaning(table)}")
    output = _named_output(options) or "identity"
    table = Table.fit(columns, targets, outputs=options.layers[-1], output=output, **settings)
    if (options.layers[0], options.layers[-1]) != (len(table.inputs), table.outputs):
        expected = f"begin with {len(table.inputs)} and end with {table.outputs}"
        raise ValueError(f"--layers must {expected} for {_meaning(table)}; got {'-'.join(map(str, options.layers))}")
    net = _network(options, table)
    run = _run(options, net, table.encode(columns), table.encode_targets(columns), scheme="auto", epochs=_TABLE_EPOCHS, table=table)
    score = table.score(columns, run.predict(table.encode(columns)))
    if options.json:
        data = {"file": columns.source, "rows": len(columns), "inputs": table.inputs, "targets": table.targets, "classes": table.classes}
        _print_json(options, run, {"data": data, "score": score})
        return
    print(f"{'data':<12}{columns.source}: {count(len(columns), 'row')}, {_meaning(table)}")
    _print_run(run)
    for title, text in score_lines(score):
        print(f"{title:<11} {text} on the rows it was trained on")
    _print_saved(options)


def _columns_named(columns: Columns, texts: list[str] | None) -> list[str]:
    """Names as flags give them: one, or several between commas, unless a column's own name has the commas."""
    return [name for text in texts or [] for name in ([text] if text in columns.cells else names(text))]


def _named_output(options: argparse.Namespace) -> str | None:
    """The activation of the output, if flags name it."""
    if options.output or not options.activation:
        return str(options.output) if options.output else None
    given = names(options.activation)
    return given[-1] if len(given) == len(options.layers) - 1 else None


def _network(options: argparse.Namespace, table: Table) -> MLP:
    output, loss = "identity", "squared_error"
    if table.classes is not None:
        output = "sigmoid" if table.outputs == 1 else "softmax"
    if table.classes is not None and _named_output(options) in (None, output):
        loss = "binary_cross_entropy" if table.outputs == 1 else "cross_entropy"
    return network(options, options.layers, activation="tanh", output=output, loss=loss)


def _run(options: argparse.Namespace, net: MLP, X: Array, Y: Array, *, scheme: str, epochs: int, table: Table | None) -> Run:
    from fastgd import training
    from fastgd.run import DivergedError

    facts = None if table is None else table.to_dict()
    try:
        with Line() as line:
            run = training.train(
                net,
                X,
                Y,
                epochs if options.epochs is None else options.epochs,
                options.learning_rate,
                params=net.init(options.seed, options.init or scheme),
                rng=options.seed,
                method=options.method,
                eps=options.eps,
                batch_size=options.batch_size,
                shuffle=not options.no_shuffle,
                kernel=options.kernel,
                progress=line,
            )
    except DivergedError as error:
        if not options.out:
            raise
        replace(error.run, table=facts).save(options.out)
        raise ValueError(f"{error}; the last good run is saved in {options.out}") from None
    run = replace(run, table=facts)
    if options.out:
        run.save(options.out)
    return run


def _meaning(table: Table) -> str:
    """4 inputs, 3 classes of species."""
    if table.classes is None:
        what = f"{count(len(table.targets), 'target')} ({', '.join(table.targets)})"
    else:
        what = f"{count(len(table.classes), 'class', 'classes')} of {table.targets[0]}"
    return f"{count(len(table.inputs), 'input')}, {what}"


def _print_run(run: Run) -> None:
    net, options = run.net, run.options
    batch = "all rows at once" if options["batch_size"] is None else f"batches of {options['batch_size']:,}"
    pace = f", {duration(run.seconds / run.epochs)} an epoch" if run.epochs else ""
    bias = "" if net.bias else ", no biases"
    widths = "-".join(map(str, net.widths))
    print(f"{'network':<12}{widths}, {', '.join(net.activations)}, {net.loss}{bias}, {net.dtype}: {count(net.n_params, 'parameter')}")
    print(
        f"{'training':<12}{count(run.epochs, 'epoch')} of {options['method']}, {batch}, rate {options['learning_rate']:g}, seed {run.seed}"
    )
    print(f"{'time':<12}{duration(run.seconds)} in the {run.kernel} kernel{pace}")
    print(f"{'cost':<12}{run.history.cost[0]:.6g} at first, {run.cost:.6g} at last")


def _print_json(options: argparse.Namespace, run: Run, more: dict[str, Any]) -> None:
    from fastgd.runfile import to_json

    net = run.net
    facts = {
        **more,
        "network": {"widths": net.widths, "activations": net.activations, "loss": net.loss, "bias": net.bias, "dtype": net.dtype.name},
        "parameters": net.n_params,
        "options": {name: to_json(value) for name, value in run.options.items()},
        **{name: getattr(run, name) for name in ("epochs", "seconds", "cost", "kernel", "seed", "stopped_by")},
        "saved": options.out,
    }
    print(json.dumps(facts, indent=2))


def _print_saved(options: argparse.Namespace) -> None:
    print(f"{'saved':<12}{options.out or 'nowhere; --out FILE saves the run'}")
