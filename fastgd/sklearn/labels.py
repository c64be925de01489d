"""Classes of a user, or his 0/1 labels, as targets of a network, and back from its outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from fastgd.activations import sigmoid, softmax
from fastgd.arguments.checks import Array
from fastgd.functions.loss import Loss
from fastgd.losses import loss as built_in_loss

_OF_CLASSES = "biuU"  # kinds of arrays that are, whatever is in them


@dataclass(frozen=True)
class Levels:
    """The targets of what a row is not, and of what it is, between which outputs say which."""

    low: float = 0.0
    high: float = 1.0
    are_probabilities: bool = True  # what outputs are

    @classmethod
    def of(cls, loss: str | Loss) -> Levels:
        """Those of a loss: -1 and 1 where it is one of margins. ValueError or TypeError if there
        is no such loss.
        """
        if loss == "log_loss":
            return cls()
        known = loss if isinstance(loss, Loss) else built_in_loss(loss)
        low, high = known.targets
        if -np.inf < low < 0 and high < np.inf:
            return cls(low, high, False)
        return cls(are_probabilities=known.output in (None, sigmoid, softmax))

    @property
    def middle(self) -> float:
        """Above which an output says that a row is."""
        return (self.low + self.high) / 2


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
        if y.ndim == 1 and y.dtype.kind in _OF_CLASSES:
            classes = np.unique(y)
            if y.dtype.kind == "U":  # in an array no wider than they are, as scikit-learn has them
                classes = np.array(classes.tolist())
            if 2 * len(classes) <= len(y):  # others scikit-learn may warn of
                return cls(classes, False)
        kind = type_of_target(y, input_name="y")
        if kind == "multilabel-indicator":
            return cls(np.arange(y.shape[1]), True)
        if kind not in ("binary", "multiclass"):
            check_classification_targets(y)
            raise ValueError(f"y must be a class of each row, or labels of 0 and 1; got {kind}")
        return cls(unique_labels(y), False)

    @property
    def are_exclusive(self) -> bool:
        """Whether a row is of one of more than two classes, each of which has an output."""
        return not self.are_several and len(self.classes) > 2

    def targets(self, y: Any, dtype: np.dtype[Any], levels: Levels) -> Array:
        """(n, outputs): of each class, or of the second of two, or of each label."""
        if self.are_several:
            is_one = np.asarray(y.toarray() if hasattr(y, "toarray") else y)
        elif self.are_exclusive:
            is_one = self.classes == np.asarray(y)[:, None]
        else:
            is_one = np.searchsorted(self.classes, y)[:, None]
        targets: Array = np.ascontiguousarray(is_one, dtype)
        if (levels.low, levels.high) != (0, 1):
            targets = np.where(targets > 0, levels.high, levels.low).astype(dtype)
        return targets

    def told(self, outputs: Array, levels: Levels) -> Array:
        """The classes, (n,), or the labels, (n, labels), that outputs stand for."""
        if self.are_several:
            return (outputs > levels.middle).astype(int)
        if self.are_exclusive:
            places = outputs.argmax(axis=1)
        else:  # of two classes, or a single one
            places = np.minimum(outputs[:, 0] > levels.middle, len(self.classes) - 1).astype(int)
        told: Array = self.classes[places]
        return told
