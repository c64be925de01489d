"""Classes of a user, or his 0/1 labels, as targets of a network, and back from its outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from fastgd.arguments.checks import Array


@dataclass(frozen=True)
class Labels:
    """Classes in order, one of which each row is of; or the places of labels, of which each row
    has any.
    """

    classes: Array
    are_several: bool  # whether a row has any of them

    @classmethod
    def of(cls, y: Array) -> Labels:
        """Those in y, (n,) or (n, labels); a ValueError for what are numbers, or several classes a
        row.
        """
        kind = type_of_target(y, input_name="y")
        if kind == "multilabel-indicator":
            return cls(np.arange(y.shape[1]), True)
        if kind not in ("binary", "multiclass"):
            check_classification_targets(y)
            raise ValueError(f"y must be a class of each row, or labels of 0 and 1; got {kind}")
        return cls(np.unique(y), False)

    @property
    def are_exclusive(self) -> bool:
        """Whether a row is of one of more than two classes, each of which has an output."""
        return not self.are_several and len(self.classes) > 2

    def targets(self, y: Any, dtype: np.dtype[Any]) -> Array:
        """(n, outputs): one-hot, or 1 for the second of two classes, or the labels."""
        if self.are_several:
            return np.ascontiguousarray(y.toarray() if hasattr(y, "toarray") else y, dtype)
        places = np.searchsorted(self.classes, y)
        if not self.are_exclusive:
            second: Array = places[:, None].astype(dtype)
            return second
        one_hot = np.zeros((len(y), len(self.classes)), dtype)
        one_hot[np.arange(len(y)), places] = 1
        return one_hot

    def told(self, outputs: Array) -> Array:
        """The classes, (n,), or the labels, (n, labels), that outputs stand for."""
        if self.are_several:
            return (outputs > 0.5).astype(int)
        if self.are_exclusive:
            places = outputs.argmax(axis=1)
        else:  # of two classes, or a single one
            places = np.minimum(outputs[:, 0] > 0.5, len(self.classes) - 1).astype(int)
        told: Array = self.classes[places]
        return told
