"""Where estimators are used: frames, sparse rows, exports, Ctrl-C, pipelines and routing."""

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.7", reason="whose MLPs take sample_weight from there on")

import pandas
import polars
import sklearn
from scipy.sparse import csr_matrix
from sklearn import neural_network
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from small_estimators import small

import fastgd
from fastgd import kernels
from fastgd.kernels.stepwise import Stepwise
from fastgd.sklearn import MLPClassifier, MLPRegressor, search

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("labels", [["no", "yes"], ["zwölf", "b", "a"], [3, 7, 10]], ids=str)
def test_exports_have_the_classes(iris, labels, tmp_path):
    X, _ = iris
    y = np.array(labels)[np.arange(len(X)) % len(labels)]
    ours = small().fit(X, y)
    assert ours.run_.table["classes"] == sorted(labels)
    ours.run_.save(tmp_path / "run.npz")
    loaded = fastgd.load_run(tmp_path / "run.npz")
    table = fastgd.data.Table.from_dict(loaded.table)
    np.testing.assert_array_equal(table.decode(loaded.predict(X))[:, 0], ours.predict(X).astype(object))
    assert "network_label" in loaded.to_c()
    named = small().fit(pandas.DataFrame(X, columns=list("pqrs")), y)
    assert named.run_.table["inputs"] == list("pqrs")


def test_what_is_no_class_has_no_table(iris):
    X, y = iris
    assert small().fit(X, (X > 1).astype(int)).run_.table is None
    assert small().fit(X, y > 0).run_.table is None
    assert small(MLPRegressor).fit(X, y).run_.table is None


def test_ctrl_c_leaves_what_there_is(iris, monkeypatch):
    X, y = iris
    advance, calls = Stepwise.advance, []

    def interrupted(steps, updates):
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        advance(steps, updates)

    monkeypatch.setattr(Stepwise, "advance", interrupted)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        ours = small().fit(X, y)
    monkeypatch.undo()
    assert ours.n_iter_ == 7
    np.testing.assert_array_equal(ours.coefs_[0], small(max_iter=7).fit(X, y).coefs_[0])


def test_ctrl_c_before_there_is_a_loop_is_one(iris, monkeypatch):
    """Such as while it is compiled."""

    def interrupted(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(kernels, "take", interrupted)
    ours = small()
    with pytest.raises(KeyboardInterrupt):
        ours.fit(*iris)
    assert not hasattr(ours, "coefs_")


def test_sparse_rows_are_made_dense(iris):
    X, y = iris
    sparse = csr_matrix(X)
    ours = small().fit(sparse, y)
    np.testing.assert_array_equal(ours.coefs_[0], small().fit(X, y).coefs_[0])
    np.testing.assert_array_equal(ours.predict(sparse), ours.predict(X))


def test_in_what_scikit_learn_offers(iris):
    X, y = iris
    both = small(), small(neural_network.MLPClassifier)
    pipelines = [make_pipeline(StandardScaler(), each) for each in both]
    scores = [cross_val_score(pipeline, X, y) for pipeline in pipelines]
    np.testing.assert_array_equal(*scores)
    calibrated = [CalibratedClassifierCV(each, cv=3).fit(X, y).predict_proba(X) for each in both]
    np.testing.assert_allclose(*calibrated, rtol=1e-6)
    grids = [GridSearchCV(each, {"alpha": [1e-4, 1.0]}, n_jobs=2).fit(X, y) for each in both]
    np.testing.assert_array_equal(*(grid.cv_results_["mean_test_score"] for grid in grids))
    assert clone(small(alpha=0.5)).get_params()["alpha"] == 0.5
    own = set(neural_network.MLPClassifier().get_params())
    assert own <= set(MLPClassifier().get_params())
    assert {name: MLPClassifier().get_params()[name] for name in own} == neural_network.MLPClassifier().get_params()
    own = neural_network.MLPRegressor().get_params()
    assert {name: MLPRegressor().get_params()[name] for name in own} == own


def test_frames(iris, diabetes):
    X, y = iris
    names = ["a", "b", "c", "d"]
    expected = small().fit(X, y)
    for frame, target in ((pandas.DataFrame(X, columns=names), pandas.Series(y)), (polars.DataFrame(X, schema=names), polars.Series(y))):
        ours = small().fit(frame, target)
        assert ours.feature_names_in_.tolist() == names
        np.testing.assert_array_equal(ours.coefs_[0], expected.coefs_[0])
        np.testing.assert_array_equal(ours.predict(frame), expected.predict(X))
        result = search(small(), {"alpha": [0.1, 1.0]}, frame, target, cv=3)
        assert result.best_estimator_.feature_names_in_.tolist() == names
    with pytest.raises(ValueError, match="feature names"):
        ours.predict(pandas.DataFrame(X, columns=names[::-1]))


def test_metadata_routing(iris):
    X, y = iris
    weights = np.random.default_rng(0).uniform(0.1, 2, len(X))
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), small().set_fit_request(sample_weight=True))
        pipeline.fit(X, y, sample_weight=weights)
    alone = small().fit(StandardScaler().fit_transform(X), y, sample_weight=weights)
    np.testing.assert_array_equal(pipeline[-1].coefs_[0], alone.coefs_[0])
    assert alone.score(X, y, sample_weight=weights) == pytest.approx(np.average(alone.predict(X) == y, weights=weights))
