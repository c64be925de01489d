"""What bench/sklearn_faces.py compares comes to the same. Nothing is timed."""

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.7", reason="beside whose estimators ours are")

import sklearn_faces


@pytest.mark.parametrize("name", ["iris", "linnerud", "labels"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_scores(name):
    each = next(faces for faces in sklearn_faces.SETS if faces.name == name)
    by = sklearn_faces.scores(each, *each.data(), seeds=1)
    np.testing.assert_allclose(by["fastgd"], by["scikit-learn"], atol=1e-6)
