"""Validation rows of early stopping, drawn as scikit-learn draws them."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import train_test_split

from fastgd.arguments.checks import Array
from fastgd.samples import Samples


def split(
    samples: Samples, share: float, random: np.random.RandomState, strata: Array | None
) -> tuple[Samples, Samples]:
    """The rows to train on, and those to judge by."""
    rows = np.arange(len(samples.X))
    trained, held_out = train_test_split(
        rows, random_state=random, test_size=share, stratify=strata
    )
    if len(held_out) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            "dataset."
        )
    return _of(samples, trained), _of(samples, held_out)


def _of(samples: Samples, rows: Array) -> Samples:
    return Samples(*(array[rows] if len(array) else array for array in samples))
