"""Table: how named columns become X and Y, and how outputs become classes or values in original units again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastgd.checks import Array
from fastgd.columns import Columns, is_missing, is_number, is_numeric
from fastgd.float_errors import quiet
from fastgd.names import SCALES, TARGET_SCALES, TASKS, check_name

_AUTO = {"identity": "standard", "softmax": "none"}  # of real-valued targets, by output activation; range for the others
_FROM_MINUS_ONE = ("tanh", "sin")

Label = str | int


@dataclass(frozen=True)
class Table:
    """What the columns of a table mean to a network. `Run.table` keeps it as a dict.

    Attributes
    ----------
    inputs, targets : names of columns
    classes : labels of the one target column, sorted, or None where targets are values
    outputs : width of the network's output: one a target, or one a class, or 1 for two classes in one 0/1 column
    input_shift, input_scale : X is (column - shift) / scale
    target_shift, target_scale : the same for Y
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
            fits = n_targets == 1 and self.outputs in _widths(self.classes)
        if not fits or not n_inputs == len(self.input_shift) == len(self.input_scale) > 0 < n_targets:
            raise ValueError(f"table: numbers of columns, classes, outputs and scales do not fit together: {asdict(self)}")

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
            classes, values, or auto: one text column holds classes, and so does one column of whole numbers with as many distinct
            ones as `outputs`, or with two for one output. NA, ?, nan and the like among numbers are refused in each case.
        outputs : int, optional
            Width of the network's output, where it is known.
        output : str
            Activation of the output, which `scale_targets` looks at.
        scale_inputs : str
            standard (mean 0, deviation 1), range ([0, 1]) or none.
        scale_targets : str
            The same for values; range is [-1, 1] for outputs tanh and sin. auto is standard for identity, none for softmax, range for
            others.
        """
        check_name("task", task, TASKS)
        check_name("scale_inputs", scale_inputs, SCALES)
        check_name("scale_targets", scale_targets, TARGET_SCALES)
        columns.check_known("target", targets)
        if not targets:
            raise ValueError(f"target must name at least one column of {columns.source}; it has: {', '.join(columns.names)}")
        if inputs is None:
            inputs = [name for name in columns.names if name not in targets]
        columns.check_known("inputs", inputs)
        for name in inputs:
            if name in targets:
                raise ValueError(f"column {name!r} can't be an input and a target")
        if not inputs:
            raise ValueError(f"{columns.source} has no column left for an input beside the target {', '.join(targets)}")

        input_shift, input_scale = _scaling(columns, inputs, scale_inputs, 0.0)
        classes = _classes(columns, targets, task, outputs)
        if classes is None:
            if scale_targets == "auto":
                scale_targets = _AUTO.get(output, "range")
            target_shift, target_scale = _scaling(columns, targets, scale_targets, -1.0 if output in _FROM_MINUS_ONE else 0.0)
            width = len(targets)
        else:
            if scale_targets not in ("auto", "none"):
                raise ValueError(f"scale_targets {scale_targets!r} is for values; column {targets[0]!r} holds classes")
            target_shift, target_scale = (), ()
            width = len(classes) if outputs is None else outputs
        return cls(tuple(inputs), tuple(targets), classes, width, input_shift, input_scale, target_shift, target_scale)

    def to_dict(self) -> dict[str, Any]:
        """As `Run.table` keeps it: plain lists, numbers and text."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Table:
        """The table that `to_dict` described."""
        try:
            values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()}
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"table: {error}") from None

    @quiet
    def encode(self, columns: Columns) -> Array:
        """X, (n, inputs), of columns found by name; others are ignored."""
        missing = [name for name in self.inputs if name not in columns.cells]
        if missing:
            raise ValueError(f"{columns.source} has no column {', '.join(map(repr, missing))}; it has: {', '.join(columns.names)}")
        X = np.column_stack([columns.numbers(name) for name in self.inputs])
        return np.asarray((X - np.array(self.input_shift)) / np.array(self.input_scale))

    @quiet
    def encode_targets(self, columns: Columns) -> Array:
        """Y, (n, outputs)."""
        columns.check_known("target", self.targets)
        if self.classes is None:
            Y = np.column_stack([columns.numbers(name) for name in self.targets])
            return np.asarray((Y - np.array(self.target_shift)) / np.array(self.target_scale))
        order = {label: position for position, label in enumerate(self.classes)}
        try:
            positions = np.array([order[label] for label in self._labels(columns)])
        except KeyError as error:
            known = ", ".join(map(str, self.classes))
            raise ValueError(f"{columns.source}, column {self.targets[0]!r}: unknown class {error}; known: {known}") from None
        if self.outputs == 1:
            return positions.reshape(-1, 1).astype(float)
        return np.asarray(np.eye(self.outputs)[positions])

    @quiet
    def decode(self, outputs: ArrayLike) -> Array:
        """What the network's outputs (n, outputs) say: labels (n, 1), or values (n, targets) in original units."""
        a = np.asarray(outputs, dtype=float)
        if self.classes is None:
            return np.asarray(a * np.array(self.target_scale) + np.array(self.target_shift))
        chosen = (a[:, 0] >= 0.5).astype(int) if self.outputs == 1 else a.argmax(axis=1)
        return np.asarray(np.array(self.classes, dtype=object)[chosen].reshape(-1, 1))

    @quiet
    def probabilities(self, outputs: ArrayLike) -> Array:
        """One column a class, (n, classes), of the outputs of a sigmoid or softmax layer."""
        if self.classes is None:
            raise ValueError(f"probabilities are of classes; the targets {', '.join(self.targets)} are values")
        a = np.asarray(outputs, dtype=float)
        return np.column_stack([1 - a, a]) if self.outputs == 1 else np.asarray(a)

    @quiet
    def score(self, columns: Columns, outputs: ArrayLike) -> dict[str, Any]:
        """Accuracy, or mean squared error and R2 of each target in original units, over the rows whose targets can be read."""
        columns.check_known("target", self.targets)
        known = [i for i in range(len(columns)) if all(self._knows(str(columns.cells[name][i])) for name in self.targets)]
        if not known:
            return {"rows": 0}
        columns, predicted = columns.take(known), self.decode(outputs)[known]
        if self.classes is not None:
            right = sum(p == label for p, label in zip(predicted[:, 0], self._labels(columns), strict=True))
            return {"rows": len(known), "right": right, "accuracy": right / len(known)}
        score: dict[str, Any] = {"rows": len(known), "mean_squared_error": {}, "r2": {}}
        for position, name in enumerate(self.targets):
            values = columns.numbers(name)
            error = float(np.mean((predicted[:, position] - values) ** 2))
            score["mean_squared_error"][name] = error
            score["r2"][name] = 1 - error / float(values.var()) if values.var() > 0 else None
        return score

    def _knows(self, cell: str) -> bool:
        """Whether a target's cell says something to score against; a class of no row in training does."""
        if self.classes is None or isinstance(self.classes[0], int):
            return is_number(cell)
        return cell in self.classes or not is_missing(cell)

    def _labels(self, columns: Columns) -> list[Label]:
        """The target column as labels of the kind that the classes are."""
        text = columns.text(self.targets[0])
        whole = self.classes is not None and isinstance(self.classes[0], int)
        return [_label(cell) for cell in text] if whole else list(text)


def _widths(classes: Sequence[Label]) -> tuple[int, ...]:
    """Output widths that serve these classes."""
    return {1: (), 2: (2, 1)}.get(len(classes), (len(classes),))


def _label(cell: str) -> Label:
    """A whole number if it is one, text otherwise."""
    if not (is_number(cell) and float(cell).is_integer()):
        return cell
    try:
        return int(cell)
    except ValueError:
        return int(float(cell))


def _labels(columns: Columns, name: str) -> list[Label]:
    """The column as labels: whole numbers if all of it is, text otherwise."""
    text = columns.text(name)
    labels = [_label(cell) for cell in text]
    return list(text) if any(isinstance(label, str) for label in labels) else labels


def _classes(columns: Columns, targets: Sequence[str], task: str, outputs: int | None) -> tuple[Label, ...] | None:
    """The classes of the target column, or None if targets are values."""
    if task == "values":
        return None
    if len(targets) > 1:
        if task == "classes":
            raise ValueError(f"classes need a single target column; got {', '.join(targets)}")
        return None
    _check_missing(columns, targets[0])
    labels = _labels(columns, targets[0])
    classes = tuple(sorted(set(labels), key=lambda label: (isinstance(label, str), label)))
    fits = outputs in _widths(classes)
    if task == "auto" and not fits:
        # numbers, or numbers with a slip among them, which reading them as numbers will name
        if any(map(is_number, columns.text(targets[0]))):
            return None
    elif task == "auto" and not isinstance(labels[0], int) and all(map(is_number, columns.text(targets[0]))):
        return None
    if len(classes) < 2:
        raise ValueError(f"{columns.source}, column {targets[0]!r}: classes must be at least two; got {classes[0]!r} alone")
    if outputs is not None and not fits:
        widths = " or ".join(map(str, _widths(classes)))
        raise ValueError(f"column {targets[0]!r} holds {len(classes)} classes and needs {widths} outputs; got {outputs}")
    return classes


def _check_missing(columns: Columns, name: str) -> None:
    """Refuse NA and the like among numbers, which would count as one more class; among text they are text."""
    if is_numeric(columns.cells[name]):
        for place, cell in zip(columns.places, columns.text(name), strict=True):
            if is_missing(cell):
                raise ValueError(f"{columns.source}, {place}, column {name!r}: expected a finite number; got {cell!r}")


def _scaling(columns: Columns, names: Sequence[str], how: str, lowest: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Shift and scale of each column; `range` is from `lowest` to 1. A constant column is only shifted."""
    shifts, scales = [], []
    for name in names:
        values = columns.numbers(name)
        low, high = float(values.min()), float(values.max())
        shift, scale = 0.0, 1.0
        with np.errstate(over="ignore", invalid="ignore"):
            if how != "none" and low == high:
                shift = low
            elif how == "standard":
                shift, scale = float(values.mean()), float(values.std())
            elif how == "range":
                scale = (high - low) / (1 - lowest)
                shift = low - lowest * scale
        if not (np.isfinite(scale) and np.isfinite(shift) and scale > 0):
            raise ValueError(f"{columns.source}, column {name!r}: values from {low:g} to {high:g} can't be scaled to {how}")
        shifts.append(shift)
        scales.append(scale)
    return tuple(shifts), tuple(scales)
