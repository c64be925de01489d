"""Odd labels and odd fits of fastgd.sklearn, beside scikit-learn's own estimators."""

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.7", reason="whose MLPs take sample_weight from there on")

import pandas
from sklearn import neural_network
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from small_estimators import small

from fastgd.sklearn import MLPRegressor, scores

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NAMES = np.array(["yes", "no", "no"] * 50)
LABELS = {
    "in an array too wide": NAMES.astype("U20"),
    "objects": NAMES.astype(object),
    "objects of NumPy's": np.array([*NAMES, None])[:-1],
    "categories": pandas.Series(NAMES, dtype="category"),
    "texts of pandas": pandas.Series(NAMES, dtype="string"),
    "a list of words and numbers": ["a", 1, 1] * 50,
    "bytes of numbers": np.arange(150, dtype=np.uint8) % 3,
}


def both(**parameters):
    """scikit-learn's classifier and ours, with these parameters."""
    return small(neural_network.MLPClassifier, **parameters), small(**parameters)


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_classes_are_in_arrays_as_scikit_learn_has_them(iris, labels):
    X, _ = iris
    theirs, ours = (each.fit(X, labels) for each in both(max_iter=2))
    assert ours.classes_.dtype == theirs.classes_.dtype == ours.predict(X).dtype
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_a_single_class_is_always_told(iris):
    X, _ = iris
    theirs, ours = (each.fit(X, np.full(len(X), "a")) for each in both(early_stopping=True, max_iter=30))
    assert ours.validation_scores_ == theirs.validation_scores_ == [1.0] * theirs.n_iter_
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-8)


def test_a_batch_is_cut_to_the_rows_that_are_trained(iris):
    X, y = iris
    for each in both(early_stopping=True, batch_size=140, max_iter=2):
        with pytest.warns(UserWarning, match="It is going to be clipped"):
            each.fit(X, y)


@pytest.mark.parametrize("classes", [2, 3])
def test_outputs_that_are_not_finite_tell_the_first_class(classes):
    """By which a fit that has diverged does not get better, and is over: scores are never NaN."""
    y = np.arange(7) % classes
    binarizer = LabelBinarizer().fit(y)
    Y = binarizer.transform(y).astype(float)
    outputs = 0.2 + 0.6 * Y
    outputs[3:] = np.nan
    told = binarizer.inverse_transform(outputs[:, 0] if classes == 2 else outputs)
    score = scores.of_labels if classes == 2 else scores.of_classes
    assert score(outputs, Y, None) == accuracy_score(y, told) < 1


RATES = [{"learning_rate": "invscaling"}, {"learning_rate": "adaptive", "tol": 0.1, "n_iter_no_change": 2}]


@pytest.mark.parametrize("parameters", RATES, ids=str)
def test_another_fit_begins_with_the_first_rate(iris, parameters):
    """Where it goes on with the coefficients; a partial one goes on with the rate, too."""
    X, y = iris
    theirs, ours = both(solver="sgd", warm_start=True, learning_rate_init=0.1, **parameters)
    for each in (theirs, ours):
        each.fit(X, y).fit(X, y).partial_fit(X, y).partial_fit(X, y)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-8)
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-8)


def test_targets_that_are_no_numbers_are_refused(iris):
    X, _ = iris
    days = np.datetime64("2026-01-01") + np.arange(len(X))
    for y in (days, days - days[0], np.zeros(len(X), [("a", int)])):
        with pytest.raises(TypeError, match="y must be numbers; got an array of dtype"):
            small(MLPRegressor).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small(MLPRegressor, tol=9.0, n_iter_no_change=1).fit(X, X[:, 0].astype(np.float16))
