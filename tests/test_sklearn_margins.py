"""Classifiers by losses of margins: hinge and squared hinge, of targets -1 and 1."""

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.7", reason="whose MLPs take sample_weight from there on")

from scipy.optimize import minimize
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV, cross_val_score
from small_estimators import small

import fastgd
from fastgd.sklearn import search

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
LOSSES = ["hinge", "squared_hinge"]
MINE = fastgd.Loss(lambda a, y: fastgd.numeric.log1p(fastgd.numeric.exp(-y * a)), name="logistic", targets=(-1.0, 1.0))


def margins(y, classes):
    """(n, outputs) of -1 and 1: of each class, or of the second of two."""
    return np.where(y[:, None] == (classes if len(classes) > 2 else classes[1:]), 1.0, -1.0)


@pytest.mark.parametrize("classes", [2, 3])
def test_squared_hinge_of_a_linear_model_as_by_scipy(iris, classes):
    """Each class against all others, with a penalty of the weights alone."""
    X, y = (each[iris[1] < classes] for each in iris)
    ours = small(loss="squared_hinge", hidden_layer_sizes=(), solver="lbfgs", alpha=5.0, max_iter=2000, tol=1e-9).fit(X, y)
    for j, t in enumerate(margins(y, ours.classes_).T):

        def loss(w, t=t):
            return np.mean(np.maximum(1 - t * (X @ w[:-1] + w[-1]), 0) ** 2) + 2.5 / len(X) * w[:-1] @ w[:-1]

        best = minimize(loss, np.zeros(X.shape[1] + 1), tol=1e-10)
        own = np.append(ours.coefs_[0][:, j], ours.intercepts_[0][j])
        assert loss(own) == pytest.approx(best.fun, rel=1e-6)
        np.testing.assert_allclose(own, best.x, atol=2e-3)


@pytest.mark.parametrize("loss", [*LOSSES, MINE], ids=str)
@pytest.mark.parametrize("classes", [2, 3])
def test_classes_by_their_margins(iris, loss, classes):
    X, y = iris[0][iris[1] < classes], np.array(["a", "b", "c"])[iris[1][iris[1] < classes]]
    model = small(loss=loss, max_iter=200, learning_rate_init=0.01).fit(X, y)
    scores = model.decision_function(X)
    outputs = model.run_.predict(X)
    assert (model.out_activation_, model.run_.net.loss) == ("identity", str(getattr(loss, "name", loss)))
    np.testing.assert_allclose(scores, outputs[:, 0] if classes == 2 else outputs, rtol=1e-12)
    told = np.where(scores > 0, "b", "a") if classes == 2 else model.classes_[scores.argmax(axis=1)]
    np.testing.assert_array_equal(model.predict(X), told)
    assert model.score(X, y) > 0.9
    # of the last epoch's parameters before its update, for rows in a single batch
    before = small(loss=loss, max_iter=19, learning_rate_init=0.01, alpha=0.0).fit(X, y)
    after = small(loss=loss, max_iter=20, learning_rate_init=0.01, alpha=0.0).fit(X, y)
    t, z = margins(y, model.classes_), before.run_.predict(X)
    of = {"hinge": lambda m: np.maximum(1 - m, 0), "squared_hinge": lambda m: np.maximum(1 - m, 0) ** 2}
    assert after.loss_ == pytest.approx(of.get(loss, lambda m: np.log1p(np.exp(-m)))(t * z).sum(axis=1).mean())


@pytest.mark.parametrize("loss", LOSSES)
def test_there_are_scores_and_no_probabilities(iris, loss):
    model, other = small(loss=loss), small()
    for each, has, has_not in ((model, "decision_function", "predict_proba"), (other, "predict_proba", "decision_function")):
        assert hasattr(each, has)
        with pytest.raises(AttributeError) as caught:
            getattr(each, has_not)
        assert str(caught.value.__cause__) in (
            f"probability estimates are not available for loss='{loss}', decision_function is",
            "decision_function is not available for loss='log_loss', predict_proba is",
        )
    assert not hasattr(model, "predict_log_proba")


def test_labels_by_their_margins(iris):
    X, y = iris
    Y = np.column_stack([y == 0, y < 2]).astype(int)
    model = small(loss="hinge", max_iter=300, learning_rate_init=0.01, early_stopping=True, n_iter_no_change=300).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), model.decision_function(X) > 0)
    assert model.score(X, Y) > 0.8
    assert model.best_validation_score_ > 0.9


def test_as_other_estimators_use_them(iris):
    X, y = iris
    model = small(loss="squared_hinge", max_iter=200, learning_rate_init=0.01)
    assert CalibratedClassifierCV(model, cv=3).fit(X, y).predict_proba(X).shape == (150, 3)
    assert cross_val_score(model, X, y == 2, cv=3, scoring="roc_auc").mean() > 0.9
    grid = {"loss": ["log_loss", *LOSSES], "alpha": [1e-4, 1.0]}
    ours, theirs = search(small(), grid, X, y, cv=3, refit=False), GridSearchCV(small(), grid, cv=3, refit=False).fit(X, y)
    np.testing.assert_allclose(ours["mean_test_score"], theirs.cv_results_["mean_test_score"], rtol=1e-12)


def test_taken_elsewhere(iris, tmp_path):
    """With the classes of more than two, which the largest output is of."""
    X, y = iris
    for few in (2, 3):
        model = small(loss="hinge").fit(X[y < few], y[y < few])
        net, params = fastgd.from_sklearn(model)
        np.testing.assert_array_equal(net.predict(params, X), model.run_.predict(X))
        assert net.loss == "hinge"
        assert ("network_label" in model.run_.to_c()) == (few == 3)
