"""Table: how named columns become X and Y, and how outputs become classes or values in original
units again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastgd.activations import activation
from fastgd.arguments.checks import Array
from fastgd.arguments.choices import check_name
from fastgd.data.cells import is_missing, is_number, is_plain_whole, is_too_large
from fastgd.data.columns import Columns
from fastgd.data.labels import Label, classes_of, positions_of, widths
from fastgd.data.scaling import is_constant, scaling
from fastgd.names import SCALES, TARGET_SCALES, TASKS
from fastgd.system.float_errors import quiet

# of real-valued targets, by output activation; range for the others
_AUTO = {"identity": "standard", "softmax": "none"}


@dataclass(frozen=True)
class Table:
    """What the columns of a table mean to a network. `Run.table` keeps it as a dict.

    Attributes
    ----------
    inputs, targets : names of columns
    classes : labels of the one target column, sorted, or None where targets are values
    outputs : width of the network's output: one a target, or one a class, or 1 for two classes in
        one 0/1 column
    input_shift, input_scale : X is (column - shift) / scale
    target_shift, target_scale : the same for Y

    Examples
    --------
    >>> np.savetxt("line.csv", [[1, 2], [2, 4]], delimiter=",", header="x,y", comments="")
    >>> columns = fastgd.data.read_columns("line.csv")
    >>> table = fastgd.data.Table.fit(columns, ["y"])
    >>> table.encode(columns).tolist(), table.target_shift
    ([[-1.0], [1.0]], (3.0,))
    """

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    classes: tuple[Label, ...] | None
    outputs: int
    input_shift: tuple[float, ...]
    input_scale: tuple[float, ...]
    target_shift: tuple[float, ...]
    target_scale: tuple[float, ...]

    def __post_init__(self) -> None:
        n_inputs, n_targets = len(self.inputs), len(self.targets)
        if self.classes is None:
            fits = self.outputs == n_targets == len(self.target_shift) == len(self.target_scale)
        else:
            fits = n_targets == 1 and self.outputs in widths(self.classes)
        if (
            not fits
            or not n_inputs == len(self.input_shift) == len(self.input_scale) > 0 < n_targets
        ):
            raise ValueError(
                "table: numbers of columns, classes, outputs and scales do not fit together: "
                f"{asdict(self)}"
            )

    @classmethod
    @quiet
    def fit(
        cls,
        columns: Columns,
        targets: Sequence[str],
        *,
        inputs: Sequence[str] | None = None,
        task: str = "auto",
        outputs: int | None = None,
        output: str = "identity",
        scale_inputs: str = "standard",
        scale_targets: str = "auto",
    ) -> Table:
        """The table of these columns.

        Parameters
        ----------
        columns : Columns
        targets : names of the columns to learn
        inputs : names of the columns to learn from; all others if not given
        task : str
            classes, values, or auto: one text column holds classes, and so does one column of whole
            numbers with as many distinct ones as `outputs`, or with two for one output. NA, ?, nan
            and the like among numbers are refused in each case.
        outputs : int, optional
            Width of the network's output, where it is known.
        output : str
            Activation of the output, which `scale_targets` looks at.
        scale_inputs : str
            standard (mean 0, deviation 1), range ([0, 1]) or none.
        scale_targets : str
            The same for values; range is [-1, 1] for outputs between -1 and 1. auto is standard for
            identity, none for softmax, range for others.
        """
        check_name("task", task, TASKS)
        check_name("scale_inputs", scale_inputs, SCALES)
        check_name("scale_targets", scale_targets, TARGET_SCALES)
        columns.check_known("target", targets)
        if not targets:
            raise ValueError(
                f"target must name at least one column of {columns.source}; it has: "
                f"{', '.join(columns.names)}"
            )
        if inputs is None:
            inputs = [name for name in columns.names if name not in targets]
        columns.check_known("inputs", inputs)
        for name in inputs:
            if name in targets:
                raise ValueError(f"column {name!r} can't be an input and a target")
        if not inputs:
            raise ValueError(
                f"{columns.source} has no column left for an input beside the target "
                f"{', '.join(targets)}"
            )

        input_shift, input_scale = scaling(columns, inputs, scale_inputs, 0.0)
        classes = classes_of(columns, targets, task, outputs)
        if classes is None:
            if scale_targets == "auto":
                scale_targets = _AUTO.get(output, "range")
            from_minus_one = activation(output, "output").bounds == (-1.0, 1.0)
            target_shift, target_scale = scaling(
                columns, targets, scale_targets, -1.0 if from_minus_one else 0.0
            )
            width = len(targets)
        else:
            if scale_targets not in ("auto", "none"):
                raise ValueError(
                    f"scale_targets {scale_targets!r} is for values; column {targets[0]!r} holds "
                    "classes"
                )
            target_shift, target_scale = (), ()
            width = len(classes) if outputs is None else outputs
        return cls(
            tuple(inputs),
            tuple(targets),
            classes,
            width,
            input_shift,
            input_scale,
            target_shift,
            target_scale,
        )

    def to_dict(self) -> dict[str, Any]:
        """As `Run.table` keeps it: plain lists, numbers and text."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Table:
        """The table that `to_dict` described."""
        try:
            values: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in facts.items()
            }
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"table: {error}") from None

    @quiet
    def encode(self, columns: Columns) -> Array:
        """X, (n, inputs), of columns found by name; others are ignored."""
        missing = [name for name in self.inputs if name not in columns.cells]
        if missing:
            raise ValueError(
                f"{columns.source} has no column {', '.join(map(repr, missing))}; it has: "
                f"{', '.join(columns.names)}"
            )
        return _encoded(columns, self.inputs, self.input_shift, self.input_scale)

    @quiet
    def encode_targets(self, columns: Columns) -> Array:
        """Y, (n, outputs)."""
        columns.check_known("target", self.targets)
        if self.classes is None:
            return _encoded(columns, self.targets, self.target_shift, self.target_scale)
        name = self.targets[0]
        text = columns.text(name)
        positions = positions_of(columns, name, self.classes)
        if positions.min() < 0:
            known = ", ".join(map(str, self.classes))
            row = int(positions.argmin())
            raise ValueError(
                f"{columns.source}, column {name!r}: unknown class {self._shown(text[row])}; "
                f"known: {known}"
            )
        if self.outputs == 1:
            return positions.reshape(-1, 1).astype(float)
        return np.asarray(np.eye(self.outputs)[positions])

    @quiet
    def constant(self, columns: Columns) -> list[str]:
        """Names of the inputs and of the targets that are values which are constant, up to
        rounding.
        """
        names = self.inputs if self.classes is not None else (*self.inputs, *self.targets)
        return [name for name in names if is_constant(columns.numbers(name))]

    @quiet
    def decode(self, outputs: ArrayLike) -> Array:
        """What the network's outputs (n, outputs) say: labels (n, 1), or values (n, targets) in
        original units.
        """
        if self.classes is None:
            a = np.asarray(outputs, dtype=float)
            return np.asarray(a * np.array(self.target_scale) + np.array(self.target_shift))
        return np.asarray(
            np.array(self.classes, dtype=object)[self._chosen(outputs)].reshape(-1, 1)
        )

    @quiet
    def probabilities(self, outputs: ArrayLike) -> Array:
        """One column a class, (n, classes), of the outputs of a sigmoid or softmax layer."""
        if self.classes is None:
            raise ValueError(
                f"probabilities are of classes; the targets {', '.join(self.targets)} are values"
            )
        a = np.asarray(outputs, dtype=float)
        return np.column_stack([1 - a, a]) if self.outputs == 1 else np.asarray(a)

    @quiet
    def score(self, columns: Columns, outputs: ArrayLike) -> dict[str, Any]:
        """Accuracy, or mean squared error and R2 of each target in original units, over the rows
        whose targets can be read.
        """
        columns.check_known("target", self.targets)
        if self.classes is None:
            return self._score_values(columns, self.decode(outputs))
        name = self.targets[0]
        positions = positions_of(columns, name, self.classes)
        cells = columns.cells[name].text()
        # a class of no row in training counts, unless it is no number where the others are
        unread = {
            cell
            for cell in set(cells)
            if is_missing(cell) or is_too_large(cell) or (self._are_numbers and not is_number(cell))
        }
        known = np.fromiter((cell not in unread for cell in cells), bool, len(cells)) | (
            positions >= 0
        )
        rows = int(known.sum())
        if not rows:
            return {"rows": 0}
        right = int((self._chosen(outputs) == positions)[known].sum())
        return {"rows": rows, "right": right, "accuracy": right / rows}

    def _score_values(self, columns: Columns, predicted: Array) -> dict[str, Any]:
        values = np.column_stack([columns.values(name) for name in self.targets])
        known = np.isfinite(values).all(axis=1)
        values, predicted = values[known], predicted[known]
        if not len(values):
            return {"rows": 0}
        score: dict[str, Any] = {"rows": len(values), "mean_squared_error": {}, "r2": {}}
        for name, y, a in zip(self.targets, values.T, predicted.T, strict=True):
            error, variance = float(np.mean((a - y) ** 2)), float(y.var())
            score["mean_squared_error"][name] = error
            score["r2"][name] = None if is_constant(y) or not variance else 1 - error / variance
        return score

    def _chosen(self, outputs: ArrayLike) -> Array:
        """(n,) the number of the class that each row's outputs say."""
        a = np.asarray(outputs, dtype=float)
        return (a[:, 0] >= 0.5).astype(np.int64) if self.outputs == 1 else a.argmax(axis=1)

    @property
    def _are_numbers(self) -> bool:
        return self.classes is not None and isinstance(self.classes[0], int)

    def _shown(self, cell: str) -> str:
        return cell if self._are_numbers and is_plain_whole(cell) else repr(cell)


def _encoded(
    columns: Columns, names: Sequence[str], shifts: Sequence[float], scales: Sequence[float]
) -> Array:
    """(n, names) of columns, shifted and scaled."""
    encoded = np.empty((len(columns), len(names)))
    for position, (name, shift, scale) in enumerate(zip(names, shifts, scales, strict=True)):
        values = columns.numbers(name)
        encoded[:, position] = (values - shift) / scale
    return encoded
