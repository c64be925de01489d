"""Data: the small sets of the notes, points of two classes, and tables from CSV and .npz files."""

import os
from collections.abc import Sequence

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.arguments.choices import check_name
from fastgd.data.columns import Columns, read_columns
from fastgd.data.table import Table
from fastgd.data.two_classes import circles, moons, spiral
from fastgd.names import GATES

__all__ = [
    "Columns", "Table", "circles", "gate", "moons", "read_columns", "read_table", "spiral", "twice",
]  # fmt: skip

_INPUTS = [[0, 0], [1, 0], [0, 1], [1, 1]]
_OUTPUTS = {
    "and": [0, 0, 0, 1],
    "or": [0, 1, 1, 1],
    "nand": [1, 1, 1, 0],
    "nor": [1, 0, 0, 0],
    "xor": [0, 1, 1, 0],
    "xnor": [1, 0, 0, 1],
}


def gate(name: str) -> tuple[Array, Array]:
    """X (4, 2) and Y (4, 1) of a logic gate: and, or, nand, nor, xor or xnor.

    Examples
    --------
    >>> X, Y = fastgd.data.gate("nand")
    >>> X.tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    >>> Y.ravel().tolist()
    [1.0, 1.0, 1.0, 0.0]
    """
    check_name("gate", name, GATES)
    return np.array(_INPUTS, float), np.array(_OUTPUTS[name], float).reshape(4, 1)


def twice() -> tuple[Array, Array]:
    """X (5, 1) and Y (5, 1) = 2 X: the data of the notes' linear model.

    Examples
    --------
    >>> X, Y = fastgd.data.twice()
    >>> Y.ravel().tolist()
    [0.0, 2.0, 4.0, 6.0, 8.0]
    """
    x = np.arange(5.0).reshape(5, 1)
    return x, 2 * x


def read_table(
    path: str | os.PathLike[str],
    target: str | Sequence[str] | None = None,
    *,
    inputs: Sequence[str] | None = None,
    task: str = "auto",
    outputs: int | None = None,
    output: str = "identity",
    scale_inputs: str = "standard",
    scale_targets: str = "auto",
) -> tuple[Table, Array, Array]:
    """Read a CSV file with a header row, or an .npz file with X and Y, for training.

    Parameters
    ----------
    path : path of the file
    target : name or names of the columns to learn; for .npz all of Y if not given
    inputs, task, outputs, output, scale_inputs, scale_targets
        As in `Table.fit`.

    Returns
    -------
    table : Table
        Names, classes and scales; `table.decode(run.predict(X))` speaks in original units, and
        `dataclasses.replace(run, table=table.to_dict())` is a run that `fastgd predict` can use.
    X : (n, inputs) array
    Y : (n, outputs) array

    Raises
    ------
    OSError
        If the file can't be read.
    ValueError
        If it is malformed, naming the file, the line and the column, or has no such columns.

    Examples
    --------
    >>> np.savetxt("line.csv", [[1, 2], [2, 4]], delimiter=",", header="x,y", comments="")
    >>> table, X, Y = fastgd.data.read_table("line.csv", "y")
    >>> X.shape, Y.shape, table.inputs, table.targets
    ((2, 1), (2, 1), ('x',), ('y',))
    >>> table.decode(Y).tolist()
    [[2.0], [4.0]]
    """
    columns = read_columns(path)
    names = [target] if isinstance(target, str) else columns.targets if target is None else target
    table = Table.fit(
        columns,
        names,
        inputs=inputs,
        task=task,
        outputs=outputs,
        output=output,
        scale_inputs=scale_inputs,
        scale_targets=scale_targets,
    )
    return table, table.encode(columns), table.encode_targets(columns)
