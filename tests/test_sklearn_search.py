"""fastgd.sklearn.search: the scores of GridSearchCV, for candidates that are trained together."""

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.7", reason="whose MLPs take sample_weight from there on")

import sklearn
from sklearn import neural_network
from sklearn.model_selection import GridSearchCV, GroupKFold, ParameterSampler, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from small_estimators import small

import fastgd
from fastgd.sklearn import MLPClassifier, MLPRegressor, search

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def assert_same_results(ours, grid):
    assert set(ours) == set(grid.cv_results_)
    assert ours["params"] == grid.cv_results_["params"]
    for name, values in ours.items():
        if name == "params" or "time" in name:
            continue
        expected = grid.cv_results_[name]
        if name.startswith("param_"):
            assert np.ma.getmaskarray(values).tolist() == np.ma.getmaskarray(expected).tolist()
            assert values.compressed().tolist() == expected.compressed().tolist()
        else:
            np.testing.assert_allclose(values, expected, rtol=1e-8, err_msg=name)
    assert ours.best_params_ == grid.best_params_
    assert ours.best_score_ == pytest.approx(grid.best_score_)
    assert ours.best_index_ == grid.best_index_


GRID = {"alpha": [1e-4, 0.1], "learning_rate_init": [1e-3, 1e-2, 0.1], "random_state": [0, 3]}


@pytest.mark.parametrize(
    ("parameters", "grid"),
    [
        ({}, GRID),
        ({"batch_size": 32}, GRID),
        ({"batch_size": 3, "max_iter": 2}, GRID),
        ({"early_stopping": True}, GRID),
        ({"solver": "sgd"}, GRID | {"momentum": [0.0, 0.9], "learning_rate": ["constant", "adaptive", "invscaling"]}),
        ({}, {"hidden_layer_sizes": [(3,), (4, 2)], "max_iter": [2, 20], "tol": [0.1, 1e-4], "n_iter_no_change": [2]}),
        ({}, [{"solver": ["lbfgs"], "alpha": [0.1, 1.0]}, {"beta_1": [0.5], "epsilon": [1e-8, 0.1]}]),
        ({"n_members": 2}, {"alpha": [0.1, 1.0]}),
    ],
    ids=["full batch", "batches", "few rows", "early stopping", "sgd", "epochs", "list", "members"],
)
def test_search_gives_what_grid_search_gives(iris, parameters, grid):
    X, y = iris
    estimator = small(**parameters)
    ours = search(estimator, grid, X, y, cv=3)
    assert_same_results(ours, GridSearchCV(estimator, grid, cv=3).fit(X, y))
    np.testing.assert_array_equal(ours.best_estimator_.predict(X), GridSearchCV(estimator, grid, cv=3).fit(X, y).predict(X))


def test_search_among_functions_of_one_name(diabetes):
    losses = [fastgd.Loss(lambda a, y, k=k: k * (a - y) ** 2, name="mine") for k in (1.0, -1e-3)]
    activations = [[fastgd.Activation(lambda z, k=k: k * z / (1 + abs(z)), name="bent")] for k in (1.0, 3.0)]
    functions = {"loss": losses, "activation": activations}
    alone = [small(MLPRegressor, activation=one, loss=loss) for one in activations for loss in losses]
    ours = search(small(MLPRegressor), functions, *diabetes, cv=2, refit=False).cv_results_["mean_test_score"]
    expected = [cross_val_score(each, *diabetes, cv=2).mean() for each in alone]
    np.testing.assert_allclose(ours, expected, rtol=1e-8)


def test_search_gives_what_scikit_learn_gives(iris, diabetes):
    for kind, theirs, (X, y) in (
        (MLPClassifier, neural_network.MLPClassifier, iris),
        (MLPRegressor, neural_network.MLPRegressor, diabetes),
    ):
        ours = search(small(kind, batch_size=40), GRID, X, y, cv=4, return_train_score=True, threads=1)
        assert_same_results(ours, GridSearchCV(small(theirs, batch_size=40), GRID, cv=4, return_train_score=True).fit(X, y))


def test_search_by_other_scores_and_folds(diabetes):
    X, y = diabetes
    groups = np.arange(len(X)) % 7
    estimator, grid = small(MLPRegressor), {"alpha": [0.1, 10.0], "learning_rate_init": [0.001, 0.01]}
    kw = {"cv": GroupKFold(3), "scoring": "neg_mean_absolute_error", "return_train_score": True}
    assert_same_results(search(estimator, grid, X, y, groups=groups, **kw), GridSearchCV(estimator, grid, **kw).fit(X, y, groups=groups))


def test_search_takes_weights_and_samplers(iris):
    X, y = iris
    weights = np.random.default_rng(0).uniform(0.1, 2, len(X))
    grid = list(ParameterSampler({"alpha": [0.01, 0.1, 1.0], "learning_rate_init": [0.01, 0.1]}, 4, random_state=0))
    ours = search(small(), ParameterSampler({"alpha": [0.01, 0.1, 1.0], "learning_rate_init": [0.01, 0.1]}, 4, random_state=0), X, y,
                  cv=3, sample_weight=weights, refit=False)  # fmt: skip
    wanted = GridSearchCV(small(), [{name: [value] for name, value in each.items()} for each in grid], cv=3).fit(
        X, y, sample_weight=weights
    )
    np.testing.assert_array_equal(ours["mean_test_score"], wanted.cv_results_["mean_test_score"])
    assert not hasattr(ours, "best_estimator_")


def test_search_does_not_depend_on_threads(iris):
    X, y = iris
    grid = {"alpha": np.geomspace(1e-4, 1, 20), "learning_rate_init": [0.01, 0.1]}
    one, three = (search(small(), grid, X, y, cv=3, threads=n, refit=False) for n in (1, 3))
    np.testing.assert_array_equal(one["mean_test_score"], three["mean_test_score"])


FAILING = [
    ({"solver": "sgd", "max_iter": 60}, {"learning_rate_init": [1e-3, 1e10], "alpha": [1e-4, 0.1]}, r"6 of 12 .* 6 by ValueError: Solver"),
    ({}, {"alpha": [-1.0, 0.1, 1.0], "random_state": [0, "x"]}, r"12 of 18 fits .*: 6 by ValueError: alpha must be .* 6 by"),
    ({}, {"hidden_layer_sizes": [(3,), (0,)]}, r"3 of 6 fits .*: 3 by ValueError: hidden_layer_sizes must be > 0"),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "grid", "told"), FAILING, ids=["diverged", "refused", "of no width"])
@pytest.mark.parametrize("error_score", [np.nan, -7.0])
def test_search_of_fits_that_fail(diabetes, parameters, grid, told, error_score):
    """Scores and ranks are those of GridSearchCV."""
    estimator, kw = small(MLPRegressor, **parameters), {"cv": 3, "return_train_score": True, "error_score": error_score}
    with pytest.warns(sklearn.exceptions.FitFailedWarning, match=told):
        ours = search(estimator, grid, *diabetes, **kw)
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        assert_same_results(ours, GridSearchCV(estimator, grid, **kw).fit(*diabetes))
    failed = ours["split0_test_score"] == error_score if error_score == -7 else np.isnan(ours["split0_test_score"])
    assert 0 < failed.sum() < len(failed)
    assert not np.isin(ours.best_index_, np.flatnonzero(failed))


def test_search_raises_what_fits_do(diabetes):
    grid = {"alpha": [0.1, -1.0]}
    with pytest.raises(ValueError, match="alpha must be"):
        search(small(MLPRegressor), grid, *diabetes, error_score="raise")
    with pytest.raises(ValueError, match=r"all 5 fits failed, 5 by ValueError: alpha must be"):
        search(small(MLPRegressor), {"alpha": [-1.0]}, *diabetes)
    with pytest.raises(ValueError, match="Invalid parameter 'speed'"):
        search(small(MLPRegressor), {"speed": [1.0]}, *diabetes)
    with pytest.raises(TypeError, match=r"error_score must be a number or 'raise'; got 'nan'"):
        search(small(MLPRegressor), grid, *diabetes, error_score="nan")


def test_search_of_scores_that_fail(diabetes):
    def scorer(model, X, y):
        if model.alpha == 1:
            raise RuntimeError("no score")
        return -model.alpha

    estimator, grid = small(MLPRegressor), {"alpha": [1.0, 0.1]}
    with pytest.warns(UserWarning, match=r"scoring failed; the score is -3.0: RuntimeError: no score"):
        ours = search(estimator, grid, *diabetes, cv=2, scoring=scorer, error_score=-3)
    assert ours["mean_test_score"].tolist() == [-3, -0.1]
    with pytest.raises(RuntimeError, match="no score"):
        search(estimator, grid, *diabetes, cv=2, scoring=scorer, error_score="raise")


def test_search_refuses_what_is_not_ours(iris):
    with pytest.raises(TypeError, match=r"estimator must be .* of fastgd.sklearn; got Pipeline"):
        search(make_pipeline(StandardScaler(), small()), {}, *iris)


def test_search_of_nothing_is_refused(iris):
    with pytest.raises(ValueError, match=r"grid must have at least one candidate; got \[\]"):
        search(small(), [], *iris)
