"""What pictures are made of, as it comes from a user: runs, networks with parameters, targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.checks import Array, shown
from fastgd.data.labels import names_of_outputs
from fastgd.data.table import Table
from fastgd.ensemble.runs import Runs
from fastgd.mlp import MLP
from fastgd.samples import check_data
from fastgd.training.run import Run


class Trained(NamedTuple):
    """A network with its parameters, (n_params,), and what columns mean to it, if that is known."""

    net: MLP
    params: Array
    table: Table | None = None

    def names(self, axis: str) -> list[str]:
        """Of the inputs (x) or the outputs (y), by the table where there is one."""
        width = self.net.widths[0 if axis == "x" else -1]
        if self.table is None:
            return [axis] if width == 1 else [f"${axis}_{{{k}}}$" for k in range(width)]
        if axis == "x":
            return [plain(name) for name in self.table.inputs]
        names = names_of_outputs(self.table.targets, self.table.classes, width)
        return [plain(name) for name in names]

    def input_units(self, column: int, values: Array) -> Array:
        """Values of a column of X as the table has them, if there is one."""
        if self.table is None:
            return values
        return values * self.table.input_scale[column] + self.table.input_shift[column]

    def target_units(self, output: int, values: Array) -> Array:
        """Values of a column of Y as the table has them, if they are values there."""
        if self.table is None or self.table.classes is not None:
            return values
        return values * self.table.target_scale[output] + self.table.target_shift[output]

    def data(self, X: ArrayLike, Y: Any) -> tuple[Array, Array]:
        """X (n, inputs) and Y (n, outputs) as the network is trained on; Y may be (n,) labels of
        the table's classes.
        """
        self.net.check_one_output("a picture with Y")
        return check_data(self.net, X, _encoded(Y, self.table, self.net.widths[-1]))


def plain(name: str) -> str:
    """A name in which matplotlib sees no mathematics, and which it does not leave out of legends,
    as it does what begins with a low line.
    """
    text = name.replace("$", r"\$")
    return rf"$\_${text[1:]}" if text.startswith("_") else text


def _encoded(Y: Any, table: Table | None, outputs: int) -> Any:
    """Labels of classes as targets; whatever else as it is."""
    if table is None or table.classes is None or np.ndim(Y) != 1:
        return Y
    places = {label: place for place, label in enumerate(table.classes)}
    labels = np.asarray(Y).tolist()
    if not all(label in places for label in labels):
        return Y
    positions = np.array([places[label] for label in labels])
    return positions.astype(float) if outputs == 1 else np.eye(outputs)[positions]


def trained(net: object, params: Any = None) -> Trained:
    """What a pair of `net` and `params` is, or a Run instead of both."""
    if isinstance(net, Run):
        if params is not None:
            raise TypeError(
                f"params must be None where net is a Run, which has its own; got {shown(params)}"
            )
        return _of_run(net)
    if not isinstance(net, MLP):
        raise TypeError(f"net must be an MLP or a Run; got {shown(net)}{_how_to_pick(net)}")
    if params is None:
        raise TypeError(f"params must be an array of shape ({net.n_params},) for an MLP; got None")
    return Trained(net, net.check_params(params))


def trained_run(run: object) -> Trained:
    """What a Run is, or a tuple (net, params) in its place."""
    if isinstance(run, Run):
        return _of_run(run)
    if isinstance(run, tuple) and len(run) == 2 and isinstance(run[0], MLP):
        return trained(*run)
    raise TypeError(f"run must be a Run or (net, params); got {shown(run)}{_how_to_pick(run)}")


def _of_run(run: Run) -> Trained:
    table = None if run.table is None else Table.from_dict(run.table)
    return Trained(run.net, run.net.check_params(run.params), table)


def _how_to_pick(value: object) -> str:
    """Where a Run is to be found in what was given, if there."""
    if isinstance(value, Runs):
        return ": runs[i] is the Run of a member, runs.best that of the least cost"
    if hasattr(value, "run_"):
        return ": its attribute run_ is a Run"
    return ""


def several_runs(argument: str, value: object) -> list[Run]:
    """Runs of Run, Runs or a sequence, at least one."""
    if isinstance(value, Run):
        return [value]
    if isinstance(value, Runs) or (
        isinstance(value, Sequence)
        and len(value) > 0
        and all(isinstance(one, Run) for one in value)
    ):
        return list(value)
    raise TypeError(
        f"{argument} must be a Run, Runs or a sequence of at least one Run; got "
        f"{shown(value)}{_how_to_pick(value)}"
    )


def check_labels(labels: Any, count: int) -> list[str] | None:
    """A label for each of so many runs, or None."""
    if labels is None:
        return None
    is_several = isinstance(labels, (Sequence, np.ndarray)) and not isinstance(labels, str)
    if not is_several or not all(isinstance(label, str) for label in labels):
        raise TypeError(f"labels must be a sequence of str, one for each run; got {shown(labels)}")
    if len(labels) != count:
        raise ValueError(f"labels must be one for each of {count} runs; got {len(labels)}")
    return list(labels)
