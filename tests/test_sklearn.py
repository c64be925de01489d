"""fastgd.sklearn beside scikit-learn's own estimators: the same numbers, epoch by epoch."""

import io
import warnings
from contextlib import redirect_stdout

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.7", reason="whose MLPs take sample_weight from there on")

from sklearn import neural_network
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_multilabel_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from fastgd.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DATA = {
    "two classes": (MLPClassifier, load_breast_cancer),
    "three classes": (MLPClassifier, load_iris),
    "labels": (MLPClassifier, lambda return_X_y: make_multilabel_classification(250, 6, n_classes=3, random_state=0)),
    "a number": (MLPRegressor, load_diabetes),
    "numbers": (MLPRegressor, lambda return_X_y: make_regression(230, 6, n_targets=3, noise=1.0, random_state=0)),
}
ALIKE = ["loss_curve_", "loss_", "best_loss_", "validation_scores_", "best_validation_score_", "n_iter_", "t_"]
SAME = ["n_layers_", "n_outputs_", "out_activation_", "n_features_in_"]


def data(name):
    _, load = DATA[name]
    X, y = load(return_X_y=True)
    return scale(X), scale(y) if name in ("a number", "numbers") else y


def pair(name, **parameters):
    """scikit-learn's estimator and ours, with these parameters."""
    ours = DATA[name][0]
    theirs = getattr(neural_network, ours.__name__)
    parameters = {"hidden_layer_sizes": (7, 4), "max_iter": 12, "random_state": 0} | parameters
    return theirs(**parameters), ours(**parameters)


def assert_alike(theirs, ours, X=None, tolerance=1e-10):
    for name in ALIKE:
        expected = getattr(theirs, name, None)
        if expected is None:
            assert getattr(ours, name, None) is None, name
        else:
            np.testing.assert_allclose(getattr(ours, name), expected, rtol=tolerance, err_msg=name)
    for name in SAME:
        assert getattr(ours, name) == getattr(theirs, name)
    for W, b, V, c in zip(theirs.coefs_, theirs.intercepts_, ours.coefs_, ours.intercepts_, strict=True):
        assert W.shape == V.shape
        assert W.dtype == V.dtype
        np.testing.assert_allclose(V, W, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(c, b, rtol=tolerance, atol=tolerance)
    if X is not None:
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-6)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"batch_size": 64, "shuffle": False},
        {"batch_size": 30, "alpha": 0.3},
        {"batch_size": 3, "alpha": 0.3, "max_iter": 3},
        {"batch_size": 2, "solver": "sgd", "learning_rate": "invscaling", "max_iter": 3},
        {"solver": "sgd", "learning_rate_init": 0.05, "batch_size": 64, "shuffle": False},
        {"solver": "sgd", "learning_rate_init": 0.05, "alpha": 0, "momentum": 0},
        {"solver": "sgd", "learning_rate_init": 0.05, "nesterovs_momentum": False, "batch_size": 50},
        {"solver": "sgd", "learning_rate_init": 0.5, "learning_rate": "invscaling", "power_t": 0.3},
        {"solver": "sgd", "learning_rate_init": 0.1, "learning_rate": "adaptive", "tol": 0.05, "n_iter_no_change": 2, "max_iter": 40},
        {"early_stopping": True, "validation_fraction": 0.25, "n_iter_no_change": 3, "max_iter": 40},
        {"activation": "logistic", "epsilon": 1e-3, "beta_1": 0.5, "beta_2": 0.9},
        {"activation": "tanh", "tol": 0.1, "n_iter_no_change": 3},
        {"activation": "identity", "hidden_layer_sizes": (3,)},
        {"hidden_layer_sizes": ()},
    ],
    ids=lambda each: " ".join(f"{name}={value}" for name, value in each.items()) or "defaults",
)
def test_fit_is_that_of_scikit_learn(name, parameters):
    X, y = data(name)
    theirs, ours = pair(name, **parameters)
    assert_alike(theirs.fit(X, y), ours.fit(X, y), X)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("parameters", [{}, {"solver": "sgd", "batch_size": 40}, {"early_stopping": True}], ids=str)
def test_rows_weigh_as_in_scikit_learn(name, parameters):
    X, y = data(name)
    weights = np.random.default_rng(0).uniform(0.1, 3, len(X))
    theirs, ours = pair(name, **parameters)
    assert_alike(theirs.fit(X, y, sample_weight=weights), ours.fit(X, y, sample_weight=weights), X)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("name", ["three classes", "a number"])
def test_loss_curve_from_given_coefs(name, solver):
    """Whatever the random states: both go on from the same weights."""
    X, y = data(name)
    theirs, ours = pair(name, solver=solver, shuffle=False, batch_size=48, warm_start=True, n_iter_no_change=50)
    theirs.fit(X, y)
    ours.set_params(random_state=5).fit(X, y)
    rng = np.random.default_rng(3)
    coefs, intercepts = [0.3 * rng.normal(size=W.shape) for W in theirs.coefs_], [rng.normal(size=b.shape) for b in theirs.intercepts_]
    for each in (theirs, ours):
        each.coefs_, each.intercepts_ = [W.copy() for W in coefs], [b.copy() for b in intercepts]
        each.fit(X, y)
    assert len(ours.loss_curve_) == 24
    np.testing.assert_allclose(ours.loss_curve_[12:], theirs.loss_curve_[12:], rtol=1e-8)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_partial_fit(name, solver):
    X, y = data(name)
    theirs, ours = pair(name, solver=solver, learning_rate="invscaling", learning_rate_init=0.02)
    first = {"classes": np.arange(3) if name == "labels" else np.unique(y)} if hasattr(ours, "predict_proba") else {}
    for start in (0, 30, 10):
        for each in (theirs, ours):
            each.partial_fit(X[start:], y[start:], **first)
        first = {}
        assert_alike(theirs, ours, X)
    assert ours.n_iter_ == 1


@pytest.mark.parametrize(
    "parameters", [{}, {"batch_size": 50}, {"solver": "lbfgs"}, {"early_stopping": True}, {"solver": "sgd", "batch_size": 70}], ids=str
)
@pytest.mark.parametrize("weighted", [False, True])
def test_poisson(parameters, weighted):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(230, 5))
    y = rng.poisson(np.exp(X[:, 0] / 2)).astype(float)
    weights = rng.uniform(0.1, 2, len(X)) if weighted else None
    theirs, ours = pair("a number", loss="poisson", activation="tanh", **parameters)
    theirs.fit(X, y, sample_weight=weights)
    ours.fit(X, y, sample_weight=weights)
    assert_alike(theirs, ours, X, 1e-6 if "lbfgs" in parameters.values() else 1e-10)
    assert ours.out_activation_ == "exp"


@pytest.mark.parametrize("name", ["three classes", "a number"])
def test_warm_start(name):
    X, y = data(name)
    theirs, ours = pair(name, warm_start=True, learning_rate_init=0.01)
    for _ in range(3):
        assert_alike(theirs.fit(X, y), ours.fit(X, y), X)
    assert len(ours.loss_curve_) == 36
    # and what follows a fit
    for each in (theirs, ours):
        each.partial_fit(X, y)
    assert_alike(theirs, ours, X)


@pytest.mark.parametrize("name", ["two classes", "three classes", "labels", "a number"])
def test_lbfgs(name):
    X, y = data(name)
    theirs, ours = pair(name, solver="lbfgs", alpha=0.1, tol=1e-6, activation="tanh", hidden_layer_sizes=(7,))
    theirs.fit(X, y)
    ours.fit(X, y)
    assert ours.n_iter_ == theirs.n_iter_ == 12
    np.testing.assert_allclose(ours.loss_, theirs.loss_, rtol=1e-6)
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-4, atol=1e-6)
    assert not hasattr(ours, "partial_fit")
    assert not hasattr(ours, "loss_curve_")


def test_lbfgs_of_several_outputs_goes_down():
    """scikit-learn's gradient is that of the sum over outputs, its loss their mean; here both are of the sum."""
    X, y = data("numbers")
    ours = MLPRegressor(hidden_layer_sizes=(5,), solver="lbfgs", alpha=0.01, max_iter=300, random_state=0).fit(X, y)
    before = ours.loss_
    outputs = ours.predict(X)
    penalty = 0.01 / 2 / len(X) * sum((W**2).sum() for W in ours.coefs_)
    assert before == pytest.approx(((outputs - y) ** 2).mean() / 2 + penalty)
    # no step along any weight makes it less
    for i in range(2):
        for place in ((0, 0), (3, 1)):
            for step in (1e-3, -1e-3):
                moved = [W.copy() for W in ours.coefs_]
                moved[i][place] += step
                assert _objective(X, y, moved, ours.intercepts_) > _objective(X, y, ours.coefs_, ours.intercepts_) - 1e-6


def _objective(X, y, coefs, intercepts):
    hidden = np.maximum(X @ coefs[0] + intercepts[0], 0)
    outputs = hidden @ coefs[1] + intercepts[1]
    return (((outputs - y) ** 2).sum() + 0.01 * sum((W**2).sum() for W in coefs)) / 2 / len(X)


@pytest.mark.parametrize("name", DATA)
def test_float32_rows_train_in_float32(name):
    X, y = data(name)
    theirs, ours = pair(name, batch_size=50)
    X = X.astype(np.float32)
    y = y.astype(np.float32) if isinstance(ours, MLPRegressor) else y
    theirs.fit(X, y)
    ours.fit(X, y)
    assert ours.coefs_[0].dtype == theirs.coefs_[0].dtype == np.float32
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-4)
    assert ours.predict(X).dtype == theirs.predict(X).dtype
    assert MLPRegressor(dtype="float64", max_iter=1).fit(X, X[:, 0]).coefs_[0].dtype == np.float64


@pytest.mark.parametrize("name", ["two classes", "three classes", "labels"])
def test_probabilities(name):
    X, y = data(name)
    theirs, ours = pair(name)
    theirs.fit(X, y)
    ours.fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-9, atol=1e-12)
    assert ours.score(X, y) == theirs.score(X, y)
    # what a user puts in the place of the weights is what predicts
    for each in (theirs, ours):
        each.coefs_ = [2 * W for W in each.coefs_]
        each.intercepts_[0][:] = 0.5
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-9, atol=1e-15)


def test_classes_are_those_of_the_user():
    X, y = data("three classes")
    names = np.array(["c", "a", "b"])[y]
    theirs, ours = pair("three classes")
    assert_alike(theirs.fit(X, names), ours.fit(X, names))
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.predict(X).dtype == names.dtype
    two = np.where(y == 0, "yes", "no")
    assert_alike(theirs.fit(X, two), ours.fit(X, two))
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("early", [False, True])
def test_what_is_printed(solver, early):
    X, y = data("three classes")
    texts = []
    kw = {"solver": solver, "early_stopping": early, "verbose": True, "learning_rate": "adaptive", "tol": 0.1, "n_iter_no_change": 2}
    for each in pair("three classes", **kw):
        with redirect_stdout(io.StringIO()) as text:
            each.fit(X, y)
        texts.append(text.getvalue())
    assert texts[0] == texts[1] != ""


def test_warns_as_scikit_learn_does():
    X, y = data("three classes")
    for solver in ("adam", "sgd", "lbfgs"):
        messages = []
        for each in pair("three classes", solver=solver, max_iter=3):
            with pytest.warns(ConvergenceWarning) as caught:
                each.fit(X, y)
            messages.append(str(caught[0].message))
        if solver != "lbfgs":
            assert messages[0] == messages[1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MLPClassifier((3,), tol=1.0, n_iter_no_change=2).fit(X, y)  # is over
        MLPClassifier((3,)).partial_fit(X, y, classes=[0, 1, 2])
    with pytest.warns(UserWarning, match="It is going to be clipped"):
        MLPClassifier((3,), batch_size=1000, tol=1.0, n_iter_no_change=2).fit(X, y)
