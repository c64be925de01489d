"""What the flags of `fastgd train` and `fastgd sweep` say that is to be learned."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from fastgd.cli.options import names, network
from fastgd.cli.problems import FILE_EPOCHS, GATE_EPOCHS, FileProblem, GateProblem, Problem
from fastgd.words import count

if TYPE_CHECKING:
    from fastgd.arguments.checks import Array
    from fastgd.data.columns import Columns
    from fastgd.data.table import Table
    from fastgd.mlp import MLP

_OF_FILES = {
    "target": "names",
    "inputs": "names",
    "sample-weight": "names",
    "task": "is for",
    "scale-inputs": "is for",
    "scale-targets": "is for",
}


def make_problem(
    options: argparse.Namespace, share: float | None, validation_file: str | None
) -> Problem:
    """What the flags of `add_problem_flags` describe; `check_source` says which rows are for
    validation.
    """
    _check_loss(options.loss)
    return (
        _gate_problem(options, share)
        if options.gate
        else _file_problem(options, share, validation_file)
    )


def _check_loss(given: str | None) -> None:
    """Refuse one for which a network has more outputs than there are targets, before its layers are
    looked at.
    """
    from fastgd.losses import LOSSES

    known = LOSSES.get((given or "").partition("(")[0])
    if known is not None and known.of_pairs:
        raise ValueError(
            f"--loss must be one of one output for each target; got {given}, which is of two"
        )


def _gate_problem(options: argparse.Namespace, share: float | None) -> Problem:
    """The rows of a gate; flags about columns are refused."""
    from fastgd.data import gate

    for flag, does in _OF_FILES.items():
        if getattr(options, flag.replace("-", "_")) is not None:
            raise ValueError(f"--{flag} {does} columns of a file; --gate has none")
    X, Y = gate(options.gate)
    layers = options.layers or ((2, 2, 1) if options.gate in ("xor", "xnor") else (2, 1))
    if (layers[0], layers[-1]) != (2, 1):
        raise ValueError(
            "--layers must begin with 2 and end with 1 for a gate; got "
            f"{'-'.join(map(str, layers))}"
        )
    net = network(options, layers, activation="sigmoid", output=None, loss="squared_error")
    validated_on = "" if share is None else f"{count(round(share * len(X)), 'row')} kept apart"
    return GateProblem(
        net=net,
        X=X,
        Y=Y,
        epochs=GATE_EPOCHS,
        scheme="uniform",
        title=f"gate {options.gate}",
        validation=share,
        validated_on=validated_on,
        gate=options.gate,
    )


def _file_problem(
    options: argparse.Namespace, share: float | None, validation_file: str | None
) -> Problem:
    """The rows of a file, with those of another for validation if it is given."""
    import numpy as np

    from fastgd.data.columns import read_columns
    from fastgd.samples import drawn_rows

    columns = read_columns(options.file)
    table = _table(options, columns)
    net = _network(options, table)
    X, Y, targets = _encoded(table, columns)
    weights = None if options.sample_weight is None else columns.numbers(options.sample_weight)
    constant = table.constant(columns)
    del columns
    validation: float | tuple[Array, Array] | None = share
    trained, held_out = np.arange(len(X)), None
    validated_on = ""
    if share is not None:
        mask = drawn_rows(Y.astype(net.dtype), share, options.seed)  # as `train` draws them
        trained, drawn = np.flatnonzero(~mask), np.flatnonzero(mask)
        held_out = X[drawn], targets.take(drawn)
        validated_on = f"{count(len(drawn), 'row')} kept apart"
    elif validation_file is not None:
        X_validation, Y_validation, targets_validation = _encoded(
            table, read_columns(validation_file)
        )
        validation, held_out = (X_validation, Y_validation), (X_validation, targets_validation)
        validated_on = f"{count(len(X_validation), 'row')} of {targets_validation.source}"
    return FileProblem(
        net=net,
        X=X,
        Y=Y,
        epochs=FILE_EPOCHS,
        scheme="auto",
        title=f"{targets.source}: {count(len(X), 'row')}, {_meaning(table)}",
        validation=validation,
        validated_on=validated_on,
        weights=weights,
        table=table,
        targets=targets,
        trained=trained,
        held_out=held_out,
        constant=constant,
    )


def _encoded(table: Table, columns: Columns) -> tuple[Array, Array, Columns]:
    """X, Y, and the targets as they are in the file."""
    X, Y = table.encode(columns), table.encode_targets(columns)
    return X, Y, columns.only(table.targets, text=table.classes is not None)


def _table(options: argparse.Namespace, columns: Columns) -> Table:
    """What the columns mean, for a network of these --layers."""
    from fastgd.data.table import Table

    targets = _columns_named(columns, options.target) or list(columns.targets)
    if not targets:
        raise ValueError(
            f"say what to learn: --target COLUMN; {columns.source} has: {', '.join(columns.names)}"
        )
    inputs = _columns_named(columns, options.inputs) if options.inputs else None
    if options.sample_weight is not None:
        inputs = _without_weight(options.sample_weight, columns, targets, inputs)
    settings: dict[str, Any] = {
        "inputs": inputs,
        "task": options.task or "auto",
        "scale_inputs": options.scale_inputs or "standard",
        "scale_targets": options.scale_targets or "auto",
    }
    if options.layers is None:
        table = Table.fit(columns, targets, **{**settings, "scale_targets": "auto"})
        suggestion = f"--layers {len(table.inputs)}-8-{table.outputs}"
        raise ValueError(
            f"say the widths of the network, such as {suggestion} for {_meaning(table)}"
        )
    output = _named_output(options) or "identity"
    table = Table.fit(columns, targets, outputs=options.layers[-1], output=output, **settings)
    if (options.layers[0], options.layers[-1]) != (len(table.inputs), table.outputs):
        expected = f"begin with {len(table.inputs)} and end with {table.outputs}"
        raise ValueError(
            f"--layers must {expected} for {_meaning(table)}; got "
            f"{'-'.join(map(str, options.layers))}"
        )
    return table


def _columns_named(columns: Columns, texts: list[str] | None) -> list[str]:
    """Names as flags give them: one, or several between commas, unless a column's own name has the
    commas.
    """
    return [
        name for text in texts or [] for name in ([text] if text in columns.cells else names(text))
    ]


def _without_weight(
    weight: str, columns: Columns, targets: list[str], inputs: list[str] | None
) -> list[str]:
    """The inputs, none of which is the column of sample weights."""
    columns.check_known("--sample-weight", [weight])
    for role, named in (("an input", inputs or ()), ("a target", targets)):
        if weight in named:
            raise ValueError(f"column {weight!r} can't be {role} and --sample-weight")
    return (
        [name for name in columns.names if name not in targets and name != weight]
        if inputs is None
        else inputs
    )


def _named_output(options: argparse.Namespace) -> str | None:
    """The activation of the output, if flags name it."""
    if options.output is not None or options.activation is None:
        return None if options.output is None else str(options.output)
    given = names(options.activation)
    return given[-1] if len(given) == len(options.layers) - 1 else None


def _network(options: argparse.Namespace, table: Table) -> MLP:
    output, loss = "identity", "squared_error"
    if table.classes is not None:
        output = "sigmoid" if table.outputs == 1 else "softmax"
    if table.classes is not None and _named_output(options) in (None, output):
        loss = "binary_cross_entropy" if table.outputs == 1 else "cross_entropy"
    return network(options, options.layers, activation="tanh", output=output, loss=loss)


def _meaning(table: Table) -> str:
    """4 inputs, 3 classes of species."""
    if table.classes is None:
        what = f"{count(len(table.targets), 'target')} ({', '.join(table.targets)})"
    else:
        what = f"{count(len(table.classes), 'class', 'classes')} of {table.targets[0]}"
    return f"{count(len(table.inputs), 'input')}, {what}"
